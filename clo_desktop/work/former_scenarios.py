"""Scenario parameters of the former model as scenarios of the library, with a report of every row that was not
understood. No Qt.

A value without a period holds throughout. Values of periods 1, 2, ... make a vector, an entry an interest date of each
asset as the former model had it; periods written M1, Q1, S1 or Y1 are months, quarters, half years and years. A gap
holds the value before it. Of an index the period is a date, from which on it holds.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.store import Store
from clo_desktop.work import blocks, scenario_library
from clo_desktop.work.former_rows import Row, Value, rows_of
from clo_desktop.work.scenario_written import text_of
from engine.assumptions import AS_IT_IS, Assumptions, Proxy
from engine.loans.vectors import Rule, Vector

_PERIOD: Final = re.compile(
    r"(?P<unit>[MQSY]|MONTH|QUARTER|YEAR|PERIOD)?\s*(?P<number>\d{1,4})(?:\.0+)?", re.IGNORECASE
)
_STEPS: Final = {"M": 1, "Q": 3, "S": 6, "Y": 12, "P": 0}
TAKEN: Final = "imported"


@dataclass(frozen=True, slots=True)
class Missed:
    """A row that was not understood, and why with the remedy."""

    row: Row
    why: str

    @property
    def words(self) -> str:
        r = self.row
        period = "" if r.period is None else f", period {r.period}"
        return f"{r.where}: {r.name or 'no name'}, {r.parameter or 'no parameter'}{period} = {r.value}: {self.why}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds: scenarios by name with their text, the rows that were used, and those that were not."""

    file_name: str
    scenarios: tuple[tuple[str, str], ...]
    used: int
    missed: tuple[Missed, ...]


@dataclass(slots=True)
class _Said:
    """What the rows of one scenario say so far: constants by field, and entries by field, step and period."""

    constants: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, dict[int, float]] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    forwards: dict[dt.date, float] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)


Reader = Callable[[str, str, Any], Any]


def _decimal_price(name: str, key: str, value: Any) -> float:
    """The former model's prices are decimals of par (0.97); a percentage of par is understood too."""
    found = blocks.number(name, key, value, 0.02, 200.0, "a price is a decimal such as 0.97 or a percentage such as 97")
    return found * 100.0 if found <= 2.0 else found


def _recovery(name: str, key: str, value: Any) -> float:
    return 1.0 - blocks.share(name, key, value)


def _flag(name: str, key: str, value: Any) -> bool:
    if str(value).strip().upper() in ("TRUE", "YES", "Y", "1", "1.0"):
        return True
    if str(value).strip().upper() not in ("FALSE", "NO", "N", "0", "0.0"):
        blocks.refuse(name, key, f"{blocks.shown(value)} is neither; write TRUE or FALSE.")
    return False


def _whole(name: str, key: str, value: Any) -> int:
    return int(blocks.number(name, key, value, 0.0, 20.0, "a number of notches such as 2", units=False))


_KNOWN: Final[Mapping[str, tuple[str, Reader]]] = {
    **dict.fromkeys(("cpr", "prepay", "prepayment", "prepayment rate", "annual cpr"), ("cpr", blocks.share)),
    **dict.fromkeys(("cdr", "default", "default rate", "annual cdr"), ("cdr", blocks.share)),
    **dict.fromkeys(("severity", "loss severity", "sev", "loss given default"), ("severity", blocks.share)),
    **dict.fromkeys(("recovery", "recovery rate"), ("severity", _recovery)),
    **dict.fromkeys(("lag", "recovery lag", "lag (months)", "months lag"), ("lag", blocks.lag)),
    **dict.fromkeys(("liquidation price", "sale price", "call price"), ("sale_price", _decimal_price)),
    **dict.fromkeys(("reinvestment price",), ("buy_price", _decimal_price)),
    **dict.fromkeys(("reinvestment spread",), ("buy spread", blocks.spread)),
    **dict.fromkeys(("reinvestment floor",), ("buy floor", blocks.share)),
    **dict.fromkeys(("reinvestment rating",), ("buy rating", blocks.rating)),
    **dict.fromkeys(
        ("reinvestment maturity", "reinvestment maturity (months)"),
        ("buy months", lambda n, k, v: blocks.number(n, k, v, 1.0, 600.0, blocks.MONTHS, units=False)),
    ),
    **dict.fromkeys(("reinvest", "reinvestment", "use reinvestment"), ("reinvest", _flag)),
    **dict.fromkeys(("call when quarterly sub dist <", "call below"), ("call_below", blocks.share)),
    **dict.fromkeys(("call date", "redemption date"), ("call_date", blocks.day)),
    **dict.fromkeys(("clean-up call", "clean up call", "cleanup call percent"), ("clean_up", blocks.share)),
    **dict.fromkeys(("curve shift", "rate shift", "parallel shift", "libor shift"), ("rate_shift", blocks.spread)),
    **dict.fromkeys(("price shock", "market value shock"), ("price_shock", blocks.change)),
    **dict.fromkeys(("downgrade", "rating downgrade", "notches"), ("downgrade", _whole)),
    **dict.fromkeys(
        ("libor", "index", "current libor", "forward", "forward rate", "sofr"),
        ("forwards", lambda n, k, v: blocks.number(n, k, v, -0.05, 1.0, blocks.RATE_WORDS)),
    ),
}
"""Parameters of the former model, folded: the figure each is here, and how its value is read."""

