"""What must hold on every date of a projected deal: the demo deal, and the real deal of 2016 under assumed terms."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import cash
from engine.assumptions import Assumptions
from engine.loans import columns as col
from engine.model import project
from engine.projection import Projection, choose_document
from engine.structure import opening_cash
from engine.terms import Book
from engine.waterfall.document import class_id
from tests.engine.builders import TEMPLATES, assumed_terms, document, harbor, mag17, with_cash, with_input

CENT = 0.01
DOCUMENTS = {name: document(name) for name in TEMPLATES}
TERMS = assumed_terms()


def run(book: Book, **assumptions: Any) -> Projection:
    return project(book, choose_document(book, DOCUMENTS), TERMS, Assumptions(**assumptions))


@pytest.fixture(scope="module", params=["demo deal", "real deal under assumed terms"])
def book(request: pytest.FixtureRequest) -> Book:
    if request.param == "demo deal":
        return harbor()
    shared: Path = request.getfixturevalue("shared")
    return mag17(shared)


GRID = [
    {"cdr": cdr, "cpr": cpr, "severity": severity, "lag": lag}
    for cdr, cpr, severity, lag in itertools.product(
        (0.0, 0.02, 0.15, 0.5), (0.0, 0.2, 0.6), (0.0, 0.4, 1.0), (0, 6, 24)
    )
]
CALLS = [
    {"call_date": dt.date(2026, 5, 1), "sale_price": 100.0},
    {"call_date": dt.date(2025, 5, 1), "sale_price": 60.0, "cdr": 0.1},
    {"call_date": dt.date(2027, 10, 1), "sale_price": 2.0, "cdr": 0.05},
    {"reinvest": False, "cpr": 0.4, "recover_after_maturity": False},
    {"rate_shift": 0.03},
    {"rate_shift": -0.03, "cdr": 0.05},
]


def holds(p: Projection, book: Book) -> None:
    """Everything that must be true of any run."""
    r, book_cash = p.result, p.result.cash
    ids, fees = [class_id(t.name) for t in p.tranches], p.document.fee_ids
    scale = max(1.0, float(np.abs(r.cash[:, cash.SOURCES]).max()))
    assert np.isfinite(book_cash).all()
    # sources are uses, date by date and over life
    np.testing.assert_allclose(p.sources, p.uses, atol=CENT / 10)
    assert p.sources.sum() == pytest.approx(p.uses.sum(), abs=CENT)
    for part in (r.interest, r.deferred_paid, r.principal, r.balance, r.deferred, r.unpaid, r.fee_paid, r.fee_unpaid):
        assert (part >= -1e-6).all()
    for column in (
        cash.PERFORMING,
        cash.DEFAULT_BALANCE,
        cash.CARRYING_VALUE,
        cash.REINVESTED,
        cash.INCENTIVE_FEE,
        cash.CCC_EXCESS,
    ):
        assert (book_cash[:, column] >= -CENT).all(), cash.CASH_NAMES[column]
    for c, tranche in enumerate(p.tranches):
        if ids[c] == "SUB":
            continue
        # balances tie: what was there less what was paid
        before = np.concatenate([[tranche.current_balance], r.balance[:-1, c]])
        np.testing.assert_allclose(r.balance[:, c], before - r.principal[:, c], atol=1e-4)
        if not tranche.deferrable:
            assert (r.deferred[:, c] <= tranche.deferred_balance + 1e-6).all()
        else:
            assert (r.unpaid[:, c] == 0.0).all()
        # nothing accrues on nothing
        gone = (before <= 1e-6) & (np.concatenate([[0.0], r.deferred[:-1, c] + r.unpaid[:-1, c]]) <= 1e-6)
        assert (r.interest[gone, c] <= 1e-6).all()
    # the junior notes get nothing on a date on which a class above is still owed interest of the same cash
    short = (r.unpaid[:, [c for c, i in enumerate(ids) if i != "SUB"]] > CENT).any(axis=1)
    assert (p.paid(p.equity)[short & (book_cash[:, cash.PRINCIPAL_PROCEEDS] >= 0)] <= CENT).all()
    # fees tie
    for f, terms in enumerate(p.structure.fees):
        opening = np.concatenate([[terms.unpaid], r.fee_unpaid[:-1, f]])
        np.testing.assert_allclose(r.fee_unpaid[:, f], opening + r.fee_accrued[:, f] - r.fee_paid[:, f], atol=1e-4)
    # cash that is there is what came in
    brought = np.concatenate([[0.0], book_cash[:-1, cash.CARRIED]])
    interest, principal = opening_cash(book.deal, {a.number for a in p.document.accounts})
    flows, re = p.collateral, r.reinvested_flows
    came_interest = flows[:, col.INTEREST] + re[:, col.INTEREST]
    came_interest[0] += interest
    np.testing.assert_allclose(book_cash[:, cash.INTEREST_PROCEEDS], came_interest, atol=1e-9 * scale)
    came = sum(flows[:, k] + re[:, k] for k in (col.SCHEDULED, col.UNSCHEDULED, col.RECOVERIES, col.PROCEEDS))
    came += brought - flows[:, col.DRAWN]
    came[0] += principal
    np.testing.assert_allclose(book_cash[:, cash.PRINCIPAL_PROCEEDS], came, atol=1e-9 * scale)
    # the log is consistent
    due, paid, short_of, _ = (p.result.log[:, :, k] for k in range(4))
    ran = ~np.isnan(due)
    assert (due[ran] >= paid[ran] - 1e-4).all()
    np.testing.assert_allclose((due - paid)[ran], short_of[ran], atol=1e-4)
    assert len(fees) == r.fee_paid.shape[1]
    redemption = r.phase[:, cash.PHASES.index("redemption")]
    assert not redemption[:-1].any()
    assert redemption[-1]


def test_that_cash_is_conserved_and_balances_tie_over_a_grid_of_assumptions(book: Book) -> None:
    for assumptions in [*GRID, *CALLS]:
        holds(run(book, **assumptions), book)


@pytest.mark.parametrize(
    ("name", "values"), [("cdr", (0.0, 0.01, 0.02, 0.05, 0.1, 0.3)), ("severity", (0.2, 0.5, 1.0))]
)
def test_that_more_defaults_or_losses_never_pay_the_equity_more(
    book: Book, name: str, values: tuple[float, ...]
) -> None:
    plain = {"severity": 0.5, "cdr": 0.03, "cpr": 0.2}
    totals = []
    for value in values:
        p = run(book, **(plain | {name: value}))
        totals.append(p.paid(p.equity).sum())
    assert all(b <= a + CENT for a, b in itertools.pairwise(totals)), totals


def test_that_losses_reach_the_junior_class_before_the_class_above_it(book: Book) -> None:
    for cdr in (0.0, 0.05, 0.1, 0.2, 0.4):
        p = run(book, cdr=cdr, severity=0.6, cpr=0.1)
        owed = p.result.balance[-1] + p.result.deferred[-1] + p.result.unpaid[-1]
        ids = [class_id(t.name) for t in p.tranches]
        steps = [s for s in p.document.waterfalls["acceleration"].steps if s.type == "pay_principal"]
        groups = [[ids.index(c) for c in s.ids("classes") if c in ids] for s in steps]
        short = [any(owed[c] > CENT for c in group) for group in groups]
        assert short == sorted(short), (cdr, owed)  # once a class is short, all below are
        if any(short):
            assert p.paid(p.equity)[-1] <= CENT


def test_that_without_defaults_prepayments_and_reinvestment_par_in_is_principal_out(book: Book) -> None:
    p = run(book, cdr=0.0, cpr=0.0, reinvest=False, sale_price=100.0)
    r = p.result
    par = sum(book.assets[h.asset_id].defaulted is not True and h.par for h in book.deal.holdings)
    assert p.collateral[:, col.DEFAULTED].sum() == 0.0
    sold = r.cash[-1, cash.SALE_PROCEEDS]
    principal = p.collateral[:, col.SCHEDULED].sum() + p.collateral[:, col.UNSCHEDULED].sum() + sold
    capitalised = p.collateral[:, col.CAPITALISED].sum()
    released = p.inputs.funding  # set aside for draws that never came
    assert principal == pytest.approx(par + capitalised + released, abs=1.0)
    assert r.cash[:, cash.REINVESTED].sum() == 0.0


def test_that_the_same_run_is_the_same_to_the_last_bit(book: Book) -> None:
    one, two = (run(book, cdr=0.03, cpr=0.15) for _ in range(2))
    for a, b in zip(one.result, two.result, strict=True):
        assert a.tobytes() == b.tobytes()
    assert one.collateral.tobytes() == two.collateral.tobytes()
    assert one.equity_irr == two.equity_irr


def test_that_results_are_read_only_and_the_book_is_untouched(book: Book) -> None:
    before = hash(book.deal)
    p = run(book)
    assert hash(book.deal) == before
    for array in (*p.result, p.collateral):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_that_negative_principal_cash_is_paid_to_nobody_and_is_repaid_first(book: Book) -> None:
    short = with_cash(book, interest=3e6, principal=-60e6)
    p = run(short, cdr=0.0, cpr=0.1)
    holds(p, short)
    shown = p.result.cash
    negative = shown[:, cash.PRINCIPAL_PROCEEDS] < 0
    assert negative[0]
    assert (p.result.principal[negative] <= 0.0).all() or (shown[negative, cash.NOTES_POT] > 0).any()
    assert (shown[negative, cash.REINVESTED] <= shown[negative, cash.DIVERTED] + CENT).all()
    np.testing.assert_allclose(shown[negative, cash.CARRIED], shown[negative, cash.PRINCIPAL_PROCEEDS], atol=CENT)


def test_that_interest_diverted_on_a_date_of_negative_principal_fills_the_gap_first() -> None:
    # the diversion trigger out of reach: half of the interest left is diverted on each date
    deal = with_input(harbor(), "Interest diversion trigger (1st row)", 9.0)
    row = run(with_cash(deal, interest=2e7, principal=-1e6), cdr=0.0, cpr=0.0).result.cash[0]
    assert row[cash.DIVERTED] > 0
    assert row[cash.PRINCIPAL_PROCEEDS] < 0
    assert row[cash.CARRIED] == pytest.approx(min(row[cash.PRINCIPAL_PROCEEDS] + row[cash.DIVERTED], 0.0), abs=CENT)


def test_that_an_empty_pool_projects_to_nothing_but_its_cash(book: Book) -> None:
    empty = with_cash(replace(book, deal=replace(book.deal, holdings=())), interest=1e5, principal=1e6)
    p = run(empty)
    assert p.sources[0] == pytest.approx(1.1e6)
    np.testing.assert_allclose(p.sources, p.uses, atol=CENT)
