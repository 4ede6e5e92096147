"""Terms of a deal as a projection reads them: what is given is used, what is missing is said, zero is a number."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine import cash
from engine.assumptions import Assumptions
from engine.loans import columns as col
from engine.model import project
from engine.projection import Projection, choose_document
from engine.structure import StructureError, opening_cash, read_structure
from engine.terms import Account, Book, PaymentDate
from engine.valuation import xirr
from tests.engine.builders import TEMPLATES, assumed_terms, document, harbor, with_input

DOCUMENTS = {name: document(name) for name in TEMPLATES}
TERMS = assumed_terms()
HARBOR = harbor()


def run(book: Book, **assumptions: Any) -> Projection:
    return project(book, choose_document(book, DOCUMENTS), TERMS, Assumptions(**assumptions))


def test_that_a_complete_deal_assumes_nothing() -> None:
    assert run(HARBOR).assumed == ()


@pytest.mark.parametrize(
    ("label", "block", "says"),
    [
        ("Incentive Management Fee Hurdle", "clo_inputs", "Hurdle 12 %"),
        ("Effective Date", "dates", "Effective Date 2024-10-16"),
        ("Reinvestment End Date", "dates", "Reinvestment End Date 2028-07-17"),
        ("Liquidation Price", "cash_flow_inputs", "Liquidation Price 97 %"),
        ("Reinvestment Price", "cash_flow_inputs", "Reinvestment Price 99 %"),
    ],
)
def test_that_an_assumed_term_is_named_with_its_value(label: str, block: str, says: str) -> None:
    assumed = run(with_input(HARBOR, label, None, block)).assumed
    assert len(assumed) == 1
    assert says in assumed[0]


def test_that_given_assumptions_beat_the_deal_s_own() -> None:
    p = run(HARBOR, cdr=0.0, lag=0.0)
    assert (p.rates["cdr"], p.rates["lag"]) == (0.0, 0.0)
    row = HARBOR.reference.assumptions[-1]
    assert (p.rates["cpr"], p.rates["severity"]) == (row.prepay, row.severity)


def test_that_a_deal_without_classes_dates_or_index_is_refused_saying_where_to_enter_them() -> None:
    deal = HARBOR.deal
    cases: list[tuple[dict[str, Any], str]] = [
        ({"current_dates": ()}, "Analysis date"),
        ({"tranches": ()}, "Liabilities"),
        ({"dates": (), "schedule": ()}, "Stated Maturity"),
        ({"schedule": tuple(r for r in deal.schedule if r.payment < dt.date(2025, 1, 1))}, "no payment date after"),
    ]
    for changes, says in cases:
        with pytest.raises(StructureError, match=says):
            read_structure(replace(HARBOR, deal=replace(deal, **changes)), DOCUMENTS["us-2024-class-x"], TERMS)


def test_that_a_seasoned_deal_accrues_from_its_last_payment_also_when_only_the_schedule_says_it() -> None:
    given = run(HARBOR)
    silent = run(with_input(HARBOR, "Last Payment Date", None, "current_dates"))
    assert silent.structure.accrual_start == given.structure.accrual_start == dt.date(2025, 1, 15)
    np.testing.assert_allclose(silent.result.interest[0], given.result.interest[0])


def test_that_no_business_days_between_collection_end_and_payment_are_none_and_not_eight() -> None:
    bare = tuple(PaymentDate(row.payment) for row in HARBOR.deal.schedule)
    book = with_input(HARBOR, "Determination Date", 0.0, "dates")
    book = replace(book, deal=replace(book.deal, schedule=bare))
    structure = read_structure(book, DOCUMENTS["us-2024-class-x"], TERMS)
    assert all(row.collection_end == row.payment for row in structure.schedule)


def test_that_an_expense_cap_of_nothing_is_no_money_and_not_no_cap() -> None:
    book = with_input(with_input(HARBOR, "Senior Expense Cap Fixed", 0.0), "Senior Expense Cap Percent", 0.0)
    p = run(book)
    first = next(i for i, c in enumerate(p.clauses) if c.step.terms.get("part") == "capped")
    assert np.nanmax(p.result.log[:, first, 1]) == 0.0  # nothing is paid under the cap


def test_that_the_schedule_of_a_deal_that_lists_none_follows_from_its_dates() -> None:
    book = replace(HARBOR, deal=replace(HARBOR.deal, schedule=()))
    given = [row.payment for row in read_structure(HARBOR, DOCUMENTS["us-2024-class-x"], TERMS).schedule]
    made = [row.payment for row in read_structure(book, DOCUMENTS["us-2024-class-x"], TERMS).schedule]
    assert made == given


def test_that_the_irr_of_the_equity_counts_what_it_was_paid_before_the_analysis_date() -> None:
    p = run(HARBOR)
    cost = HARBOR.deal.tranches[-1].original_balance * p.structure.equity_purchase_price
    past = [(d, a) for d, a in HARBOR.deal.subordinated_payments if a is not None and a > 0]
    assert past
    days = [p.structure.closing, *(d for d, _ in past), *p.payment_dates]
    flows = [-cost, *(a for _, a in past), *p.paid(p.equity).tolist()]
    assert p.equity_irr == pytest.approx(xirr(days, flows), abs=1e-9)


def test_that_the_fees_of_the_first_period_are_on_the_basis_that_the_deal_gives() -> None:
    book = with_input(HARBOR, "Beg Fee Basis", 1e9)
    p = run(book)
    place = p.document.fee_ids.index("base")
    days = (p.payment_dates[0] - p.structure.accrual_start).days
    assert p.result.fee_accrued[0, place] == pytest.approx(1e9 * 0.0015 * days / 360)


def test_that_reinvested_loans_default_at_their_own_rate_where_the_deal_gives_one() -> None:
    book = with_input(HARBOR, "Reinvestment CDR", 0.0, "cash_flow_inputs")
    flows = run(book).result.reinvested_flows
    assert flows[:, col.DEFAULTED].sum() == 0.0


def test_that_an_event_of_default_given_by_the_user_accelerates_from_the_first_date() -> None:
    p = run(with_input(HARBOR, "Event of Default", True))
    assert p.result.phase[:, cash.PHASES.index("acceleration")].all()


def test_that_cash_of_the_interest_reserve_is_interest_and_of_the_ramp_up_principal() -> None:
    accounts = (Account(2, "Collection", 1e5, 2e5), Account(3, "RampUp", 0.0, 3e6), Account(8, "IR", 0.0, 4e5))
    plain = replace(HARBOR, deal=replace(HARBOR.deal, accounts=(Account(2, "Collection", 1e5, 2e5),)))
    rich = run(replace(HARBOR, deal=replace(HARBOR.deal, accounts=accounts))).result.cash[0]
    poor = run(plain).result.cash[0]
    assert rich[cash.INTEREST_PROCEEDS] - poor[cash.INTEREST_PROCEEDS] == pytest.approx(4e5)
    assert rich[cash.PRINCIPAL_PROCEEDS] - poor[cash.PRINCIPAL_PROCEEDS] == pytest.approx(3e6)


def test_that_a_call_redeems_on_the_first_payment_date_on_or_after_it() -> None:
    p = run(HARBOR, call_date=dt.date(2027, 1, 16))
    assert p.payment_dates[-1] == dt.date(2027, 4, 15)
    exact = run(HARBOR, call_date=dt.date(2027, 1, 15))
    assert exact.payment_dates[-1] == dt.date(2027, 1, 15)
    assert len(exact.payment_dates) == exact.result.cash.shape[0]


# --- terms that change what a run does ---------------------------------------------------------------------------


def priced(book: Book, **changes: Any) -> Book:
    """The deal with every asset changed."""
    return replace(book, assets={i: replace(a, **changes) for i, a in book.assets.items()})


def redeemed_on(p: Projection) -> dt.date:
    assert p.result.phase[-1, cash.PHASES.index("redemption")]
    return p.payment_dates[-1]


def test_that_a_deal_is_called_on_the_date_after_a_distribution_below_its_floor() -> None:
    plain = run(HARBOR)
    share = plain.paid(plain.equity) / HARBOR.deal.tranches[-1].original_balance
    no_call = HARBOR.deal.date("No Call Date") or plain.structure.closing
    book = with_input(HARBOR, "Call when Quarterly Sub Dist <", 0.02, "cash_flow_inputs")
    called = run(book)
    first = next(i for i, day in enumerate(plain.payment_dates[1:], start=1) if share[i - 1] < 0.02 and day >= no_call)
    assert redeemed_on(called) == plain.payment_dates[first] < redeemed_on(plain)
    # the scenario's own rule goes first
    assert redeemed_on(run(book, call_below=0.0)) == redeemed_on(plain)


def test_that_a_deal_is_cleaned_up_when_its_par_has_fallen_far_enough() -> None:
    plain = run(HARBOR, cpr=0.4)
    par = plain.result.cash[:, cash.PERFORMING]
    book = with_input(HARBOR, "Clean-Up Call Percent", 0.3)
    opening = sum(h.par for h in HARBOR.deal.holdings if not HARBOR.assets[h.asset_id].defaulted)
    called = run(book, cpr=0.4)
    first = int(np.argmax(par + plain.result.cash[:, cash.SALE_PROCEEDS] < 0.3 * opening))
    assert redeemed_on(called) <= plain.payment_dates[first + 1]
    assert redeemed_on(called) < redeemed_on(plain)


def test_that_assets_are_sold_at_the_price_of_their_rating_group_where_the_deal_gives_one() -> None:
    book = priced(HARBOR, sp_issuer_rating="BB")

    def sold(of: Book, **more: Any) -> float:
        p = run(of, call_date=dt.date(2025, 7, 1), cdr=0.0, reinvest=False, **more)
        return float(p.result.cash[-1, cash.SALE_PROCEEDS])

    low = with_input(book, "Liquidation Price", 0.5, "cash_flow_inputs")
    high = with_input(book, "Liquidation Price", 0.8, "cash_flow_inputs")
    by_group = with_input(low, "BB Liquidation Price", 0.8, "cash_flow_inputs")
    assert sold(by_group) == pytest.approx(sold(high))
    assert sold(with_input(low, "AA Liquidation Price", 0.8, "cash_flow_inputs")) == pytest.approx(sold(low))
    # a price of the scenario is that of all; assets in default bring the same either way
    assert sold(by_group, sale_price=60.0) - sold(low) == pytest.approx((sold(high) - sold(low)) / 3)


def test_that_discount_obligations_count_in_coverage_at_their_price_and_no_less_than_once() -> None:
    book = priced(HARBOR, market_value=70.0, sp_issuer_rating="B", moodys_rating="B2")
    plain = run(book)
    carried = run(with_input(book, "Discount Obligation Threshold", 0.8))
    oc = next(t for t, test in enumerate(plain.document.tests) if test.type == "oc")
    # what is bought is carried at par; the pool's own is 30 % less
    gap = (plain.result.numerator[:, oc] - carried.result.numerator[:, oc])[0]
    own = (
        plain.result.cash[0, cash.PERFORMING]
        - plain.result.cash[0, cash.REINVESTED] / plain.structure.reinvestment.price
    )
    assert gap == pytest.approx(0.3 * own)
    ic = next(t for t, test in enumerate(plain.document.tests) if test.type == "ic")
    assert carried.result.numerator[0, ic] == pytest.approx(plain.result.numerator[0, ic])


def test_that_purchased_interest_comes_back_as_principal_first() -> None:
    plain = run(HARBOR).result.cash[0]
    financed = run(with_input(HARBOR, "Purchase Finance Accrued Interest", 2e5)).result.cash[0]
    assert plain[cash.INTEREST_PROCEEDS] - financed[cash.INTEREST_PROCEEDS] == pytest.approx(2e5)
    assert financed[cash.PRINCIPAL_PROCEEDS] - plain[cash.PRINCIPAL_PROCEEDS] == pytest.approx(2e5)


def test_that_cash_carried_from_date_to_date_earns_the_yield_of_eligible_investments() -> None:
    book = with_input(HARBOR, "Eligible Investments Spread", 0.0)
    p, plain = run(book), run(HARBOR)
    held = max(sum(a.principal for a in HARBOR.deal.accounts if a.number == 2), 0.0)
    held += max(sum(a.interest for a in HARBOR.deal.accounts if a.number == 2), 0.0)
    days = (p.payment_dates[0] - p.structure.accrual_start).days
    earned = p.result.cash[0, cash.INTEREST_PROCEEDS] - plain.result.cash[0, cash.INTEREST_PROCEEDS]
    assert earned == pytest.approx(held * p.result.cash[0, cash.INDEX] * days / 360)


def test_that_an_account_the_waterfall_draws_on_is_not_spent_at_the_start() -> None:
    accounts = (Account(2, "Collection", 1e5, 2e5), Account(8, "IR", 0.0, 4e5))
    deal = replace(HARBOR.deal, accounts=accounts)
    assert opening_cash(deal) == (5e5, 2e5)
    assert opening_cash(deal, {8}) == (1e5, 2e5)


@pytest.mark.parametrize(
    "changes", [{"cdr": -0.1}, {"cpr": 1.1}, {"severity": 2.0}, {"lag": -1.0}, {"sale_price": 0.0}, {"rate_shift": 1.0}]
)
def test_that_an_assumption_out_of_its_range_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="is not"):
        Assumptions(**changes)
