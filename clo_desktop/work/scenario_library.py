"""The library of scenarios: those that ship, which nobody changes, and those of the workspace with their versions.

Everywhere a scenario is named a name of the library serves as well as a file; NAME@2 is its second version. No Qt.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

import yaml

import resources
from clo_desktop.faults import Refused
from clo_desktop.store import Saved, Store
from clo_desktop.work import blocks
from clo_desktop.work.blocks import CODE, Block
from clo_desktop.work.scenario import Scenario, read_scenario, scenario_of_text, scenario_text

SHIPS: Final = "CLO Desktop"
"""The owner of what ships."""

LONGEST: Final = 80
_FILES: Final = (".yaml", ".yml")
_UNFIT: Final = frozenset('@/\\:*?"<>|')


@dataclass(frozen=True, slots=True)
class Entry:
    """One scenario of the library, as one of its versions says; `text` is the scenario file.

    shipped  a template: it can be copied, not changed
    about    of a template, what it rests on and how far it is to be trusted
    as_of    of a template, the day its figures are of
    others   as in `store.Saved`; a template has one version, which was never saved
    """

    name: str
    owner: str
    version: int
    versions: int
    text: str
    note: str = ""
    saved_by: str = SHIPS
    saved_at: dt.datetime | None = None
    tags: tuple[str, ...] = ()
    locked_by: str | None = None
    locked_at: dt.datetime | None = None
    shipped: bool = False
    about: str = ""
    as_of: dt.date | None = None

    @property
    def reference(self) -> str:
        """What means this version for good: NAME@2; a template has its name alone."""
        return self.name if self.shipped else f"{self.name}@{self.version}"


def reference(title: str) -> tuple[str, int]:
    """Name and version of NAME@2; 0 where the title says none."""
    name, mark, number = title.rpartition("@")
    return (name, int(number)) if mark and number.isdecimal() else (title, 0)


@cache
def templates() -> tuple[Entry, ...]:
    """The scenarios that ship, by name."""
    files = sorted(p for p in resources.path("scenarios").iterdir() if p.suffix == ".yaml")
    return tuple(sorted((_template(file) for file in files), key=lambda entry: entry.name.casefold()))


def _template(file: Path) -> Entry:
    block = Block(file.name, "", blocks.loaded(file.read_text(encoding="utf-8"), file.name), "a template has keys")
    name, text = block.need("name", blocks.text, "Base"), block.need("scenario", blocks.text, "cdr: 2%")
    source, trust = block.need("source", blocks.text, "a study"), block.need("trust", blocks.text, "illustrative")
    as_of = block.need("as_of", blocks.day, "2026-01-31")
    tags = tuple(blocks.text(file.name, where, word) for where, word in block.need("tags", blocks.each, "[template]"))
    block.end()
    about = f"{source} Trust: {trust}."
    return Entry(name, SHIPS, 1, 1, text + "\n", tags=tags, shipped=True, about=about, as_of=as_of)


def _of_store(saved: Saved) -> Entry:
    return Entry(**{name: getattr(saved, name) for name in Saved.__slots__})


def listed(store: Store | None, search: str = "", tag: str = "") -> tuple[Entry, ...]:
    """The templates, then the workspace's own, by name: those in whose name, tags, note or owner every word stands.

    store  None before there is a workspace: then the templates only
    """
    words = search.casefold().split()
    found = (*templates(), *map(_of_store, store.scenarios() if store is not None else ()))

    def meant(entry: Entry) -> bool:
        said = " ".join((entry.name, *entry.tags, entry.note, entry.owner, entry.locked_by or "")).casefold()
        return all(word in said for word in words) and (not tag or tag.casefold() in map(str.casefold, entry.tags))

    return tuple(filter(meant, found))


def versions(store: Store | None, name: str) -> tuple[Entry, ...]:
    """Every version, the newest first. Raises Refused for an unknown name."""
    ships = _shipped(name)
    found = (ships,) if ships else tuple(map(_of_store, store.scenario_versions(name))) if store is not None else ()
    if not found:
        raise _unknown(store, name)
    return found


def entry(store: Store | None, name: str) -> Entry:
    """The scenario of a name, or of NAME@VERSION. Raises Refused for one that is not there, naming those that are."""
    bare, mark, number = name.rpartition("@")
    if not mark:
        return versions(store, name)[0]
    found = versions(store, bare)
    chosen = next((one for one in found if str(one.version) == number.strip()), None)
    if chosen is None:
        raise Refused(f"The scenario {bare} has the versions 1 to {found[0].version}; {number!r} is none.", code=CODE)
    return chosen


def _shipped(name: str) -> Entry | None:
    return next((one for one in templates() if one.name.casefold() == name.strip().casefold()), None)


def _unknown(store: Store | None, name: str) -> Refused:
    names = {one.name.casefold(): one.name for one in listed(store)}
    near = get_close_matches(name.strip().casefold(), names, 3, 0.5)
    meant = f" Did you mean {' or '.join(names[key] for key in near)}?" if near else ""
    others = [names[key] for key in sorted(names) if key not in near]
    also = f" The library {'also ' * bool(near)}has: {', '.join(others)}." if others else ""
    return Refused(f"There is no scenario file and no scenario of the library called {name}.{meant}{also}", code=CODE)


def scenario(of: Entry) -> Scenario:
    """What a scenario of the library says. Raises Refused where it cannot be read (a newer application saved it)."""
    return scenario_of_text(of.text, of.name)


def resolve(named: str, store: Callable[[], Store]) -> Scenario:
    """The scenario that somebody named: a file, or a name of the library; the store is asked for only where needed.

    Raises Refused for what is neither.
    """
    if is_file(named):
        return read_scenario(Path(named))
    ships = _shipped(named)
    return scenario(ships if ships is not None else entry(store(), named))


def is_file(named: str) -> bool:
    """Whether a name means a scenario file and none of the library: by its ending, or because it is there."""
    file = Path(named)
    return file.suffix.lower() in _FILES or file.is_file()


def text(named: str, store: Callable[[], Store]) -> str:
    """The text of what `resolve` reads."""
    return scenario_text(Path(named)) if is_file(named) else entry(store(), named).text


def copied(named: str, store: Callable[[], Store], name: str) -> str:
    """The text of what `resolve` reads, to be saved under a name: a copy within the library has it as its title."""
    found = text(named, store)
    if is_file(named) or reference(named)[0].strip().casefold() == name.strip().casefold():
        return found
    top = yaml.compose(found, Loader=yaml.SafeLoader)
    for key, value in top.value if isinstance(top, yaml.MappingNode) else ():
        if key.value == "title":
            title = yaml.safe_dump(" ".join(name.split()), allow_unicode=True, width=LONGEST * 2).splitlines()[0]
            end = "\n" if found[: value.end_mark.index].endswith("\n") else ""  # the title was a text of several lines
            return found[: value.start_mark.index] + title + end + found[value.end_mark.index :]
    return found


def check_name(name: str) -> str:
    """The name, trimmed. Raises Refused for one that cannot be that of a scenario."""
    trimmed = " ".join(name.split())
    if not trimmed or len(trimmed) > LONGEST:
        raise Refused(f"A scenario has a name of 1 to {LONGEST} characters; write one.", code=CODE)
    if unfit := sorted({c for c in trimmed if c in _UNFIT or not c.isprintable()}):
        raise Refused(f"The name of a scenario has no {' '.join(unfit)}; leave it out of “{trimmed}”.", code=CODE)
    if Path(trimmed).suffix.lower() in _FILES:
        raise Refused(f"{trimmed} is the name of a file; leave the ending out.", code=CODE)
    if (ships := _shipped(trimmed)) is not None:
        raise Refused(
            f"{ships.name} ships with the application and stays as it is; save under another name.", code=CODE
        )
    return trimmed


def save(store: Store, name: str, text: str, note: str = "", tags: Iterable[str] = ()) -> Entry:
    """A new version under this name. Raises Refused for a name that cannot be, a text that is no scenario, a lock."""
    fit = check_name(name)
    scenario_of_text(text, fit)
    store.save_scenario(fit, text, store.person, " ".join(note.split()), check_tags(tags))
    return entry(store, fit)


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags, trimmed, each once. Raises Refused for one that is longer than a word or two."""
    found = dict.fromkeys(word for tag in tags if (word := " ".join(tag.split())))
    if long := [word for word in found if len(word) > 40]:
        raise Refused(f"A tag has at most 40 characters; “{long[0][:20]}…” has {len(long[0])}.", code=CODE)
    return tuple(found)


