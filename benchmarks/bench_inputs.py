"""The bench deal as the engine takes it: assets and sink tables, daily fixings, terms of the liabilities, the document.

Every year fraction comes out as 0.25 exactly: the deal closes and pays on the same day of the month, on no business day
rule, and everything accrues 30/360. Defaults are seen with the payment of their period (collateral option), lag 0.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import yaml
from numpy.typing import NDArray

from benchmarks.bench_deal import BenchDeal
from engine import dates
from engine.asset import Asset
from engine.curves import FixingTable
from engine.deal_inputs import DealInputs
from engine.loans.packing import pack_tape
from engine.loans.tape import Tape
from engine.pool import Pool
from engine.terms import Book, Deal, Reference, Sink
from engine.waterfall.document import Document
from engine.waterfall.language import read_document

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WATERFALL: Final = Path(__file__).with_name("bench_waterfall.yaml")
EQUITY: Final = "SUB"
HURDLE: Final = 0.12
"""Of an incentive fee, which the bench deal does not charge; the interface wants a number."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the packer of the loans asks of a deal."""

    current_index: float
    analysis: dt.date
    calendar: dates.Calendar = field(default_factory=lambda: dates.Calendar(()))
    amortisation: float = 0.0


def document() -> Document:
    """The priority of payments, checked."""
    return read_document(yaml.safe_load(WATERFALL.read_text(encoding="utf-8")))


def payment_dates(deal: BenchDeal) -> tuple[dt.date, ...]:
    return tuple(deal.date(t + 1) for t in range(deal.n_periods))


def assets_of(deal: BenchDeal) -> tuple[tuple[Asset, float], ...]:
    """The loans with their par, in order."""
    return tuple((_asset(deal, i), loan.par) for i, loan in enumerate(deal.loans))


def _asset(deal: BenchDeal, i: int) -> Asset:
    loan = deal.loans[i]
    return Asset(
        asset_id=loan.id,
        issuer_id=loan.id,
        bond_loan="LOAN",
        coupon_type="FLOAT",
        payment_frequency=4,
        par_amount=loan.par,
        maturity=deal.date(loan.maturity_period),
        coupon_spread=loan.spread,
        index_floor=loan.floor,
        coupon=max(deal.index[0], loan.floor) + loan.spread,  # of the running period
        index_name="3M",
        dated_date=deal.closing,
        first_payment_date=deal.date(1),
        day_count="30/360",
        business_day_convention="None",
        market_value=loan.price * 100.0,
        sp_facility_rating=loan.rating,
    )


def sinks_of(deal: BenchDeal) -> tuple[Sink, ...]:
    """Amounts that leave the share of the balance repaid on each date the same; the rest at maturity."""
    found = []
    for loan in deal.loans:
        if loan.amortisation <= 0.0:
            continue
        left = loan.par
        for t in range(1, loan.maturity_period):
            amount = left * loan.amortisation * 0.25
            found.append(Sink(loan.id, deal.date(t), amount))
            left -= amount
        found.append(Sink(loan.id, deal.date(loan.maturity_period), left))
    return tuple(found)


def fixings_of(deal: BenchDeal) -> FixingTable:
    """The index a day from closing on: that of the period which begins on or before the day."""
    starts = dates.serials([deal.date(t) for t in range(deal.n_periods + 1)])
    days = np.arange(starts[0], starts[-1] + 1)
    period = np.minimum(np.searchsorted(starts, days, side="right") - 1, deal.n_periods - 1)
    return FixingTable(int(starts[0]), (3,), np.array(deal.index, dtype=np.float64)[period].reshape(1, -1))


def tape_of(deal: BenchDeal) -> Tape:
    """The loans as the engine's arrays at closing, lag 0; its vectors are rows: 0 prepayment, 1 default, 2 severity."""
    positions = assets_of(deal)
    book = Book(
        Deal(deal.name),
        assets={asset.asset_id: asset for asset, _ in positions},
        reference=Reference(sinks=sinks_of(deal)),
    )
    liquidation = np.array([loan.price for loan in deal.loans])
    terms = _Terms(current_index=deal.index[0], analysis=deal.closing)
    return pack_tape(Pool(positions), book, terms, fixings_of(deal), 0.0, liquidation=liquidation)


def ids_of_tests(deal: BenchDeal) -> tuple[str, ...]:
    """Ids of the document's tests, in the order of its `tests`: OC_ and IC_ with the most junior class covered."""
    return tuple(name for name, _ in _triggers(deal))


def _triggers(deal: BenchDeal) -> list[tuple[str, float]]:
    found = []
    for test in deal.tests:
        junior = deal.classes[test.covers - 1].id
        found.append((f"OC_{junior}", test.oc))
        if test.ic is not None:
            found.append((f"IC_{junior}", test.ic))
    return found


def inputs_of(deal: BenchDeal) -> DealInputs:
    """Terms of the liabilities under the deal's own index; classes, fees and tests in the document's order."""
    days = dates.serials(payment_dates(deal))
    before = dates.serial(deal.closing)
    n, classes = deal.n_periods, len(deal.classes) + 1
    index = np.array(deal.index, dtype=np.float64)
    coupon = np.zeros((n, classes))
    for c, terms in enumerate(deal.classes):
        coupon[:, c] = index + terms.spread
    balance = np.array([*(c.balance for c in deal.classes), deal.equity])
    triggers = [trigger for _, trigger in _triggers(deal)]
    maturity = int(days[-1])
    return DealInputs(
        days=days,
        before=before,
        index=index,
        class_ids=(*(c.id for c in deal.classes), EQUITY),
        original=balance.copy(),
        balance=balance,
        deferred=np.zeros(classes),
        coupon=coupon,
        accrual=coupon * 0.25,
        deferrable=(*("always" if c.deferrable else "never" for c in deal.classes), "never"),
        scheduled=np.zeros(classes),
        fee_percent=np.array([deal.trustee, deal.senior, deal.sub]),
        fee_fixed=np.zeros(3),
        fee_basis=("performing",) * 3,
        fee_fraction=np.full((n, 3), 0.25),
        fee_interest=np.zeros((n, 3)),
        fee_unpaid=np.zeros(3),
        fee_senior=np.array([True, True, False]),
        opening_basis=deal.par,
        cap_fraction=np.diff(days, prepend=before) / 360.0,
        triggers=np.tile(np.array(triggers), (n, 1)),
        tests_from=0,
        ic_from=0,
        reinvesting=np.zeros(n, dtype=np.bool_),
        callable=np.zeros(n, dtype=np.bool_),
        policy_base=("none", "none"),
        policy_share=(0.0, 0.0),
        strategies=(),
        recovery_lag=0,
        hurdle=HURDLE,
        manager_share=0.0,
        hurdle_value=-deal.equity,
        equity_invested=deal.equity,
        equity_received=0.0,
        accelerated=False,
        interest=0.0,
        principal=0.0,
        purchased_interest=0.0,
        funding=0.0,
        performing=deal.par,
        defaulted=0.0,
        carrying=0.0,
        marked=sum(loan.par * loan.price for loan in deal.loans),
        haircut=0.0,
        ccc_limit=1.0,
        idle_yield=np.zeros(n),
        dates={
            "closing": before,
            "effective": before,
            "no_call": maturity,
            "reinvestment_end": before,
            "stated_maturity": maturity,
        },
        inputs={},
        accounts={},
        contributed={},
    )
