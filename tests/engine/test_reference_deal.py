"""What must hold of the reference of a deal's run by itself, over random deals. Worked cases: test_reference_cases."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.deal_inputs import DealInputs
from engine.loans import columns as col
from engine.waterfall.document import (
    AccountTerms,
    Cap,
    ClassTerms,
    Contribution,
    Document,
    FeeClause,
    Rule,
    Step,
    TestTerms,
    Tier,
    Waterfall,
)
from engine.waterfall.expressions import Binary, Expression, Number, Reference
from tests.engine import reference_deal
from tests.engine.plain_inputs import plain_inputs, pool_flows
from tests.engine.random_deals import RandomDeal, deals
from tests.engine.reference_deal import Outcome, Row
from tests.engine.reference_hurdle import Hurdles
from tests.engine.reference_steps import share_out

QUICK = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])


def run(deal: RandomDeal, place: int = 0) -> Outcome:
    s = deal.scenarios[place]
    return reference_deal.run(deal.document, deal.inputs, s.flows, s.watched, deal.bucket, s.lane, s.rates, s.ruled)


def slack(row: Row) -> float:
    """A cent, and the rounding of what flowed."""
    return 0.01 + 1e-12 * abs(row.cash["Sources"])


# --- any deal ----------------------------------------------------------------------------------------------------


@given(deals())
@QUICK
def test_that_sources_are_uses_on_every_date(deal: RandomDeal) -> None:
    for place in range(len(deal.scenarios)):
        for row in run(deal, place).rows:
            assert row.cash["Uses"] == pytest.approx(row.cash["Sources"], abs=slack(row))
            assert row.carried_interest >= 0.0


@given(deals())
@QUICK
def test_that_nobody_is_paid_less_than_nothing_or_more_than_is_due(deal: RandomDeal) -> None:
    before: Row | None = None
    inputs = deal.inputs
    for row in run(deal).rows:
        for place, c in enumerate(inputs.class_ids):
            paid = (row.interest[c], row.deferred_paid[c], row.principal[c])
            assert min(paid) >= 0.0, c
            if c == deal.document.equity:
                continue
            balance = before.balance[c] if before else float(inputs.balance[place])
            deferred = before.deferred[c] if before else float(inputs.deferred[place])
            assert row.interest[c] <= row.due[c] + row.on_deferred[c] + slack(row), c
            assert row.deferred_paid[c] <= deferred + slack(row), c
            assert row.principal[c] <= balance + slack(row), c
            assert row.balance[c] == pytest.approx(balance - row.principal[c], abs=slack(row)), c
            owed = row.due[c] + row.on_deferred[c] + deferred - row.interest[c] - row.deferred_paid[c]
            assert row.deferred[c] + row.unpaid[c] == pytest.approx(owed, abs=slack(row)), c
        for place, f in enumerate(deal.document.fee_ids):
            opening = before.fee_unpaid[f] if before else float(inputs.fee_unpaid[place])
            assert -slack(row) <= row.fee_paid[f] <= opening + row.fee_accrued[f] + slack(row), f
            assert row.fee_unpaid[f] == pytest.approx(opening + row.fee_accrued[f] - row.fee_paid[f], abs=slack(row)), f
        assert row.incentive >= 0.0
        assert min([0.0, *row.accounts.values(), *row.owed.values()]) >= -slack(row)
        before = row


@given(deals())
@QUICK
def test_that_the_log_of_steps_ties_with_itself_and_with_what_classes_got(deal: RandomDeal) -> None:
    for row in run(deal).rows:
        to_class = dict.fromkeys(deal.inputs.class_ids, 0.0)
        for line in row.log:
            assert line.after >= 0.0, line
            assert line.paid <= line.due + slack(row), line
            assert line.short == pytest.approx(max(line.due - line.paid, 0.0)), line
            if line.paid < 0.0:
                assert line.type in ("pay_hedge", "from_account", "run"), line
            for c, money in line.to_class.items():
                to_class[c] += money
        for c, money in to_class.items():
            paid = row.interest[c] + row.deferred_paid[c] + row.principal[c]
            assert paid == pytest.approx(money, abs=slack(row)), c


@given(deals(), st.floats(1.0, 1e8))
@QUICK
def test_that_more_cash_pays_no_class_less_in_acceleration(deal: RandomDeal, more: float) -> None:
    plain = [w for w in deal.document.waterfalls["acceleration"].steps if w.type in ("pay_interest", "pay_principal")]
    plain = [dataclasses.replace(s, when=None, cap=None, cap_life=None, share=None) for s in plain]
    plain = [s for s in plain if not isinstance(s.terms.get("amount", "all"), Expression) and "stop_at" not in s.terms]
    lists = {"acceleration": Waterfall("acceleration", "both", tuple(plain))}
    rules = (Rule(Number(1.0), ("acceleration",)),)
    document = dataclasses.replace(deal.document, waterfalls=lists, dispatch=rules)
    poor = run(dataclasses.replace(deal, document=document)).rows[0]
    inputs = dataclasses.replace(deal.inputs, principal=deal.inputs.principal + more)
    rich = run(dataclasses.replace(deal, document=document, inputs=inputs)).rows[0]
    for c in deal.inputs.class_ids:
        assert rich.interest[c] >= poor.interest[c] - slack(rich), c
        assert rich.principal[c] >= poor.principal[c] - slack(rich), c


@given(deals())
@QUICK
def test_that_the_run_ends_with_the_redemption_and_an_event_of_default_stays(deal: RandomDeal) -> None:
    rows = run(deal).rows
    assert not any(row.phases["redemption"] for row in rows[:-1])
    flags = [row.phases["acceleration"] for row in rows]
    assert flags == sorted(flags)
    assert rows[-1].phases["redemption"]
    assert rows[-1].cash["Performing balance"] == 0.0
    assert rows[-1].cash["Reinvested"] == 0.0


@given(
    st.dictionaries(st.sampled_from("ABCDE"), st.floats(0.0, 1e6), min_size=1),
    st.floats(0.0, 3e6),
    st.sampled_from(["sequential", "reverse", "pro_rata", "pro_rata_balance", "weights"]),
    st.fixed_dictionaries(dict.fromkeys("ABCDE", st.sampled_from([0.0, 0.2, 1.0, 7.0]))),
)
def test_that_cash_is_shared_whole_and_within_the_claims(
    claims: dict[str, float], cash: float, alloc: str, weight: dict[str, float]
) -> None:
    made = share_out(claims, cash, alloc, weight)
    assert sum(made.values()) == pytest.approx(min(cash, sum(claims.values())), rel=1e-9, abs=1e-6)
    assert all(0.0 <= made[c] <= claims[c] + 1e-6 for c in claims)
    short = [c for c in claims if made[c] < claims[c] - 1e-3 and weight[c] > 0.0]
    if alloc in ("pro_rata_balance", "weights"):  # who stays short has the same a unit of weight, and the most
        per_unit = [made[c] / weight[c] for c in short]
        assert per_unit == pytest.approx([max(per_unit, default=0.0)] * len(per_unit), rel=1e-6, abs=1e-3)


# --- single rules ------------------------------------------------------------------------------------------------


def one(steps: list[Step], source: str = "interest", **parts: Any) -> Document:
    """A document of classes A and B and SUB whose one waterfall has the given steps."""
    lists = {"only": Waterfall("only", source, tuple(steps))}
    plain: dict[str, Any] = {
        "name": "one",
        "title": "One",
        "classes": (ClassTerms("A"), ClassTerms("B"), ClassTerms("SUB", "equity")),
        "fees": (),
        "tests": (),
        "waterfalls": lists,
        "dispatch": (Rule(Number(1.0), ("only",)),),
    }
    return Document(**(plain | parts))


def pay(document: Document, n_dates: int = 1, **inputs: Any) -> list[Row]:
    """The dates but for the last, on which the deal is redeemed."""
    days = [20000 + 90 * i for i in range(n_dates + 1)]
    flows = pool_flows(n_dates + 1, *({col.INTEREST: float(x)} for x in inputs.pop("coupons", ())))
    lane = inputs.pop("lane", {})
    given = plain_inputs(document, ["A", "B", "SUB"], days, before=20000, **inputs)
    outcome = reference_deal.run(document, given, flows, np.zeros((n_dates + 1, 0)), ([], []), lane, (0.0, 0.0))
    return outcome.rows[:n_dates]


def ref(name: str) -> Reference:
    return Reference(tuple(name.split(".")))


def test_that_room_of_a_cap_that_a_date_leaves_is_carried_for_its_dates_and_the_oldest_is_used_first() -> None:
    cap = Cap("c", Number(100.0), Number(0.0), carry_forward=1)
    fee = FeeClause("f", "F", cap="c")
    document = one([Step("pay_fee", {"fees": ("f",), "part": "capped"})], fees=(fee,), caps=(cap,))
    due = [10.0, 120.0, 500.0, 0.0, 500.0]  # room of 100 a date
    accrued = {"fee_fixed": {"f": 1.0}, "fee_fraction": {"f": [*due, 0.0]}, "cap_fraction": np.ones(6)}
    rows = pay(document, 5, interest=1e6, **accrued)
    # 10 of 100; 120: 90 carried, 30 of its own; 500: 70 carried and 100; then what is unpaid at 100 a date
    assert [row.fee_paid["f"] for row in rows] == pytest.approx([10.0, 120.0, 170.0, 100.0, 100.0])


def test_that_a_step_uses_no_more_than_its_share_and_its_caps() -> None:
    steps = [
        Step("pay_principal", {"classes": ("A",)}, share=Number(0.5)),
        Step("pay_principal", {"classes": ("B",)}, cap=Number(10.0), cap_life=Number(25.0)),
    ]
    rows = pay(one(steps), 4, coupons=[100.0, 100.0, 100.0, 0.0], balance={"A": 60.0, "B": 80.0})
    assert [row.principal["A"] for row in rows] == pytest.approx([50.0, 10.0, 0.0, 0.0])
    assert [row.principal["B"] for row in rows] == pytest.approx([10.0, 10.0, 5.0, 0.0])
    assert [row.log[1].short for row in rows] == pytest.approx([70.0, 60.0, 55.0, 55.0])


def test_that_the_last_branch_s_other_side_is_numbered_after_the_first() -> None:
    inner = Step("pay_principal", {"classes": ("A",)})
    branch = Step("branch", {"condition": Number(0.0), "then": (inner, inner), "otherwise": (inner,)})
    rows = pay(one([branch, inner]), interest=1.0, balance={"A": 5.0})
    assert [line.place for line in rows[0].log] == [3, 4]


def test_that_an_account_fills_to_its_target_and_gives_back_what_is_asked() -> None:
    steps = [
        Step("from_account", {"account": "r", "amount": Number(5.0)}, when=ref("period")),
        Step("to_account", {"account": "r", "amount": "all", "target": Number(30.0)}),
        Step("pay_equity", {"equity": "SUB"}),
    ]
    rows = pay(one(steps, accounts=(AccountTerms("r"),)), 2, coupons=[20.0, 20.0], accounts={"r": 8.0})
    assert [row.accounts["r"] for row in rows] == pytest.approx([28.0, 30.0])
    assert [row.interest["SUB"] for row in rows] == pytest.approx([0.0, 18.0])
    assert rows[0].log[0].paid == pytest.approx(-5.0)


def test_that_turbo_stops_at_its_target_balance() -> None:
    step = Step("pay_principal", {"classes": ("A", "B"), "alloc": "pro_rata", "stop_at": Number(120.0)})
    rows = pay(one([step]), interest=100.0, balance={"A": 50.0, "B": 100.0})
    assert rows[0].principal == pytest.approx({"A": 10.0, "B": 20.0, "SUB": 0.0})
    assert rows[0].cash["Carried forward"] == pytest.approx(70.0)


def test_that_a_hedge_pays_in_once_and_what_it_asks_is_never_paid_twice() -> None:
    receive = Step("pay_hedge", {"amount": Number(-40.0)})
    owe = Step("pay_hedge", {"amount": Number(30.0), "part": "termination"})
    rows = pay(one([receive, owe, receive, owe, Step("pay_equity", {"equity": "SUB"})]), interest=5.0)
    assert [line.paid for line in rows[0].log] == pytest.approx([-40.0, 30.0, 0.0, 0.0, 15.0])
    assert rows[0].hedge_receipts == pytest.approx(40.0)


def test_that_a_contribution_goes_to_its_account_and_is_repaid_with_interest() -> None:
    steps = [
        Step("from_account", {"account": "r", "amount": "all"}),
        Step("repay_contribution", {"contribution": "k"}, when=Binary("==", ref("period"), Number(2.0))),
    ]
    document = one(steps, accounts=(AccountTerms("r"),), contributions=(Contribution("k", "r", 0.08),))
    rows = pay(document, 2, coupons=[0.0, 50.0], contributed={"k": np.array([100.0, 0.0, 0.0])})
    assert [row.owed["k"] for row in rows] == pytest.approx([100.0, 0.0])
    assert rows[1].repaid["k"] == pytest.approx(100.0 * (1.0 + 0.08 * 0.25))
    assert rows[1].carried_interest == pytest.approx(48.0)


def test_that_what_is_retained_waits_for_the_next_date_and_other_cash_left_does_not_join_another_source() -> None:
    steps = [Step("retain", {"amount": Number(30.0)}), Step("pay_equity", {"equity": "SUB"})]
    rows = pay(one(steps), 2, coupons=[100.0, 0.0], principal=7.0)
    assert [row.interest["SUB"] for row in rows] == pytest.approx([70.0, 0.0])
    assert [row.carried_interest for row in rows] == pytest.approx([30.0, 30.0])
    assert [row.carried_principal for row in rows] == pytest.approx([7.0, 7.0])


def test_that_a_note_sequence_runs_last_and_only_where_it_is_named_or_fed() -> None:
    lists = {
        "notes": Waterfall("notes", "notes", (Step("pay_principal", {"classes": ("A",)}),)),
        "first": Waterfall("first", "interest", (Step("run", {"waterfall": "notes"}, when=ref("input.feed")),)),
        "then": Waterfall("then", "principal", (Step("pay_principal", {"classes": ("B",)}),)),
    }
    document = one([], waterfalls=lists, dispatch=(Rule(Number(1.0), ("first", "then")),))
    for feed in (0.0, 1.0):
        cash = {"interest": 10.0, "principal": 20.0, "inputs": {"feed": feed}}
        row = pay(document, balance={"A": 100.0, "B": 100.0}, **cash)[0]
        assert [line.waterfall for line in row.log] == (["first", "then", "notes"] if feed else ["then"])
        assert row.principal == pytest.approx({"A": 10.0 * feed, "B": 20.0, "SUB": 0.0})


def test_that_cash_below_nothing_is_paid_to_nobody_and_carried_as_principal() -> None:
    rows = pay(one([Step("pay_equity", {"equity": "SUB"})]), 2, coupons=[0.0, 50.0], interest=-30.0)
    assert rows[0].interest["SUB"] == 0.0
    assert (rows[0].carried_interest, rows[0].carried_principal) == (0.0, -30.0)
    assert rows[1].interest["SUB"] == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("defers", "controls", "deferred"),
    [
        ("never", "A", 0.0),
        ("always", "A", 10.0),
        ("if_not_controlling", "A", 10.0),
        ("if_not_controlling", "B", 0.0),
    ],
)
def test_that_a_shortfall_is_deferred_only_where_the_class_may(defers: str, controls: str, deferred: float) -> None:
    balance = {"A": 100.0 if controls == "A" else 0.0, "B": 100.0}
    rows = pay(one([]), balance=balance, accrual={"B": 0.1}, deferrable={"B": defers})
    assert rows[0].deferred["B"] == pytest.approx(deferred)
    assert rows[0].unpaid["B"] == pytest.approx(10.0 - deferred)


def test_that_a_test_at_its_trigger_passes_unless_it_says_otherwise() -> None:
    tests = (TestTerms("one", "oc", ("A",)), TestTerms("other", "oc", ("A",), pass_on_equal=False))
    rows = pay(one([], tests=tests), balance={"A": 100.0}, performing=120.0, triggers={"one": 1.2, "other": 1.2})
    assert [rows[0].tests[t].fails for t in ("one", "other")] == [False, True]


def test_that_a_test_over_nothing_owed_passes() -> None:
    rows = pay(one([], tests=(TestTerms("t", "oc", ("A",)),)), performing=1.0)
    assert rows[0].tests["t"].ratio == math.inf
    assert not rows[0].tests["t"].fails


def test_that_a_low_distribution_redeems_the_deal_on_the_next_date_it_may() -> None:
    document = one([Step("pay_equity", {"equity": "SUB"})], source="both")
    rows = pay(
        document,
        4,
        coupons=[9.0, 1.0, 1.0, 1.0],
        balance={"SUB": 100.0},
        performing=50.0,
        callable=np.array([False, True, True, True, True]),
        lane={"call_below": 0.05, "sale_price": 0.9},
    )
    assert [row.phases["redemption"] for row in rows] == [False, False, True]
    assert rows[-1].interest["SUB"] == pytest.approx(1.0 + 45.0)


# --- incentive fee -----------------------------------------------------------------------------------------------


def hurdles(tiers: list[Tier], **inputs: Any) -> Hurdles:
    given: DealInputs = plain_inputs(one([]), ["A", "B", "SUB"], [20000], before=20000, **inputs)
    made = Hurdles(given, tiers)
    made.open(20000)
    return made


def test_that_each_tier_shares_until_the_equity_has_reached_the_next() -> None:
    tiers = [Tier("moic", 1.0, 0.2), Tier("moic", 1.4, 0.5)]
    h = hurdles(tiers, equity_invested=100.0, equity_received=60.0)
    # 40 to the first; then 40 to the equity of 50; the rest in halves
    assert h.split(30.0, tiers) == pytest.approx((30.0, 0.0))
    assert h.split(10.0 + 50.0 + 20.0, tiers) == pytest.approx((10.0 + 40.0 + 10.0, 10.0 + 10.0))


@given(st.floats(0.0, 500.0), st.sampled_from([0.3, 0.5, 1.0]))
def test_that_a_catch_up_ends_when_the_manager_has_his_share_of_all_profit(cash: float, rate: float) -> None:
    tiers = [Tier("irr", None, 0.2, catch_up=rate)]
    h = hurdles(tiers, equity_invested=100.0, equity_received=80.0, hurdle_value=-45.0)
    equity, manager = h.split(cash, tiers)
    assert equity + manager == pytest.approx(cash)
    profit = max(80.0 + cash - 100.0, 0.0)
    assert manager <= 0.2 * profit + 1e-9
    caught_up_at = 45.0 + 0.2 * 25.0 / (rate - 0.2)  # threshold 45, of which 25 are profit
    if cash >= caught_up_at:
        assert manager == pytest.approx(0.2 * profit)
    elif cash > 45.0:
        assert manager == pytest.approx(rate * (cash - 45.0))


def test_that_a_hurdle_once_reached_stays_reached() -> None:
    tiers = (Tier(),)
    steps = [Step("hurdle_split", {"equity": "SUB", "tiers": tiers})]
    rows = pay(one(steps), 3, coupons=[100.0, 0.0, 50.0], hurdle_value=-100.0)
    assert [row.incentive for row in rows] == pytest.approx([0.0, 0.0, 10.0])


def test_that_expressions_divide_by_nothing_as_nothing() -> None:
    amount = Binary("/", Number(5.0), ref("pool.performing"))
    rows = pay(one([Step("pay_expense", {"name": "x", "amount": amount})]), interest=9.0)
    assert rows[0].expenses.get("x", 0.0) == 0.0
