"""From formulas to a flat table of operations: what nobody asks for goes, pairs are fused, figures get rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.waterfall.operations import (
    ADD,
    ADD_ADD,
    COPY,
    EFFECTS,
    EXCESS,
    IMMEDIATE_B,
    IMMEDIATE_C,
    IN_PLACE,
    LESS,
    MIN,
    MUL,
    MULTIPLY_ADD,
    MULTIPLY_ADD_TO,
    NONE,
    PAY,
    SELECT,
    SELECT_LESS,
    SKIP,
    Operation,
    Region,
)

Body = list[Operation | Region]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A flat program of one payment date.

    code      int64[n_operations, 6]  operation, d, a, b, c, e
    initial   float64[n_rows]  constants, and the states as they open where they are the same in every lane
    states, parameters, dated, lanes, outputs  name -> row: kept from date to date; given once per lane; given per
              date; given per date and lane; copied out after each date
    n_lines, n_cohorts, lag  delay lines, cohorts, and the longest delay in dates
    """

    code: NDArray[np.int64]
    initial: NDArray[np.float64]
    states: Mapping[Hashable, int]
    parameters: Mapping[Hashable, int]
    dated: Mapping[Hashable, int]
    lanes: Mapping[Hashable, int]
    outputs: Mapping[Hashable, int]
    n_lines: int
    n_cohorts: int
    lag: int

    @property
    def n_operations(self) -> int:
        return int(self.code.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """The table, the row of every figure that has one, and the number of rows."""

    code: NDArray[np.int64]
    rows: Mapping[int, int]
    n_rows: int


def flatten(body: Body, fixed: Sequence[int], closing: Sequence[tuple[int, int]], outputs: Sequence[int]) -> Flat:
    """The table of a body of formulas.

    fixed    figures with a row of their own for good, in the order of these rows
    closing  (state, figure it becomes) at the end of the date
    outputs  figures that are read after the date
    """
    kept = [figure for _, figure in closing] + list(outputs)
    needed = _needed(body, set(kept))
    _fuse(needed, _uses(needed, kept))
    return _Allocation(fixed, closing, outputs).flatten(needed)


def _needed(body: Body, wanted: set[int]) -> Body:
    """The operations that something wanted depends on; `wanted` grows by what they read."""
    kept: Body = []
    for item in reversed(body):
        if isinstance(item, Region):
            settled = [s for s in item.settled if s[0] in wanted]
            for _, before, within in settled:
                wanted |= {before, within}
            inner = _needed(item.body, wanted)
            if not inner and not settled:
                continue
            wanted.add(item.mask)
            kept.append(Region(item.mask, inner, settled))
        elif item.target in wanted or item.code in EFFECTS:
            wanted.update(item.reads())
            kept.append(item)
    kept.reverse()
    return kept


def _uses(body: Body, kept: Iterable[int]) -> Counter[int]:
    uses = Counter(kept)
    for item in body:
        if isinstance(item, Region):
            uses[item.mask] += 1
            for _, before, within in item.settled:
                uses.update((before, within))
            uses.update(_uses(item.body, ()))
        else:
            uses.update(item.reads())
    return uses


def _fuse(body: Body, uses: Counter[int]) -> None:
    """Two operations become one where the first is asked for by the second alone; the arithmetic stays the same."""
    here: dict[int, Operation] = {}
    gone: set[int] = set()
    for place, item in enumerate(body):
        if isinstance(item, Region):
            _fuse(item.body, uses)
            continue
        paying = here.get(item.b) if item.code == EXCESS else None
        if paying is not None and paying.code == MIN and item.a in (paying.a, paying.b):
            # what a payment leaves of the cash
            claim = paying.b if paying.a == item.a else paying.a
            paying.code, paying.a, paying.b, paying.also = PAY, item.a, claim, item.target
            gone.add(item.target)
            continue
        fused = _fused(item, here, uses)
        if fused is not None:
            inner, body[place] = fused
            gone.add(inner)
            item = fused[1]
        here[item.target] = item
    body[:] = [item for item in body if isinstance(item, Region) or item.target == NONE or item.target not in gone]


def _fused(o: Operation, here: Mapping[int, Operation], uses: Counter[int]) -> tuple[int, Operation] | None:
    """(figure that goes, the operation in place of both), if there is such a pair."""

    def alone(figure: int, code: int) -> Operation | None:
        inner = here.get(figure)
        return inner if inner is not None and inner.code == code and uses[figure] == 1 else None

    if o.code == SELECT:
        less = alone(o.a, LESS)
        return None if less is None else (o.a, Operation(SELECT_LESS, o.target, less.a, less.b, o.b, o.c))
    if o.code != ADD:
        return None
    for code, fused in ((MUL, MULTIPLY_ADD), (ADD, ADD_ADD)):
        for one, other in ((o.a, o.b), (o.b, o.a)):
            inner = alone(one, code)
            if inner is not None:
                return one, Operation(fused, o.target, inner.a, inner.b, other)
    return None


@dataclass(slots=True)
class _Allocation:
    """Gives figures rows; a row is free again after the figure's last use. No operation writes over what it reads."""

    fixed: Sequence[int]
    closing: Sequence[tuple[int, int]]
    outputs: Sequence[int]
    rows: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    code: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    n_rows: int = 0
    place: int = 0

    def flatten(self, body: Body) -> Flat:
        self.rows = {figure: place for place, figure in enumerate(self.fixed)}
        self.n_rows = len(self.rows)
        self._scan(body)
        forever = self.place + 1
        self.last.update(dict.fromkeys(self.outputs, forever))
        self.last.update({figure: forever for _, figure in self.closing})
        self.place = 0
        self._write(body, 0)
        for state, figure in self.closing:
            if state not in self.done:
                self._emit(COPY, self.rows[state], self.rows[figure])
        return Flat(np.array(self.code, dtype=np.int64).reshape(len(self.code), 6), self.rows, self.n_rows)

    def _scan(self, body: Body) -> None:
        """Places of last uses, and of the ends of regions."""
        for item in body:
            self.place += 1
            if isinstance(item, Region):
                self.last[item.mask] = self.place
                for _, before, _ in item.settled:
                    self.last[before] = self.place
                self._scan(item.body)
                self.place += 1
                for _, _, within in item.settled:
                    self.last[within] = self.place
                self.ends[id(item)] = self.place
            else:
                for figure in item.reads():
                    self.last[figure] = self.place

    def _emit(self, code: int, d: int, a: int = 0, b: int = 0, c: int = 0, e: int = 0) -> None:
        self.code.append((code, d, a, b, c, e))

    def _row(self) -> int:
        if self.free:
            return self.free.pop()
        self.n_rows += 1
        return self.n_rows - 1

    def _release(self, figures: Iterable[int]) -> None:
        fixed = set(self.fixed)
        over = {f for f in figures if self.last[f] <= self.place and f not in fixed and f not in self.moved}
        self.free += [self.rows[figure] for figure in sorted(over)]

    def _write(self, body: Body, depth: int) -> None:
        becomes = {figure: state for state, figure in reversed(self.closing)}
        for item in body:
            self.place += 1
            if isinstance(item, Region):
                self._region(item, depth)
                continue
            if item.target != NONE and self._in_place(item, becomes.get(item.target), depth):
                continue
            for figure in (item.target, item.also):
                if figure != NONE:
                    self.rows[figure] = self._target(figure, becomes.get(figure), depth)
            self._emit(item.code, self.rows.get(item.target, 0), *self._operands(item))
            self._release(item.reads())
            for figure in (item.target, item.also):
                if figure != NONE and figure not in self.last:
                    self.free.append(self.rows[figure])

    def _operands(self, item: Operation) -> tuple[int, int, int, int]:
        row = {figure: self.rows[figure] for figure in item.reads()}
        b = item.b if item.code in IMMEDIATE_B else row.get(item.b, 0)
        c = item.c if item.code in IMMEDIATE_C else row.get(item.c, 0)
        e = self.rows[item.also] if item.also != NONE else row.get(item.e, 0)
        return row.get(item.a, 0), b, c, e

    def _in_place(self, item: Operation, state: int | None, depth: int) -> bool:
        """Writes a state's next figure over the state, where the operation is the last that reads it."""
        if state is None or depth or state in self.done or item.target in self.outputs:
            return False
        if self.last.get(state, 0) != self.place or item.reads().count(state) != 1:
            return False
        if item.code in IN_PLACE and (item.a == state or item.code == ADD):
            other = item.b if item.a == state else item.a
            self._emit(IN_PLACE[item.code], self.rows[state], self.rows[state], self.rows[other])
        elif item.code == MULTIPLY_ADD and item.c == state:
            self._emit(MULTIPLY_ADD_TO, self.rows[state], 0, self.rows[item.a], self.rows[item.b])
        else:
            return False
        self.rows[item.target] = self.rows[state]
        self.done.add(state)
        self._release(item.reads())
        return True

    def _target(self, figure: int, state: int | None, depth: int) -> int:
        """The row of a new figure: that of the state it becomes, where nothing asks for the old figure any more."""
        if (
            state is not None
            and depth == 0
            and state not in self.done
            and self.last.get(state, 0) < self.place
            and figure not in self.outputs
        ):
            self.done.add(state)
            return self.rows[state]
        return self._row()

    def _region(self, region: Region, depth: int) -> None:
        fixed, asked = set(self.fixed), {*self.outputs, *(figure for _, figure in self.closing)}
        for after, before, _ in region.settled:
            free_to_move = before not in fixed and before not in asked and before not in self.moved
            if free_to_move and self.last[before] <= self.ends[id(region)]:
                self.rows[after] = self.rows[before]
                self.moved.add(before)
            else:
                self.rows[after] = self._row()
                self._emit(COPY, self.rows[after], self.rows[before])
        skip = len(self.code)
        self._emit(SKIP, 0, self.rows[region.mask])
        self._release([region.mask, *(before for _, before, _ in region.settled)])
        self._write(region.body, depth + 1)
        self.place += 1
        self._settle(region)
        self.code[skip] = (*self.code[skip][:4], len(self.code), 0)
        self._release({within for _, _, within in region.settled})

    def _settle(self, region: Region) -> None:
        """Copies what is within to where it is after; none overwrites what another still reads."""
        targets = {self.rows[after] for after, _, _ in region.settled}
        moves = []
        for after, _, within in region.settled:
            source, target = self.rows[within], self.rows[after]
            if source in targets and source != target:
                spare = self.n_rows
                self.n_rows += 1
                self._emit(COPY, spare, source)
                source = spare
            moves.append((target, source))
        for target, source in moves:
            if target != source:
                self._emit(COPY, target, source)
