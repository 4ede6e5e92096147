"""Coverage tests, phases and the event of default of a payment date (spec: engine 6, 7.5)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.deal_inputs import DealInputs
from engine.liabilities.due import Classes, Fees
from engine.liabilities.pool import PoolSide, parameter
from engine.waterfall.day import TINY, Day, Test
from engine.waterfall.document import Document, TestTerms
from engine.waterfall.figures import figure_of, truth_of
from engine.waterfall.registers import Builder, Row


class Coverage:
    """Measures the tests at the start of the date, before any payment and any sale.

    redeemed     lanes whose pool is sold on the date;  accelerated: an event of default stands declared
    """

    def __init__(
        self,
        b: Builder,
        document: Document,
        inputs: DealInputs,
        alive: Row,
        pool: PoolSide,
        classes: Classes,
        fees: Fees,
    ) -> None:
        self.b, self.document, self.inputs, self.alive = b, document, inputs, alive
        self.pool, self.classes, self.fees = pool, classes, fees
        row, at = b.dated("row"), parameter(b, "redemption")
        self.redeemed = alive & ((row >= at) | b.state("called", positive=True) | b.dated("last", positive=True))
        self._before = b.state("accelerated", float(inputs.accelerated), positive=True)
        self.accelerated = self._before

    def phases(self) -> dict[str, Row]:
        """Phases; before `declare` the event of default is that of the date before."""
        b = self.b
        return {
            "reinvestment": b.dated("reinvesting") & ~self.redeemed,
            "post_reinvestment": ~b.dated("reinvesting"),
            "non_call": ~b.dated("callable"),
            "redemption": self.redeemed,
            "acceleration": self.accelerated,
            "event_of_default": self.accelerated,
            "first_period": b.dated("first"),
            "post_effective": b.dated("tests_run", positive=True),
        }

    def measure(self, day: Day) -> None:
        for place, terms in enumerate(self.document.tests):
            covered = tuple(c for c in terms.classes if c in self.inputs.class_ids)
            numerator = self._numerator(day, terms)
            denominator = self._denominator(day, terms, covered)
            trigger = self.b.dated(("trigger", place), positive=bool((self.inputs.triggers[:, place] > 0.0).all()))
            ratio = (denominator > TINY).then(numerator / denominator, np.inf)
            active = self.b.dated("ic_runs" if terms.type == "ic" else "tests_run", positive=True)
            if terms.active is not None:
                active = active & truth_of(day, terms.active)
            below = ratio < trigger if terms.pass_on_equal else ratio <= trigger
            day.tests[terms.id] = Test(terms, covered, numerator, denominator, trigger, ratio, active & below, active)

    def _numerator(self, day: Day, terms: TestTerms) -> Row:
        pool = self.pool
        if terms.numerator is not None:
            return figure_of(day, terms.numerator)
        if terms.type == "ic":
            return pool.interest - self.fees.senior()
        plain = pool.performing + pool.carrying + pool.principal
        if terms.type == "eod":
            return plain
        return plain + pool.purchased - pool.haircut - pool.excess

    def _denominator(self, day: Day, terms: TestTerms, covered: Sequence[str]) -> Row:
        of = self.classes
        if terms.denominator is not None:
            return figure_of(day, terms.denominator)
        if terms.type == "ic":
            return self.b.total([of.due[c] + of.on_deferred[c] for c in covered])
        return self.b.total([of.balance[c] + of.deferred[c] for c in covered])

    def declare(self, day: Day) -> None:
        """The event of default: it stays declared."""
        declared = self.b.constant(0.0)
        for test in day.tests.values():
            if test.terms.type == "eod":
                declared = declared | test.fails
        if self.document.event_of_default is not None:
            declared = declared | truth_of(day, self.document.event_of_default)
        self.accelerated = self._before | declared
        self.b.keep("accelerated", self.accelerated)
