"""Hold, refinance, reset, call: flows against the plain reference, conservation, break-evens, the best date."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import cash, study
from engine.assumptions import Assumptions
from engine.model import Model
from engine.refinancing import Refinancing
from engine.schedule import months_after
from engine.valuation import xirr
from engine.valuation.alternatives import Action, Alternatives, Offer, alternatives, market_offer
from engine.valuation.calls import Costs, to_calls
from engine.valuation.note import Quote, Style
from tests.engine import reference_deal
from tests.engine.builders import TEMPLATES, assumed_terms, document, harbor

NEW = (("A-1", 0.0115), ("A-2", 0.0140), ("B", 0.0160), ("C", 0.0200), ("D", 0.0300), ("E", 0.0550))
SOME = (dt.date(2026, 10, 15), dt.date(2028, 1, 18), dt.date(2030, 7, 15))
STRESS = Assumptions(cdr=0.05, severity=0.6)


@cache
def demo() -> Model:
    return study.ready(harbor(), {name: document(name) for name in TEMPLATES}, assumed_terms())


@cache
def offers() -> dict[Action, Offer]:
    senior = Offer(NEW[:3], fixed=1.5e6, percent=0.1, non_call=12)
    return {Action.REFINANCE: senior, Action.RESET: Offer(NEW, fixed=3e6, non_call=24, reinvestment=60, longer=24)}


@cache
def found() -> Alternatives:
    return alternatives(demo(), Assumptions(), offers(), Costs(750_000.0), on=SOME)


def referred(model: Model, case: Assumptions) -> reference_deal.Outcome:
    """The run in plain Python, on the engine's flows of the pool."""
    inputs = model._parts.liabilities(case, full=True)[0]
    pool, bucket = model.collateral(case), model._parts.bucket(case)
    sides = tuple(
        [(int(column), float(price)) for column, price in zip(row, prices, strict=True) if column >= 0]
        for row, prices in zip(bucket.loans, bucket.prices, strict=True)
    )
    lane = {name: float(values[0]) for name, values in model._parameters([case]).items()}
    rates = (float(model._each_bought([case], "cdr")[0]), float(model._each_bought([case], "cpr")[0]))
    return reference_deal.run(
        model.document, inputs, pool.flows[:, :, 0], pool.watched[:, :, 0], (sides[0], sides[1]), lane, rates
    )


@pytest.mark.parametrize("by_holders", [False, True])
@pytest.mark.parametrize("assumptions", [Assumptions(), STRESS], ids=["base", "stress"])
@pytest.mark.parametrize("sized", [(), (("A-1", 350e6), ("E", 10e6))], ids=["rolled", "sized"])
def test_that_a_reset_deal_pays_what_the_reference_pays_and_conserves_cash(
    assumptions: Assumptions, sized: tuple[tuple[str, float], ...], by_holders: bool
) -> None:
    model = demo().extended(24)
    terms = Refinancing(
        SOME[1],
        NEW,
        sized,
        costs=3e6,
        by_holders=by_holders,
        no_call=dt.date(2030, 1, 1),
        reinvest_to=dt.date(2033, 1, 1),
    )
    case = replace(assumptions, refinancing=terms)
    run, expected = model.run(case), referred(model, case)
    assert len(run.payment_dates) == len(expected.rows)
    for k, name in enumerate(run.inputs.class_ids):
        paid = [row.interest[name] + row.deferred_paid[name] + row.principal[name] for row in expected.rows]
        assert run.paid(k) == pytest.approx(paid, abs=0.01)
        if k != run.equity:
            assert run.result.balance[:, k] == pytest.approx([row.balance[name] for row in expected.rows], abs=0.01)
    assert run.sources == pytest.approx(run.uses, abs=0.01)
    row = run.payment_dates.index(SOME[1])
    assert run.result.cash[row, cash.EXPENSES] == pytest.approx(3e6)
    # what is issued and what holders put in is what is repaid and what the costs are
    hold = model.run(replace(assumptions, refinancing=replace(terms, costs=0.0, balances=())))
    owed = hold.result.balance[row, :-1].sum()
    issued = run.result.balance[row, :-1].sum()
    got = run.paid(run.equity)[row] - hold.paid(run.equity)[row]
    if by_holders:  # else costs take interest from the notes of the date, and more is owed
        assert sized or issued == pytest.approx(owed, abs=0.01)
        assert got == pytest.approx(issued - owed - 3e6, abs=0.01)
    assert model.totals([case]).equity[0, : len(run.payment_dates)] == pytest.approx(run.paid(run.equity), abs=1e-6)


