"""The blocks of a deal's sheet: their named ranges, titles, columns and labels. Reading and writing share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a block. `header` is written; it and `aliases` are accepted."""

    key: str
    header: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockForm:
    """A block of the sheet.

    key        name of the block in the code
    ranges     accepted names of its named range; the first one is written
    titles     accepted titles; the first one is written
    left       column of the layout (0 for A)
    headings   its columns; empty for a block of labels and values, which has no row of headers
    labels     labels by which a block of labels is found when it has neither name nor title
    transposed the labels down the left column are the fields, each further column is a record
    range_left first column of the named range, where it is not `left`
    """

    key: str
    ranges: tuple[str, ...]
    titles: tuple[str, ...]
    left: int
    headings: tuple[Heading, ...] = ()
    labels: tuple[str, ...] = ()
    transposed: bool = False
    range_left: int | None = None

    @property
    def width(self) -> int:
        return len(self.headings) if self.headings and not self.transposed else 2


DATES: Final = BlockForm(
    "current_dates",
    ("CurrentDates", "CurrentPeriodDates"),
    ("Current Period Dates",),
    1,
    labels=(
        "Analysis date",
        "Next Payment Date",
        "Beg Collection Period",
        "End Collection Period",
        "Last Payment Date",
    ),
)
COLLATERAL: Final = BlockForm(
    "collateral",
    ("DealCollateral",),
    ("Deal Collateral", "CLO Collateral"),
    3,
    (
        Heading("asset_id", "BLKRockID", ("Asset ID", "LoanX ID", "LXID", "Identifier")),
        Heading("par", "Par Amount", ("Par", "Balance")),
    ),
)
ACCOUNTS: Final = BlockForm(
    "accounts",
    ("Accounts",),
    ("CLO Accounts", "Accounts"),
    5,
    (
        Heading("number", "Account Num", ("Account Number",)),
        Heading("name", "Account Name"),
        Heading("interest", "Interest"),
        Heading("principal", "Principal"),
    ),
)
INDEX: Final = BlockForm(
    "index",
    ("Libor", "LiborRates", "IndexRates"),
    ("LIBOR", "Index", "SOFR"),
    9,
    labels=("Original Libor Rate", "Current Libor Rate"),
)
LIMITS: Final = BlockForm(
    "limits",
    ("TestThresholds",),
    ("Concentration Limits and Collateral Quality Test Thresholds",),
    11,
    (
        Heading("number", "Test Number"),
        Heading("name", "Test Name"),
        Heading("direction", "Min/Max"),
        Heading("threshold", "Threshold"),
        Heading("override", "Overwrite", ("Override",)),
        Heading("previous", "Previous Values", ("Previous Value",)),
    ),
)
QUALITY: Final = BlockForm(
    "quality_inputs",
    ("QualityTestInputs",),
    ("Quality Test Inputs",),
    17,
    labels=(
        "Current LIBOR",
        "Reinvestment Target Balance",
        "Weighted Average Spread",
        "WARF Factor",
        "WARF Threshold",
        "JR OC Denominator",
    ),
)
OBJECTIVE: Final = BlockForm(
    "weights",
    ("ObjWeights",),
    ("Optimization Objective Weights", "Optimisation Objective Weights"),
    19,
    (
        Heading("name", "Test Name"),
        Heading("result", "Current Test Result"),
        Heading("number", "Test Number"),
        Heading("weight", "Weight"),
    ),
    range_left=21,
)
CASH_FLOW: Final = BlockForm(
    "cash_flow_inputs",
    ("CFInputs",),
    ("Cashflow Inputs", "Cash Flow Inputs"),
    23,
    (Heading("label", "Input"), Heading("value", "Value")),
)
SUBORDINATED: Final = BlockForm(
    "subordinated_payments",
    ("PaySubNotes",),
    ("Payments to Subordinated Notes",),
    25,
    (Heading("date", "Date"), Heading("amount", "Amount")),
)
CLO_INPUTS: Final = BlockForm(
    "clo_inputs",
    ("CLOInputs",),
    ("CLO Inputs",),
    27,
    labels=("Analysis Date", "Deal Name", "Beg Fee Basis", "Current LIBOR"),
)
DEAL_DATES: Final = BlockForm(
    "dates",
    ("DateInputs",),
    ("Deal Dates",),
    29,
    labels=(
        "Pricing Date",
        "Closing Date",
        "Effective Date",
        "First Payment Date",
        "No Call Date",
        "Reinvestment End Date",
        "Stated Maturity",
        "Payment Day",
        "Months Between Payments",
        "Interest Determination Date",
        "Determination Date",
        "Business Day Convention",
    ),
)
SCHEDULE: Final = BlockForm(
    "schedule",
    ("PaymentDates", "PaymentSchedule"),
    ("Payment Dates",),
    31,
    (
        Heading("payment", "Payment Date"),
        Heading("determination", "Int Determination Date", ("Interest Determination Date", "Determination Date")),
        Heading("collection_begin", "Coll Beg Date", ("Collection Begin Date",)),
        Heading("collection_end", "Coll End Date", ("Collection End Date",)),
    ),
)
LIABILITIES: Final = BlockForm(
    "tranches",
    ("Liabilities", "Tranches"),
    ("Liabilities",),
    35,
    (
        Heading("number", "Tranche Number"),
        Heading("name", "Name", ("Tranche Name", "Class")),
        Heading("original_balance", "Original Balance"),
        Heading("price", "Price"),
        Heading("current_balance", "Current Balance"),
        Heading("deferred_balance", "Defaulted/Deferred", ("Defaulted/Deferred balance", "Deferred Balance")),
        Heading("spread", "Spread"),
        Heading("discount_margin", "Discount Margin"),
        Heading("deferrable", "PIKable", ("Deferrable",)),
        Heading("oc_trigger", "OC Test", ("OC trigger",)),
        Heading("ic_trigger", "IC Test", ("IC trigger",)),
        Heading("day_count", "DayCount", ("Day Count",)),
        Heading("is_equity", "Equity Tranche", ("Equity",)),
        Heading("coupon_type", "Coupon Type"),
        Heading("original_coupon", "Original Coupon", ("Coupon",)),
    ),
    transposed=True,
)
FEES: Final = BlockForm(
    "fees",
    ("Fees", "CLOFees"),
    ("CLO Fees",),
    44,
    (
        Heading("name", "Fee Name"),
        Heading("basis", "Fee Type"),
        Heading("unpaid", "Unpaid Balance"),
        Heading("fixed_amount", "Fixed Amount"),
        Heading("day_count", "Day Count"),
        Heading("percentage", "Fee Percentage"),
        Heading("interest_on_unpaid", "Interest on Fee"),
        Heading("interest_spread", "Interest Spread"),
    ),
)

