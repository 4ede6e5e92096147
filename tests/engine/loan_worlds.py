"""Random pools for the tests of the loan kernels: the same terms for the kernels and for the plain reference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from engine import calendars, dates
from engine.asset import Asset
from engine.curves import FixingTable
from engine.loans.coupons import Loaded, load
from engine.loans.events import Events, PikWindow, Sale
from engine.loans.lanes import collect
from engine.loans.layout import Layout, lay_out
from engine.loans.packing import pack_tape
from engine.loans.tape import Tape
from engine.loans.vectors import Vector
from engine.pool import Pool
from engine.terms import Book, Deal, Reference, Sink
from tests.engine import reference_collateral as ref
from tests.engine.builders import day

ANALYSIS = day("2024-02-14")
HOLIDAYS = calendars.us_holidays(2014, 2045)
CLOSED = frozenset(HOLIDAYS)
CALENDAR = dates.Calendar(HOLIDAYS)
FAR = day("2042-12-31")  # every flow of every loan below comes before


def rate(on: dt.date, tenor: int) -> float:
    """An index that wanders, falls below zero for a while, and is never a tie in its fifth decimal."""
    years = (on - ANALYSIS).days / 365
    return 0.0312345678 - 0.012 * years + 0.0016 * years**2 + 0.000123 * tenor


def fixings_of(first: dt.date, last: dt.date, tenors: Sequence[int] = (1, 3, 6, 12)) -> FixingTable:
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    return FixingTable(dates.serial(first), tuple(tenors), np.array([[rate(d, t) for d in days] for t in tenors]))


FIXINGS = fixings_of(ANALYSIS, FAR)


def quarters(last: dt.date) -> list[dt.date]:
    ends, k = [], 0
    while not ends or ends[-1] < last:
        ends.append(ref.add_months(day("2024-04-03"), 3 * k))
        k += 1
    return ends


@dataclass
class Lot:
    """One loan with all that may happen to it; its vectors may differ from lane to lane in their values."""

    asset: Asset
    par: float
    vectors: list[tuple[Vector, Vector, Vector]]  # cpr, cdr, severity in each lane
    sinks: tuple[tuple[dt.date, float], ...] = ()
    draws: tuple[tuple[dt.date, float], ...] = ()
    pik: PikWindow | None = None
    sale: Sale | None = None
    price: float = 1.0
    haircut: float = 0.0


@dataclass
class World:
    """A pool under several scenarios."""

    lots: list[Lot]
    lag: float = 6.0
    amortisation: float = 0.01
    recover: bool = True
    month_ends: bool = False
    seen_with_payment: bool = False
    pays_accrued: bool = False
    fixings: FixingTable = field(default_factory=lambda: FIXINGS)

    @property
    def lanes(self) -> int:
        return len(self.lots[0].vectors)

    def tape(self) -> Tape:
        pool = Pool((lot.asset, lot.par) for lot in self.lots)
        sinks = tuple(Sink(lot.asset.asset_id, d, amount) for lot in self.lots for d, amount in lot.sinks)
        events = Events(
            pik={lot.asset.asset_id: lot.pik for lot in self.lots if lot.pik is not None},
            sales={lot.asset.asset_id: lot.sale for lot in self.lots if lot.sale is not None},
            draws={lot.asset.asset_id: lot.draws for lot in self.lots},
        )
        terms: Any = SimpleNamespace(
            current_index=0.02, analysis=ANALYSIS, calendar=CALENDAR, amortisation=self.amortisation
        )
        tape = pack_tape(
            pool,
            Book(Deal("world"), reference=Reference(sinks=sinks)),
            terms,
            self.fixings,
            self.lag,
            events,
            liquidation=np.array([lot.price for lot in self.lots]),
            haircut=np.array([lot.haircut for lot in self.lots]),
        )
        # loans with the same rates take the same rows, so that they share nodes
        chosen, rows = [], {}
        for lot in self.lots:
            key = tuple(tuple(v) for triple in lot.vectors for v in [triple])
            if key not in rows:
                rows[key] = len(chosen)
                chosen += [[triple[i] for triple in lot.vectors] for i in range(3)]
        self.rows = chosen
        place = np.array(
            [rows[tuple(tuple(v) for triple in lot.vectors for v in [triple])] for lot in self.lots], dtype=np.int64
        )
        return tape._replace(
            cpr=place,
            cdr=place + 1,
            severity=place + 2,
            vector_size=np.array([len(row[0].values) for row in chosen], dtype=np.int64),
            vector_step=np.array([row[0].step for row in chosen], dtype=np.int64),
            vector_from_age=np.array([row[0].from_age for row in chosen], dtype=np.bool_),
            vector_absolute=np.array([row[0].absolute for row in chosen], dtype=np.bool_),
        )

    def rates(self) -> np.ndarray:
        """float64[n_rows, n_steps, lanes]; call after `tape`."""
        steps = max(len(v.values) for row in self.rows for v in row)
        rates = np.full((len(self.rows), steps, self.lanes), np.nan)
        for r, row in enumerate(self.rows):
            for lane, vector in enumerate(row):
                rates[r, : len(vector.values), lane] = vector.values
        return rates

    def laid_out(self, tape: Tape, ends: Sequence[dt.date], **more: Any) -> Layout:
        return lay_out(
            tape,
            CALENDAR,
            dates.serial(ANALYSIS),
            dates.serials(ends),
            "month ends" if self.month_ends else "interest dates",
            recover_after_maturity=self.recover,
            seen_with_payment=self.seen_with_payment,
            sale_pays_accrued=self.pays_accrued,
            **more,
        )

    def run(self, ends: Sequence[dt.date], **more: Any) -> tuple[np.ndarray, np.ndarray]:
        """Flows float64[n_ends+1, N_FLOWS, lanes] and watched balances."""
        tape = self.tape()
        return run(load(self.laid_out(tape, ends, **more), tape, self.fixings, CALENDAR), self.rates())

    def reference(self, i: int, lane: int) -> list[ref.Row]:
        lot = self.lots[i]
        first = lot.asset.first_payment_date
        assert first is not None
        months = 12 // (lot.asset.payment_frequency or 4)
        dated = min(lot.asset.dated_date or ref.add_months(first, -months), first)

        def vector(v: Vector) -> ref.Vector:
            return ref.Stepped(v.values, v.step, dated if v.from_age else ANALYSIS) if v.step else v.values

        cpr, cdr, severity = lot.vectors[lane]
        window = lot.pik
        pik = (window.share, window.begin or dt.date.min, window.end or dt.date.max) if window else None
        terms = ref.Terms(
            lot.asset,
            lot.par,
            vector(cpr),
            vector(cdr),
            vector(severity),
            self.lag,
            self.amortisation,
            lot.sinks,
            CLOSED,
            0.02,
            self.recover,
            pik=pik,
            draws=lot.draws,
            sale=(lot.sale.day, lot.sale.price) if lot.sale else None,
            sale_pays_accrued=self.pays_accrued,
            absolute=cdr.absolute,
            month_ends=self.month_ends,
            price=lot.price,
            haircut=lot.haircut,
            nothing=0.0,
        )
        return ref.rows(terms, ANALYSIS, rate)

    def expected(self, ends: Sequence[dt.date], lane: int, i: int) -> np.ndarray:
        """float64[n_ends+1, N_FLOWS] of one loan by the reference."""
        return np.array(
            ref.gather(self.reference(i, lane), ends, ref.ALL_FLOWS, seen_with_payment=self.seen_with_payment)
        )


def run(loaded: Loaded, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outputs are poisoned first, so that what the kernel leaves out shows."""
    lanes = loaded.lanes
    flows = np.full((*lanes.fixed.shape, rates.shape[2]), np.nan)
    watched = np.full((*lanes.watch_fixed.shape, rates.shape[2]), np.nan)
    collect(loaded, np.ascontiguousarray(rates), flows, watched)
    return flows, watched


