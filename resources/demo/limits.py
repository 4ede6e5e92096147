"""Limits of the demo deal: its 37 tests, the inputs of their computed limits, the weights of the objective."""

from __future__ import annotations

import datetime as dt
from typing import Final

from engine.terms import Labelled, ObjectiveWeight, TestLimit
from resources.demo import calendar as days

_WAL_TEST_ENDS: Final = dt.date(2033, 5, 16)  # nine years after closing; the limit falls a day a day
WAL_LIMIT: Final = round((_WAL_TEST_ENDS - days.ANALYSIS).days / 365, 2)

SPREAD_BASE: Final = 0.0370
FACTOR_BASE: Final = 2770.0
FACTOR_SLOPE: Final = 62.0  # rating factor for each percent of recovery rate above 43 %
_RECOVERY_PIVOT: Final = 43.0

# number, name, direction, limit, result of the trustee's report of 3 March 2025 where it is kept
_TESTS: Final[tuple[tuple[int, str, str, float | None, float | None], ...]] = (
    (1, "Limitation on Senior Secured Loans", "MIN", 0.90, 0.9774),
    (2, "Limitation on Non-Senior Secured Loans", "MAX", 0.10, 0.0226),
    (3, "Limitation on the 6th Largest Obligor", "MAX", 0.02, None),
    (4, "Limitation on the Largest Obligor", "MAX", 0.025, None),
    (5, "Limitation on the Largest DIP Obligor", "MAX", 0.02, None),
    (6, "Limitation on the Largest Non-Senior Secured Obligor", "MAX", 0.01, None),
    (7, "Limitation on Caa Obligations", "MAX", 0.075, 0.0712),
    (8, "Limitation on Obligations that Pay Interest Less Frequently than Quarterly", "MAX", 0.05, None),
    (9, "Limitation on Fixed Rate Obligations", "MAX", 0.05, None),
    (10, "Limitation on Current Pay Obligations", "MAX", 0.025, None),
    (11, "Limitation on DIP Obligations", "MAX", 0.075, None),
    (13, "Limitation on Participation Interests", "MAX", 0.10, None),
    (14, "Limitation on Countries Other than the United States", "MAX", 0.20, None),
    (15, "Limitation on Canada and Tax Jurisdictions", "MAX", 0.125, None),
    (16, "Limitation on Countries Other than USA, Canada and UK", "MAX", 0.10, None),
    (17, "Limitation on Group Countries", "MAX", 0.15, None),
    (18, "Limitation on Group I Countries", "MAX", 0.15, None),
    (19, "Limitation on the Largest Group I Country", "MAX", 0.05, None),
    (20, "Limitation on Group II Countries", "MAX", 0.10, None),
    (21, "Limitation on the Largest Group II Country", "MAX", 0.05, None),
    (22, "Limitation on Group III Countries", "MAX", 0.075, None),
    (23, "Limitation on the Largest Group III Country", "MAX", 0.05, None),
    (24, "Limitation on Tax Jurisdictions", "MAX", 0.05, None),
    (25, "Limitation on the 4th Largest S&P Industry", "MAX", 0.10, None),
    (26, "Limitation on the 2nd Largest S&P Industry", "MAX", 0.12, None),
    (27, "Limitation on the Largest S&P Industry", "MAX", 0.15, None),
    (28, "Limitation on Bridge Loans", "MAX", 0.05, None),
    (29, "Limitation on Cov-Lite Loans", "MAX", 0.65, 0.6482),
    (30, "Limitation on Deferrable Obligations", "MAX", 0.05, None),
    (31, "Limitation on Facility Size", "MAX", 0.05, None),
    (33, "Minimum Weighted Average Moody's Recovery Rate Test", "MIN", 0.43, 0.4569),
    (32, "Minimum Floating Spread Test", "MIN", None, 0.0358),
    (36, "Maximum Moody's Rating Factor Test", "MAX", None, 2798.0),
    (35, "Weighted Average Life Test", "MAX", WAL_LIMIT, None),
    (37, "Moody's Diversity Test", "MIN", 70.0, None),
    (38, "Junior OC Test", "MIN", 1.0450, 1.0763),
    (34, "Minimum Weighted Average Coupon Test", "MIN", 0.055, None),
)


def spread_limit(recovery: float) -> float:
    """Limit of test 32 at a recovery rate: the base less 6.5 basis points for each percent above 43 %."""
    return SPREAD_BASE - (100 * recovery - _RECOVERY_PIVOT) * 0.00065


def factor_limit(recovery: float) -> float:
    """Limit of test 36 at a recovery rate."""
    return FACTOR_BASE + (100 * recovery - _RECOVERY_PIVOT) * FACTOR_SLOPE


def limits(recovery: float) -> tuple[TestLimit, ...]:
    """The deal's table of tests; `recovery` is the pool's Moody's recovery rate, on which two limits depend."""
    computed = {32: round(spread_limit(recovery), 5), 36: round(factor_limit(recovery), 2)}
    return tuple(
        TestLimit(number, name, direction, computed.get(number, limit), None, previous)
        for number, name, direction, limit, previous in _TESTS
    )


def quality_inputs(rated_notes: float, target_par: float) -> Labelled:
    return (
        ("Current LIBOR", days.CURRENT_INDEX),
        ("Reinvestment Target Balance", target_par),
        ("Weighted Average Spread", SPREAD_BASE),
        ("WARF Factor", FACTOR_SLOPE),
        ("WARF Threshold", FACTOR_BASE),
        ("JR OC Denominator", rated_notes),
        ("Stated Maturity Date", days.MATURITY),
    )


WEIGHTS: Final = (
    ObjectiveWeight(33, "Minimum Weighted Average Moody's Recovery Rate Test", None, 0.0),
    ObjectiveWeight(32, "Minimum Floating Spread Test", None, 0.6),
    ObjectiveWeight(36, "Maximum Moody's Rating Factor Test", None, 0.3),
    ObjectiveWeight(38, "Junior OC Test", None, 0.1),
)
