"""S&P's and Fitch's averages on the real deal, from the published tables read here with plain code."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from engine.asset import Asset
from engine.compliance import WORKBOOK, Compliance, evaluate
from engine.pool import Pool
from engine.terms import Book, TestLimit
from resources import library
from tests.engine.builders import mag17

LIABILITIES = {147: "AAA", 148: "AA", 149: "A", 150: "BBB", 151: "BB"}
POINTS = {
    **{"1": 90, "2": 70, "2H": 80, "2L": 70, "3": 50, "3H": 60, "3L": 50},
    **{"4": 30, "4H": 40, "4L": 30, "5": 10, "5H": 20, "5L": 10, "6": 0},
}
FIRST = "Senior secured first-lien loan, not cov-lite"
TYPES = {
    "Senior Secured Loan": FIRST,
    "Senior Secured Loan (Cov-Lite)/Senior Secured Bond": "Senior secured cov-lite loan / senior secured bond",
    "Senior Unsecured Loan/Second Lien Loan": "Mezzanine / second lien / senior unsecured",
}


@pytest.fixture(scope="module")
def book(shared: Path) -> Book:
    return mag17(shared)


@pytest.fixture(scope="module")
def done(book: Book) -> Compliance:
    limits = tuple(TestLimit(n, "", "MIN", 0.5) for n in (*LIABILITIES, *range(140, 147), 160, 161, 107))
    return evaluate(replace(book.deal, limits=limits), Pool(book.positions()), library.catalogue(), WORKBOOK)


def rows(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "data" / "reference" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def group(a: Asset) -> str:
    return "C" if a.country == "Cayman Islands" else "A"  # every other country of the deal is on the published list


@pytest.mark.parametrize("number", LIABILITIES)
def test_that_the_sp_recovery_rate_is_the_tables_for_each_class_of_notes(
    book: Book, done: Compliance, shared: Path, number: int
) -> None:
    column = f"liability_{LIABILITIES[number]}_pct"
    by_rating = {
        (r["sp_recovery_rating"], int(r["recovery_point_estimate_pct"])): float(r[column])
        for r in rows(shared, "sp_recovery_by_recovery_rating.csv")
    }
    by_type = {
        (r["asset_type"], r["country_group"]): float(r[column]) for r in rows(shared, "sp_recovery_by_asset_type.csv")
    }
    top = below = 0.0
    for a, par in book.positions():
        if a.sp_recovery_rating not in (None, "NR"):
            rate = by_rating[(a.sp_recovery_rating or "").rstrip("HL"), POINTS[a.sp_recovery_rating or ""]]
        else:
            kind = TYPES[a.sp_priority_category or ""]
            rate = (
                by_type[TYPES["Senior Secured Loan (Cov-Lite)/Senior Secured Bond"], group(a)]
                if (kind == FIRST and a.cov_lite)
                else by_type[kind, group(a)]
            )
        top += par * rate / 100
        below += par
    assert done.result(number).result == pytest.approx(top / below, rel=1e-12)


def test_that_the_monitor_s_measures_are_plain_sums(book: Book, done: Compliance, shared: Path) -> None:
    factor = {r["sp_rating"]: float(r["sp_rating_factor"]) for r in rows(shared, "sp_rating_factors.csv")}
    lots = [(a, p) for a, p in book.positions() if a.sp_issuer_rating not in ("CC", "C", "D", "NR", None)]

    def rating(a: Asset) -> str:
        return (a.sp_facility_rating if a.dip else a.sp_issuer_rating) or ""

    total = sum(p for _, p in lots)
    mean = sum(p * factor[rating(a)] for a, p in lots) / total
    assert done.result(140).result == pytest.approx(mean, rel=1e-12)
    assert done.result(141).result == pytest.approx(
        sum(p * abs(factor[rating(a)] - mean) for a, p in lots) / total, rel=1e-12
    )
    for number, key in ((142, "issuer_id"), (143, "sp_industry")):
        by: dict[str, float] = defaultdict(float)
        for a, p in lots:
            by[str(getattr(a, key)).upper()] += p
        assert done.result(number).result == pytest.approx(1 / sum((p / total) ** 2 for p in by.values()), rel=1e-12)
    as_of = book.deal.analysis_date
    assert as_of is not None
    years = sum(p * (a.maturity - as_of).days / 365.25 for a, p in lots if a.maturity) / total
    assert done.result(145).result == pytest.approx(years, rel=1e-12)


def test_that_fitch_s_average_factor_is_of_the_lower_issuer_rating(book: Book, done: Compliance, shared: Path) -> None:
    scale = {}
    for r in rows(shared, "rating_scale_equivalence.csv")[:21]:
        scale |= {r["moodys"]: int(r["rank"]), r["sp"]: int(r["rank"])}
    factors = [float(r["fitch_rating_factor"]) for r in rows(shared, "fitch_rating_factors.csv")]
    top = below = 0.0
    for a, par in book.positions():
        ranks = [scale[r] for r in (a.moodys_issuer_rating, a.sp_issuer_rating) if r in scale]
        if ranks:
            top += par * factors[max(ranks) - 1]
            below += par
    assert done.result(160).result == pytest.approx(top / below, rel=1e-12)
    assert "derived" in done.result(160).comment


def test_that_fitch_s_recovery_rate_is_by_type(book: Book, done: Compliance) -> None:
    top = below = 0.0
    for a, par in book.positions():
        group_1 = a.country != "France"
        if a.dip:
            rate = 0.95
        elif a.sp_priority_category == "Senior Unsecured Loan/Second Lien Loan":
            rate = 0.15
        else:
            rate = 0.75 if group_1 else 0.65
        top, below = top + par * rate, below + par
    assert done.result(161).result == pytest.approx(top / below, rel=1e-12)
