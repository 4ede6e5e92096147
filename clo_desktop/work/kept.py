"""Results kept with the hash of their inputs: what was asked before is answered at once. No Qt.

A file a result in the user's cache folder, at most so many and so large together; the one that was not asked for
longest goes first. The hash covers the deal, its tables, curve and waterfall, the assumed terms, the scenario, what was
asked, and the versions of everything that computes. A file that is damaged, or cannot be written, is as none.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import resources
from clo_desktop import paths
from clo_desktop.work import ingredients, waterfalls
from clo_desktop.work.desk import Desk, read_curve
from clo_desktop.work.pack_file import as_json, digest
from engine.assumptions import Assumptions

MOST_FILES: Final = 400
MOST_BYTES: Final = 64_000_000
_FORMAT: Final = 1
_SUFFIX: Final = ".json"

Told = tuple[Any, str]
"""A result as data and in words."""

_log = logging.getLogger(__name__)


def inputs(desk: Desk, deal: str, asked: Assumptions, question: dict[str, Any], curve: Path | None) -> dict[str, Any]:
    """Everything a result rests on, by name: hashes and versions, and the question itself.

    Raises Refused as a run, for a deal, curve or waterfall that is not there.
    """
    book = desk.book(deal)
    document = desk.waterfall(deal)
    return {
        **ingredients.of_book(book),
        **({} if curve is None else {"curve": digest(as_json([[n.months, n.rate] for n in read_curve(curve)]))}),
        "waterfall": digest(waterfalls.text_of(document).encode()),
        "assumed_terms": digest(resources.path("assumed_terms.yaml").read_bytes()),
        "scenario": ingredients.of_assumptions(asked),
        "question": question,
        **ingredients.machinery(),
    }


def answered(rests_on: dict[str, Any], make: Callable[[], Told]) -> Told:
    """The result of these inputs: the one that was kept, else what `make` makes, which is kept."""
    folder = paths.results_cache()
    file = folder / f"{digest(as_json(rests_on))}{_SUFFIX}"
    kept = _read(file, rests_on)
    if kept is not None:
        return kept
    made = make()
    _write(file, rests_on, made)
    return made


def _read(file: Path, rests_on: dict[str, Any]) -> Told | None:
    try:
        found = json.loads(file.read_bytes())
        if found["format"] != _FORMAT or found["inputs"] != json.loads(as_json(rests_on)):
            return None
        words = found["words"]
        os.utime(file)  # asked for last
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return (found["data"], words) if isinstance(words, str) else None


def _write(file: Path, rests_on: dict[str, Any], made: Told) -> None:
    fresh = file.with_name(f".{file.stem}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        data = {"format": _FORMAT, "inputs": rests_on, "data": made[0], "words": made[1]}
        fresh.write_bytes(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())  # keys stay in their order
        fresh.replace(file)
        _prune(file.parent)
    except (OSError, ValueError) as error:
        _log.info("a result was not kept: %s", error)
        fresh.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    """Takes the files that were not asked for longest away, until the folder is within its bounds."""
    files = []
    for path in folder.iterdir():
        try:
            state = path.stat()
        except OSError:  # another process took it away
            continue
        files.append((state.st_mtime_ns, state.st_size, path))
    total, count = sum(size for _, size, _ in files), len(files)
    for _, size, path in sorted(files):
        if total <= MOST_BYTES and count <= MOST_FILES:
            return
        path.unlink(missing_ok=True)
        total, count = total - size, count - 1
