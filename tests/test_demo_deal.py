"""The demo deal is believable, hangs together, is the same everywhere, and imports like a user's file."""

from __future__ import annotations

import csv
import datetime as dt
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml

import resources
from engine import dates, ratings
from engine.asset import COLUMNS, Asset
from engine.compliance.catalogue import read_catalogue
from engine.compliance.evaluate import Compliance, Outcome, evaluate
from engine.compliance.readings import MARKET, readings_named
from engine.pool import Pool
from engine.terms import Book, Holding, PaymentDate, lookup, number
from resources.demo import calendar as days
from resources.demo.generate import SEED, WORKBOOK, make_book
from resources.demo.loans import average_life

FAILS = 29
NEAR = {7, 32}
RATINGS = ("moodys_rating", "moodys_dpr", "moodys_rating_warf", "moodys_facility_rating", "moodys_issuer_rating")


@pytest.fixture(scope="module")
def book() -> Book:
    return make_book()


@pytest.fixture(scope="module")
def held(book: Book) -> list[tuple[Asset, float]]:
    return list(book.positions())


@pytest.fixture(scope="module")
def compliance(book: Book) -> Compliance:
    catalogue = read_catalogue(yaml.safe_load(resources.path("compliance/catalogue.yaml").read_text("utf-8")))
    return evaluate(book.deal, Pool(book.positions()), catalogue, MARKET)


def place(rating: str | None) -> int | None:
    return ratings.rank(rating or ratings.NOT_RATED)


# --- the same everywhere -----------------------------------------------------------------------------------------


def test_that_the_same_seed_makes_the_same_book(book: Book) -> None:
    assert make_book(SEED) == book


def test_that_another_seed_makes_another_pool(book: Book) -> None:
    assert make_book(SEED + 1).deal.holdings != book.deal.holdings


