"""Register programs: formulas over rows of lanes, written as expressions, flattened to a table of operations.

A row holds one figure for every lane (scenario) of a run. A `Builder` collects the formulas of one payment date and
says nothing twice; `flatten` drops what nothing asks for and gives figures rows of the register file X[n_rows, W].
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine.waterfall.flatten import Program, flatten
from engine.waterfall.operations import (
    ADD,
    BUY,
    CCC,
    COPY,
    DELAY,
    DIV,
    DUE,
    EQUAL,
    EXCESS,
    LESS,
    LESS_EQUAL,
    MAX,
    MIN,
    MUL,
    NONE,
    POWER,
    SELECT,
    SHRINK,
    SUB,
    WATCH,
    Operation,
    Region,
)

_COMMUTES: Final = frozenset({ADD, MUL, MIN, MAX, EQUAL})
_MASKS: Final = frozenset({LESS, LESS_EQUAL, EQUAL})
_POSITIVE: Final = frozenset({EXCESS, DUE, CCC, *_MASKS})


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of the program; arithmetic makes new ones. Masks are rows of 1 and 0."""

    builder: Builder = field(repr=False, compare=False, hash=False)
    id: int

    def __add__(self, other: Row | float) -> Row:
        return self.builder.add(self, self.builder.row(other))

    __radd__ = __add__

    def __sub__(self, other: Row | float) -> Row:
        return self.builder.subtract(self, self.builder.row(other))

    def __rsub__(self, other: float) -> Row:
        return self.builder.subtract(self.builder.row(other), self)

    def __mul__(self, other: Row | float) -> Row:
        return self.builder.multiply(self, self.builder.row(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Row | float) -> Row:
        """Nothing where the divisor is nothing."""
        return self.builder.operate(DIV, self, self.builder.row(other))

    def __neg__(self) -> Row:
        return 0.0 - self

    def __lt__(self, other: Row | float) -> Row:
        return self.builder.operate(LESS, self, self.builder.row(other))

    def __le__(self, other: Row | float) -> Row:
        return self.builder.operate(LESS_EQUAL, self, self.builder.row(other))

    def __gt__(self, other: Row | float) -> Row:
        return self.builder.operate(LESS, self.builder.row(other), self)

    def __ge__(self, other: Row | float) -> Row:
        return self.builder.operate(LESS_EQUAL, self.builder.row(other), self)

    def equals(self, other: Row | float) -> Row:
        return self.builder.operate(EQUAL, self, self.builder.row(other))

    def __and__(self, other: Row) -> Row:
        return self * other

    def __or__(self, other: Row) -> Row:
        return self.most(other)

    def __invert__(self) -> Row:
        return 1.0 - self

    def least(self, other: Row | float) -> Row:
        """The smaller of both."""
        return self.builder.least(self, self.builder.row(other))

    def most(self, other: Row | float) -> Row:
        """The larger of both."""
        return self.builder.most(self, self.builder.row(other))

    def over(self, other: Row | float) -> Row:
        """What this exceeds the other by; never below nothing."""
        return self.builder.exceed(self, self.builder.row(other))

    @property
    def positive(self) -> Row:
        return self.most(0.0)

    def then(self, one: Row | float, other: Row | float) -> Row:
        """`one` in the lanes where this mask holds, else `other`."""
        return self.builder.choose(self, self.builder.row(one), self.builder.row(other))


class Builder:
    """Collects the formulas of a date."""

    def __init__(self) -> None:
        self._bodies: list[list[Operation | Region]] = [[]]
        self._n = 0
        self._never_below: set[int] = set()
        self._fixed: dict[int, float] = {}  # figures with a row of their own for good, and what they open with
        self._constants: dict[float, Row] = {}
        self._value: dict[int, float] = {}
        self._known: list[dict[tuple[int, int, int, int], Row]] = [{}]
        self._names: dict[str, dict[Hashable, Row]] = {k: {} for k in ("states", "parameters", "dated", "lanes")}
        self._next: dict[Hashable, Row] = {}
        self._outputs: dict[Hashable, Row] = {}
        self._lines = 0
        self._cohorts = 0
        self._lag = 0

    # figures that come from outside

    def constant(self, value: float) -> Row:
        value = float(value)
        if value not in self._constants:
            row = self._new()
            self._constants[value] = row
            self._fixed[row.id] = value
            self._value[row.id] = value
            if value >= 0.0:
                self._never_below.add(row.id)
        return self._constants[value]

    def row(self, value: Row | float) -> Row:
        return value if isinstance(value, Row) else self.constant(value)

    def state(self, name: Hashable, opening: float = 0.0, *, positive: bool = False) -> Row:
        """A figure kept from date to date; `keep` says what it becomes. `positive`: it is never below nothing."""
        return self._named("states", name, opening, positive)

    def parameter(self, name: Hashable, usual: float = 0.0) -> Row:
        """A figure given once per lane."""
        return self._named("parameters", name, usual, False)

    def dated(self, name: Hashable, *, positive: bool = False) -> Row:
        """A figure given per date, the same in every lane."""
        return self._named("dated", name, 0.0, positive)

    def lane(self, name: Hashable, *, positive: bool = False) -> Row:
        """A figure given per date and lane."""
        return self._named("lanes", name, 0.0, positive)

    def _named(self, kind: str, name: Hashable, opening: float, positive: bool) -> Row:
        names = self._names[kind]
        if name not in names:
            row = self._new()
            names[name] = row
            self._fixed[row.id] = float(opening)
            if positive:
                self._never_below.add(row.id)
        return names[name]

    def keep(self, name: Hashable, value: Row | float) -> None:
        """What the state becomes at the end of the date."""
        self._next[name] = self.row(value)

    def output(self, name: Hashable, value: Row | float) -> None:
        self._outputs[name] = self.row(value)

    # arithmetic, with what is known already folded

    def _new(self) -> Row:
        self._n += 1
        return Row(self, self._n - 1)

    def operate(self, code: int, a: Row, b: Row | None = None, c: Row | None = None) -> Row:
        x, y, z = a.id, NONE if b is None else b.id, NONE if c is None else c.id
        if code in _COMMUTES and y < x:
            x, y = y, x
        folded = self._folded(code, x, y, z)
        if folded is not None:
            return self.constant(folded)
        key = (code, x, y, z)
        for scope in self._known:
            if key in scope:
                return scope[key]
        made = self._emit(code, x, y, z)
        self._known[-1][key] = made
        return made

    def _emit(self, code: int, a: int = NONE, b: int = NONE, c: int = NONE) -> Row:
        made = self._new()
        self._bodies[-1].append(Operation(code, made.id, a, b, c))
        if code in _POSITIVE or self._stays_positive(code, a, b, c):
            self._never_below.add(made.id)
        return made

    def _stays_positive(self, code: int, a: int, b: int, c: int) -> bool:
        sure = self._never_below
        if code in (ADD, MUL, DIV, MIN):
            return a in sure and b in sure
        if code == MAX:
            return a in sure or b in sure
        if code == SELECT:
            return b in sure and c in sure
        return code in (COPY, DELAY, POWER) and a in sure

    def _folded(self, code: int, x: int, y: int, z: int) -> float | None:
        v = self._value
        if x not in v or (y != NONE and y not in v) or (z != NONE and z not in v):
            return None
        a, b = v[x], v.get(y, 0.0)
        if code == DIV:
            return a / b if b != 0.0 else 0.0
        simple: Mapping[int, Callable[[], float]] = {
            ADD: lambda: a + b,
            SUB: lambda: a - b,
            MUL: lambda: a * b,
            MIN: lambda: min(a, b),
            MAX: lambda: max(a, b),
            LESS: lambda: float(a < b),
            LESS_EQUAL: lambda: float(a <= b),
            EQUAL: lambda: float(a == b),
            EXCESS: lambda: max(a - b, 0.0),
        }
        return simple[code]() if code in simple else None

    def _is(self, row: Row, value: float) -> bool:
        return self._value.get(row.id) == value

    def add(self, a: Row, b: Row) -> Row:
        if self._is(a, 0.0):
            return b
        return a if self._is(b, 0.0) else self.operate(ADD, a, b)

    def subtract(self, a: Row, b: Row) -> Row:
        if self._is(b, 0.0):
            return a
        return self.constant(0.0) if a == b else self.operate(SUB, a, b)

    def multiply(self, a: Row, b: Row) -> Row:
        for one, other in ((a, b), (b, a)):
            if self._is(one, 1.0):
                return other
            if self._is(one, 0.0):
                return one
        return self.operate(MUL, a, b)

    def least(self, a: Row, b: Row) -> Row:
        if a == b or self._is(b, np.inf):
            return a
        return b if self._is(a, np.inf) else self.operate(MIN, a, b)

    def most(self, a: Row, b: Row) -> Row:
        for one, other in ((a, b), (b, a)):
            if one == other or self._is(other, -np.inf) or (self._is(other, 0.0) and one.id in self._never_below):
                return one
        return self.operate(MAX, a, b)

    def exceed(self, a: Row, b: Row) -> Row:
        """max(a - b, 0)."""
        if self._is(b, 0.0):
            return self.most(a, b)
        nothing_left = a == b or (self._is(a, 0.0) and b.id in self._never_below)
        return self.constant(0.0) if nothing_left else self.operate(EXCESS, a, b)

    def choose(self, mask: Row, one: Row, other: Row) -> Row:
        if mask.id in self._value:
            return one if self._value[mask.id] != 0.0 else other
        return one if one == other else self.operate(SELECT, mask, one, other)

    def power(self, a: Row, b: Row | float) -> Row:
        return self.operate(POWER, a, self.row(b))

    def total(self, rows: Sequence[Row]) -> Row:
        """Sum in the order given."""
        made = self.constant(0.0)
        for row in rows:
            made = made + row
        return made

    def truth(self, row: Row) -> Row:
        """The mask of what is not nothing."""
        return ~row.equals(0.0)

    def is_never(self, mask: Row) -> bool:
        return self._is(mask, 0.0)

    def is_positive(self, row: Row) -> bool:
        """Whether a figure is known never to be below nothing."""
        return row.id in self._never_below

    # parts of the program that only some lanes need

    @contextmanager
    def region(self, mask: Row) -> Iterator[Region]:
        """Operations within are skipped on dates where the mask holds in no lane.

        What comes out of a region counts only where its mask holds: take it through `mask.then(inside, otherwise)`, or
        `settle` it.
        """
        made = Region(mask.id, [], [])
        self._bodies[-1].append(made)
        self._bodies.append(made.body)
        self._known.append({})
        yield made
        self._known.pop()
        self._bodies.pop()

    def settle(self, region: Region, before: Row, within: Row) -> Row:
        """What is `within` on dates where the region (just closed) is run, and `before` where it is skipped."""
        if before == within:
            return before
        made = self._new()
        region.settled.append((made.id, before.id, within.id))
        if {before.id, within.id} <= self._never_below:
            self._never_below.add(made.id)
        return made

    # what the pool keeps

    def line(self) -> int:
        """A new delay line."""
        self._lines += 1
        return self._lines - 1

    def delay(self, value: Row, line: int, dates: int) -> Row:
        """What went into the line so many dates ago."""
        self._lag = max(self._lag, dates)
        return self._emit(DELAY, value.id, line, dates)

    def cohort(self) -> int:
        self._cohorts += 1
        return self._cohorts - 1

    def due(self, cohort: int) -> Row:
        return self._emit(DUE, NONE, cohort)

    def shrink(self, cohort: int, factor: Row) -> None:
        self._bodies[-1].append(Operation(SHRINK, NONE, factor.id, cohort))

    def buy(self, cohort: int, par: Row, dates: int) -> None:
        self._bodies[-1].append(Operation(BUY, NONE, par.id, cohort, dates))

    def watch(self, balance: Row) -> None:
        """The last of the watched balances is this one: what was bought of assets that the CCC excess counts."""
        self._bodies[-1].append(Operation(WATCH, NONE, balance.id))

    def ccc_haircut(self, limit: Row) -> Row:
        return self.operate(CCC, limit)

    # flattening

    def build(self) -> Program:
        """The program. Raises ValueError for a state that was not given its next value."""
        states = self._names["states"]
        lost = set(states) - set(self._next)
        if lost:
            raise ValueError(f"states without a next value: {sorted(map(str, lost))}")
        closing = self._closing()
        flat = flatten(self._bodies[0], tuple(self._fixed), closing, [row.id for row in self._outputs.values()])
        initial = np.zeros(flat.n_rows)
        for figure, value in self._fixed.items():
            initial[flat.rows[figure]] = value
        named = {kind: {name: flat.rows[row.id] for name, row in names.items()} for kind, names in self._names.items()}
        return Program(
            code=flat.code,
            initial=initial,
            **named,
            outputs={name: flat.rows[row.id] for name, row in self._outputs.items()},
            n_lines=self._lines,
            n_cohorts=self._cohorts,
            lag=self._lag,
        )

    def _closing(self) -> list[tuple[int, int]]:
        """(state, figure it becomes), such that none reads a state that another has overwritten."""
        states = {name: row.id for name, row in self._names["states"].items()}
        own = set(states.values())
        becomes = []
        for name, row in self._next.items():
            figure = row.id
            if figure != states[name]:
                becomes.append((states[name], self._emit(COPY, figure).id if figure in own else figure))
        for name, row in self._outputs.items():
            if row.id in own:  # shown as it was before the date's end
                self._outputs[name] = self._emit(COPY, row.id)
        return becomes
