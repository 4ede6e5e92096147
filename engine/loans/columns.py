"""The columns of the collateral's cash flows, in the order of the report."""

from __future__ import annotations

from typing import Final

INTEREST: Final = 0
SCHEDULED: Final = 1
UNSCHEDULED: Final = 2
RECOVERIES: Final = 3
LOSS: Final = 4
DEFAULTED: Final = 5
CLAIM: Final = 6  # expected recovery of the period's new defaults
CAPITALISED: Final = 7  # interest added to the balance instead of paid
DRAWN: Final = 8  # commitments drawn: cash out, balance up
SOLD: Final = 9  # par sold
PROCEEDS: Final = 10  # cash from sales
MARKED: Final = 11  # change of the performing balance at each asset's sale price
HAIRCUT: Final = 12  # change of what the performing balance is carried below par in the tests
N_FLOWS: Final = 13

FLOW_NAMES: Final = (
    "Interest",
    "Scheduled principal",
    "Unscheduled principal",
    "Recoveries",
    "Net loss",
    "Defaulted",
    "Recovery claims",
    "Capitalised interest",
    "Drawn",
    "Sold",
    "Sale proceeds",
    "Change of value at sale prices",
    "Change of haircuts",
)
