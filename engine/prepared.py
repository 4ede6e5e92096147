"""What scenarios of a deal share: read, packed, laid out and written once, and kept while it is asked for."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import dates, pack
from engine.assumptions import AS_IT_IS, Assumptions, RatePath
from engine.bought import UNRATED, Mix, is_rated, mix_of
from engine.curves import FixingTable
from engine.deal_inputs import DealInputs
from engine.lanes import Bucket
from engine.liabilities import Machine, write
from engine.loans.coupons import Loaded, load
from engine.loans.events import NO_EVENTS, Events
from engine.loans.layout import Layout, lay_out
from engine.loans.packing import pack_tape
from engine.loans.tape import Tape, absent_columns, opening
from engine.loans.vectors import Assigned, Base, Rule, assign
from engine.pool import Pool
from engine.recent import Recent
from engine.structure import Structure, StructureError, read_structure
from engine.terms import Book
from engine.waterfall.document import Document, class_id

Floats = NDArray[np.float64]

CurveKey = tuple[float, RatePath]
"""Shift of the curve, a year, and the path of rates."""


@dataclass(frozen=True, slots=True)
class World:
    """What the loans are under a scenario, but for its rates: lag, rules by kind of asset, events.

    told  the events as something to look up by: two scenarios that say the same share what is made of it
    """

    lag: float
    rules: tuple[Rule, ...]
    told: Hashable
    events: Events = field(compare=False)


class Prepared:
    """A deal's parts, by what of a scenario they depend on.

    watched  int64  places in the pool of the assets whose balances the CCC test looks at
    Raises StructureError or ValueError for terms that are missing.
    """

    def __init__(self, book: Book, document: Document, defaults: Mapping[str, Any]) -> None:
        ids = tuple(class_id(t.name) for t in book.deal.tranches)
        if unknown := set(ids) - set(document.class_ids):
            raise StructureError(f"The waterfall {document.name} does not know class {', '.join(sorted(unknown))}.")
        if document.equity not in ids:
            raise StructureError(f"{book.deal.name} has no class {document.equity}; enter it under Liabilities.")
        self.book, self.document = book, document
        self.structure = read_structure(book, document, defaults)
        self.pool = Pool(book.positions())
        self.history = _equity_history(book, self.structure)
        self._held = {asset.asset_id for asset in self.pool.assets}
        self.watched, _ = pack.pack_bucket(self.pool)
        self._tables: Recent[CurveKey, FixingTable] = Recent()
        self._tapes: Recent[World, tuple[Tape, Assigned]] = Recent()
        self._told: Recent[int, tuple[Hashable, Events]] = Recent()
        self._buckets: Recent[tuple[World, float | None], Bucket] = Recent()
        self._mixes: Recent[Hashable, Mix] = Recent()
        self._layouts: Recent[tuple[World, bool], Layout] = Recent()
        self._loaded: Recent[tuple[CurveKey, World, bool], Loaded] = Recent()
        self._inputs: Recent[Hashable, DealInputs] = Recent()
        self._machines: Recent[Hashable, Machine] = Recent()
        self._dated: Recent[tuple[DealInputs, Machine], Floats] = Recent()

    def rates(self, assumptions: Assumptions) -> dict[str, float]:
        """cpr, cdr, severity (a year) and lag (months) of a scenario."""
        own = {name: getattr(assumptions, name) for name in ("cpr", "cdr", "severity", "lag")}
        return {name: getattr(self.structure, name) if value is None else value for name, value in own.items()}

    def table(self, path: CurveKey) -> FixingTable:
        """The fixings of a rate path."""
        shift, rates = path

        def make() -> FixingTable:
            curve = pack.pack_curve(self.book, self.structure, shift, rates)
            return pack.pack_fixings(self.book, curve, self.structure, rates)

        return self._tables.get(path, make)

    def world(self, assumptions: Assumptions) -> World:
        """Raises ValueError for an event of an asset that is not held, or of a day that is past."""
        lag = self.structure.lag if assumptions.lag is None else assumptions.lag
        if assumptions.events is None:
            return World(lag, assumptions.rules, None, NO_EVENTS)
        events = assumptions.events

        def make() -> tuple[Hashable, Events]:
            pack.check_events(events, self._held, self.structure.analysis)
            return _told(events), events  # kept with the key, so that no other events get this identity

        return World(lag, assumptions.rules, *self._told.get(id(events), make))

    def _haircuts(self, world: World) -> Floats:
        return pack.haircuts(self.pool, self.structure, world.events.maturities or {})

    def bucket(self, assumptions: Assumptions) -> Bucket:
        """The assets that the CCC test looks at, with their prices, as the events leave them; and what is bought."""
        world, price = self.world(assumptions), self.mix(assumptions).price
        return self._buckets.get((world, price), lambda: pack.pack_bucket(self.pool, self._haircuts(world), price)[1])

    def mix(self, assumptions: Assumptions) -> Mix:
        """What rules and ratings make of what reinvestment buys."""
        buys, rules = assumptions.buys, assumptions.rules
        if not is_rated(buys):
            return UNRATED
        structure, price = self.structure, self.buy_price(assumptions)
        of = price, structure.analysis, structure.stated_maturity, structure.months_between
        return self._mixes.get((buys, rules, price), lambda: mix_of(buys, rules, *of))

    def buy_price(self, assumptions: Assumptions) -> float:
        """At which reinvestment buys, share of par."""
        said = assumptions.buy_price
        return self.structure.reinvestment.price if said is None else said / 100.0

    def tape(self, world: World) -> tuple[Tape, Assigned]:
        """The loans, and which rates each of them takes."""

        def make() -> tuple[Tape, Assigned]:
            tape = pack_tape(
                self.pool,
                self.book,
                self.structure,
                self.table((0.0, AS_IT_IS)),
                world.lag,
                world.events,
                liquidation=pack.sale_prices(self.pool, self.structure),
                haircut=self._haircuts(world),
                pik_haircut=0.0,
            )
            structure, reference = self.structure, self.book.reference
            base = Base(structure.cpr, structure.cdr, structure.severity, world.lag)
            # the lag of ALL is the structure's already, and a scenario's goes before it
            table = [
                replace(row, lag=None) if row.target.strip().upper() == "ALL" else row for row in reference.assumptions
            ]
            assigned = assign(self.pool, tape.months, base, table=table, vectors=reference.vectors, rules=world.rules)
            return assigned.on(tape), assigned

        return self._tapes.get(world, make)

    def layout(self, world: World, recover: bool) -> Layout:
        """The loans laid out; recover: recoveries after maturity count."""
        return self._layouts.get(
            (world, recover),
            lambda: lay_out(
                self.tape(world)[0],
                self.structure.calendar,
                dates.serial(self.structure.analysis),
                pack.collection_ends(self.structure),
                recover_after_maturity=recover,
                watched=self.watched,
            ),
        )

    def load(self, assumptions: Assumptions) -> Loaded:
        """The layout with the coupons of the rate path of a scenario."""
        path, world, recover = path_of(assumptions), self.world(assumptions), assumptions.recover_after_maturity
        return self._loaded.get(
            (path, world, recover),
            lambda: load(self.layout(world, recover), self.tape(world)[0], self.table(path), self.structure.calendar),
        )

    def liabilities(
        self, assumptions: Assumptions, *, full: bool, coverage: bool = False, brings: tuple[int, ...] = ()
    ) -> tuple[DealInputs, Machine, Floats]:
        """Inputs, machine and dated figures of a scenario's rate path.

        brings  columns in which flows stand though none of the deal's assets have any there
        """
        path, world, bought_lag = path_of(assumptions), self.world(assumptions), self.bought(assumptions, "lag")
        (tape, _), mix = self.tape(world), self.mix(assumptions)
        inputs = self._inputs.get(
            (path, world, bought_lag, assumptions.buys, assumptions.refinancing, mix),
            lambda: pack.pack_inputs(
                self.book,
                self.document,
                self.structure,
                self.table(path),
                opening(tape),
                self.history,
                bought_lag,
                assumptions.buys,
                assumptions.refinancing,
                mix,
            ),
        )
        by_rule, absent = self.called_by_rule(assumptions), frozenset(absent_columns(tape)) - set(brings)
        machine = self._machines.get(
            (*_written(inputs), full, coverage, by_rule, absent),
            lambda: write(self.document, inputs, full=full, coverage=coverage, called_by_rule=by_rule, absent=absent),
        )
        return inputs, machine, self._dated.get((inputs, machine), lambda: machine.dated(inputs))

    def called_by_rule(self, assumptions: Assumptions) -> bool:
        """Whether a rule of the scenario or the deal may call it."""
        rules = (assumptions.call_below, self.structure.call_below, assumptions.clean_up, self.structure.clean_up)
        return any(rule is not None and rule > 0.0 for rule in rules)

    def bought(self, assumptions: Assumptions, name: str) -> float:
        """Rate of what reinvestment buys: the scenario's, else the deal's reinvestment inputs, else the pool's."""
        own: float | None = getattr(self.structure.reinvestment, name)
        return self.rates(assumptions)[name] if own is None or getattr(assumptions, name) is not None else own


