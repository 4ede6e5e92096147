"""Prepayment, default and severity of every loan: numbers and vectors, by pool, by kind of asset and by asset
(spec: engine 1.9, 2.5).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from engine.assumptions import Assumptions
from engine.filter import parse
from engine.loans.tape import Tape
from engine.loans.walk import MOST_ENTRIES
from engine.pool import Pool
from engine.terms import CashFlowAssumption, Value

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Rate = Literal["cpr", "cdr", "severity"]
RATES: Final[tuple[Rate, ...]] = ("cpr", "cdr", "severity")
_WORDS: Final[Mapping[Rate, str]] = {"cpr": "prepayment rate", "cdr": "default rate", "severity": "severity"}

ASSET_PERIOD: Final = 0
"""The step of a vector with one entry an interest date of the asset."""


@dataclass(frozen=True, slots=True)
class Vector:
    """Values over time; the last is held.

    values      annual rates, or rates of one step with `per_step` (12 steps a year: an SMM or MDR)
    step        months of an entry; ASSET_PERIOD: the interest dates of the asset
    per_step    values are of one step, not of a year
    from_age    counted from the loan's dated date, not from the analysis date
    absolute    of a default vector: shares of the balance at the start that default in each step
    """

    values: tuple[float, ...]
    step: int = ASSET_PERIOD
    per_step: bool = False
    from_age: bool = False
    absolute: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.values) < MOST_ENTRIES:
            raise ValueError(f"A vector has 1 to {MOST_ENTRIES - 1} entries; this one has {len(self.values)}.")
        if outside := [v for v in self.values if not 0.0 <= v <= 1.0]:
            raise ValueError(f"The values of a vector are from 0 to 1 (0.2 is 20 %); {outside[0]:g} is not.")
        if self.step < 0:
            raise ValueError(f"The step of a vector is a number of months; {self.step} is none.")

    def annual(self, months: int) -> tuple[float, ...]:
        """Values as annual rates, for a loan with `months` between interest dates."""
        if not self.per_step or self.absolute:
            return self.values
        steps = 12.0 / (self.step or months)
        return tuple(1.0 - (1.0 - v) ** steps for v in self.values)


def ramp(start: float, end: float, months: int) -> Vector:
    """From one annual rate to another over some months, in a straight line, then held."""
    if months < 1:
        raise ValueError(f"A ramp takes at least one month; {months} are none.")
    return Vector(tuple(start + (end - start) * k / months for k in range(months + 1)), step=1)


_STEPS: Final[tuple[tuple[str, int], ...]] = (
    (r"QTR|QUARTER", 3),
    (r"SA|SEMI", 6),
    (r"MTH|MONTH|MON|SMM|MDR", 1),
    (r"ANN|ANNUAL|YR|YEAR", 12),
)


def named(name: str, values: Sequence[float | None], months: int) -> Vector:
    """A vector of the workbook, for a loan with `months` between interest dates; cells without a number count as 0.

    An entry is an interest date of the asset, unless the name says a step (QTR, SA, MTH, ANN; SMM and MDR: months)
    that is not the asset's. SMM and MDR are rates of one step, AGE counts from the loan's dated date, TIMING is the
    share of the opening balance that defaults in each step.
    """
    words = {w.upper() for w in re.split(r"[^A-Za-z]+", name) if w}
    step = next((n for pattern, n in _STEPS if any(re.fullmatch(pattern, w) for w in words)), ASSET_PERIOD)
    return Vector(
        tuple(0.0 if v is None else float(v) for v in values) or (0.0,),
        step=ASSET_PERIOD if step == months and "AGE" not in words else step,
        per_step=bool(words & {"SMM", "MDR"}),
        from_age="AGE" in words,
        absolute="TIMING" in words,
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """Rates of the assets that a filter of the filter language chooses ("moodys_rating > B3"; "": all); a later rule
    wins. Missing rates are left as they were; lag in months.
    """

    where: str = ""
    cpr: float | Vector | None = None
    cdr: float | Vector | None = None
    severity: float | Vector | None = None
    lag: float | None = None


RULED: Final = (*RATES, "lag")
"""What a rule may say, by the fields of `Rule` and `Assumptions`."""


def ruled(rules: Sequence[Rule]) -> tuple[str, ...]:
    """What rules of all assets say: of these (names of `RULED`) the pool uses no figure of the scenario or the deal."""
    return tuple(name for name in RULED if any(not r.where.strip() and getattr(r, name) is not None for r in rules))


def without(rules: Sequence[Rule], names: Collection[str]) -> tuple[Rule, ...]:
    """The rules without what they say of some of `RULED`; a rule that then says nothing is left out."""
    none: dict[str, None] = dict.fromkeys(names)
    kept = ((rule, replace(rule, **none)) for rule in rules)  # type: ignore[arg-type]
    return tuple(less for rule, less in kept if less == rule or less != Rule(rule.where))


@dataclass(frozen=True, slots=True)
class Base:
    """What holds for the whole pool where nothing else is said: annual rates, or vectors; lag in months."""

    cpr: float | Vector
    cdr: float | Vector
    severity: float | Vector
    lag: float


@dataclass(frozen=True, slots=True, eq=False)
class Assigned:
    """Which row each loan takes its rates from.

    vectors   of each row, with annual values
    pool_rows rows of the pool's own cpr, cdr and severity: those that a scenario replaces
    cpr, cdr, severity  int64[n]  row of each loan
    lag       float64[n]  months
    notes     what of the table could not be used, in words
    """

    vectors: tuple[Vector, ...]
    pool_rows: tuple[tuple[int, ...], ...]
    cpr: Ints
    cdr: Ints
    severity: Ints
    lag: Floats
    notes: tuple[str, ...] = field(default=())

    def on(self, tape: Tape) -> Tape:
        """The tape with these rows and lags."""
        return tape._replace(
            cpr=self.cpr,
            cdr=self.cdr,
            severity=self.severity,
            lag=np.rint(self.lag / tape.months).astype(np.int64),
            lag_months=np.rint(self.lag).astype(np.int64),
            vector_size=np.array([len(v.values) for v in self.vectors], dtype=np.int64),
            vector_step=np.array([v.step for v in self.vectors], dtype=np.int64),
            vector_from_age=np.array([v.from_age for v in self.vectors], dtype=np.bool_),
            vector_absolute=np.array([v.absolute for v in self.vectors], dtype=np.bool_),
        )

    def rates_for(self, scenarios: Sequence[Assumptions]) -> Floats:
        """float64[n_rows, n_steps, W]: rates in each scenario; its cpr, cdr and severity replace those of the pool.

        Raises ValueError where a scenario has a default rate and the pool a default timing: `assign` with the names
        of what scenarios replace makes room for it.
        """
        steps = max(len(v.values) for v in self.vectors)
        rates = np.empty((len(self.vectors), steps, len(scenarios)))
        for row, vector in enumerate(self.vectors):
            values = np.array(vector.values)
            rates[row] = values[np.minimum(np.arange(steps), values.size - 1)][:, None]
        for rows, name in zip(self.pool_rows, RATES, strict=True):
            said = np.array([getattr(s, name) for s in scenarios], dtype=np.float64)  # None is no number
            given = ~np.isnan(said)
            if not given.any():
                continue
            if any(self.vectors[row].absolute for row in rows):
                raise ValueError("A scenario's default rate cannot stand in for a default timing of the pool.")
            rates[list(rows)] = np.where(given, said, rates[list(rows)])
        return rates


@dataclass(frozen=True, slots=True)
class _Named:
    """A vector of the workbook, to be read for the payment frequency of the loan."""

    name: str
    values: tuple[float | None, ...]


_Value = float | Vector | _Named


def assign(
    pool: Pool,
    months: Ints,
    base: Base,
    *,
    table: Sequence[CashFlowAssumption] = (),
    vectors: Sequence[tuple[str, Sequence[float | None]]] = (),
    rules: Sequence[Rule] = (),
    replaced: Sequence[Rate] = (),
) -> Assigned:
    """Rows of every loan.

    months    int64[n] between interest dates (Tape.months)
    table     the workbook's assumption table: ALL, and rows of single assets, later rows first; REINVEST is not of
              the pool. Its cells are numbers or names of `vectors`
    rules     by kind of asset; they come after ALL and before the rows of single assets
    replaced  what every scenario gives a number for: the pool's own vector is then made a constant row

    Raises ValueError for a name that is no vector; FilterError for a rule that cannot be read.
    """
    n = len(pool)
    known = {name.strip().upper(): (name, tuple(values)) for name, values in vectors}
    notes: list[str] = []
    book = _Book(months)
    whole: dict[Rate, _Value] = {"cpr": base.cpr, "cdr": base.cdr, "severity": base.severity}
    lag = np.full(n, base.lag)
    for line in table:
        if line.target.strip().upper() != "ALL":
            continue
        for name, cell in _cells(line):
            found = _meaning(cell, name, line.target, known, notes)
            if found is not None:
                whole[name] = found
        lag[:] = _number(line.lag, lag)
    places: dict[Rate, Ints] = {}
    pool_rows = []
    for name in RATES:
        first = len(book.made)
        # a scenario changes these rows, so they are kept apart from equal ones
        places[name] = book.rows(0.0 if name in replaced else whole[name], np.arange(n), apart=name)
        if n == 0:
            book.made.append(Vector((0.0,)))
        pool_rows.append(tuple(range(first, len(book.made))))
    everything = np.arange(n)
    for rule in rules:
        where = rule.where.strip()
        chosen = np.flatnonzero(parse(where).chosen(pool, f"The rule “{where}”")) if where else everything
        for name in RATES:
            value = getattr(rule, name)
            if value is not None:
                places[name][chosen] = book.rows(value, chosen)
        if rule.lag is not None:
            lag[chosen] = rule.lag
    by_id: dict[str, list[int]] = {}
    for i, asset in enumerate(pool.assets):
        by_id.setdefault(asset.asset_id.strip().upper(), []).append(i)
    for line in table:
        chosen = np.array(by_id.get(line.target.strip().upper(), []), dtype=np.int64)
        if chosen.size == 0:
            continue
        for name, cell in _cells(line):
            found = _meaning(cell, name, line.target, known, notes)
            if found is not None:
                places[name][chosen] = book.rows(found, chosen)
        lag[chosen] = _number(line.lag, lag[chosen])
    return Assigned(
        tuple(book.made), tuple(pool_rows), places["cpr"], places["cdr"], places["severity"], lag, tuple(notes)
    )


class _Book:
    """The rows made so far, each vector once."""

    def __init__(self, months: Ints) -> None:
        self.months = months
        self.made: list[Vector] = []
        self._place: dict[tuple[str, Vector], int] = {}

    def rows(self, value: _Value, chosen: Ints, apart: str = "") -> Ints:
        """The row of a value for each of the chosen loans; not shared with rows of another `apart`."""
        by_months = {int(m): self._row(value, int(m), apart) for m in np.unique(self.months[chosen])}
        return np.array([by_months[int(self.months[i])] for i in chosen], dtype=np.int64)

    def _row(self, value: _Value, months: int, apart: str) -> int:
        if isinstance(value, _Named):
            vector = named(value.name, value.values, months)
        elif isinstance(value, Vector):
            vector = value
        else:
            vector = Vector((float(value),))
        vector = replace(vector, values=vector.annual(months), per_step=False)
        key = (apart, vector)
        if key not in self._place:
            self._place[key] = len(self.made)
            self.made.append(vector)
        return self._place[key]


def _number(cell: Value, otherwise: Floats) -> float | Floats:
    return float(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else otherwise


def _cells(line: CashFlowAssumption) -> tuple[tuple[Rate, Value], ...]:
    return (("cpr", line.prepay), ("cdr", line.default), ("severity", line.severity))


def _meaning(
    cell: Value, name: Rate, target: str, known: Mapping[str, tuple[str, tuple[float | None, ...]]], notes: list[str]
) -> _Value | None:
    """What a cell says; None where it says nothing."""
    if cell is None:
        return None
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    text = str(cell).strip()
    found = known.get(text.upper())
    if found is not None:
        return _Named(*found)
    if name == "cdr" and text.upper() == "RATING":
        note = f"{target} defaults by its rating only in a simulation; here by the pool's default rate."
        if note not in notes:
            notes.append(note)
        return None
    names = ", ".join(original for original, _ in known.values()) or "none"
    raise ValueError(f"The {_WORDS[name]} of {target} is {text!r}, which is no number and no vector (known: {names}).")
