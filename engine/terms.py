"""The vocabulary of a deal: what a workbook, the store, the panes and the engine speak about.

Frozen dataclasses. Money in the deal's currency, rates and shares as fractions, prices of assets in percent of par,
prices of notes as fractions of par (as the workbook has them). ``None`` is missing, never zero.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.asset import Asset

Value = str | float | bool | dt.date | None
"""A cell of a label/value block."""

Labelled = tuple[tuple[str, Value], ...]
"""A label/value block of the workbook, in its order."""


def lookup(block: Labelled, label: str) -> Value:
    """The value beside `label` (trimmed, case folded; a remark in parentheses at its end does not count), or None."""
    wanted = _plain_label(label)
    for name, value in block:
        if _plain_label(name) == wanted:
            return value
    return None


def _plain_label(label: str) -> str:
    return re.sub(r"\s*\([^)]*\)\s*$", "", label).strip().casefold()


def number(block: Labelled, label: str) -> float | None:
    """The number beside `label`, or None where it is missing or no number."""
    value = lookup(block, label)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


@dataclass(frozen=True, slots=True)
class Holding:
    """Par of one asset in the deal; lots of one id are added up before they come here."""

    asset_id: str
    par: float


@dataclass(frozen=True, slots=True)
class Tranche:
    """A class of notes. `price` is a fraction of par; `coupon_type` is "Fixed" or "Floating" (missing: floating)."""

    name: str
    original_balance: float
    current_balance: float
    deferred_balance: float = 0.0
    price: float | None = None
    spread: float | None = None
    discount_margin: float | None = None
    deferrable: bool | None = None
    oc_trigger: float | None = None
    ic_trigger: float | None = None
    day_count: str | None = None
    is_equity: bool = False
    coupon_type: str | None = None
    original_coupon: float | None = None


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee. `basis` is BEGINNING or AVERAGE; percentage and fixed amount are per year. All None: terms unknown."""

    name: str
    basis: str | None = None
    unpaid: float | None = None
    fixed_amount: float | None = None
    day_count: str | None = None
    percentage: float | None = None
    interest_on_unpaid: bool | None = None
    interest_spread: float | None = None


ACCOUNT_NAMES: Final[dict[int, str]] = {
    1: "Payment",
    2: "Collection",
    3: "RampUp",
    4: "RevolverFunding",
    5: "ExpenseReserve",
    6: "Custodial",
    7: "SupplementalReserve",
    8: "InterestReserve",
    9: "FundingNote",
}
COLLECTION: Final = 2
RAMP_UP: Final = 3
INTEREST_RESERVE: Final = 8
REVOLVER_FUNDING: Final = 4


@dataclass(frozen=True, slots=True)
class Account:
    number: int
    name: str
    interest: float = 0.0
    principal: float = 0.0


@dataclass(frozen=True, slots=True)
class TestLimit:
    """One row of the deal's test table: catalogue number, MIN or MAX, limit, override, baseline."""

    __test__ = False  # not a pytest class

    number: int
    name: str
    direction: str
    threshold: float | None = None
    override: float | None = None
    previous: float | None = None


@dataclass(frozen=True, slots=True)
class ObjectiveWeight:
    number: int
    name: str
    result: float | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class PaymentDate:
    """One row of the payment schedule."""

    payment: dt.date
    determination: dt.date | None = None
    collection_begin: dt.date | None = None
    collection_end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class CurveNode:
    """Zero rate (annual fraction) at a tenor in months."""

    months: float
    rate: float


@dataclass(frozen=True, slots=True)
class Fixing:
    date: dt.date
    index: str
    rate: float


@dataclass(frozen=True, slots=True)
class Sink:
    """One scheduled principal payment of an asset, as an amount of the whole facility or of the holding."""

    asset_id: str
    date: dt.date
    amount: float


@dataclass(frozen=True, slots=True)
class CashFlowAssumption:
    """A row of the assumption table; `target` is an asset id, ALL or REINVEST. Cells: number or name of a vector."""

    target: str
    prepay: Value = None
    default: Value = None
    severity: Value = None
    lag: Value = None


@dataclass(frozen=True, slots=True)
class Reference:
    """The workbook's "Reference Table"."""

    holidays: tuple[dt.date, ...] = ()
    fixings: tuple[Fixing, ...] = ()
    vectors: tuple[tuple[str, tuple[float | None, ...]], ...] = ()
    sinks: tuple[Sink, ...] = ()
    curve: tuple[CurveNode, ...] = ()
    assumptions: tuple[CashFlowAssumption, ...] = ()


@dataclass(frozen=True, slots=True)
class Deal:
    """Everything of one deal but the asset master.

    dates          "Deal Dates" block: Closing Date, Stated Maturity, Payment Day, ...
    current_dates  "Current Period Dates" block: Analysis date, Next Payment Date, ...
    clo_inputs     also says which priority of payments ("Waterfall") and which compliance readings
                   ("Compliance Readings": workbook or market) the deal has
    """

    name: str
    currency: str = "USD"
    current_dates: Labelled = ()
    dates: Labelled = ()
    holdings: tuple[Holding, ...] = ()
    accounts: tuple[Account, ...] = ()
    original_index: float | None = None
    current_index: float | None = None
    limits: tuple[TestLimit, ...] = ()
    quality_inputs: Labelled = ()
    weights: tuple[ObjectiveWeight, ...] = ()
    cash_flow_inputs: Labelled = ()
    subordinated_payments: tuple[tuple[dt.date, float | None], ...] = ()
    clo_inputs: Labelled = ()
    schedule: tuple[PaymentDate, ...] = ()
    tranches: tuple[Tranche, ...] = ()
    fees: tuple[Fee, ...] = ()

    @property
    def analysis_date(self) -> dt.date | None:
        value = lookup(self.current_dates, "Analysis date")
        return value if isinstance(value, dt.date) else None

    @property
    def par(self) -> float:
        return sum(h.par for h in self.holdings)

    def account(self, number: int) -> Account:
        for account in self.accounts:
            if account.number == number:
                return account
        return Account(number, ACCOUNT_NAMES[number])

    @property
    def principal_cash(self) -> float:
        return self.account(COLLECTION).principal

    def date(self, label: str) -> dt.date | None:
        """A date of the "Deal Dates" block."""
        value = lookup(self.dates, label)
        return value if isinstance(value, dt.date) else None


@dataclass(frozen=True, slots=True)
class Book:
    """A deal with the asset master and the reference data it needs: what one workbook holds."""

    deal: Deal
    assets: Mapping[str, Asset] = field(default_factory=dict)
    reference: Reference = Reference()

    def positions(self) -> Iterator[tuple[Asset, float]]:
        """Held assets with their par, in the order of the holdings."""
        for holding in self.deal.holdings:
            yield self.assets[holding.asset_id], holding.par
