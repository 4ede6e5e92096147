"""The columns of a run's cash table, one row a payment date, and the phases that are shown."""

from __future__ import annotations

from typing import Final

CASH_NAMES: Final = (
    "Interest proceeds",
    "Principal proceeds",
    "Sale proceeds",
    "Payment of notes",
    "Interest diverted",
    "Reinvested",
    "Incentive fee",
    "Carried forward",
    "Index",
    "Performing balance",
    "Defaulted balance",
    "Carrying value of defaulted",
    "CCC excess haircut",
    "Expenses",
    "Hedges paid",
    "Hedges received",
    "Contributed",
    "Contributions repaid",
    "Change of accounts",
    "Sources",
    "Uses",
)
(
    INTEREST_PROCEEDS,
    PRINCIPAL_PROCEEDS,
    SALE_PROCEEDS,
    NOTES_POT,
    DIVERTED,
    REINVESTED,
    INCENTIVE_FEE,
    CARRIED,
    INDEX,
    PERFORMING,
    DEFAULT_BALANCE,
    CARRYING_VALUE,
    CCC_EXCESS,
    EXPENSES,
    HEDGES_PAID,
    HEDGES_RECEIVED,
    CONTRIBUTED,
    REPAID,
    ACCOUNTS,
    SOURCES,
    USES,
) = range(len(CASH_NAMES))

PHASES: Final = ("reinvestment", "redemption", "acceleration", "first_period")
