"""The asset master: one declaration per column, read by the store, the sheets, the tables and the kernels.

To add a column: one line in :class:`Asset` and one alembic migration. Nothing else lists the columns.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Kind(StrEnum):
    """What a column holds; decides parsing, storage, alignment and number format."""

    ID = "id"
    TEXT = "text"
    CHOICE = "choice"
    FLAG = "flag"
    DATE = "date"
    MONEY = "money"
    RATE = "rate"  # fraction per year, shown in percent
    SHARE = "share"  # fraction, shown in percent
    PRICE = "price"  # percent of par
    YEARS = "years"
    COUNT = "count"
    MOODYS = "moodys"  # a rating on Moody's scale, or NR
    SP = "sp"  # a rating on S&P's scale, or NR


NUMERIC: Final = frozenset({Kind.MONEY, Kind.RATE, Kind.SHARE, Kind.PRICE, Kind.YEARS, Kind.COUNT})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the asset master.

    name      attribute of :class:`Asset`, also the name in the store and in filters
    header    the header of the workbook's "All Assets" sheet
    title     what the tables show, without the unit
    kind      see :class:`Kind`
    aliases   further headers accepted on import (matched after trimming and case folding)
    choices   accepted values of a CHOICE, or of a COUNT that has a few: canonical value -> further spellings
    required  a blank is an error for an asset that is held
    """

    name: str
    header: str
    title: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    required: bool = False


def _column(
    header: str,
    kind: Kind = Kind.TEXT,
    title: str = "",
    *,
    aliases: tuple[str, ...] = (),
    choices: dict[str, tuple[str, ...]] | None = None,
    required: bool = False,
) -> Any:
    meta = {
        "header": header,
        "kind": kind,
        "title": title or header,
        "aliases": aliases,
        "choices": tuple((choices or {}).items()),
        "required": required,
    }
    if kind is Kind.ID:
        return dataclasses.field(metadata=meta)
    return dataclasses.field(default=None, metadata=meta)


