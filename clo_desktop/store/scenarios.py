"""The library of scenarios in rows: every save is a version, a lock says by whom, tags and notes to find them by.

The functions work inside the caller's transaction. Names are compared without case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
import yaml

from clo_desktop.faults import Refused
from clo_desktop.store import schema

CODE = "scenario"


@dataclass(frozen=True, slots=True)
class Saved:
    """A scenario of the library as one of its versions says; moments are aware (UTC).

    version, versions     its number, from 1, and how many there are
    text                  the scenario file (YAML)
    owner                 who saved the first version;  saved_by: who saved this one, with a note
    locked_by, locked_at  None: it is not locked
    """

    name: str
    owner: str
    version: int
    versions: int
    text: str
    note: str
    saved_by: str
    saved_at: dt.datetime
    tags: tuple[str, ...] = ()
    locked_by: str | None = None
    locked_at: dt.datetime | None = None


def all_scenarios(on: sa.Connection) -> tuple[Saved, ...]:
    """The newest version of every scenario, by name."""
    versions = schema.scenario_versions
    newest = sa.select(versions.c.scenario_id, sa.func.max(versions.c.version).label("newest")).group_by(
        versions.c.scenario_id
    )
    last = newest.subquery()
    found = on.execute(
        _columns().join(last, (last.c.scenario_id == versions.c.scenario_id) & (last.c.newest == versions.c.version))
    )
    tags = _tags(on)
    made = [replace(_saved(row), versions=row.version, tags=tags.get(row.id, ())) for row in found]
    # sorted here, since databases disagree on the order of text
    return tuple(sorted(made, key=lambda one: (one.name.casefold(), one.name)))


def versions_of(on: sa.Connection, name: str) -> tuple[Saved, ...]:
    """Every version of a scenario, the newest first; nothing where there is none of that name."""
    found = _head(on, name)
    if found is None:
        return ()
    versions = schema.scenario_versions
    rows = on.execute(_columns().where(versions.c.scenario_id == found.id).order_by(versions.c.version.desc())).all()
    tags = _tags(on, found.id).get(found.id, ())
    return tuple(replace(_saved(row), versions=rows[0].version, tags=tags) for row in rows)


def library(on: sa.Connection) -> dict[str, tuple[Saved, ...]]:
    """Every version of every scenario, the oldest first, by name."""
    versions, found = schema.scenario_versions, dict[str, list[Saved]]()
    tags = _tags(on)
    for row in on.execute(_columns().order_by(versions.c.scenario_id, versions.c.version)):
        found.setdefault(row.name, []).append(replace(_saved(row), tags=tags.get(row.id, ())))
    return {name: tuple(replace(one, versions=len(many)) for one in many) for name, many in found.items()}


def put(on: sa.Connection, versions: Sequence[Saved]) -> None:
    """A scenario with these versions, numbered anew from 1, and with the owner, lock and tags of the last, in the place
    of the one of its name: as it is somewhere else, whoever owns or locks it."""
    last = versions[-1]
    if (there := _head(on, last.name, change=True)) is not None:
        _remove(on, there.id)
    head = {"name": last.name, "owner": last.owner, "locked_by": last.locked_by, "locked_at": last.locked_at}
    key = on.execute(sa.insert(schema.scenarios).values(head)).inserted_primary_key
    assert key is not None
    rows = [
        {
            "scenario_id": key[0],
            "version": number,
            **{name: getattr(one, name) for name in ("text", "note", "saved_by", "saved_at")},
        }
        for number, one in enumerate(versions, 1)
    ]
    on.execute(sa.insert(schema.scenario_versions), rows)
    _add_tags(on, key[0], set(last.tags))


def parameters_of(on: sa.Connection, name: str) -> Mapping[str, Any]:
    """What the newest version of a scenario says, by parameter. Raises Refused for one that is not there."""
    found = versions_of(on, name)
    if not found:
        raise Refused(f"There is no scenario {name}; see the library.", code=CODE)
    try:
        said = yaml.safe_load(found[0].text)
    except yaml.YAMLError as reason:
        raise Refused(f"The scenario {name} cannot be read; save it anew, or an older version of it.", code=CODE) from (
            reason
        )
    return said if isinstance(said, dict) else {}


def save(
    on: sa.Connection, name: str, text: str, by: str, now: dt.datetime, note: str = "", tags: Iterable[str] = ()
) -> int:
    """A new version of the scenario, or its first; gives its number. Further tags are added.

    Raises Refused where it is locked.
    """
    found = _head(on, name, change=True)
    if found is None:
        key = on.execute(sa.insert(schema.scenarios).values(name=name, owner=by)).inserted_primary_key
        assert key is not None
        scenario_id, version = key[0], 1
    else:
        _check_unlocked(found)
        scenario_id, table = found.id, schema.scenario_versions
        newest = on.scalar(sa.select(sa.func.max(table.c.version)).where(table.c.scenario_id == scenario_id))
        version = int(newest or 0) + 1
    row = {"scenario_id": scenario_id, "version": version, "text": text, "note": note, "saved_by": by, "saved_at": now}
    on.execute(sa.insert(schema.scenario_versions), [row])
    known = set(_tags(on, scenario_id).get(scenario_id, ()))
    _add_tags(on, scenario_id, set(tags) - known)
    return version


def lock(on: sa.Connection, name: str, by: str, now: dt.datetime) -> None:
    """Nobody changes the scenario until it is unlocked. Raises Refused where there is none or it is locked."""
    found = _needed(on, name)
    _check_unlocked(found)
    heads = schema.scenarios
    on.execute(sa.update(heads).where(heads.c.id == found.id).values(locked_by=by, locked_at=now))


def unlock(on: sa.Connection, name: str, by: str) -> None:
    """It may be changed again. Raises Refused for a lock of somebody else: it is theirs, or the owner's, to open."""
    found = _needed(on, name)
    if found.locked_by is not None and by not in (found.locked_by, found.owner):
        raise Refused(
            f"The scenario {found.name} is locked by {found.locked_by}; ask {found.locked_by} to unlock it, or save a "
            "copy under another name.",
            code=CODE,
        )
    heads = schema.scenarios
    on.execute(sa.update(heads).where(heads.c.id == found.id).values(locked_by=None, locked_at=None))