# --- strategies --------------------------------------------------------------------------------------------------

ANNUAL = st.sampled_from([0.0, 0.02, 0.2, 0.6, 1.0]) | st.floats(0.0, 1.0, width=32)
DAYS = st.dates(day("2024-01-01"), day("2035-01-01"))


@st.composite
def assets(draw: st.DrawFn, number: int) -> Asset:
    frequency = draw(st.sampled_from([1, 2, 4, 12]))
    first = draw(
        st.sampled_from([day("2019-03-31"), day("2024-04-15")]) | st.dates(day("2015-01-01"), day("2025-06-30"))
    )
    return Asset(
        asset_id=f"L{number}",
        issuer_id=f"L{number}",
        maturity=draw(st.dates(day("2024-01-10"), day("2034-12-31"))),
        coupon_type="FLOAT" if draw(st.booleans()) else "FIXED",
        payment_frequency=frequency,
        coupon_spread=draw(st.floats(0.0, 0.08)),
        credit_spread_adjustment=draw(st.none() | st.just(0.0011)),
        index_floor=draw(st.none() | st.floats(0.0, 0.04)),
        index_cap=draw(st.none() | st.floats(0.041, 0.06)),
        index_name=draw(st.sampled_from([None, "1M Term SOFR", "3M Term SOFR"])),
        coupon=draw(st.none() | st.floats(0.0, 0.12)),
        dated_date=draw(st.none() | st.just(first - dt.timedelta(days=40))),
        first_payment_date=first,
        day_count=draw(st.sampled_from(["ACTUAL/360", "ACTUAL/365", "ACTUAL/ACTUAL", "30/360", "30/360EU"])),
        business_day_convention=draw(st.sampled_from([None, "None", "Following", "Mod Following", "Previous"])),
        payment_eom=draw(st.booleans()),
        amortization_type=draw(st.sampled_from([None, "Bullet", "Scheduled"])),
        piking=draw(st.sampled_from([False, False, True])),
        pik_amount=draw(st.none() | st.floats(0.0, 5000.0)),
        defaulted=draw(st.sampled_from([False, False, False, True])),
        market_value=draw(st.none() | st.floats(0.0, 110.0)),
        moodys_recovery_rate=draw(st.none() | st.floats(0.0, 0.6)),
        unfunded_amount=draw(st.none() | st.floats(0.0, 1e6)),
        commitment_fee=draw(st.none() | st.floats(0.0, 0.01)),
    )


