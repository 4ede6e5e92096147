"""Traces of what only richer documents have: receipts, accounts, branches, waterfalls run by others, dated triggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from engine import cash
from engine.assumptions import Assumptions
from engine.model import Model
from engine.projection import Projection
from engine.smallest import BOOK, DEFAULTS
from engine.tables import cash_columns, flow_columns
from engine.waterfall import read_document
from engine.waterfall.clauses import clauses
from engine.waterfall.listing import lines, listing
from engine.waterfall.trace import StepTrace, explain, failing, payees, step_words, tests_of

tests_of.__test__ = False  # type: ignore[attr-defined]  # a function of the engine, no test

BRANCH: Mapping[str, Any] = {
    "branch": {
        "if": "sound",
        "then": [{"pay_interest": {"classes": ["X", "A"]}}, {"pay_expense": {"name": "tax", "amount": 100}}],
        "else": [{"pay_interest": {"classes": ["A"]}}],
    }
}
DATA: Mapping[str, Any] = {
    "wdl": 1,
    "name": "rich",
    "classes": {"X": {"kind": "class_x", "optional": True}, "A": {}, "SUB": {"kind": "equity"}},
    "fees": {"trustee": "Trustee Fee"},
    "accounts": {"reserve": {}},
    "tests": {"OC_A": {"type": "oc", "classes": ["A"], "trigger": [{"from": "2024-01-01", "trigger": 1.05}]}},
    "values": {"sound": "test.OC_A.pass"},
    "waterfalls": {
        "interest": {
            "source": "interest",
            "steps": [
                {"pay_fee": {"fees": ["trustee"]}},
                {"pay_hedge": {"amount": "-500"}},
                {"to_account": {"account": "reserve", "amount": 1000}},
                BRANCH,
                {"cure": {"tests": ["OC_A"]}},
                {"hurdle_split": {"equity": "SUB", "book_as": "interest"}},
            ],
        },
        "principal": {"source": "principal", "steps": [{"run": {"waterfall": "nps"}}]},
        "nps": {
            "source": "notes",
            "steps": [{"pay_principal": {"classes": ["A"]}}, {"pay_equity": {"equity": "SUB", "book_as": "principal"}}],
        },
        "in_full": {
            "source": "both",
            "steps": [{"pay_interest": {"classes": ["A"]}}, {"pay_principal": {"classes": ["X", "A"]}}],
        },
        "acceleration": {
            "source": "both",
            "steps": [
                {"from_account": {"account": "reserve"}},
                {"run": {"waterfall": "in_full"}},
                {"pay_equity": {"equity": "SUB", "book_as": "principal"}},
            ],
        },
    },
}
DOCUMENT = read_document(DATA)


@pytest.fixture(scope="module")
def flows() -> Projection:
    return Model(BOOK, DOCUMENT, DEFAULTS).run(Assumptions())


def steps(flows: Projection, row: int, of: str = "A") -> dict[str, StepTrace]:
    """Steps of a date by waterfall and letter."""
    trace = explain(flows, flows.payment_dates[row], of)
    return {f"{section.name} {step.letter}": step for section in trace.sections for step in section.steps}


def test_that_a_receipt_is_a_negative_payment_that_raises_the_cash(flows: Projection) -> None:
    hedge = steps(flows, 0)["interest B"]
    assert hedge.paid == -500.0
    assert hedge.cash_after == pytest.approx(hedge.cash_before + 500.0)
    assert hedge.short == 0.0
    assert not hedge.missed


def test_that_an_account_gives_back_what_was_put_in(flows: Projection) -> None:
    last = len(flows.payment_dates) - 1
    assert steps(flows, 0)["interest C"].paid == 1000.0
    assert steps(flows, last)["acceleration A"].paid == pytest.approx(-1000.0 * last)
    assert flows.result.accounts[-1, 0] == pytest.approx(0.0)


def test_that_a_branch_shows_its_condition_and_only_the_steps_it_chose(flows: Projection) -> None:
    found = steps(flows, 0)
    branch, interest, tax = found["interest D"], found["interest D(i)"], found["interest D(ii)"]
    assert "interest D(iii)" not in found
    assert (branch.kind, branch.due, branch.paid, branch.short) == ("branch", None, None, None)
    assert (branch.depth, interest.depth, tax.depth) == (0, 1, 1)
    assert branch.cash_before == pytest.approx(interest.cash_before)
    assert branch.cash_after == pytest.approx(tax.cash_after)
    assert (tax.paid, flows.result.cash[0, cash.EXPENSES]) == (100.0, 100.0)


def test_that_the_tests_of_a_condition_are_named_also_through_values(flows: Projection) -> None:
    (test,) = steps(flows, 0)["interest D"].tests
    assert test.id == "OC_A"
    assert test.passed
    assert test.ratio == pytest.approx(test.numerator / test.denominator)
    assert test.trigger == 1.05
    assert steps(flows, 0)["interest A"].tests == ()


def test_that_a_waterfall_that_a_step_ran_stands_after_the_one_with_that_step(flows: Projection) -> None:
    trace = explain(flows, flows.payment_dates[-1], "A")
    assert [section.name for section in trace.sections] == ["acceleration", "in_full"]
    caller, called = trace.sections
    run = next(step for step in caller.steps if step.kind == "run")
    assert run.paid == pytest.approx(sum(step.paid or 0.0 for step in called.steps))
    assert called.cash_in == pytest.approx(run.cash_before)


def test_that_the_words_leave_out_classes_that_the_deal_has_not(flows: Projection) -> None:
    step = next(c.step for c in flows.clauses if c.letter == "D(i)")
    assert step_words(step, DOCUMENT, ("A", "SUB")) == "to interest of Class A"
    assert "Class X" in step_words(step, DOCUMENT, ("X", "A", "SUB"))
    assert steps(flows, 0)["interest D(i)"].label == "to interest of Class A"


def test_that_a_step_is_of_the_class_it_pays_whether_or_not_it_did(flows: Projection) -> None:
    found = steps(flows, 0)
    assert [name for name, step in found.items() if step.of_class] == ["interest D(i)", "nps A"]
    assert steps(flows, 0, "SUB")["interest F"].of_class


def test_that_list_trace_and_log_number_the_same_steps(flows: Projection) -> None:
    assert [line.clause for line in lines(DOCUMENT)] == list(clauses(DOCUMENT))
    assert flows.clauses == clauses(DOCUMENT, ("A", "SUB"))
    assert flows.result.log.shape[1] == len(flows.clauses)
    assert [step.number - 1 for step in steps(flows, 0).values()] == [
        c.number for s, c in enumerate(flows.clauses) if not np.isnan(flows.result.log[0, s, 0]) or c.letter == "D"
    ]
    for step in steps(flows, 0).values():
        assert step.label.split(",")[0].replace("Class A", "") in listing(DOCUMENT).replace("Class A", "")


def test_that_failing_follows_the_trigger_of_each_date() -> None:
    dated = {"OC_A": {"type": "oc", "classes": ["A"], "trigger": [
        {"from": "2024-01-01", "trigger": 1.05}, {"from": "2025-07-01", "trigger": 9.0},
    ]}}  # fmt: skip
    flows = Model(BOOK, read_document({**DATA, "tests": dated}), DEFAULTS).run(Assumptions())
    ratio, trigger = flows.result.ratio[:, 0], flows.result.trigger[:, 0]
    assert set(trigger) == {1.05, 9.0}
    assert failing(flows, 0).tolist() == (ratio < trigger).tolist()
    assert failing(flows, 0).any()
    assert not failing(flows, 0)[0]
    late = steps(flows, int(np.argmax(failing(flows, 0))))
    assert "interest D(iii)" in late
    assert not late["interest D"].tests[0].passed


def test_that_only_columns_that_something_can_fill_are_shown(flows: Projection) -> None:
    shown = cash_columns(DOCUMENT)
    assert {cash.EXPENSES, cash.HEDGES_PAID, cash.HEDGES_RECEIVED, cash.ACCOUNTS} <= set(shown)
    assert not {cash.CONTRIBUTED, cash.REPAID} & set(shown)
    barred = [k for k in range(len(cash.CASH_NAMES)) if k not in shown]
    assert not flows.result.cash[:, barred].any()
    left_out = [k for k in range(flows.collateral.shape[1]) if k not in flow_columns(flows)]
    assert not flows.collateral[:, left_out].any()


def test_that_the_steps_of_a_fee_add_up_to_what_it_was_paid(flows: Projection) -> None:
    for row, day in enumerate(flows.payment_dates):
        trace = explain(flows, day, "trustee fee")
        assert trace.class_name == "Trustee Fee"
        assert trace.total == flows.result.fee_paid[row, 0]
        assert sum(step.to_class or 0.0 for step in trace.steps) == pytest.approx(trace.total)
        incentive = explain(flows, day, "Incentive fee")
        assert incentive.total == flows.result.cash[row, cash.INCENTIVE_FEE]
        assert sum(step.to_class or 0.0 for step in incentive.steps) == pytest.approx(incentive.total)


def test_that_every_payee_can_be_explained_and_no_other(flows: Projection) -> None:
    assert payees(flows) == ("Class A", "Sub Notes", "Trustee Fee", "Incentive fee")
    for name in payees(flows):
        assert explain(flows, flows.payment_dates[0], name).class_name == name
    with pytest.raises(ValueError, match="fees are Trustee Fee, Incentive fee"):
        explain(flows, flows.payment_dates[0], "Admin Fee")


def test_that_a_test_that_is_not_in_force_neither_fails_nor_passes_unsaid() -> None:
    asleep = {"OC_A": {"type": "oc", "classes": ["A"], "trigger": 9.0, "active": "period > 1"}}
    flows = Model(BOOK, read_document({**DATA, "tests": asleep}), DEFAULTS).run(Assumptions())
    assert not failing(flows, 0)[0]
    assert failing(flows, 0)[1]
    first, second = (steps(flows, row)["interest E"].tests[0] for row in (0, 1))
    assert (first.passed, first.active) == (True, False)
    assert (second.passed, second.active) == (False, True)
