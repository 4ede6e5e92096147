"""A deal made ready once, to be run under any scenario: one in full, or many at once for their totals.

Both go through the same kernels: the loans laid out for lanes of scenarios, the waterfall as a register program.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import pack
from engine.assumptions import Assumptions
from engine.bought import Periods, period_rates, shares
from engine.curves import FixingTable
from engine.dates import Calendar, serial
from engine.deal_inputs import DealInputs
from engine.lanes import Outcome, run_lanes
from engine.lanes import Pool as LanePool
from engine.liabilities import NEVER
from engine.loans.columns import N_FLOWS
from engine.loans.detail import AssetFlows, asset_flows, loan_flows
from engine.loans.lanes import collect
from engine.loans.layout import Layout
from engine.loans.spreads import z_spreads
from engine.loans.tape import Tape
from engine.loans.vectors import Rule
from engine.prepared import Prepared, path_of
from engine.projection import Projection, Totals
from engine.recent import Recent
from engine.results import read_result
from engine.schedule import extended
from engine.stress import UNSHOCKED, Key, shocks_of, stressed
from engine.structure import Structure
from engine.terms import Book
from engine.waterfall.document import Document, class_id

Floats = NDArray[np.float64]

Report = Callable[[float, str], None]

_SHOCKED: Final = 24
"""Pools under shocks that are kept."""

CHUNK: Final = 128
"""Scenarios of one job of a grid: some milliseconds of work, between which progress is told."""


def _silent(_fraction: float, _what: str) -> None:
    pass


class Model:
    """A deal ready to be run under any scenario.

    What a scenario does not change is made once; what several share (a rate path, a recovery lag) is kept.
    Raises StructureError or ValueError for terms that are missing.
    """

    def __init__(self, book: Book, document: Document, defaults: Mapping[str, Any]) -> None:
        self._parts = parts = Prepared(book, document, defaults)
        self.book, self.document, self.structure = book, document, parts.structure
        self.pool, self.history = parts.pool, parts.history
        self._defaults = defaults
        self._shocked: Recent[Key, Model] = Recent(_SHOCKED)

    def under(self, assumptions: Assumptions) -> Model:
        """The deal as the shocks of a scenario leave its pool: itself where there are none."""
        key = shocks_of(assumptions)
        if key == UNSHOCKED:
            return self
        return self._shocked.get(key, lambda: Model(stressed(self.book, key), self.document, self._defaults))

    def rates(self, assumptions: Assumptions) -> dict[str, float]:
        """cpr, cdr, severity (a year) and lag (months) of a scenario."""
        return self._parts.rates(assumptions)

    def extended(self, months: int) -> Model:
        """The deal with its stated maturity so many months later, ready anew."""
        if months == 0:
            return self
        of = self.structure
        deal = extended(self.book.deal, of.stated_maturity, months, of.months_between, of.calendar)
        return Model(replace(self.book, deal=deal), self.document, self._defaults)

    # lanes

    def _pool(self, scenarios: Sequence[Assumptions], inputs: DealInputs) -> LanePool:
        """Cash flows of the collateral, a lane a scenario; all of one rate path and lag."""
        first, width = scenarios[0], len(scenarios)
        loaded = self._parts.load(first)
        n = inputs.days.size
        flows, watched = np.empty((n + 1, N_FLOWS, width)), np.empty((n, self._parts.watched.size, width))
        collect(loaded, self._parts.tape(self._parts.world(first))[1].rates_for(scenarios), flows, watched)
        mix = self._parts.mix(first)
        if any(mix.low):
            watched = np.concatenate([watched, np.zeros((n, 1, width))], axis=1)
        return LanePool(flows[:n], watched, *self._bought(scenarios, inputs, mix.rows))

    def _bought(
        self, scenarios: Sequence[Assumptions], inputs: DealInputs, rows: Sequence[Rule]
    ) -> tuple[Floats, Floats, Floats]:
        """float64[n_rows, n_dates, W]: default and prepayment rates and severities of what is bought."""
        periods = Periods(
            analysis=serial(self.structure.analysis),
            starts=np.concatenate([[inputs.before], inputs.days[:-1]]),
            days=np.rint(inputs.strategies[0].fraction * 360.0).astype(np.int64),
            months=self.structure.months_between,
        )
        cdr, cpr, severity = (self._each_bought(scenarios, name) for name in ("cdr", "cpr", "severity"))
        return (
            _stacked([period_rates(row.cdr, cdr, periods) for row in rows]),
            _stacked([period_rates(row.cpr, cpr, periods) for row in rows]),
            _stacked([shares(row.severity, severity, periods) for row in rows]),
        )

    def asset_flows(self, assumptions: Assumptions) -> AssetFlows:
        """Cash flows of every asset of the present pool by payment date, in one scenario."""
        return asset_flows(*self._by_asset(assumptions))

    def loan_flows(self, assumptions: Assumptions) -> tuple[Floats, Tape]:
        """float64[n_assets, n_dates+1, N_FLOWS]: what each asset brings by collection period, and the assets' terms."""
        loans = self._by_asset(assumptions)
        return loan_flows(*loans), loans[1]

    def _by_asset(self, assumptions: Assumptions) -> tuple[Layout, Tape, FixingTable, Floats, Calendar]:
        """What the flows of single assets are made of."""
        parts = self.under(assumptions)._parts
        world = parts.world(assumptions)
        tape, assigned = parts.tape(world)
        layout, table = parts.layout(world, assumptions.recover_after_maturity), parts.table(path_of(assumptions))
        return layout, tape, table, assigned.rates_for([assumptions]), self.structure.calendar

    def collateral(self, assumptions: Assumptions) -> LanePool:
        """Cash flows of the present pool in one scenario, a single lane; rows of `watched` as in `watched_assets` of
        `under` that scenario, which must be this model.
        """
        return self._pool([assumptions], self._parts.liabilities(assumptions, full=False)[0])

    @property
    def watched_assets(self) -> NDArray[np.int64]:
        """Places in the pool of the assets whose balances the CCC test looks at."""
        return self._parts.watched

    def totals_of(self, assumptions: Assumptions, pool: LanePool, brings: tuple[int, ...] = ()) -> Totals:
        """What other pools, a lane each, come to under one scenario.

        brings  columns in which their flows stand though none of the deal's assets have any there
        The pool is that of `under` the scenario, which must be this model.
        """
        inputs, machine, dated = self._parts.liabilities(assumptions, full=False, brings=brings)
        parameters = self._parameters([assumptions] * pool.flows.shape[2])
        outcome = run_lanes(machine, inputs, dated, pool, self._parts.bucket(assumptions), parameters)
        return self._totals_with(_summed(outcome, inputs))

    def z_spreads(self, *, over_nothing: bool = False) -> Floats:
        """float64[n_assets]: z-spread of each asset at its price (over nothing: its yield), a year; NaN: none."""
        curve = pack.pack_curve(self.book, self.structure, 0.0)
        prices = self.pool.numbers("market_value")
        tape, _ = self._parts.tape(self._parts.world(Assumptions()))
        return z_spreads(tape, curve, self.structure.calendar, prices, pack.TENORS, over_nothing=over_nothing)

    def _each_bought(self, scenarios: Sequence[Assumptions], name: str) -> Floats:
        """float64[W] of `_bought`."""
        own: float | None = getattr(self.structure.reinvestment, name)
        return _each(scenarios, name, getattr(self.structure, name) if own is None else own)

    def _parameters(self, scenarios: Sequence[Assumptions]) -> dict[str, Floats]:
        """float64[W] of what differs from lane to lane in the liabilities."""
        structure, width = self.structure, len(scenarios)
        bought_at = _each(scenarios, "buy_price", np.nan)
        rows = {s.call_date: pack.redemption_row(structure, s) for s in {s.call_date: s for s in scenarios}.values()}
        return {
            "redemption": np.array([rows[s.call_date] for s in scenarios], dtype=np.float64),
            "call_below": _each(scenarios, "call_below", _or_never(structure.call_below)),
            "clean_up": _each(scenarios, "clean_up", _or_never(structure.clean_up)),
            "sale_price": _each(scenarios, "sale_price", -100.0) / 100.0,
            "sale_price_of_bought": np.full(width, structure.sale_price),
            "price": np.where(np.isnan(bought_at), structure.reinvestment.price, bought_at / 100.0),
            "severity": self._each_bought(scenarios, "severity"),
            "reinvests": np.array([s.reinvest for s in scenarios], dtype=np.float64),
        }

    # runs

    def run(self, assumptions: Assumptions, report: Report = _silent) -> Projection:
        """One scenario with every figure and the log of every step."""
        return self.under(assumptions)._run(assumptions, report)

    def _run(self, assumptions: Assumptions, report: Report) -> Projection:
        report(0.1, "Projecting loans")
        inputs, machine, dated = self._parts.liabilities(assumptions, full=True)
        parameters = self._parameters([assumptions])
        pool = self._pool([assumptions], inputs)
        report(0.6, "Paying the waterfall")
        outcome = run_lanes(machine, inputs, dated, pool, self._parts.bucket(assumptions), parameters)
        result = read_result(outcome, inputs)
        kept = result.cash.shape[0]
        report(1.0, "Done")
        collateral = np.ascontiguousarray(pool.flows[:kept, :, 0])
        collateral.flags.writeable = False
        return Projection(
            deal=self.book.deal.name,
            currency=self.book.deal.currency,
            as_of=self.structure.analysis,
            assumptions=assumptions,
            rates=self.rates(assumptions),
            structure=self._told(assumptions),
            document=self.document,
            clauses=machine.clauses,
            tranches=self.book.deal.tranches,
            equity_history=self.history,
            payment_dates=tuple(row.payment for row in self.structure.schedule[:kept]),
            collateral=collateral,
            inputs=inputs,
            result=result,
        )

    def _told(self, assumptions: Assumptions) -> Structure:
        """The structure, whose notes also say what of the assumptions could not be used as it stands."""
        _, assigned = self._parts.tape(self._parts.world(assumptions))
        notes = (*assigned.notes, *self._parts.mix(assumptions).notes)
        return self.structure if not notes else replace(self.structure, notes=(*self.structure.notes, *notes))

    def totals(
        self,
        scenarios: Sequence[Assumptions],
        *,
        threads: int = 1,
        chunk: int = CHUNK,
        coverage: bool = False,
        report: Report = _silent,
    ) -> Totals:
        """What the scenarios come to, in their order. The figures do not depend on `threads` and `chunk`.

        coverage  also how the coverage tests did
        report  is called between chunks and may raise to stop
        """
        jobs = list(self._jobs_under_shocks(scenarios, chunk, coverage=coverage))
        made = self._blank_totals(len(scenarios), coverage=coverage)
        done = 0
        with ThreadPoolExecutor(threads) as workers:
            waiting = [workers.submit(of._chunk, [scenarios[i] for i in places], coverage) for of, places in jobs]
            try:
                for (_, places), part in zip(jobs, waiting, strict=True):
                    for whole, piece in zip(made.arrays, part.result(), strict=True):
                        whole[places] = piece
                    done += len(places)
                    report(done / max(len(scenarios), 1), f"{done:,} of {len(scenarios):,} scenarios")
            except BaseException:
                for part in waiting:
                    part.cancel()
                raise
        return made

    def _jobs_under_shocks(
        self, scenarios: Sequence[Assumptions], chunk: int, *, coverage: bool
    ) -> Iterator[tuple[Model, list[int]]]:
        """`_jobs` of the pool under each shock, with the model that runs them."""
        by_shock: dict[Key, list[int]] = {}
        for place, s in enumerate(scenarios):
            by_shock.setdefault(shocks_of(s), []).append(place)
        for among in by_shock.values():
            model = self.under(scenarios[among[0]])
            for places in model._jobs(scenarios, among, chunk, coverage=coverage):
                yield model, places

    def _jobs(
        self, scenarios: Sequence[Assumptions], among: Sequence[int], chunk: int, *, coverage: bool
    ) -> Iterator[list[int]]:
        """Chunks of the scenarios at these places that share a rate path and a recovery lag; what they share is made
        ready first.
        """
        known: dict[Hashable, list[int]] = {}  # by what scenarios say
        alike: dict[Hashable, list[int]] = {}  # by what that means
        for place in among:
            s = scenarios[place]
            said = (
                *(s.rate_shift, id(s.rates), s.lag, s.rules, id(s.events), s.buys, s.call_below, s.clean_up),
                id(s.refinancing),
                s.buys and s.buy_price,  # rules may look at the price of what has a rating
            )
            found = known.get((said, s.recover_after_maturity))
            if found is None:
                of = self._parts
                shared = path_of(s), of.world(s), of.bought(s, "lag"), s.buys, s.refinancing, of.mix(s)
                found = alike.setdefault((shared, of.called_by_rule(s), s.recover_after_maturity), [])
                known[said, s.recover_after_maturity] = found
            found.append(place)
        for places in alike.values():
            first = scenarios[places[0]]
            self._parts.liabilities(first, full=False, coverage=coverage)
            self._parts.load(first)
            for at in range(0, len(places), chunk):
                yield places[at : at + chunk]

    def _chunk(self, scenarios: Sequence[Assumptions], coverage: bool) -> tuple[Floats, ...]:
        """Arrays of `Totals` for scenarios that share what `_jobs` says."""
        inputs, machine, dated = self._parts.liabilities(scenarios[0], full=False, coverage=coverage)
        outcome = run_lanes(
            machine,
            inputs,
            dated,
            self._pool(scenarios, inputs),
            self._parts.bucket(scenarios[0]),
            self._parameters(scenarios),
        )

        return _summed(outcome, inputs, self._test_ids(coverage=coverage))

    def _test_ids(self, *, coverage: bool) -> tuple[str, ...]:
        return tuple(test.id for test in self.document.tests) if coverage else ()

    def _totals_with(self, arrays: tuple[Floats, ...], *, coverage: bool = False) -> Totals:
        ids = tuple(class_id(t.name) for t in self.book.deal.tranches)
        days = tuple(row.payment for row in self.structure.schedule)
        return Totals(ids, self._test_ids(coverage=coverage), days, self.history, *arrays)

    def _blank_totals(self, n: int, *, coverage: bool) -> Totals:
        classes, tests = len(self.book.deal.tranches), len(self._test_ids(coverage=coverage))
        widths = (*(classes,) * 5, len(self.structure.schedule), tests, tests)
        return self._totals_with(tuple(np.full((n, width), np.nan) for width in widths), coverage=coverage)