@st.composite
def vectors(draw: st.DrawFn, lanes: int, *, timing: bool = False) -> list[Vector]:
    """One vector in some lanes: its values differ, its steps do not."""
    size = draw(st.integers(1, 5))
    step = draw(st.sampled_from([0, 0, 1, 3, 6, 12]))
    from_age = draw(st.booleans())
    absolute = timing and draw(st.sampled_from([False, False, True]))
    values = st.lists(st.floats(0.0, 0.4) if absolute else ANNUAL, min_size=size, max_size=size).map(tuple)
    return [Vector(draw(values), step=step, from_age=from_age, absolute=absolute) for _ in range(lanes)]


@st.composite
def lots(draw: st.DrawFn, number: int, lanes: int) -> Lot:
    asset = draw(assets(number))
    assert asset.first_payment_date is not None
    assert asset.maturity is not None
    months = 12 // (asset.payment_frequency or 4)
    cycle = [
        ref.add_months(asset.first_payment_date, k * months, bool(asset.payment_eom)) for k in range(240 // months)
    ]
    some = st.lists(st.sampled_from(cycle) | DAYS, max_size=4)
    sinks = tuple((d, draw(st.floats(1.0, 1e6))) for d in sorted({d for d in draw(some) if d <= asset.maturity}))
    left, draws = asset.unfunded_amount or 0.0, []
    for d in sorted(set(draw(some))):
        amount = left * draw(st.floats(0.01, 0.9))
        if amount > 0.0:
            draws.append((d, amount))
            left -= amount
    window = st.builds(PikWindow, st.floats(0.1, 1.0), st.none() | DAYS, st.none() | DAYS)
    sale = st.builds(Sale, st.sampled_from(cycle) | DAYS, st.floats(0.3, 1.1))
    chosen = zip(*[draw(vectors(lanes, timing=name == 1)) for name in range(3)], strict=True)
    return Lot(
        asset,
        draw(st.floats(1000.0, 1e8)),
        list(chosen),
        sinks,
        tuple(draws),
        draw(st.none() | st.none() | window),
        draw(st.none() | st.none() | sale),
        draw(st.floats(0.0, 1.1)),
        draw(st.sampled_from([0.0, 0.0, 0.3])),
    )


@st.composite
def worlds(draw: st.DrawFn, most: int = 3, lanes: int = 2) -> World:
    made = [draw(lots(i, lanes)) for i in range(draw(st.integers(1, most)))]
    if draw(st.booleans()):  # loans with the same rates share nodes
        made = [replace(lot, vectors=made[0].vectors) for lot in made]
    return World(
        made,
        draw(st.integers(0, 12)),
        draw(st.sampled_from([0.0, 0.01, 0.05, 0.3])),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
    )