_OUTLOOKS: Final = {
    "Positive": ("pos",),
    "Negative": ("neg",),
    "Stable": ("sta",),
    "Developing": ("dev",),
    "Upgrade": ("review for upgrade", "possible upgrade", "watch positive"),
    "Downgrade": ("review for downgrade", "possible downgrade", "watch negative"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One loan or bond of the asset master. ``None`` is missing; it never means zero."""

    asset_id: str = _column("BLKRockID", Kind.ID, "Asset", aliases=("Asset ID", "LoanX ID", "LXID", "Identifier"))
    issue_name: str | None = _column("Issue Name", title="Issue")
    issuer_name: str | None = _column("Issuer Name", title="Issuer")
    issuer_id: str | None = _column("ISSUER ID", title="Obligor", aliases=("Issuer Ticker",), required=True)
    tranche: str | None = _column("Tranche", title="Facility")
    bond_loan: str | None = _column(
        "Bond/Loan", Kind.CHOICE, "Type", choices={"LOAN": (), "BOND": ("note",)}, required=True
    )
    par_amount: float | None = _column("Par Amount", Kind.MONEY, "Master par")
    maturity: dt.date | None = _column("Maturity", Kind.DATE, aliases=("Maturity Date",), required=True)
    coupon_type: str | None = _column(
        "Coupon Type",
        Kind.CHOICE,
        "Coupon type",
        choices={"FLOAT": ("floating", "floater"), "FIXED": ("fix",)},
        required=True,
    )
    payment_frequency: int | None = _column(
        "Payment Frequency",
        Kind.COUNT,
        "Payments a year",
        choices={
            "1": ("annual", "annually"),
            "2": ("semi-annual", "semiannual", "semi-annually"),
            "4": ("quarterly",),
            "12": ("monthly",),
        },
        required=True,
    )
    coupon_spread: float | None = _column("Coupon Spread", Kind.RATE, "Spread", aliases=("Spread",))
    index_floor: float | None = _column("Libor Floor", Kind.RATE, "Floor", aliases=("Index Floor", "Floor"))
    index_name: str | None = _column("Index", title="Index")
    coupon: float | None = _column("Coupon", Kind.RATE, "Coupon", aliases=("All-in Rate",))
    commitment_fee: float | None = _column("Commitment Fee", Kind.RATE, "Commitment fee")
    unfunded_amount: float | None = _column("Unfunded Amount", Kind.MONEY, "Unfunded")
    facility_size: float | None = _column("Facility Size", Kind.MONEY, "Facility size")
    moodys_industry: str | None = _column("Moody's Industry", title="Moody's industry", required=True)
    sp_industry: str | None = _column("S&P Industry", title="S&P industry", required=True)
    moodys_category: str | None = _column("Moody Asset Category", title="Moody's category")
    sp_priority_category: str | None = _column("S&P Priority Category", title="S&P priority")
    country: str | None = _column("Country", required=True, aliases=("Domicile", "Country of Domicile"))
    seniority: str | None = _column("Seniority")
    deferrable: bool | None = _column("Deferred Interest Bond", Kind.FLAG, "May defer", aliases=("Deferrable",))
    piking: bool | None = _column("PiKing", Kind.FLAG, "Deferring")
    pik_amount: float | None = _column("PIK Amount", Kind.MONEY, "PIK balance")
    defaulted: bool | None = _column("Default Obligation", Kind.FLAG, "Defaulted", aliases=("Defaulted",))
    date_of_default: dt.date | None = _column(
        "Date of Defaulted", Kind.DATE, "Defaulted on", aliases=("Date of Default",)
    )
    delayed_draw: bool | None = _column("Delayed Drawdown", Kind.FLAG, "Delayed draw", aliases=("Delayed Draw",))
    revolver: bool | None = _column("Revolver", Kind.FLAG)
    letter_of_credit: bool | None = _column("Letter of Credit", Kind.FLAG, "Letter of credit")
    participation: bool | None = _column("Participation", Kind.FLAG)
    dip: bool | None = _column("DIP", Kind.FLAG)
    convertible: bool | None = _column("Convertible", Kind.FLAG)
    structured_finance: bool | None = _column("Structured Finance", Kind.FLAG, "Structured finance")
    bridge_loan: bool | None = _column("Bridge Loan", Kind.FLAG, "Bridge loan")
    current_pay: bool | None = _column("Current Pay", Kind.FLAG, "Current pay")
    cov_lite: bool | None = _column("Cov-Lite", Kind.FLAG, "Cov-lite", aliases=("Cov Lite", "Covenant Lite"))
    currency: str | None = _column("Currency")
    wal: float | None = _column("WAL", Kind.YEARS, "WAL")
    market_value: float | None = _column("Market Value", Kind.PRICE, "Price", aliases=("Price", "Market Price"))
    first_lien_last_out: bool | None = _column("First Lien Last Out Loan", Kind.FLAG, "First lien last out")
    moodys_rating: str | None = _column("Moody's Rating-21", Kind.MOODYS, "Moody's rating", aliases=("Moody's Rating",))
    moodys_recovery_rate: float | None = _column(
        "Moody's Recovery Rate-23", Kind.SHARE, "Moody's recovery", aliases=("Moody's Recovery Rate",)
    )
    moodys_dpr: str | None = _column(
        "Moody's Default Probability Rating-18",
        Kind.MOODYS,
        "Moody's default probability rating",
        aliases=("Moody's Default Probability Rating", "Moody's Rating DPR"),
    )
    moodys_rating_warf: str | None = _column("Moody's Rating WARF", Kind.MOODYS, "Moody's WARF rating")
    moodys_facility_rating: str | None = _column("Moody Facility Rating", Kind.MOODYS, "Moody's facility rating")
    moodys_facility_outlook: str | None = _column(
        "Moody Facility Outlook", Kind.CHOICE, "Moody's facility outlook", choices=_OUTLOOKS
    )
    moodys_issuer_rating: str | None = _column("Moody Issuer Rating", Kind.MOODYS, "Moody's issuer rating")
    moodys_issuer_outlook: str | None = _column(
        "Moody Issuer outlook", Kind.CHOICE, "Moody's issuer outlook", choices=_OUTLOOKS
    )
    moodys_senior_secured_rating: str | None = _column(
        "Moody's Senior Secured Rating", Kind.MOODYS, "Moody's senior secured rating"
    )
    moodys_senior_unsecured_rating: str | None = _column(
        "Moody Senior Unsecured Rating", Kind.MOODYS, "Moody's senior unsecured rating"
    )
    moodys_subordinate_rating: str | None = _column(
        "Moody Subordinate Rating", Kind.MOODYS, "Moody's subordinate rating"
    )
    moodys_credit_estimate: str | None = _column("Moody's Credit Estimate", Kind.MOODYS, "Moody's credit estimate")
    moodys_credit_estimate_date: dt.date | None = _column(
        "Moody's Credit Estimate Date", Kind.DATE, "Moody's credit estimate date"
    )
    sp_facility_rating: str | None = _column("S&P Facility Rating", Kind.SP, "S&P facility rating")
    sp_issuer_rating: str | None = _column("S&P Issuer Rating", Kind.SP, "S&P issuer rating")
    sp_senior_secured_rating: str | None = _column("S&P Senior Secured Rating", Kind.SP, "S&P senior secured rating")
    sp_subordinated_rating: str | None = _column("S&P Subordinated Rating", Kind.SP, "S&P subordinated rating")
    sp_recovery_rating: str | None = _column(
        "S&P Recovery Rating",
        Kind.CHOICE,
        "S&P recovery rating",
        choices=dict.fromkeys("1+ 1 2 2H 2L 3 3H 3L 4 4H 4L 5 5H 5L 6 NR".split(), ()),
    )
    dated_date: dt.date | None = _column("Dated Date", Kind.DATE, "Dated")
    issue_date: dt.date | None = _column("Issue Date", Kind.DATE, "Issued")
    first_payment_date: dt.date | None = _column("First Payment Date", Kind.DATE, "First payment")
    amortization_type: str | None = _column("Amortization Type", title="Amortisation", aliases=("Amortisation Type",))
    day_count: str | None = _column(
        "Day Count",
        Kind.CHOICE,
        "Day count",
        choices={
            "ACTUAL/360": ("act360", "act/360", "actual360"),
            "ACTUAL/365": ("act365", "act/365", "actual365"),
            "ACTUAL/ACTUAL": ("act/act", "actact"),
            "30/360": ("30360", "30/360us"),
            "30/360EU": ("30e/360",),
        },
    )
    index_cap: float | None = _column("Index Cap", Kind.RATE, "Cap")
    business_day_convention: str | None = _column(
        "Business Day Convention",
        Kind.CHOICE,
        "Business days",
        choices={
            "Following": (),
            "Mod Following": ("modified following",),
            "Previous": ("preceding",),
            "None": ("unadjusted", "no adjustment"),
        },
    )
    payment_eom: bool | None = _column("PMT EOM", Kind.FLAG, "Month-end payments")
    amount_issued: float | None = _column("Amount Issued", Kind.MONEY, "Amount issued")
    credit_opinion: str | None = _column(
        "Credit Opinion", Kind.CHOICE, "Credit opinion", choices={"BUY": (), "HOLD": (), "SALE": ("sell",)}
    )
    credit_spread_adjustment: float | None = _column(
        "Credit Spread Adjustment", Kind.RATE, "Credit spread adjustment", aliases=("CSA",)
    )


def _columns() -> tuple[Column, ...]:
    return tuple(Column(name=f.name, **f.metadata) for f in dataclasses.fields(Asset))


COLUMNS: Final[tuple[Column, ...]] = _columns()
"""All columns in the order of the workbook: its 70, and the spare one for the credit spread adjustment."""

COLUMN_BY_NAME: Final[dict[str, Column]] = {c.name: c for c in COLUMNS}
