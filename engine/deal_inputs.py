"""What a run of the liabilities takes beside the document and the collateral's cash flows, as numbers.

Shapes: n_dates, n_classes, n_fees, n_tests. Money in the deal's currency; rates and shares as fractions; days as
serials. Scenarios that share the rate path share these; what differs from lane to lane stands in `LANE_PARAMETERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LANE_PARAMETERS: Final[Mapping[str, float]] = {
    "redemption": 1e9,  # row of the date on which the pool is sold
    "call_below": -1.0,  # redeem when a date's equity distribution is below this share of its original balance
    "clean_up": -1.0,  # redeem when performing par is below this share of the par at the start of the run
    "call_above_nav": 1e9,  # redeem when the equity's net asset value is above this share of its original balance
    "sale_price": -1.0,  # of performing assets, share of par; negative: the price of each asset by its rating
    "sale_price_of_bought": 1.0,  # of reinvested assets where `sale_price` is negative, share of par
    "price": 1.0,  # at which reinvested assets are bought, share of par
    "severity": 0.0,  # of reinvested assets with the rates of the run
    "reinvests": 1.0,  # 0: nothing is bought
}
"""What may differ between scenarios of one run, with what it is when nothing is said."""


@dataclass(frozen=True, slots=True, eq=False)
class Strategy:
    """A proxy asset that reinvestment buys.

    share    of each purchase
    coupon   float64[n_dates]  all-in rate of the period ending on each date
    fraction float64[n_dates]  year fraction 30/360
    periods  payment dates from purchase to maturity
    rates    row of its rates in the lanes (`engine.lanes.Pool`); 0: those of the run
    lag      payment dates from default to recovery; None: as `DealInputs.recovery_lag`
    low      rated below B3: what is bought counts in the CCC excess
    """

    share: float
    coupon: Floats
    fraction: Floats
    periods: int
    rates: int = 0
    lag: int | None = None
    low: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """New notes for old ones after the payments of a date.

    row      of the payment date;  classes bool[n_classes] that are replaced
    balance  float64[n_classes] of the new notes; NaN: as much as the old ones are owed
    costs    money;  by_holders: the holders of the equity pay them, else the interest of the date, as far as it goes
    """

    row: int
    classes: Flags
    balance: Floats
    costs: float
    by_holders: bool

    @property
    def shape(self) -> tuple[bool, ...]:
        """What of it a program is written for; the rest are figures given per date."""
        return (*self.classes.tolist(), *np.isnan(self.balance).tolist(), self.by_holders)


@dataclass(frozen=True, slots=True, eq=False)
class DealInputs:
    """Terms of the liabilities over the payment dates, under one rate path.

    days         int64[n_dates]  payment dates;  before: start of the first accrual
    index        float64[n_dates]  of the notes, for the period that ends on the date
    class_ids    in order of seniority; original, balance, deferred float64[n_classes]
    coupon       float64[n_dates, n_classes]  all-in rate;  accrual: coupon x year fraction of the class
    deferrable   of each class: never, if_not_controlling or always
    scheduled    float64[n_classes]  principal a date by schedule (class X)
    fee_percent, fee_fixed  float64[n_fees] a year;  fee_basis of each fee: begin, average, end, performing or none
    fee_fraction float64[n_dates, n_fees];  fee_interest float64[n_dates, n_fees]: rate on what is unpaid, 0 where none
    fee_unpaid   float64[n_fees] at the start
    fee_senior   bool[n_fees]  deducted in the interest coverage numerator
    opening_basis  fee basis of the first period
    cap_fraction float64[n_dates]  actual/360 year fraction of the period
    triggers     float64[n_dates, n_tests]
    tests_from, ic_from   row of the first date on which tests (interest coverage tests) need cures
    reinvesting  bool[n_dates]  the reinvestment period runs;  callable bool[n_dates]: the non-call period is over
    policy_base  (during, after the reinvestment period) of none, all, unscheduled;  policy_share likewise
    strategies   what reinvestment buys;  recovery_lag: payment dates from default to recovery of what was bought, where
                 the strategy says nothing; strategies that share `rates` share their lag
    hurdle       annual IRR of the incentive fee;  manager_share above it
    hurdle_value equity flows to the start, each grown to `before` at the hurdle (negative: still to be earned)
    equity_invested, equity_received  of the past, for multiples
    accelerated  an event of default has been declared before the run
    interest, principal  cash in hand at the start;  purchased_interest: accrued interest bought, not yet reimbursed;
                 funding: cash set aside for commitments (it pays draws first; what is left comes with the redemption)
    performing, defaulted, carrying, marked, haircut  of the pool at the start (marked: at sale prices)
    ccc_limit    share of collateral that CCC may be before the excess is carried at its price
    idle_yield   float64[n_dates]  rate for the period on cash and accounts carried from date to date
    inputs       of the document, by id;  accounts: opening balance by id
    contributed  float64[n_dates] by contribution id: cash put in on each date
    exchange     new notes for old ones; None: none
    """

    days: Ints
    before: int
    index: Floats
    class_ids: tuple[str, ...]
    original: Floats
    balance: Floats
    deferred: Floats
    coupon: Floats
    accrual: Floats
    deferrable: tuple[str, ...]
    scheduled: Floats
    fee_percent: Floats
    fee_fixed: Floats
    fee_basis: tuple[str, ...]
    fee_fraction: Floats
    fee_interest: Floats
    fee_unpaid: Floats
    fee_senior: Flags
    opening_basis: float
    cap_fraction: Floats
    triggers: Floats
    tests_from: int
    ic_from: int
    reinvesting: Flags
    callable: Flags
    policy_base: tuple[str, str]
    policy_share: tuple[float, float]
    strategies: tuple[Strategy, ...]
    recovery_lag: int
    hurdle: float
    manager_share: float
    hurdle_value: float
    equity_invested: float
    equity_received: float
    accelerated: bool
    interest: float
    principal: float
    purchased_interest: float
    funding: float
    performing: float
    defaulted: float
    carrying: float
    marked: float
    haircut: float
    ccc_limit: float
    idle_yield: Floats
    dates: Mapping[str, int]
    inputs: Mapping[str, float]
    accounts: Mapping[str, float]
    contributed: Mapping[str, Floats]
    exchange: Exchange | None = None