def test_that_the_book_does_not_depend_on_the_hash_seed() -> None:
    code = "from resources.demo.generate import make_book; import hashlib; b = make_book();"
    code += "print(hashlib.sha256(repr((b.deal, list(b.assets.values()), b.reference)).encode()).hexdigest())"

    def run(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(
            [sys.executable, "-c", code], cwd=resources.FOLDER.parent, env=environment, text=True, capture_output=True,
            check=True,
        ).stdout  # fmt: skip

    assert run("1") == run("2")


# --- the shipped workbook ----------------------------------------------------------------------------------------


def test_that_the_shipped_workbook_imports_without_a_fault_and_holds_the_generated_records(book: Book) -> None:
    from clo_desktop.sheets.read import read_book

    reading = read_book(WORKBOOK, book.deal.name)
    assert reading.faults == ()
    assert reading.book is not None
    assert list(reading.book.assets.values()) == list(book.assets.values())
    assert reading.book.deal == book.deal
    assert reading.book.reference == book.reference


# --- size and shape ----------------------------------------------------------------------------------------------


def test_that_there_are_250_loans_of_200_obligors_in_30_industries(held: list[tuple[Asset, float]]) -> None:
    assert len(held) == 250
    assert len({a.issuer_id for a, _ in held}) == 200
    assert len({a.moodys_industry for a, _ in held}) == 30


def test_that_15_further_assets_are_in_the_market_list(book: Book) -> None:
    held = {h.asset_id for h in book.deal.holdings}
    offered = [a for k, a in book.assets.items() if k not in held]
    assert len(offered) == 15
    assert all((a.market_value or 0) >= 75 and not a.defaulted for a in offered)


def test_that_par_and_principal_cash_are_500_million(book: Book) -> None:
    assert book.deal.par + book.deal.principal_cash == pytest.approx(500e6, abs=0.01)
    assert 2e6 < book.deal.principal_cash < 7e6
    assert all(h.par >= 450_000 for h in book.deal.holdings)


def test_that_industries_are_those_of_the_agencies(shared: Path, held: list[tuple[Asset, float]]) -> None:
    def column(file: str, name: str) -> set[str]:
        with (shared / "data" / "reference" / file).open(encoding="utf-8", newline="") as rows:
            return {row[name] for row in csv.DictReader(rows)}

    assert {a.moodys_industry for a, _ in held} <= column("moodys_industries_35.csv", "industry")
    assert {a.sp_industry for a, _ in held} <= column("sp_industries_clo.csv", "industry_gics_based")


def test_that_ids_issues_and_obligors_have_names_of_their_own(book: Book) -> None:
    assets = list(book.assets.values())
    assert len({a.issue_name for a in assets}) == len(assets)
    names = {(a.issuer_id, a.issuer_name) for a in assets}
    assert len({ticker for ticker, _ in names}) == len({name for _, name in names}) == len(names)
    assert all(k == a.asset_id and len(k) == 9 and k.startswith("HBR") for k, a in book.assets.items())


def test_that_no_borrower_of_the_real_deal_is_in_it(shared: Path, book: Book) -> None:
    with (shared / "data" / "mag17" / "mag17_assets.csv").open(encoding="utf-8", newline="") as rows:
        real = {word for row in csv.DictReader(rows) for word in row["Issuer Name"].upper().replace("/", " ").split()}
    assert not {(a.issuer_name or "").upper().split()[0] for a in book.assets.values()} & real


# --- every loan hangs together -----------------------------------------------------------------------------------


def test_that_the_agencies_agree_within_two_notches(book: Book) -> None:
    def notches(one: str | None, other: str | None) -> int:
        a, b = place(one), place(other)
        return 0 if a is None or b is None else abs(a - b)

    # S&P says D where Moody's still says Ca: two ranks
    assert max(notches(a.moodys_issuer_rating, a.sp_issuer_rating) for a in book.assets.values()) <= 2
    assert max(notches(a.moodys_facility_rating, a.sp_facility_rating) for a in book.assets.values()) <= 2
    alive = [a for a in book.assets.values() if not a.defaulted]
    assert max(notches(a.moodys_issuer_rating, a.sp_issuer_rating) for a in alive) <= 1


def test_that_moodys_ratings_follow_from_facility_and_issuer(book: Book) -> None:
    for a in book.assets.values():
        if a.moodys_credit_estimate:
            assert a.moodys_dpr == a.moodys_rating_warf == a.moodys_credit_estimate
            assert place(a.moodys_rating) == (place(a.sp_facility_rating) or 0) + 2  # derived from S&P
            continue
        review = {"Upgrade": -1, "Downgrade": 1}
        facility, issuer = place(a.moodys_facility_rating), place(a.moodys_issuer_rating)
        assert facility is not None
        assert issuer is not None
        senior = a.moodys_category == "Moody's Senior Secured Loan"
        assert place(a.moodys_rating) == facility + (review.get(a.moodys_facility_outlook or "", 0) if senior else 0)
        assert place(a.moodys_dpr) == issuer + review.get(a.moodys_issuer_outlook or "", 0)
        down = {"Upgrade": -1, "Downgrade": 2, "Negative": 1}
        assert place(a.moodys_rating_warf) == issuer + down.get(a.moodys_issuer_outlook or "", 0)


def test_that_recovery_rates_follow_from_the_gap_of_the_ratings(book: Book) -> None:
    senior = {2: 0.60, 1: 0.50, 0: 0.45, -1: 0.40, -2: 0.30, -3: 0.20}
    other = {2: 0.55, 1: 0.45, 0: 0.35, -1: 0.25, -2: 0.15, -3: 0.05}
    for a in book.assets.values():
        gap = (place(a.moodys_dpr) or 0) - (place(a.moodys_rating) or 0)
        table = senior if a.moodys_category == "Moody's Senior Secured Loan" else other
        assert a.moodys_recovery_rate == table[max(-3, min(2, gap))]


def test_that_coupons_are_index_plus_adjustment_plus_spread(book: Book) -> None:
    level = {"1M Term SOFR": (12, 0.0432), "3M Term SOFR": (4, 0.0430), "6M Term SOFR": (2, 0.0425)}
    for a in book.assets.values():
        if a.coupon_type == "FIXED":
            assert (a.bond_loan, a.index_name, a.coupon_spread, a.day_count) == ("BOND", None, None, "30/360")
            continue
        frequency, index = level[a.index_name or ""]
        assert a.payment_frequency == frequency
        assert a.coupon_spread is not None
        assert a.index_floor in (0.0, 0.005, 0.0075, 0.01)
        assert a.credit_spread_adjustment in (0.0, 0.0010, 0.0011448, 0.0026161, 0.0042826)
        assert a.coupon == pytest.approx(max(index, a.index_floor) + a.credit_spread_adjustment + a.coupon_spread)


def test_that_dates_are_in_order_and_maturities_within_seven_years(book: Book) -> None:
    for a in book.assets.values():
        assert a.issue_date is not None
        assert a.first_payment_date is not None
        assert a.maturity is not None
        assert a.dated_date == a.issue_date < a.first_payment_date < a.maturity
        assert a.issue_date <= days.ANALYSIS < a.maturity <= dt.date(2032, 3, 31)
        assert days.following(a.maturity) == a.maturity


def test_that_second_liens_mature_after_first_liens_and_pay_more(book: Book) -> None:
    for second in (a for a in book.assets.values() if a.tranche == "2nd Lien TL"):
        for first in book.assets.values():
            if first.issuer_id == second.issuer_id and first is not second:
                assert (first.maturity or days.MATURITY) < (second.maturity or days.ANALYSIS)
                assert (first.coupon_spread or 1) + 0.02 < (second.coupon_spread or 0)


def test_that_average_lives_follow_from_maturity_and_amortisation(book: Book) -> None:
    for a in book.assets.values():
        assert a.maturity is not None
        assert a.wal is not None
        years = (a.maturity - days.ANALYSIS).days / 365
        if a.amortization_type == "Bullet":
            assert a.wal == round(years, 2)
        else:
            assert 0.75 * years < a.wal < years
    assert average_life(dt.date(2026, 3, 31), 0.25) == pytest.approx((0.2493 + 0.5014 + 0.7534 + 1) / 4, abs=0.006)


def test_that_prices_follow_ratings(held: list[tuple[Asset, float]]) -> None:
    def mean(grade: str) -> float:
        return float(np.mean([a.market_value for a, _ in held if a.moodys_issuer_rating == grade]))

    levels = [mean(grade) for grade in ("Ba3", "B1", "B2", "B3", "Caa1", "Caa2")]
    assert levels == sorted(levels, reverse=True)
    assert all(5 < (a.market_value or 0) < 101.5 for a, _ in held)
    spreads = [
        float(np.mean([a.coupon_spread for a, _ in held if a.coupon_spread and a.moodys_issuer_rating == g]))
        for g in ("Ba2", "Ba3", "B1", "B2", "B3", "Caa1")
    ]
    assert spreads == sorted(spreads)


def test_that_the_special_cases_are_there(held: list[tuple[Asset, float]]) -> None:
    def count(name: str) -> int:
        return sum(bool(getattr(a, name)) for a, _ in held)

    flags = {f: count(f) for f in ("defaulted", "piking", "revolver", "delayed_draw", "dip", "current_pay")}
    assert flags == {"defaulted": 1, "piking": 1, "revolver": 1, "delayed_draw": 1, "dip": 0, "current_pay": 2}
    assert count("participation") == 3
    kinds = Counter(a.tranche for a, _ in held)
    assert kinds["2nd Lien TL"] == 6
    assert kinds["Sr Sec Notes"] == 2
    lost = next(a for a, _ in held if a.defaulted)
    assert (lost.sp_issuer_rating, lost.moodys_rating) == ("D", "Ca")
    assert 35 < (lost.market_value or 0) < 42
    assert lost.date_of_default is not None
    deferring = next(a for a, _ in held if a.piking)
    assert deferring.deferrable
    assert (deferring.pik_amount or 0) > 0
    assert sum(a.unfunded_amount or 0 for a, _ in held) > 0


def test_that_every_column_but_the_ignored_ones_is_filled_somewhere(book: Book) -> None:
    empty = {c.name for c in COLUMNS if all(getattr(a, c.name) is None for a in book.assets.values())}
    assert empty == {"par_amount", "index_cap"}


# --- the deal ----------------------------------------------------------------------------------------------------


def test_that_holidays_are_those_of_the_federal_calendar() -> None:
    year = [d for d in days.HOLIDAYS if d.year == 2025]
    assert [(d.month, d.day) for d in year] == [
        *((1, 1), (1, 20), (2, 17), (5, 26), (6, 19), (7, 4), (9, 1), (10, 13), (11, 11), (11, 27), (12, 25)),
    ]
    assert dt.date(2027, 7, 5) in days.HOLIDAYS  # Independence Day on a Sunday
    assert days.HOLIDAYS[0] == dt.date(2024, 1, 1)
    assert days.HOLIDAYS[-1].year == 2038


def test_that_the_schedule_runs_quarterly_to_stated_maturity_on_business_days(book: Book) -> None:
    rows = book.deal.schedule
    assert len(rows) == 51
    assert rows[0] == PaymentDate(
        dt.date(2024, 10, 15), dt.date(2024, 5, 14), dt.date(2024, 5, 16), dt.date(2024, 10, 2)
    )
    assert rows[-1].payment == dt.date(2037, 4, 15)
    assert all(days.following(r.payment) == r.payment and 15 <= r.payment.day < 19 for r in rows)
    assert all(a.collection_end == b.collection_begin for a, b in pairwise(rows))
    assert lookup(book.deal.current_dates, "Last Payment Date") == dt.date(2025, 1, 15)
    assert lookup(book.deal.current_dates, "Next Payment Date") == dt.date(2025, 4, 15)


def test_that_the_holidays_of_the_book_suffice_for_its_schedule(book: Book) -> None:
    calendar = dates.Calendar(book.reference.holidays)
    for row in book.deal.schedule:
        assert row.collection_end == calendar.business_days_before(row.payment, days.DETERMINATION_LAG)
        nominal = row.payment.replace(day=days.PAYMENT_DAY)
        assert row.payment == calendar.roll(nominal, str(book.deal.dates[-1][1]))


def test_that_coverage_ratios_clear_their_triggers_by_believable_margins(book: Book) -> None:
    deal = book.deal
    worth = sum(
        h.par * ((a.market_value or 0) / 100 if a.defaulted else 1)
        for h, a in ((h, book.assets[h.asset_id]) for h in deal.holdings)
    )
    owed, margins = 0.0, {}
    for tranche in deal.tranches[1:-1]:  # class X stands outside the coverage tests
        owed += tranche.current_balance
        if tranche.oc_trigger:
            margins[tranche.name] = (worth + deal.principal_cash) / owed - tranche.oc_trigger
    assert list(margins) == ["Class B", "Class C", "Class D", "Class E"]
    assert 0.12 > margins["Class B"] > margins["Class C"] > margins["Class D"] > margins["Class E"] > 0.03


def test_that_the_junior_denominator_is_the_rated_notes(book: Book) -> None:
    rated = sum(t.current_balance for t in book.deal.tranches if not t.is_equity)
    assert number(book.deal.quality_inputs, "JR OC Denominator") == rated == 462_250_000


def test_that_note_margins_and_prices_rise_and_fall_with_rank(book: Book) -> None:
    notes = [t for t in book.deal.tranches if not t.is_equity]
    assert [t.spread for t in notes] == sorted(t.spread or 0 for t in notes)
    assert all(0.98 < (t.price or 0) < 1.01 for t in notes)
    for t in notes:  # below par where the market asks more than the note pays
        assert ((t.price or 0) > 1) == ((t.discount_margin or 0) < (t.spread or 0))


def test_that_amortisation_tables_pay_out_the_holding(book: Book) -> None:
    ids = {s.asset_id for s in book.reference.sinks}
    assert len(ids) == 2
    held: dict[str, Holding] = {h.asset_id: h for h in book.deal.holdings}
    for key in ids:
        assert sum(s.amount for s in book.reference.sinks if s.asset_id == key) == pytest.approx(
            held[key].par, abs=0.01
        )


# --- compliance --------------------------------------------------------------------------------------------------


def test_that_exactly_the_cov_lite_test_fails_and_two_are_near(book: Book, compliance: Compliance) -> None:
    assert readings_named(str(lookup(book.deal.clo_inputs, "Compliance Readings"))) is MARKET
    assert len(compliance.results) == len(book.deal.limits) == 37
    assert compliance.notes == ()
    assert [r.number for r in compliance.results if r.outcome is not Outcome.PASS] == [FAILS]
    failed = compliance.result(FAILS)
    assert failed.outcome is Outcome.FAIL
    assert -0.003 < failed.cushion < 0
    for test in NEAR:
        near = compliance.result(test)
        assert 0 < near.cushion < 0.03 * near.threshold


def test_that_limits_in_the_table_are_those_the_engine_computes(book: Book, compliance: Compliance) -> None:
    table = {limit.number: limit.threshold for limit in book.deal.limits}
    assert compliance.result(32).threshold == pytest.approx(table[32], abs=1e-5)
    assert compliance.result(36).threshold == pytest.approx(table[36], abs=0.01)


def test_that_headline_results_agree_with_a_plain_calculation(
    held: list[tuple[Asset, float]], book: Book, compliance: Compliance
) -> None:
    alive = [(a, par) for a, par in held if not a.defaulted]
    par = sum(p for _, p in alive)
    amount = par + book.deal.principal_cash
    caa = ("Caa1", "Caa2", "Caa3", "Ca", "C")
    floating = [(a, p) for a, p in alive if a.coupon_type == "FLOAT"]
    by_obligor: Counter[str] = Counter()
    for a, p in alive:
        by_obligor[a.issuer_id or ""] += round(p * 100)
    largest = [cents / 100 for _, cents in by_obligor.most_common(6)]
    expected = {
        3: largest[5] / amount,
        4: largest[0] / amount,
        7: sum(p for a, p in alive if a.moodys_rating in caa) / amount,
        14: sum(p for a, p in alive if a.country != "USA") / amount,
        29: sum(p for a, p in alive if a.cov_lite) / amount,
        31: sum(p for a, p in alive if (a.facility_size or 0) < (150e6 if a.country == "USA" else 250e6)) / amount,
        32: sum(p * ((a.coupon_spread or 0) + (a.credit_spread_adjustment or 0)) for a, p in floating)
        / sum(p for _, p in floating),
        33: sum(p * (a.moodys_recovery_rate or 0) for a, p in alive) / par,
        35: sum(p * (a.wal or 0) for a, p in alive) / par,
        36: sum(p * ratings.RATING_FACTOR[a.moodys_rating_warf or ""] for a, p in alive) / par,
    }
    assert {n: compliance.result(n).result for n in expected} == pytest.approx(expected, rel=1e-9)


def test_that_no_ccc_bucket_has_an_excess(book: Book, held: list[tuple[Asset, float]], compliance: Compliance) -> None:
    sp = sum(p for a, p in held if not a.defaulted and (place(a.sp_issuer_rating) or 0) > 16)
    assert sp / compliance.collateral_principal_amount < 0.075