def tag(on: sa.Connection, name: str, tags: Iterable[str]) -> None:
    """These tags and no others. Raises Refused where there is no such scenario or it is locked."""
    found = _needed(on, name)
    _check_unlocked(found)
    table = schema.scenario_tags
    on.execute(sa.delete(table).where(table.c.scenario_id == found.id))
    _add_tags(on, found.id, set(tags))


def delete(on: sa.Connection, name: str) -> None:
    """The scenario with all its versions. Raises Refused where there is none or it is locked."""
    found = _needed(on, name)
    _check_unlocked(found)
    _remove(on, found.id)


def _remove(on: sa.Connection, scenario_id: int) -> None:
    for table in (schema.scenario_tags, schema.scenario_versions):
        on.execute(sa.delete(table).where(table.c.scenario_id == scenario_id))
    on.execute(sa.delete(schema.scenarios).where(schema.scenarios.c.id == scenario_id))


def _columns() -> sa.Select[tuple[object, ...]]:
    heads, versions = schema.scenarios, schema.scenario_versions
    of_head = (heads.c.id, heads.c.name, heads.c.owner, heads.c.locked_by, heads.c.locked_at)
    of_version = (versions.c.version, versions.c.text, versions.c.note, versions.c.saved_by, versions.c.saved_at)
    return sa.select(*of_head, *of_version).join_from(heads, versions, heads.c.id == versions.c.scenario_id)


def _saved(row: sa.Row[tuple[object, ...]]) -> Saved:
    given = {name: value for name, value in row._mapping.items() if name != "id"}
    return Saved(versions=row.version, **given)


def _head(on: sa.Connection, name: str, *, change: bool = False) -> sa.Row[tuple[object, ...]] | None:
    """The row of a scenario, held for the rest of the transaction where it is to be changed."""
    wanted = sa.select(schema.scenarios)
    rows = on.execute(wanted.with_for_update() if change else wanted)
    return next((row for row in rows if row.name.casefold() == name.strip().casefold()), None)


def _needed(on: sa.Connection, name: str) -> sa.Row[tuple[object, ...]]:
    found = _head(on, name, change=True)
    if found is None:
        raise Refused(f"There is no scenario {name} in the library; `clo scenarios` lists them.", code=CODE)
    return found


def _check_unlocked(found: sa.Row[tuple[object, ...]]) -> None:
    if found.locked_by is not None:
        raise Refused(
            f"The scenario {found.name} is locked by {found.locked_by} since {found.locked_at:%Y-%m-%d %H:%M} UTC; "
            "unlock it first, or save a copy under another name.",
            code=CODE,
        )


def _tags(on: sa.Connection, scenario_id: int | None = None) -> dict[int, tuple[str, ...]]:
    table = schema.scenario_tags
    wanted = sa.select(table.c.scenario_id, table.c.tag)
    if scenario_id is not None:
        wanted = wanted.where(table.c.scenario_id == scenario_id)
    found: dict[int, list[str]] = {}
    for key, word in on.execute(wanted):
        found.setdefault(key, []).append(word)
    return {key: tuple(sorted(words)) for key, words in found.items()}


def _add_tags(on: sa.Connection, scenario_id: int, tags: set[str]) -> None:
    if rows := [{"scenario_id": scenario_id, "tag": word} for word in sorted(tags)]:
        on.execute(sa.insert(schema.scenario_tags), rows)
