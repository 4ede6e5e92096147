"""The smallest deal that runs: one loan, one class, one year. Warms up the kernels; the tests start from it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from engine.asset import Asset
from engine.terms import Account, Book, Deal, Holding, Tranche
from engine.waterfall import Document, read_document

DOCUMENT: Final[Document] = read_document(
    {
        "wdl": 1,
        "name": "smallest",
        "classes": {"A": {}, "SUB": {"kind": "equity"}},
        "fees": {"trustee": "Trustee Fee"},
        "tests": {"OC_A": {"type": "oc", "classes": ["A"], "trigger": 1.05}},
        "waterfalls": {
            "interest": [
                {"pay_fee": {"fees": ["trustee"]}},
                {"pay_interest": {"classes": ["A"]}},
                {"cure": {"tests": ["OC_A"]}},
                {"hurdle_split": {"equity": "SUB", "book_as": "interest"}},
            ],
            "principal": [{"reinvest": {"amount": "policy"}}, {"run": {"waterfall": "nps"}}],
            "nps": [{"pay_principal": {"classes": ["A"]}}, {"pay_equity": {"equity": "SUB", "book_as": "principal"}}],
            "acceleration": [
                {"pay_interest": {"classes": ["A"]}},
                {"pay_principal": {"classes": ["A"]}},
                {"pay_equity": {"equity": "SUB", "book_as": "principal"}},
            ],
        },
    }
)

DEFAULTS: Final[dict[str, Any]] = {
    "months_to_effective": 0,
    "reinvestment_years": 0,
    "fees": {},
    "incentive_fee": {"hurdle": 0.12, "share": 0.0},
    "class_x_periods": 0,
    "interest_diversion_trigger": 1.0,
    "event_of_default_trigger": 1.0,
    "ccc_excess_threshold": 1.0,
    "equity_purchase_price": 1.0,
    "reinvestment": {
        "pre_base": "NONE",
        "pre_share": 0.0,
        "post_base": "NONE",
        "post_share": 0.0,
        "spread": 0.0,
        "floor": 0.0,
        "maturity_months": 12,
        "price": 1.0,
    },
    "collateral": {"cpr": 0.0, "cdr": 0.0, "severity": 0.0, "lag": 0, "sale_price": 1.0},
    "collateral_amortisation": 0.0,
}

_LOAN: Final = Asset(
    asset_id="LOAN",
    issuer_id="OBLIGOR",
    maturity=dt.date(2025, 12, 15),
    coupon_type="FLOAT",
    payment_frequency=4,
    coupon_spread=0.04,
    coupon=0.08,
    first_payment_date=dt.date(2025, 3, 15),
    day_count="ACTUAL/360",
)

BOOK: Final = Book(
    Deal(
        name="Smallest",
        current_dates=(("Analysis date", dt.date(2025, 1, 2)),),
        dates=(
            ("Closing Date", dt.date(2025, 1, 2)),
            ("First Payment Date", dt.date(2025, 4, 15)),
            ("Stated Maturity", dt.date(2026, 1, 15)),
        ),
        holdings=(Holding("LOAN", 1_000_000.0),),
        accounts=(Account(2, "Collection"),),
        current_index=0.04,
        tranches=(
            Tranche("Class A", 900_000.0, 900_000.0, spread=0.015),
            Tranche("Sub Notes", 100_000.0, 100_000.0, is_equity=True),
        ),
    ),
    {"LOAN": _LOAN},
)
