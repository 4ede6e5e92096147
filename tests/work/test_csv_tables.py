"""CSV files that a spreadsheet does not take for formulas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.work.csv_tables import csv_cell


@given(st.sampled_from("=+-@\t\r\n|%"), st.text())
def test_that_no_text_begins_a_formula(sign: str, rest: str) -> None:
    assert csv_cell(sign + rest) == f"'{sign}{rest}"


@pytest.mark.parametrize(("cell", "text"), [(-12.5, "-12.5"), (-3.0, "-3"), (None, ""), (True, "yes"), ("Oak", "Oak")])
def test_that_figures_and_other_texts_stay_as_they_are(cell: float | str | None, text: str) -> None:
    assert csv_cell(cell) == text
