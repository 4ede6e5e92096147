"""The plan: a deal's tests made ready for a universe of assets, so that any par vector and cash gives all figures.

Built once a deal; `reckon` is one matrix product for everything that is a sum and one grouped sum for each of the
rest. Trades, rankings and contributions call it again with other par.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from engine.asset import Asset
from engine.compliance import matrix
from engine.compliance.catalogue import Catalogue, Definition
from engine.compliance.completed import completed
from engine.compliance.decisions import decided
from engine.compliance.diversity import Diversity, obligors
from engine.compliance.formulas import RECOVERY_TEST, Lacking
from engine.compliance.limits import steps_of
from engine.compliance.listed import listed
from engine.compliance.measures import MEASURES, Basis, coverage_share, senior_recovery_ratings
from engine.compliance.readings import Readings
from engine.compliance.rows import Amounts, Average, Deviation, Effective, Excess, Figure, Linear, Ranked, Row, Score
from engine.compliance.tables import of_deal
from engine.filter import FilterError
from engine.pool import Flags, Floats, Pool, Texts, fold
from engine.terms import Deal, Value, lookup, number


class Plan:
    """pool      the universe, blanks derived (`filled` says which); par and cash come with each call
    definitions  every test that is asked for or whose result another one uses
    refused      why a test cannot be evaluated, by its number

    master  the assets of the deal's whole master, held or not; None: the pool's. What an issuer's senior debt is rated,
            and which ids there are, is asked of it, so that the figures of a holding depend on no universe
    """

    def __init__(
        self,
        deal: Deal,
        pool: Pool,
        catalogue: Catalogue,
        readings: Readings,
        numbers: Iterable[int],
        own: Mapping[int, Definition] | None = None,
        master: Iterable[Asset] | None = None,
    ) -> None:
        self.deal, self.readings = deal, readings
        self.tables = of_deal(catalogue.tables, deal)
        self.as_of = deal.analysis_date
        self.pool, self.filled = completed(decided(pool, deal), readings.rules, self.as_of, self.tables)
        every = self.pool.assets if master is None else tuple(master)
        self.every = every
        self._known = frozenset(fold(a.asset_id) for a in every)
        senior = senior_recovery_ratings(every)
        self.basis = Basis(_current_index(deal), readings, self.tables, self.as_of, catalogue.sets, senior)
        self.performing = ~self.pool.flags("defaulted")
        self._weights = self.performing.astype(np.float64)
        self.refused: dict[int, str] = {}
        self.steps = steps_of(deal)
        self.inputs = _inputs(deal)
        self.kept: dict[Any, Any] = {}  # what is made once a plan: codes of keys, wordings, notes
        known = {**catalogue.definitions, **(own or {})}
        self.definitions = _needed(known, numbers)
        self.rows: dict[int, Row] = {}
        for test, definition in self.definitions.items():
            if definition.aggregate != "formula":
                try:
                    self.rows[test] = self._row(definition, catalogue)
                except LookupError as error:
                    self.refused[test] = f"it needs {error.args[0]}"
                except FilterError as error:  # a set or parameter that only a test of one's own can name
                    self.refused[test] = f"what it counts cannot be read: {str(error).rstrip('.')}"
        self._linear = [n for n, row in self.rows.items() if isinstance(row, Linear)]
        self._others = [n for n, row in self.rows.items() if not isinstance(row, Linear)]
        n = len(self.pool)
        linear = [self.rows[n] for n in self._linear]
        self._tops = np.array([r.top for r in linear if isinstance(r, Linear)]).reshape(len(linear), n)
        self._belows = np.array([r.below for r in linear if isinstance(r, Linear)]).reshape(len(linear), n)
        self._matrix: matrix.QualityMatrix | None = None

    # -- building -----------------------------------------------------------------------------------------------------

    def members(self, definition: Definition, sets: Mapping[str, tuple[str, ...]]) -> Flags:
        """bool[n]: the positions meant."""
        parameters = {"stated_maturity": _stated_maturity(self.deal), "as_of": self.as_of}
        mask = definition.population(self.readings).mask(self.pool, sets, parameters)
        if definition.listed:
            mask = mask & listed(self.deal, definition.listed, self.pool, self._known)
        return mask & self.performing if self.readings.defaulted == "excluded" else mask

    def _row(self, definition: Definition, catalogue: Catalogue) -> Row:
        """Raises LookupError that names what is missing."""
        members = self.members(definition, catalogue.sets)
        pool, aggregate = self.pool, definition.aggregate
        if aggregate == "share" and definition.weight:
            return Amounts(members, pool.numbers(definition.weight), self._weights)
        if aggregate == "share":
            if definition.at_least is not None:
                measured = MEASURES[definition.measure](pool, self.basis)
                members = members & (np.nan_to_num(measured, nan=-np.inf) >= definition.at_least)
            cash = float(definition.plus_cash)
            return Linear(members, members.astype(np.float64), self._weights, top_cash=cash, below_cash=1.0)
        if aggregate in ("largest", "top"):
            codes = self._codes(definition)
            return Ranked(members, codes, self._weights, definition.rank, summed=aggregate == "top")
        if aggregate == "effective":
            return Effective(members, self._codes(definition))
        if aggregate == "diversity":
            return Score(members, Diversity(pool, members, self.readings))
        if aggregate == "coverage":
            everything = np.ones(len(pool), dtype=np.bool_)
            shares = coverage_share(pool, self.basis)
            owed = self._denominator(definition)
            return Linear(everything, shares, np.zeros(len(pool)), top_cash=1.0, below_fixed=owed)
        if aggregate == "excess":
            given = number(self.deal.clo_inputs, definition.beyond_input)
            beyond = definition.beyond if given is None else given
            return Excess(members, pool.numbers("market_value") / 100.0, self._weights, beyond)
        values = MEASURES[definition.measure](pool, self.basis)
        if aggregate == "deviation":
            return Deviation(members, values)
        return self._average(definition, members, values)

    def _average(self, definition: Definition, members: Flags, values: Floats) -> Linear:
        missing = members & np.isnan(values)
        top = np.where(members & ~missing, np.nan_to_num(values, nan=0.0), 0.0)
        counted = self.performing if definition.over == "performing" else members
        decimals = self.readings.wal_decimals if definition.measure == "wal" else None
        return Average(members, top, (counted & ~missing).astype(np.float64), values, missing, decimals=decimals)

    def _codes(self, definition: Definition) -> np.ndarray[Any, np.dtype[np.int64]]:
        """int64[n] code of each position's key; the codes follow the order of the keys."""
        key = ("codes", definition.key, definition.grouped)
        if key in self.kept:
            known: np.ndarray[Any, np.dtype[np.int64]] = self.kept[key]
            return known
        keys = self.keys(definition.key)
        if definition.grouped:
            sets = self.basis.sets.items()
            of = {fold(m): name for name, ms in sets if name.startswith(definition.grouped) for m in ms}
            keys = np.array([of.get(key, key) for key in keys], dtype=object)
        _, codes = np.unique(keys.astype(str), return_inverse=True)
        self.kept[key] = codes.astype(np.int64).reshape(-1)
        made: np.ndarray[Any, np.dtype[np.int64]] = self.kept[key]
        return made

    def keys(self, key: str) -> Texts:
        """object[n]: what positions are grouped by; affiliates count as one issuer."""
        return obligors(self.pool, self.readings) if key == "issuer_id" else self.pool.texts(key)

    def _denominator(self, definition: Definition) -> float:
        """The input of the deal; without it the balances of all rated classes."""
        given = number(self.deal.quality_inputs, definition.denominator)
        return self.rated_notes if given is None else given

    def input(self, label: str) -> Value:
        """The deal's input of that label, or None."""
        return self.inputs.get(plain_label(label))

    @property
    def rated_notes(self) -> float:
        return sum(t.current_balance + t.deferred_balance for t in self.deal.tranches if not t.is_equity)

    @property
    def quality_matrix(self) -> matrix.QualityMatrix:
        """The deal's quality matrix. Raises Lacking where it has none, ValueError for one that cannot be read."""
        if self._matrix is None:
            self._matrix = matrix.of_deal(self.deal, self.tables)
        if self._matrix is None:
            raise Lacking(f"“{matrix.MATRIX}” among the deal's inputs")
        return self._matrix

    # -- reckoning ----------------------------------------------------------------------------------------------------

    def reckon(self, par: Floats, cash: float) -> Reckoned:
        """All figures for float64[n] par of the universe and principal cash."""
        tops, belows = self._tops @ par, self._belows @ par
        figures: dict[int, Figure] = {}
        for place, test in enumerate(self._linear):
            row = self.rows[test]
            assert isinstance(row, Linear)
            figures[test] = row.of_sums(
                float(tops[place]) + row.top_cash * cash,
                float(belows[place]) + row.below_cash * cash + row.below_fixed,
            )
        for test in self._others:
            figures[test] = self.rows[test].figure(par, cash)
        made = Reckoned(self, cash, float(self._weights @ par), figures, dict(self.refused), par)
        for test, definition in self.definitions.items():
            if definition.formula is not None:
                try:
                    value = definition.formula.value(made)
                    figures[test] = Figure(value, value, 1.0)
                except Lacking as error:
                    made.refused[test] = f"it needs {error}"
        return made

    def without(self, test: int, par: Floats, cash: float) -> Floats:
        """float64[n]: the result of a test if one position were not held (its par gone, nothing paid for it)."""
        if test in self.rows:
            return self.rows[test].without(par, cash)
        whole = self.reckon(par, cash).figures[test].result
        made = np.full(par.size, whole)
        for place in np.flatnonzero(par):
            less = par.copy()
            less[place] = 0.0
            found = self.reckon(less, cash).figures.get(test)
            made[place] = np.nan if found is None else found.result
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Reckoned:
    """The figures of one par vector; also what formulas may ask for.

    par  float64[n] that was reckoned; None where only formulas ask
    """

    plan: Plan
    cash: float
    performing_par: float
    figures: dict[int, Figure]
    refused: dict[int, str]
    par: Floats | None = None

    @property
    def principal_amount(self) -> float:
        return self.performing_par + self.cash

    def call(self, name: str, arguments: tuple[Any, ...]) -> float:
        """The value of a function of a formula. Raises Lacking that names what the deal lacks."""
        if name in ("result", "numerator", "denominator"):
            found = self.figures.get(arguments[0])
            if found is None:
                raise Lacking(f"the result of test {arguments[0]} ({self.refused.get(arguments[0], 'not evaluated')})")
            return float(getattr(found, name))
        if name == "input":
            return self._input(arguments[0])
        if name == "given":
            return float(self.plan.input(arguments[0]) is not None)
        if name == "years_until":
            return self._years_until(arguments[0])
        if name == "recovery_over":
            return self._recovery_over(arguments[0], arguments[1])
        if name.startswith("matrix_"):
            return self._matrix(name)
        plain = {"rated_notes": self.plan.rated_notes, "principal_amount": self.principal_amount, "cash": self.cash}
        return plain[name]

    def _input(self, label: str) -> float:
        found = self.plan.input(label)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise Lacking(f"a number beside “{label}” among the deal's inputs")
        return float(found)

    def _years_until(self, label: str) -> float:
        found, as_of = self.plan.input(label), self.plan.as_of
        if not isinstance(found, dt.date):
            raise Lacking(f"a date beside “{label}” among the deal's inputs")
        if as_of is None:
            raise Lacking("the analysis date")
        return (found - as_of).days / 365.0

    def _recovery_over(self, side: str, pivot: float | str) -> float:
        """Recovery rate above the pivot as far as it is allotted to the side; see the readings."""
        recovery = self.call("result", (RECOVERY_TEST,))
        base = self._input(pivot) if isinstance(pivot, str) else float(pivot)
        share = self.plan.readings.recovery_share
        if share is None:
            return recovery - base
        points = matrix.allotted(self.plan.readings, recovery, base)
        return points[0 if side == "factor" else 1] / 100.0

    def allotted(self) -> tuple[float, float]:
        """Percent points of recovery above the matrix's base for the WARF limit and for the spread limit."""
        base = number(self.plan.deal.quality_inputs, "Matrix Base Recovery")
        if base is None:
            return 0.0, 0.0
        return matrix.allotted(self.plan.readings, self.call("result", (RECOVERY_TEST,)), base)

    def _matrix(self, name: str) -> float:
        quality = self.plan.quality_matrix
        spread, diversity = self._input("Matrix Spread"), self._input("Matrix Diversity")
        to_factor, to_spread = self.allotted()
        try:
            if name == "matrix_diversity":
                quality.at(quality.warf, spread, diversity)
                return diversity
            if name == "matrix_spread":
                return spread - to_spread * quality.at(quality.spread_per_point, spread, diversity)
            modifier = quality.at(quality.factor_per_point, spread, diversity)
            return quality.at(quality.warf, spread, diversity) + to_factor * modifier
        except ValueError as error:
            raise Lacking(f"a point inside the quality matrix. {error}") from error