def path_of(assumptions: Assumptions) -> CurveKey:
    """The rate path of a scenario."""
    return assumptions.rate_shift, assumptions.rates


def _told(events: Events) -> Hashable:
    listed = (events.maturities, events.pik, events.sales, events.draws)
    by_id = tuple(tuple(sorted((of or {}).items(), key=itemgetter(0))) for of in listed)
    return by_id, events.draw_share, events.draw_months


def _written(inputs: DealInputs) -> tuple[Hashable, ...]:
    """What of the inputs that a scenario changes stands in the machine itself, not in its dated figures."""
    bought = tuple((s.share, s.periods, s.rates, s.lag, s.low) for s in inputs.strategies)
    bears_interest = tuple((inputs.fee_interest != 0.0).any(axis=0).tolist())
    exchange = inputs.exchange
    renewed = None if exchange is None else (*exchange.shape, exchange.costs == 0.0)
    return inputs.recovery_lag, bought, bool(inputs.idle_yield.any()), bears_interest, inputs.haircut, renewed


def _equity_history(book: Book, structure: Structure) -> pack.EquityFlows:
    """Flows of the subordinated notes to the analysis date; without a purchase, bought at closing (spec 1.7)."""
    past = tuple((d, a) for d, a in book.deal.subordinated_payments if a is not None and d <= structure.analysis)
    if any(amount < 0 for _, amount in past):
        return past
    equity = sum(t.original_balance for t in book.deal.tranches if class_id(t.name) == "SUB")
    return ((structure.closing, -equity * structure.equity_purchase_price), *past)