FORMS: Final = (
    DATES,
    COLLATERAL,
    ACCOUNTS,
    INDEX,
    LIMITS,
    QUALITY,
    OBJECTIVE,
    CASH_FLOW,
    SUBORDINATED,
    CLO_INPUTS,
    DEAL_DATES,
    SCHEDULE,
    LIABILITIES,
    FEES,
)
"""All blocks in the order of the sheet."""

NA: Final = "NA"
"""How the block of liabilities writes "none"."""

CURRENCY: Final = "Currency"
"""Label in the block CLO Inputs that names the deal's currency; it becomes `Deal.currency` and no label."""

UNLABELLED: Final = ("Interest diversion trigger", "Event of default trigger")
"""What the first two rows of CLO Inputs mean where they have a value but no label (the legacy reads them by place)."""

DATE_LABELS: Final = frozenset(
    {
        "analysis date",
        "next payment date",
        "beg collection period",
        "end collection period",
        "last payment date",
        "pricing date",
        "closing date",
        "effective date",
        "first payment date",
        "no call date",
        "non-call date",
        "reinvestment end date",
        "stated maturity",
        "stated maturity date",
        "maturity date",
    }
)
"""Labels whose value is a date, as `grid.same` gives them; a 0 beside them is the echo of an empty cell."""

RATE_LABELS: Final = frozenset(
    {
        "current libor",
        "original libor rate",
        "current libor rate",
        "weighted average spread",
        "ccc asset haircut percent",
    }
)
NUMBER_LABELS: Final = frozenset(
    {
        "reinvestment target balance",
        "warf factor",
        "warf threshold",
        "jr oc denominator",
        "was factor (mag 14/16)",
        "warr threshold (mag 14/16)",
        "payment day",
        "months between payments",
    }
)