_VECTORS: Final = ("cpr", "cdr", "severity")
_NOT_APART: Final = {
    "reinvestment cpr", "reinvestment cdr", "reinvestment severity", "reinverstment severity", "reinvestment lag",
}  # fmt: skip
"""What the former model set apart for assets to be bought; a scenario's own rates hold for both."""


def read(path: Path) -> Found:
    """The scenarios of a file. Raises Refused for a file that has no such rows."""
    return understood(path.name, rows_of(path))


def understood(file_name: str, rows: Sequence[Row]) -> Found:
    """What the rows of a file say."""
    said: dict[str, _Said] = {}
    missed: list[Missed] = []
    for row in rows:
        try:
            _take(file_name, row, said)
        except Refused as refused:
            missed.append(Missed(row, refused.message.partition(": ")[2] or refused.message))
    made, used = [], 0
    for name, of in said.items():
        try:
            made.append((name, text_of(_assumptions(of), name)))
            used += len(of.rows)
        except (ValueError, Refused) as error:
            missed += [Missed(row, f"the scenario cannot be: {error}") for row in of.rows]
    places = {id(row): k for k, row in enumerate(rows)}
    return Found(file_name, tuple(made), used, tuple(sorted(missed, key=lambda one: places[id(one.row)])))


def _take(file: str, row: Row, said: dict[str, _Said]) -> None:
    """Adds a row to what its scenario says. Raises Refused for one that is not understood."""
    if row.name is None or not isinstance(row.parameter, str):
        blocks.refuse(file, "", "a row needs the name of its scenario and a parameter; fill both.")
    if row.value is None:
        blocks.refuse(file, "", "the value is missing; fill it or take the row out.")
    name = scenario_name(str(row.name))
    folded = " ".join(row.parameter.replace("_", " ").split()).casefold()
    if folded in _NOT_APART:
        blocks.refuse(file, "", "the rates of a scenario hold for what reinvestment buys too; take the row out.")
    if folded not in _KNOWN:
        blocks.refuse(file, "", f"no such parameter; known are {', '.join(sorted(_KNOWN))}.")
    figure, reader = _KNOWN[folded]
    value = reader(file, "", row.value)
    of = said.setdefault(name, _Said())
    if figure == "forwards":
        day = _day(file, row.period)
        if day in of.forwards:
            blocks.refuse(file, "", f"{day.isoformat()} is there twice; the first one was taken.")
        of.forwards[day] = value
    elif (period := _period(file, row.period)) is None:
        _check_once(file, of, figure)
        of.constants[figure] = value
    else:
        _take_entry(file, of, figure, value, *period)
    of.rows.append(row)


def _check_once(file: str, of: _Said, figure: str) -> None:
    if figure in of.constants or figure in of.entries:
        blocks.refuse(file, "", "the scenario says this already; the first row was taken.")


def _take_entry(file: str, of: _Said, figure: str, value: Any, step: int, number: int) -> None:
    if figure not in _VECTORS:
        blocks.refuse(file, "", "it cannot change over time here; leave the period blank.")
    if figure in of.constants:
        _check_once(file, of, figure)
    entries = of.entries.setdefault(figure, {})
    if of.steps.setdefault(figure, step) != step:
        blocks.refuse(file, "", "the periods before it are of another length; write all of them alike.")
    if number in entries:
        blocks.refuse(file, "", "the period is there twice; the first one was taken.")
    entries[number] = value