def _summed(outcome: Outcome, inputs: DealInputs, test_ids: Sequence[str] = ()) -> tuple[Floats, ...]:
    """Arrays of `Totals`."""
    ids = inputs.class_ids
    interest, deferred, principal, weighted, balance, owed, failed, cushion = outcome.table(
        *([("total", kind, c) for c in ids] for kind in ("interest", "deferred", "principal")),
        *([(name, c) for c in ids] for name in ("weighted time", "balance", "deferred")),
        *([(name, test) for test in test_ids] for name in ("failed", "cushion")),
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        lives = weighted / (deferred + principal)
    first = np.where(failed < NEVER, failed, np.nan)
    return interest, deferred, principal, balance + owed, lives, outcome.output[:, 0].T, first, cushion


def _stacked(rows: Sequence[Floats]) -> Floats:
    """float64[n_rows, n_dates, W]; of one row, as in most grids, no copy."""
    return rows[0][None] if len(rows) == 1 else np.stack(rows)


def _or_never(rule: float | None) -> float:
    """The share of a call rule; below nothing it never holds."""
    return -1.0 if rule is None else rule


def _each(scenarios: Sequence[Assumptions], name: str, usual: float) -> Floats:
    """float64[W]: what each scenario says, `usual` where it says nothing."""
    said = np.array([getattr(s, name) for s in scenarios], dtype=np.float64)  # None is no number
    return np.where(np.isnan(said), usual, said)


def project(
    book: Book, document: Document, defaults: Mapping[str, Any], assumptions: Assumptions, report: Report = _silent
) -> Projection:
    """Projects the deal to redemption. Raises StructureError or ValueError for terms that are missing."""
    report(0.0, "Reading terms")
    return Model(book, document, defaults).run(assumptions, report)
