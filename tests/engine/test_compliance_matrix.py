"""Moody's quality matrix: interpolation by hand, every cell's cushions, the best cell (spec 11.1, issue acceptance)."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compliance import matrix
from engine.compliance.matrix import QualityMatrix, cushions
from engine.compliance.readings import WORKBOOK
from engine.terms import Deal, TestLimit
from resources import library
from tests.engine.test_compliance_oracle import INPUTS, judged
from tests.engine.test_compliance_rules import asset

TABLES = library.catalogue().tables
MATRIX = matrix.of_table(TABLES["moodys_matrix_example"], 60.0, 0.0005)


def elected(spread: float, diversity: float, **more: Any) -> tuple[tuple[str, Any], ...]:
    """Inputs of a deal that elects a point of the example."""
    made = {**INPUTS, "Quality Matrix": "moodys_matrix_example", "Matrix Spread": spread, "Matrix Diversity": diversity}
    return tuple((made | more).items())


def test_that_the_example_is_the_published_matrix_cell_by_cell(shared: Path) -> None:
    with (shared / "data" / "reference" / "moodys_asset_quality_matrix_example.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert MATRIX.warf.shape == (23, 9)
    assert MATRIX.diversities.tolist() == [float(name.rsplit("_", 1)[1]) for name in rows[0][1:]]
    for i, row in enumerate(rows[1:]):
        assert MATRIX.spreads[i] == pytest.approx(float(row[0]) / 100)
        assert MATRIX.warf[i].tolist() == [float(x) for x in row[1:]]


def test_that_interpolation_is_the_hand_calculation() -> None:
    # between 3.95 % (3000, 3040) and 4.05 % (3055, 3100) at diversity 35 and 38: a fifth up, a third across
    low, high = 3000 + (3040 - 3000) / 3, 3055 + (3100 - 3055) / 3
    assert MATRIX.at(MATRIX.warf, 0.0397, 36.0) == pytest.approx(low + (high - low) / 5, abs=1e-9)
    assert MATRIX.at(MATRIX.warf, 0.0375, 29.0) == 2785.0
    assert MATRIX.at(MATRIX.warf, 0.0595, 53.0) == 3970.0


@given(st.floats(0.0375, 0.0595), st.floats(29.0, 53.0))
def test_that_the_limit_rises_with_spread_and_diversity_and_stays_between_its_cells(s: float, d: float) -> None:
    here = MATRIX.at(MATRIX.warf, s, d)
    assert MATRIX.warf.min() <= here <= MATRIX.warf.max()
    assert MATRIX.at(MATRIX.warf, min(s + 0.001, 0.0595), min(d + 1, 53.0)) >= here - 1e-9


@pytest.mark.parametrize(("spread", "diversity"), [(0.03, 40.0), (0.06, 40.0), (0.04, 20.0), (0.04, 60.0)])
def test_that_a_point_outside_is_refused_with_the_range(spread: float, diversity: float) -> None:
    with pytest.raises(ValueError, match=r"outside the quality matrix .* to "):
        MATRIX.at(MATRIX.warf, spread, diversity)


def plain_best(m: QualityMatrix, s: float, d: float, f: float, to_factor: float, to_spread: float) -> Any:
    best: Any = None
    for i, spread in enumerate(m.spreads):
        for k, diversity in enumerate(m.diversities):
            low = spread - to_spread * m.spread_per_point[i, k]
            high = m.warf[i, k] + to_factor * m.factor_per_point[i, k]
            slack = min((s - low) / low, (d - diversity) / diversity, (high - f) / high)
            if best is None or slack > best[0]:
                best = (slack, i, k)
    return best


@given(st.floats(0.03, 0.07), st.floats(20, 90), st.floats(2000, 4500), st.floats(0, 10), st.floats(0, 10))
def test_that_the_best_cell_is_the_one_a_plain_search_finds(s: float, d: float, f: float, a: float, b: float) -> None:
    found = cushions(MATRIX, s, d, f, a, b)
    slack, i, k = plain_best(MATRIX, s, d, f, a, b)
    assert found.slack.max() == pytest.approx(slack, abs=1e-12)
    assert found.slack[i, k] == pytest.approx(found.slack[found.best], abs=1e-12)
    assert found.feasible[found.best] == (slack >= -1e-13)


def test_that_all_cells_are_done_in_a_fifth_of_a_second_even_refined_to_a_basis_point() -> None:
    fine = MATRIX.refined(0.0001)
    assert fine.warf.shape == (221, 25)
    start = time.perf_counter()
    done = cushions(fine, 0.042, 45.0, 2900.0, 5.0, 0.0)
    assert time.perf_counter() - start < 0.2
    assert done.slack.max() >= cushions(MATRIX, 0.042, 45.0, 2900.0, 5.0, 0.0).slack.max() - 1e-12
    assert done.tightest in ("spread", "diversity", "rating factor")
    assert fine.warf[100, 7] == pytest.approx(MATRIX.at(MATRIX.warf, fine.spreads[100], fine.diversities[7]))


def test_that_the_tests_of_the_elected_point_take_their_limits_from_it() -> None:
    lots = [(asset(i, moodys_industry=f"I{i}"), 100.0) for i in range(60)]
    done = judged(lots, 0.0, (130, 131, 132), limits=_limits(), quality_inputs=elected(0.0397, 36.0))
    assert done.result(130).threshold == pytest.approx(MATRIX.at(MATRIX.warf, 0.0397, 36.0))
    assert done.result(131).threshold == pytest.approx(0.0397)
    assert done.result(132).threshold == 36.0
    assert {r.limit_source for r in done.results} == {"computed"}


def test_that_recovery_above_the_base_moves_the_limits_in_the_allotted_shares() -> None:
    lots = [(asset(i, moodys_recovery_rate=0.47), 100.0) for i in range(3)]
    more = {
        "Matrix Base Recovery": 0.43,
        "Matrix Factor per Recovery Point": 60.0,
        "Matrix Spread per Recovery Point": 0.0005,
        "Recovery Share to WARF": 0.75,
    }
    done = judged(lots, 0.0, (130, 131), limits=_limits()[:2], quality_inputs=elected(0.0395, 35.0, **more))
    assert done.result(130).threshold == pytest.approx(3000 + 0.75 * 4 * 60)
    assert done.result(131).threshold == pytest.approx(0.0395 - 0.25 * 4 * 0.0005)
    assert "75 % to the WARF limit" in done.result(130).reading


def test_that_recovery_below_the_base_moves_nothing_and_above_the_cap_no_more() -> None:
    assert matrix.allotted(WORKBOOK, 0.40, 0.43) == (0.0, 0.0)
    assert matrix.allotted(WORKBOOK, 0.90, 0.43) == pytest.approx((17.0, 17.0))


def test_that_without_a_matrix_or_a_point_inside_it_the_tests_are_refused_with_the_reason() -> None:
    lots = [(asset(0), 100.0)]
    none = judged(lots, 0.0, (130,), limits=_limits()[:1])
    assert any("Test 130" in n and "“Quality Matrix”" in n for n in none.notes)
    outside = judged(lots, 0.0, (130,), limits=_limits()[:1], quality_inputs=elected(0.02, 36.0))
    assert any("outside the quality matrix" in n for n in outside.notes)


def test_that_a_deal_gives_its_own_matrix_in_rows() -> None:
    deal = Deal(
        "own",
        quality_inputs=(
            ("Quality Matrix Diversity", "40; 50"),
            ("Quality Matrix 3.5%", "2,500; 2600"),
            ("Quality Matrix 4%", "2700; 2850"),
            ("Matrix Factor per Recovery Point", 55.0),
        ),
    )
    found = matrix.of_deal(deal, TABLES)
    assert found is not None
    assert found.at(found.warf, 0.0375, 45.0) == pytest.approx((2500 + 2600 + 2700 + 2850) / 4)
    assert np.all(found.factor_per_point == 55.0)


def test_that_modifiers_may_differ_from_cell_to_cell() -> None:
    rows = {
        "Quality Matrix Diversity": "40; 50",
        "Quality Matrix 3.5%": "2500; 2600",
        "Quality Matrix 4%": "2700; 2850",
        "Quality Matrix Factor 3.5%": "50; 52",
        "Quality Matrix Factor 4%": "54; 58",
        "Quality Matrix Spread 3.5%": "5; 6",
        "Quality Matrix Spread 4%": "7; 8",
    }
    found = matrix.of_deal(Deal("own", quality_inputs=tuple(rows.items())), TABLES)
    assert found is not None
    assert found.at(found.factor_per_point, 0.0375, 45.0) == pytest.approx((50 + 52 + 54 + 58) / 4)
    assert found.spread_per_point.tolist() == [[0.0005, 0.0006], [0.0007, 0.0008]]
    fewer = tuple((k, v) for k, v in rows.items() if k != "Quality Matrix Factor 4%")
    with pytest.raises(ValueError, match=r"Factor.* no row for 4%"):
        matrix.of_deal(Deal("own", quality_inputs=fewer), TABLES)


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ((("Quality Matrix", "nosuch"),), "no reference table nosuch"),
        ((("Quality Matrix Diversity", "40; 50"), ("Quality Matrix 4%", "2700")), "1 figures for 2"),
        ((("Quality Matrix Diversity", "many"), ("Quality Matrix 4%", "2700")), "Diversity.*many"),
    ],
)
def test_that_a_matrix_that_cannot_be_read_is_refused_naming_the_label(inputs: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        matrix.of_deal(Deal("own", quality_inputs=inputs), TABLES)


def _limits() -> Any:
    return (TestLimit(130, "", "MAX"), TestLimit(131, "", "MIN"), TestLimit(132, "", "MIN"))
