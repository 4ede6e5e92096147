"""The notes of the demo deal and what governs them: classes, fees, accounts, inputs, dates."""

from __future__ import annotations

import datetime as dt
from typing import Final

from engine.terms import ACCOUNT_NAMES, Account, CashFlowAssumption, Fee, Labelled, Tranche
from resources.demo import calendar as days

NAME: Final = "Harbor 2024-1"
_ACT: Final = "Actual/360"
_CCC_SHARE: Final = 0.075
_EXPENSE_RESERVE: Final = 150_000.0
_EQUITY: Final = 45_000_000.0
_EQUITY_PRICE: Final = 0.95  # of par, at closing
_SEVERITY: Final = 0.30
_LAG: Final = 6.0  # months from a default to its recovery


def _class(
    name: str,
    balance: float,
    spread: float,
    margin: float,
    price: float,
    *,
    original: float | None = None,
    oc: float | None = None,
    ic: float | None = None,
    deferrable: bool = False,
) -> Tranche:
    return Tranche(
        name=name,
        original_balance=original or balance,
        current_balance=balance,
        price=price,
        spread=spread,
        discount_margin=margin,
        deferrable=deferrable,
        oc_trigger=oc,
        ic_trigger=ic,
        day_count=_ACT,
        coupon_type="Floating",
        original_coupon=round(days.ORIGINAL_INDEX + spread, 6),
    )


TRANCHES: Final = (
    # Two of the eight equal payments of class X have been made.
    _class("Class X", 2_250_000.0, 0.0105, 0.0100, 1.0002, original=3_000_000.0),
    _class("Class A-1", 307_500_000.0, 0.0137, 0.0134, 1.0011),
    _class("Class A-2", 12_500_000.0, 0.0160, 0.0157, 1.0012),
    _class("Class B", 57_500_000.0, 0.0180, 0.0176, 1.0018, oc=1.219, ic=1.20),
    _class("Class C", 30_000_000.0, 0.0220, 0.0216, 1.0018, oc=1.145, ic=1.10, deferrable=True),
    _class("Class D", 32_500_000.0, 0.0325, 0.0320, 1.0024, oc=1.085, ic=1.05, deferrable=True),
    _class("Class E", 20_000_000.0, 0.0575, 0.0590, 0.9931, oc=1.040, deferrable=True),
    Tranche(
        name="Sub Notes",
        original_balance=_EQUITY,
        current_balance=_EQUITY,
        price=0.82,
        spread=0.0,
        discount_margin=0.14,
        day_count=_ACT,
        is_equity=True,
    ),
)

FEES: Final = (
    Fee("Trustee Fee", "BEGINNING", 0.0, 0.0, _ACT, 0.00015, False, 0.0),
    Fee("Admin Fee", "BEGINNING", 0.0, 160_000.0, "30/360", 0.0, False, 0.0),
    Fee("Base Manager Fee", "BEGINNING", 0.0, 0.0, _ACT, 0.0015, False, 0.0),
    Fee("Junior Manager Fee", "BEGINNING", 0.0, 0.0, _ACT, 0.0020, True, 0.0),
)

SUBORDINATED_PAYMENTS: Final[tuple[tuple[dt.date, float | None], ...]] = (
    (days.CLOSING, -_EQUITY_PRICE * _EQUITY),  # negative: what their holders paid
    (dt.date(2024, 10, 15), 2_914_337.52),
    (dt.date(2025, 1, 15), 1_906_244.19),
)

ASSUMPTIONS: Final = (CashFlowAssumption("ALL", 0.20, 0.02, _SEVERITY, _LAG),)

VECTORS: Final = (
    ("QTR_CPR_1", (0.12, 0.14, 0.16, 0.18, 0.20, 0.20, 0.20, 0.20)),
    ("QTR_CDR_1", (0.010, 0.015, 0.020, 0.025, 0.030, 0.030, 0.025, 0.020)),
    ("QTR_SEV_1", (0.30, 0.30, 0.30, 0.30, 0.35, 0.35, 0.35, 0.35)),
)