def change(store: Store, name: str, how: Callable[[str], object]) -> Entry | None:
    """Locks, unlocks, tags or deletes by a verb of the store; what is left. Raises Refused for a template."""
    if (ships := _shipped(name)) is not None:
        raise Refused(f"{ships.name} ships with the application and stays; save a copy of it.", code=CODE)
    how(name)
    left = store.scenario_versions(name)
    return _of_store(left[0]) if left else None


# --- told ------------------------------------------------------------------------------------------------------------


def plain(of: Entry, *, text: bool = True) -> dict[str, object]:
    """An entry as data."""
    made: dict[str, object] = {
        "scenario": of.name,
        "owner": of.owner,
        "version": of.version,
        "versions": of.versions,
        "shipped": of.shipped,
        "tags": list(of.tags),
        "note": of.note,
        "saved_by": None if of.shipped else of.saved_by,
        "saved_at": None if of.saved_at is None else of.saved_at.isoformat(timespec="seconds"),
        "locked_by": of.locked_by,
        "locked_at": None if of.locked_at is None else of.locked_at.isoformat(timespec="seconds"),
        "about": of.about,
        "as_of": None if of.as_of is None else of.as_of.isoformat(),
    }
    return made | ({"text": of.text} if text else {})


def state(of: Entry) -> str:
    """`ships`, or its version and lock: `version 3, locked by ann`."""
    if of.shipped:
        return "ships"
    return f"version {of.version}" + ("" if of.locked_by is None else f", locked by {of.locked_by}")


def words(found: Sequence[Entry]) -> str:
    """A line an entry."""
    lines = [f"{one.name:28} {state(one):32} {one.owner:14} {', '.join(one.tags)}".rstrip() for one in found]
    return "\n".join(lines or ["No scenario of the library is meant."])


def _saving(of: Entry) -> str:
    when = "with the application" if of.saved_at is None else f"by {of.saved_by} on {of.saved_at:%Y-%m-%d %H:%M} UTC"
    return f"{when}: {of.note}" if of.note else when


def versions_told(found: Sequence[Entry]) -> str:
    """A line a version."""
    return "\n".join(f"{one.version:4}  {_saving(one)}" for one in found)


def told(of: Entry) -> str:
    """An entry with its text, which is a scenario file."""
    head = [f"# {of.name}, {state(of)}, of {of.owner}"]
    if of.saved_at is not None:
        head.append(
            f"# saved by {of.saved_by} at {of.saved_at:%Y-%m-%d %H:%M} UTC" + (f": {of.note}" if of.note else "")
        )
    if of.tags:
        head.append(f"# tags: {', '.join(of.tags)}")
    if of.about:
        head.append(f"# {of.about}" + ("" if of.as_of is None else f" As of {of.as_of.isoformat()}."))
    return "\n".join((*head, of.text.rstrip()))