def _period(file: str, period: Value) -> tuple[int, int] | None:
    """Months of a step (0: interest dates) and the number of the entry, from 1; None: it holds throughout."""
    if period is None or str(period).strip().upper() in ("", "0", "0.0", "ALL"):
        return None
    found = _PERIOD.fullmatch(str(period).strip()) if not isinstance(period, bool | dt.date) else None
    if found is None or int(found["number"]) < 1:
        blocks.refuse(
            file, "", f"{blocks.shown(period)} is no period; write 1, 2, ... or M1, Q1, Y1, or leave it blank."
        )
    return _STEPS[(found["unit"] or "P")[0].upper()], int(found["number"])


def _day(file: str, period: Value) -> dt.date:
    if period is None:
        blocks.refuse(file, "", "an index needs the date from which it holds as its period, such as 2026-04-15.")
    return blocks.day(file, "", period)


def _assumptions(of: _Said) -> Assumptions:
    """What the rows of a scenario say together. Raises ValueError."""
    plain = {name: value for name, value in of.constants.items() if not name.startswith("buy ")}
    bought = {name.partition(" ")[2]: value for name, value in of.constants.items() if name.startswith("buy ")}
    if bought and "spread" not in bought:
        raise ValueError("a floor, maturity or rating of reinvestment needs its spread; add Reinvestment Spread")
    vectors: dict[str, Any] = {name: Vector(_held(entries), of.steps[name]) for name, entries in of.entries.items()}
    return Assumptions(
        **plain,
        buys=(Proxy(1.0, **bought),) if bought else (),
        rules=(Rule("", **vectors),) if vectors else (),
        rates=replace(AS_IT_IS, forwards=tuple(sorted(of.forwards.items()))),
    )


def _held(entries: Mapping[int, float]) -> tuple[float, ...]:
    """Entries from 1 to the last; a gap holds the value before it, the start what comes first."""
    made: list[float] = []
    current = entries[min(entries)]
    for number in range(1, max(entries) + 1):
        current = entries.get(number, current)
        made.append(current)
    return tuple(made)


def scenario_name(name: str) -> str:
    """The name as the library can have it: of what it cannot have a blank, beside a template's a remark."""
    trimmed = " ".join(re.sub(r'[@/\\:*?"<>|\x00-\x1f]', " ", name).split())[: scenario_library.LONGEST]
    ships = {one.name.casefold() for one in scenario_library.templates()}
    return f"{trimmed} ({TAKEN})" if trimmed.casefold() in ships else trimmed


def save(store: Store, found: Found) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Saves every scenario in the library: what was saved in words, and what was refused (a locked one)."""
    saved, refused = [], []
    for name, text in found.scenarios:
        try:
            entry = scenario_library.save(store, name, text, f"from {found.file_name}", (TAKEN,))
            saved.append(f"{entry.name} was saved as version {entry.version}.")
        except Refused as stop:
            refused.append(stop.message)
    return tuple(saved), tuple(refused)


def lines(found: Found) -> Iterator[str]:
    """The report: how much was understood, and every row that was not."""
    count = len(found.scenarios)
    rows = found.used + len(found.missed)
    yield (
        f"{found.file_name}: {count} scenario{'' if count == 1 else 's'} of {found.used:,} of {rows:,} "
        f"row{'' if rows == 1 else 's'}."
    )
    if found.missed:
        yield f"Not understood ({len(found.missed):,}):"
    for one in found.missed:
        yield f"  {one.words}"


def plain(found: Found, saved: Sequence[str], refused: Sequence[str]) -> dict[str, Any]:
    """The report as data."""
    return {
        "file": found.file_name,
        "scenarios": [{"scenario": name, "text": text} for name, text in found.scenarios],
        "rows_used": found.used,
        "rows_not_understood": [
            {
                "where": m.row.where,
                "name": _cell(m.row.name),
                "parameter": _cell(m.row.parameter),
                "period": _cell(m.row.period),
                "value": _cell(m.row.value),
                "why": m.why,
            }
            for m in found.missed
        ],
        "saved": list(saved),
        "refused": list(refused),
    }


def _cell(value: Value) -> str | float | bool | None:
    return value.isoformat() if isinstance(value, dt.date) else value
