"""The trace of a payment ties to the projection it explains."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from engine import study
from engine.assumptions import Assumptions
from engine.projection import Projection
from engine.waterfall.trace import explain
from resources import library
from tests.engine import builders


@pytest.fixture(scope="module")
def stressed() -> Projection:
    """The demo deal under defaults that divert interest, cure and defer."""
    return study.project(
        builders.harbor(), library.waterfalls(), library.assumed_terms(), Assumptions(cdr=0.08, severity=0.5)
    )


def test_that_the_steps_of_a_trace_add_up_to_what_the_class_was_paid(stressed: Projection) -> None:
    for day in stressed.payment_dates:
        for tranche in stressed.tranches:
            trace = explain(stressed, day, tranche.name)
            steps = [step for section in trace.sections for step in section.steps]
            assert sum(step.to_class for step in steps) == pytest.approx(trace.total, abs=0.005)


def test_that_cash_falls_from_step_to_step_by_what_was_paid(stressed: Projection) -> None:
    for day in stressed.payment_dates:
        for section in explain(stressed, day, "A-1").sections:
            cash = section.cash_in
            for step in section.steps:
                assert step.cash_before == pytest.approx(cash, abs=0.005)
                assert step.short == pytest.approx(step.due - step.paid, abs=0.005)
                assert step.cash_after >= -1e-9
                cash = step.cash_after


def test_that_a_cure_that_paid_names_a_test_that_failed(stressed: Projection) -> None:
    cures = [
        step
        for day in stressed.payment_dates
        for section in explain(stressed, day, "E").sections
        for step in section.steps
        if step.kind == "cure" and (step.paid or 0.0) > 0.01
    ]
    assert cures
    for step in cures:
        failed = [test for test in step.tests if not test.passed]
        assert failed
        for test in failed:
            assert test.ratio == pytest.approx(test.numerator / test.denominator)


def test_that_what_each_step_paid_to_the_classes_is_in_the_result(stressed: Projection) -> None:
    r = stressed.result
    assert np.allclose(r.to_class.sum(axis=1), r.interest + r.deferred_paid + r.principal, atol=0.005)


def test_that_a_day_without_payment_is_answered_with_the_nearest(stressed: Projection) -> None:
    first = stressed.payment_dates[0]
    with pytest.raises(ValueError, match=first.isoformat()):
        explain(stressed, first + dt.timedelta(days=1), "A-1")


def test_that_an_unknown_class_is_answered_with_the_known_ones(stressed: Projection) -> None:
    with pytest.raises(ValueError, match="Class A-1, Class A-2"):
        explain(stressed, stressed.payment_dates[0], "Z")