def rated_notes() -> float:
    """Outstanding rated notes, class X with them."""
    return sum(t.current_balance + t.deferred_balance for t in TRANCHES if not t.is_equity)


def accounts(principal: float, interest: float, unfunded: float) -> tuple[Account, ...]:
    """All nine accounts: collections, cash for what loans may still draw, the expense reserve."""
    balances = {2: (interest, principal), 4: (0.0, unfunded), 5: (0.0, _EXPENSE_RESERVE)}
    return tuple(Account(number, name, *balances.get(number, (0.0, 0.0))) for number, name in ACCOUNT_NAMES.items())


def current_dates() -> Labelled:
    schedule = days.schedule()
    place = next(i for i, row in enumerate(schedule) if row.payment > days.ANALYSIS)
    return (
        ("Analysis date", days.ANALYSIS),
        ("Next Payment Date", schedule[place].payment),
        ("Beg Collection Period", schedule[place].collection_begin),
        ("End Collection Period", schedule[place].collection_end),
        ("Last Payment Date", schedule[place - 1].payment),
    )


DATES: Final[Labelled] = (
    ("Pricing Date", days.PRICING),
    ("Closing Date", days.CLOSING),
    ("Effective Date", days.EFFECTIVE),
    ("First Payment Date", days.FIRST_PAYMENT),
    ("No Call Date", days.NON_CALL),
    ("Reinvestment End Date", days.REINVESTMENT_END),
    ("Stated Maturity", days.MATURITY),
    ("Payment Day", float(days.PAYMENT_DAY)),
    ("Months Between Payments", float(days.MONTHS)),
    ("Interest Determination Date", float(days.INTEREST_LAG)),
    ("Determination Date", float(days.DETERMINATION_LAG)),
    ("Business Day Convention", "Following"),
)

CASH_FLOW_INPUTS: Final[Labelled] = (
    ("A Liquidation Price", 0.96),
    ("AA Liquidation Price", 0.97),
    ("CCC Liquidation Price", 0.80),
    ("Liquidation Price", 0.96),
    ("Call when Quarterly Sub Dist <", 0.0),
    ("Reinvestment Amortization Type", "Scheduled"),
    ("Reinvestment CDR", 0.02),
    ("Reinvestment CPR", 0.20),
    ("Reinvestment Floor", 0.0),
    ("Reinvestment Lag", _LAG),
    ("Reinvestment Maturity", 72.0),
    ("Reinvestment Price", 0.9925),
    ("Reinvestment Spread", 0.0350),
    ("Reinverstment Severity", _SEVERITY),
    ("Pre Reinvestment Type", "ALL PRINCIPAL"),
    ("Pre Reinvestment %", 1.0),
    ("Post Reinvestment", "NONE"),
    ("Post Reinvestment%", 0.0),
)


def clo_inputs(fee_basis: float) -> Labelled:
    """Inputs of the waterfall; `fee_basis` is the basis of the fees at the start of the period."""
    return (
        ("Interest diversion trigger (1st row)", 1.0450),
        ("Event of default trigger (2nd row)", 1.025),
        ("Analysis Date", days.ANALYSIS),
        ("Deal Name", NAME),
        ("Beg Fee Basis", fee_basis),
        ("Current LIBOR", days.CURRENT_INDEX),
        ("Purchase Finance Accrued Interest", 0.0),
        ("Event of Default", False),
        ("CCC Asset Haircut Percent", _CCC_SHARE),
        ("Incentive Management Fee", 0.20),
        ("Incentive Management Fee Hurdle", 0.12),
        ("Waterfall", "us-2024-class-x"),
        ("Compliance Readings", "market"),
        ("Class X Amortisation Periods", 8.0),
        ("Senior Expense Cap Fixed", 250_000.0),
        ("Senior Expense Cap Percent", 0.0002),
        ("Interest Diversion Share", 0.5),
        ("Equity Purchase Price", _EQUITY_PRICE),
    )