@cache
def plain_label(label: str) -> str:
    """The label as it is compared: trimmed, case folded, without a remark in parentheses at its end."""
    return re.sub(r"\s*\([^)]*\)\s*$", "", label).strip().casefold()


def _needed(known: Mapping[int, Definition], numbers: Iterable[int]) -> dict[int, Definition]:
    """The definitions asked for and those whose results they use, used ones first."""
    made: dict[int, Definition] = {}

    def add(test: int) -> None:
        if test in made or test not in known:
            return
        for used in known[test].uses:
            add(used)
        made[test] = known[test]

    for test in numbers:
        add(test)
    return made


def _inputs(deal: Deal) -> dict[str, Value]:
    """Every input of the deal that has a value by its plain label, the quality inputs first; dates are inputs too."""
    made: dict[str, Value] = {}
    for label, value in (*deal.quality_inputs, *deal.clo_inputs, *deal.dates):
        if value is not None:
            made.setdefault(plain_label(label), value)
    return made


def _current_index(deal: Deal) -> float:
    found = number(deal.quality_inputs, "Current LIBOR")
    return found if found is not None else deal.current_index or 0.0


def _stated_maturity(deal: Deal) -> dt.date | None:
    found = lookup(deal.quality_inputs, "Stated Maturity Date") or deal.date("Stated Maturity")
    return found if isinstance(found, dt.date) else None
