"""Reference tables of the agencies: dated, with their source, overridable deal by deal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.terms import Deal

OVERRIDE: Final = "Table "
"""A deal's label "Table sp_factors B-" (several keys: "Table sp_recovery 2/80/AAA") beside a number."""


@dataclass(frozen=True, slots=True)
class Table:
    """Keys to a number.

    as_of, source  what the figures are and where they were found
    unconfirmed  what of it no second source confirms ("" : nothing)
    overridden   keys that the deal itself gives
    """

    name: str
    title: str
    as_of: str
    source: str
    unconfirmed: str
    keys: tuple[str, ...]
    entries: Mapping[tuple[str, ...], float]
    overridden: tuple[tuple[str, ...], ...] = ()


Tables = Mapping[str, Table]


def read_tables(documents: Iterable[Mapping[str, Any]]) -> dict[str, Table]:
    """The tables of parsed YAML files, by name. Raises ValueError that names the table and what is wrong with it."""
    tables: dict[str, Table] = {}
    for row in (row for document in documents for row in document["tables"]):
        name = str(row.get("name"))
        try:
            entries = dict(_leaves(row["values"], len(row["keys"])))
            made = Table(
                name=name,
                title=str(row["title"]),
                as_of=str(row["as_of"]),
                source=str(row["source"]),
                unconfirmed=str(row["unconfirmed"]),
                keys=tuple(row["keys"]),
                entries=entries,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"Reference table {name}: {error}") from error
        if name in tables:
            raise ValueError(f"Reference table {name} is there twice; keep one.")
        tables[name] = made
    return tables


def _leaves(values: Any, depth: int) -> Iterator[tuple[tuple[str, ...], float]]:
    for key, value in values.items():
        if depth == 1:
            yield (str(key),), float(value)
        else:
            yield from (((str(key), *rest), number) for rest, number in _leaves(value, depth - 1))


def of_deal(tables: Tables, deal: Deal) -> Tables:
    """The tables with what the deal overrides. Raises ValueError that names the label."""
    changed: dict[str, Table] = {}
    for label, value in (*deal.clo_inputs, *deal.quality_inputs):
        if not label.casefold().startswith(OVERRIDE.casefold()):
            continue
        name, _, path = label[len(OVERRIDE) :].strip().partition(" ")
        table = changed.get(name) or tables.get(name)
        if table is None:
            known = ", ".join(sorted(tables)) or "none"
            raise ValueError(f"“{label}”: there is no reference table {name}; tables: {known}.")
        key = tuple(part.strip() for part in path.split("/"))
        if key not in table.entries:
            raise ValueError(f"“{label}”: the table {name} has no entry {path.strip()!r} ({' / '.join(table.keys)}).")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"“{label}” needs a number beside it, not {value!r}.")
        changed[name] = replace(
            table, entries={**table.entries, key: float(value)}, overridden=(*table.overridden, key)
        )
    return {**tables, **changed} if changed else tables
