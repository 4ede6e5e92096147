"""Contributions: labels of the CLO Inputs become cash on payment dates, and what is wrong in them is said."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import cash
from engine.assumptions import Assumptions
from engine.model import Model
from engine.projection import Projection, choose_document
from engine.structure import StructureError
from engine.terms import Labelled, Value
from resources import library
from tests.engine import builders

DAY = dt.date(2026, 1, 15)
"""The fourth payment date of the demo deal."""
ROW = 3


@cache
def run(*labels: tuple[str, Value], waterfall: str = "us-clo-3.0", cdr: float | None = None) -> Projection:
    """The demo deal under a waterfall that takes contributions, with these CLO Inputs besides."""
    book = builders.harbor()
    others: Labelled = tuple(entry for entry in book.deal.clo_inputs if entry[0] != "Waterfall")
    named = replace(book, deal=replace(book.deal, clo_inputs=(("Waterfall", waterfall), *others, *labels)))
    model = Model(named, choose_document(named, library.waterfalls()), library.assumed_terms())
    return model.run(Assumptions(cdr=cdr))


@pytest.mark.parametrize(("day", "row"), [("2026-01-15", ROW), ("2026-01-14", ROW), ("2026-01-16", ROW + 1)])
def test_that_a_contribution_is_put_in_on_the_first_payment_date_from_its_day(day: str, row: int) -> None:
    p = run((f"Contribution holders {day}", 1_000_000.0))
    assert p.payment_dates[ROW] == DAY
    assert np.flatnonzero(p.result.cash[:, cash.CONTRIBUTED]).tolist() == [row]
    assert p.result.cash[row, cash.CONTRIBUTED] == 1_000_000.0
    assert abs(p.sources - p.uses).max() < 0.005


def test_that_what_is_put_in_buys_collateral_and_is_repaid_before_the_equity() -> None:
    without, p = run(), run(("Contribution holders 2026-01-15", 1_000_000.0))
    bought = p.result.cash[ROW, cash.REINVESTED] - without.result.cash[ROW, cash.REINVESTED]
    assert bought == pytest.approx(1_000_000.0)
    assert p.result.cash[:, cash.REPAID].sum() == pytest.approx(1_000_000.0)
    assert p.paid(p.equity)[ROW] == pytest.approx(without.paid(without.equity)[ROW] - p.result.cash[ROW, cash.REPAID])


def test_that_contributions_of_one_date_add_up_and_spelling_and_remarks_do_not_matter() -> None:
    p = run(("contribution  HOLDERS 2026-01-15 (by letter)", 2.0e5), ("Contribution holders 2026-01-10", 1.0e5))
    assert p.result.cash[ROW, cash.CONTRIBUTED] == pytest.approx(3.0e5)


def test_that_the_proceeds_of_a_reset_repay_every_class_on_the_reset_date() -> None:
    p = run(("Contribution reset_proceeds 2026-01-15", 600e6), ("Reset Date", DAY))
    notes = [k for k in range(len(p.tranches)) if k != p.equity]
    assert p.result.balance[ROW, notes].max() == pytest.approx(0.0, abs=0.005)
    assert p.result.balance[ROW - 1, notes].sum() > 400e6
    assert abs(p.sources - p.uses).max() < 0.005


def test_that_what_was_put_in_before_the_run_is_left_to_the_reported_balances_and_told() -> None:
    p = run(("Contribution holders 2025-01-15", 1_000_000.0))
    assert not p.result.cash[:, cash.CONTRIBUTED].any()
    assert any("“Contribution holders 2025-01-15” was put in before this run" in note for note in p.structure.notes)
    first = run(("Contribution holders 2025-01-16", 1_000_000.0))  # after the last payment date: on the next
    assert first.result.cash[0, cash.CONTRIBUTED] == 1_000_000.0


def test_that_a_label_without_an_amount_says_nothing() -> None:
    p = run(("Contribution holders 2026-01-15", None), ("Contribution nobody soon", None))
    assert not p.result.cash[:, cash.CONTRIBUTED].any()


@pytest.mark.parametrize(
    ("label", "value", "says"),
    [
        ("Contribution owners 2026-01-15", 1.0, "no contribution 'owners'; write holders or reset_proceeds and a date"),
        ("Contribution 2026-01-15", 1.0, "no contribution '2026-01-15'; write holders"),
        ("Contribution holders", 1.0, "ends with no date; write “Contribution holders 2026-01-15”"),
        ("Contribution holders 15.1.2026", 1.0, "ends with no date"),
        ("Contribution holders 2026-02-30", 1.0, "ends with no date"),
        ("Contribution holders 2099-01-15", 1.0, r"after the last payment date \d{4}-\d\d-\d\d; choose a day by then"),
        ("Contribution holders 2026-01-15", "much", "has no amount of 0 or more beside it; write the amount"),
        ("Contribution holders 2026-01-15", -5.0, "has no amount of 0 or more"),
        ("Contribution holders 2026-01-15", True, "has no amount of 0 or more"),
    ],
)
def test_that_a_label_that_cannot_be_meant_is_refused_with_the_remedy(label: str, value: Value, says: str) -> None:
    with pytest.raises(StructureError, match=f"“{label}” in CLO Inputs.*{says}"):
        run((label, value))


def test_that_a_contribution_that_stands_twice_is_refused() -> None:
    with pytest.raises(StructureError, match="stands twice in CLO Inputs; write one line with the sum"):
        run(("Contribution holders 2026-01-15", 1.0), ("Contribution Holders 2026-01-15", 1.0))


def test_that_a_waterfall_without_contributions_says_so() -> None:
    with pytest.raises(StructureError, match="us-2024-class-x takes no contributions; take the line out"):
        run(("Contribution holders 2026-01-15", 1.0), waterfall="us-2024-class-x")