def test_that_only_the_coupons_after_the_date_are_the_new_ones() -> None:
    terms = Refinancing(SOME[0], (("B", 0.0123),))
    old, new = demo().run(Assumptions()), demo().run(Assumptions(refinancing=terms))
    row = old.payment_dates.index(SOME[0])
    k = old.inputs.class_ids.index("B")
    assert np.array_equal(old.inputs.coupon[: row + 1], new.inputs.coupon[: row + 1])
    change = new.inputs.coupon[row + 1 :] - old.inputs.coupon[row + 1 :]
    assert change[:, k] == pytest.approx(0.0123 - 0.018)
    assert not np.delete(change, k, axis=1).any()
    assert np.array_equal(old.paid(old.equity)[: row + 1], new.paid(new.equity)[: row + 1])


def test_that_a_refinancing_at_the_old_margins_without_costs_is_holding() -> None:
    spreads = {"A-1": 0.0137, "A-2": 0.016, "B": 0.018, "C": 0.022, "D": 0.0325, "E": 0.0575}
    same = alternatives(
        demo(), Assumptions(), {Action.REFINANCE: Offer(tuple(spreads.items()))}, on=SOME, break_even=False
    )
    for outcome in same.outcomes:
        if outcome.action is Action.REFINANCE:
            assert outcome.irr == pytest.approx(same.hold_irr, abs=1e-12)
            assert outcome.cash_gain == pytest.approx(0.0, abs=1e-3)


def test_that_a_break_even_run_again_earns_what_holding_earns() -> None:
    made = found()
    assert made.hold_irr is not None
    for action, offer in offers().items():
        for outcome in (o for o in made.outcomes if o.action is action):
            assert outcome.break_even_shift is not None
            assert outcome.break_even_senior is not None
            moved = tuple((name, margin + outcome.break_even_shift) for name, margin in offer.margins)
            alone = tuple((n, outcome.break_even_senior if n == "A-1" else m) for n, m in offer.margins)
            for margins in (moved, alone):
                again = alternatives(
                    demo(), Assumptions(), {action: replace(offer, margins=margins)}, on=[outcome.on], break_even=False
                )
                assert again.outcomes[-1].irr == pytest.approx(made.hold_irr, abs=2e-9)


def test_that_the_figures_of_an_outcome_are_those_of_its_flows() -> None:
    made = found()
    paid = 45e6 * made.price / 100.0
    hold = dict(made.hold_flows)
    assert made.basis == "the deal's own price"
    for o in made.outcomes:
        days, amounts = [d for d, _ in o.flows], [a for _, a in o.flows]
        assert o.irr == pytest.approx(xirr([made.settlement, *days], [-paid, *amounts]), abs=1e-12)
        gains = {d: dict(o.flows).get(d, 0.0) - hold.get(d, 0.0) for d in {*days, *hold}}
        assert o.cash_gain == pytest.approx(sum(gains.values()))
        present = sum(g / (1 + made.hold_irr) ** ((d - made.settlement).days / 365) for d, g in gains.items())
        assert o.present_gain == pytest.approx(present, abs=1e-3)
        assert o.irr_gain is not None
        assert (o.irr_gain > 0.0) == (o.present_gain > 0.0)
        assert o.paid_on_date == dict(o.flows).get(o.on, 0.0)


def test_that_calls_are_those_of_the_call_table() -> None:
    made = found()
    price = Quote(Style.PRICE, made.price)
    table = to_calls(demo(), Assumptions(), {"SUB": price}, on=SOME, costs=Costs(750_000.0))
    irrs = [r.equity_irr for r in table.redemptions[1:]]
    assert [o.irr for o in made.outcomes if o.action is Action.CALL] == pytest.approx(irrs, abs=1e-12)


