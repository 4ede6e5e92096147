"""What comes in from elsewhere beside workbooks, in one transaction: all of it or nothing.

The functions work inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from clo_desktop.store import books, correlations, reference, scenarios
from clo_desktop.store.correlations import Correlations
from clo_desktop.store.reference import ReferenceTable
from engine.asset import Asset


@dataclass(frozen=True, slots=True)
class Intake:
    """What is to be stored.

    assets     by identifier the values that are known; those of the master that are not named here stay
    scenarios  names with their text;  note, tags: of every version that is made of them
    """

    assets: Mapping[str, Mapping[str, Any]]
    correlations: Correlations | None = None
    scenarios: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()
    reference: tuple[ReferenceTable, ...] = ()
    note: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one kind of thing: how many were new, changed, and as they are already; what is doubtful."""

    kind: str
    new: int
    changed: int
    same: int
    warning: str = ""


def take(on: sa.Connection, what: Intake, by: str, now: dt.datetime) -> tuple[Taken, ...]:
    """Store everything. Raises Refused as the parts do; then the transaction must be undone."""
    done = (
        _assets(on, what.assets),
        _correlations(on, what.correlations, by, now),
        _scenarios(on, what, by, now),
        _settings(on, what.settings, by, now),
        _reference(on, what.reference, by, now),
    )
    return tuple(one for one in done if one.new or one.changed or one.same)


def _assets(on: sa.Connection, assets: Mapping[str, Mapping[str, Any]]) -> Taken:
    known = {asset.asset_id: asset for asset in books.load_assets(on, list(assets))}
    made = [
        replace(known[key], **values) if key in known else Asset(asset_id=key, **values)
        for key, values in assets.items()
    ]
    changed = sum(a.asset_id in known and a != known[a.asset_id] for a in made)
    books.insert_assets(on, made)()
    new = sum(a.asset_id not in known for a in made)
    return Taken("assets", new, changed, len(made) - new - changed)


def _correlations(on: sa.Connection, new: Correlations | None, by: str, now: dt.datetime) -> Taken:
    if new is None:
        return Taken("correlations", 0, 0, 0)
    stored = correlations.load(on)
    joined = new.over(stored)
    if stored is not None and joined.equals(stored):
        return Taken("correlations", 0, 0, new.known_pairs, joined.warning)
    # in the order that is stored, so that the same pairs from another file change nothing
    correlations.put(on, joined, by, now)
    added = joined.known_pairs - (stored.known_pairs if stored is not None else 0)
    return Taken("correlations", added, new.known_pairs - added, 0, joined.warning)


def _scenarios(on: sa.Connection, what: Intake, by: str, now: dt.datetime) -> Taken:
    known = {one.name.casefold(): one for one in scenarios.all_scenarios(on)} if what.scenarios else {}
    states = []
    for name, text in what.scenarios:
        there = known.get(name.casefold())
        states.append("new" if there is None else "same" if there.text == text else "changed")
        if states[-1] != "same":
            scenarios.save(on, name, text, by, now, what.note, what.tags)
    return _counted("scenarios", states)


def _settings(on: sa.Connection, settings: Iterable[tuple[str, Any]], by: str, now: dt.datetime) -> Taken:
    states = []
    for key, value in settings:
        known = reference.setting(on, key) is not None
        changed = reference.put_setting(on, key, value, by, now)
        states.append(_state(known, changed))
    return _counted("settings", states)


def _reference(on: sa.Connection, tables: Iterable[ReferenceTable], by: str, now: dt.datetime) -> Taken:
    states = []
    for table in tables:
        there = reference.table(on, table.name, table.as_of)
        known = there is not None and there.as_of == table.as_of
        if known and there is not None and there.rows == table.rows:
            states.append("same")  # from another file, perhaps
            continue
        states.append(_state(known, reference.put_table(on, table, by, now)))
    return _counted("reference tables", states)


def _state(known: bool, changed: bool) -> str:
    return "new" if not known else "changed" if changed else "same"


def _counted(kind: str, states: list[str]) -> Taken:
    return Taken(kind, states.count("new"), states.count("changed"), states.count("same"))
