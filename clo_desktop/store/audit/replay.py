"""The lines told again from the first: what they say must have been there before, and must be there now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clo_desktop.store.audit.lines import Line
from clo_desktop.store.audit.secrets import is_secret

Row = dict[str, Any]
Place = tuple[str, str]
"""A row: its table, and its key as JSON."""

State = dict[Place, Row]

_OPENS = ("insert", "baseline")


@dataclass(slots=True)
class Told:
    """What lines tell: the state after the last, the name of each row, and the lines that contradict those before."""

    state: State = field(default_factory=dict)
    names: dict[Place, str] = field(default_factory=dict)
    contradictions: list[tuple[int, str]] = field(default_factory=list)


def replay(lines: Iterable[Line]) -> Told:
    """Tell the lines in their order."""
    told = Told()
    for line in lines:
        tell(told, line)
    return told


def tell(told: Told, line: Line) -> None:
    """Add a line."""
    table = line.details.get("table")
    if table is None or "id" not in line.details:
        return  # about no row: triggers that were mended
    place = (str(table), json.dumps(line.details["id"]))
    told.names[place] = line.resource_id
    known = told.state.get(place)
    if line.action in _OPENS:
        if known is not None and line.action == "insert":
            told.contradictions.append((line.seq, f"{_spoken(line)} was added, but it was there already"))
        told.state[place] = clean(line.after)
        return
    if known is None:
        told.contradictions.append((line.seq, f"{_spoken(line)} was changed, but no line says that it was added"))
        known = clean(line.before)
    else:
        wrong = sorted(
            name for name, value in line.before.items() if not is_secret(name) and bare(value) != known.get(name)
        )
        if wrong:
            told.contradictions.append(
                (line.seq, f"{_spoken(line)}: {', '.join(wrong)} was not what a line before says")
            )
    if line.action == "delete":
        told.state.pop(place, None)
        return
    told.state[place] = clean({**known, **line.after})


def clean(row: Mapping[str, Any]) -> Row:
    """A row to compare: without what is missing or secret."""
    return {name: bare(value) for name, value in row.items() if value is not None and not is_secret(name)}


def bare(value: Any) -> Any:
    """A value to compare: within documents, too, missing and absent are the same."""
    if isinstance(value, dict):
        return {name: bare(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [bare(inner) for inner in value]
    return value


def _spoken(line: Line) -> str:
    return f"{line.resource_type.replace('_', ' ')} {line.resource_id}".strip()