def test_that_the_best_date_is_the_one_that_earns_most_and_the_choice_beats_holding() -> None:
    made = found()
    for action in Action:
        best = made.best(action)
        assert best is not None
        assert best.irr == max(o.irr for o in made.outcomes if o.action is action and o.irr is not None)
    choice = made.choice
    assert choice is not None
    assert choice.irr_gain == max(o.irr_gain for o in made.outcomes)
    assert choice.irr_gain > 0.0


def test_that_costs_lower_the_equity_whoever_pays_them_and_the_market_offer_takes_cheaper_margins() -> None:
    offer = market_offer(demo())
    assert offer is not None
    assert dict(offer.margins) == {"A-1": 0.0134, "A-2": 0.0157, "B": 0.0176, "C": 0.0216, "D": 0.032}
    earned = [
        alternatives(demo(), Assumptions(), {Action.REFINANCE: o}, on=SOME[:1], break_even=False).outcomes[-1].irr
        for o in (offer, replace(offer, fixed=2e6), replace(offer, fixed=2e6, by_holders=True))
    ]
    assert earned[0] > earned[1]
    assert earned[1] == pytest.approx(earned[2], abs=1e-3)


def test_that_a_call_of_the_scenario_waits_for_the_new_non_call_period() -> None:
    called = Assumptions(call_date=dt.date(2028, 1, 1))
    made = alternatives(demo(), called, {Action.REFINANCE: offers()[Action.REFINANCE]}, on=SOME[:1], break_even=False)
    assert made.hold_flows[-1][0] == dt.date(2028, 1, 18)
    later = alternatives(
        demo(), called, {Action.REFINANCE: replace(offers()[Action.REFINANCE], non_call=36)}, on=SOME[:1],
        break_even=False,
    )  # fmt: skip
    assert made.outcomes[-1].flows[-1][0] == dt.date(2028, 1, 18)
    assert later.outcomes[-1].flows[-1][0] >= months_after(SOME[0], 36)


def test_that_a_later_maturity_adds_payment_dates_and_moves_none() -> None:
    before, after = demo().structure.schedule, demo().extended(24).structure.schedule
    assert [row.payment for row in after[: len(before)]] == [row.payment for row in before]
    assert len(after) == len(before) + 8
    assert demo().extended(0) is demo()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Refinancing(SOME[0], ()), "needs the margin of a class"),
        (lambda: Refinancing(SOME[0], (("A-1", 1.4),)), "0.0105 is 1.05 %"),
        (lambda: Refinancing(SOME[0], NEW[:1], (("B", 1e6),)), "no new margin"),
        (lambda: Refinancing(SOME[0], NEW, costs=-1.0), "Costs of a refinancing"),
        (lambda: Offer(NEW, percent=120.0), "0 to 100 percent"),
        (lambda: Offer(NEW, non_call=999), "0 to 240 months"),
        (lambda: demo().run(Assumptions(refinancing=Refinancing(SOME[0], (("Q", 0.01),)))), "Class Q cannot be"),
        (lambda: demo().run(Assumptions(refinancing=Refinancing(SOME[0], (("SUB", 0.01),)))), "Class SUB cannot be"),
        (lambda: demo().run(Assumptions(refinancing=Refinancing(dt.date(2025, 7, 15), NEW))), "cannot be called"),
        (lambda: demo().run(Assumptions(refinancing=Refinancing(dt.date(2060, 1, 1), NEW))), "choose a payment date"),
        (lambda: alternatives(demo(), Assumptions(), {Action.RESET: Offer((("Q", 0.01),))}), "Class Q cannot be"),
        (lambda: alternatives(demo(), Assumptions(), {}, on=[dt.date(2060, 1, 1)]), "is not possible"),
        (lambda: alternatives(demo(), Assumptions(), {}, quote=Quote(Style.MARGIN, 0.1)), "quoted by its price"),
    ],
)
def test_that_terms_that_cannot_be_are_refused_with_the_remedy(make: object, sentence: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=sentence):
        make()
