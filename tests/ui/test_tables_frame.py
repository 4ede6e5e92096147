"""The frozen data of a table: what is missing, how it sorts, what totals say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.look.formats import THIN, Show
from clo_desktop.tables import summary
from clo_desktop.tables.blocks import block_edge, runs
from clo_desktop.tables.clipboard import mime
from clo_desktop.tables.frame import Column, Frame, Mark, asset_columns
from engine.asset import COLUMNS, Asset, Kind


def frame_of(kind: str, values: Sequence[object]) -> Frame:
    columns = [Column("id", "Id", Kind.COUNT), Column("x", "X", kind)]
    return Frame(columns, {"id": list(range(len(values))), "x": values}, key="id")


def sorted_values(frame: Frame, descending: bool = False) -> list[object]:
    return [frame.value(int(row), 1) for row in frame.order([("x", descending)])]


def test_that_ratings_sort_by_rank_and_unrated_ones_come_after() -> None:
    frame = frame_of(Kind.MOODYS, ["Caa1", "B2", None, "NR", "Aaa", "Ba3"])
    assert sorted_values(frame) == ["Aaa", "Ba3", "B2", "Caa1", "NR", None]
    assert sorted_values(frame, True) == ["NR", "Caa1", "B2", "Ba3", "Aaa", None]


def test_that_text_sorts_without_regard_to_case() -> None:
    assert sorted_values(frame_of(Kind.TEXT, ["beta", "Alpha", None, "", "Gamma"])) == [
        "Alpha",
        "beta",
        "Gamma",
        None,
        None,
    ]


@pytest.mark.parametrize("descending", [False, True])
def test_that_missing_comes_last_either_way(descending: bool) -> None:
    for kind, values in (
        (Kind.MONEY, [2.0, None, 1.0]),
        (Kind.DATE, [dt.date(2028, 1, 1), None, dt.date(1960, 1, 1)]),
        (Kind.FLAG, [True, None, False]),
        (Kind.TEXT, ["b", None, "a"]),
    ):
        assert sorted_values(frame_of(kind, values), descending)[-1] is None


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5).map(float))), st.booleans())
def test_that_a_sort_is_that_of_python_with_missing_last(values: list[float | None], descending: bool) -> None:
    frame = frame_of(Kind.PRICE, values)
    present = [(-v if descending else v, i) for i, v in enumerate(values) if v is not None]
    wanted = [i for _, i in sorted(present)] + [i for i, v in enumerate(values) if v is None]
    assert frame.order([("x", descending)]).tolist() == wanted


@given(st.lists(st.tuples(st.sampled_from(["a", "B", "c"]), st.integers(0, 3))))
def test_that_the_second_key_decides_within_the_first(pairs: list[tuple[str, int]]) -> None:
    columns = [Column("id", "Id", Kind.COUNT), Column("t", "T", Kind.TEXT), Column("n", "N", Kind.COUNT)]
    data = {"id": range(len(pairs)), "t": [t for t, _ in pairs], "n": [n for _, n in pairs]}
    order = Frame(columns, data, key="id").order([("t", False), ("n", True)])
    assert order.tolist() == sorted(range(len(pairs)), key=lambda i: (pairs[i][0].casefold(), -pairs[i][1]))


def test_that_more_texts_than_fit_16_bits_sort_as_well() -> None:
    texts = [f"{i:06d}" for i in range(70_000)]
    frame = frame_of(Kind.TEXT, texts[::-1])
    assert sorted_values(frame) == texts
    assert sorted_values(frame, True) == texts[::-1]


def test_that_assets_become_rows_of_all_columns() -> None:
    asset = Asset(asset_id="LX1", coupon_spread=0.0325, maturity=dt.date(2030, 5, 1), cov_lite=True, moodys_rating="B2")
    frame = Frame.of_records(asset_columns(), [asset, Asset(asset_id="LX2")], key="asset_id", currency="USD")
    assert len(frame.columns) == len(COLUMNS)
    for i, column in enumerate(COLUMNS):
        assert frame.value(0, i) == getattr(asset, column.name)
        assert frame.value(1, i) == getattr(Asset(asset_id="LX2"), column.name)
    assert frame.text(0, frame.index["coupon_spread"]) == "3.25"
    assert frame.text(1, frame.index["cov_lite"]) == "–"
    assert frame.row_of("LX2") == 1
    assert frame.row_of("LX3") == -1


def test_that_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        Frame([Column("a", "A", Kind.COUNT), Column("b", "B", Kind.COUNT)], {"a": [1], "b": [1, 2]}, key="a")


def test_that_a_mixed_column_shows_each_row_in_its_own_unit() -> None:
    columns = [
        Column("n", "No.", Kind.COUNT),
        Column("kind", "Kind", Kind.TEXT),
        Column("result", "Result", Show.MIXED, kind_from="kind"),
    ]
    data = {"n": [1, 2, 3, 4], "kind": ["ratio", "factor", "years", "rate"], "result": [1.2345, 2834.2, 4.52, None]}
    frame = Frame(columns, data, key="n")
    assert [frame.text(row, 2) for row in range(4)] == [f"123.45{THIN}%", f"2{THIN}834", f"4.52{THIN}years", "–"]
    assert columns[2].header() == "Result"


def loans() -> Frame:
    columns = [
        Column("id", "Asset", Kind.ID),
        Column("par", "Par", Kind.MONEY),
        Column("price", "Price", Kind.PRICE),
        Column("spread", "Spread", Kind.RATE),
        Column("country", "Country", Kind.TEXT),
        Column("cov", "Cov-lite", Kind.FLAG),
    ]
    data = {
        "id": ["a", "b", "c", "d"],
        "par": [1e6, 3e6, None, 0.0],
        "price": [100.0, 80.0, 50.0, 10.0],
        "spread": [0.03, None, 0.05, 0.9],
        "country": ["USA", "Canada", "USA", None],
        "cov": [True, False, None, True],
    }
    marks = {"price": np.array([0, 1, 2, 3], dtype=np.uint8)}
    return Frame(columns, data, key="id", weight="par", currency="USD", marks=marks)


ALL = np.arange(4, dtype=np.int32)


def test_that_totals_are_sums_par_weighted_averages_and_counts() -> None:
    frame = loans()
    assert summary.total(frame, ALL, "par") == 4e6
    assert summary.total(frame, ALL, "price") == pytest.approx((100 * 1 + 80 * 3) / 4)
    assert summary.total(frame, ALL, "spread") == pytest.approx(0.03)
    assert summary.total_text(frame, ALL, "country") == "2 distinct"
    assert summary.total_text(frame, ALL, "cov") == "2 yes"
    assert summary.total_text(frame, ALL, "id") == "4 distinct"


def test_that_the_total_of_nothing_is_nothing() -> None:
    frame = loans()
    none = np.array([], dtype=np.int32)
    assert summary.total_text(frame, none, "par") == ""
    assert summary.total_text(frame, none, "price") == ""
    assert summary.selection_text(frame, none, ["par"], ["par"]) == ""


def test_that_the_selection_is_told_in_one_line() -> None:
    frame = loans()
    text = summary.selection_text(frame, ALL[:2], ["id", "par"], ["par", "price", "spread"])
    assert text == f"2 selected: par 4{THIN}000{THIN}000  price 85.000  spread 3.00{THIN}%"


def test_that_one_numeric_column_is_told_of_as_in_excel() -> None:
    text = summary.selection_text(loans(), ALL[:2], ["price"], [])
    assert text == "2 selected: price 85.000  price mean 90.000"


def test_that_marks_belong_to_their_cells() -> None:
    frame = loans()
    assert [frame.mark(row, 2) for row in range(4)] == [Mark.NONE, Mark.STALE, Mark.ODD, Mark.BAD]
    assert frame.mark(1, 1) is Mark.NONE


def test_that_the_clipboard_has_full_precision_as_text_and_as_html() -> None:
    data = mime(loans(), ALL[:2], [0, 1, 3], headers=True)
    assert data.text() == "Asset\tPar (USD)\tSpread (%)\na\t1000000\t3\nb\t3000000\t"
    assert '<td x:num="1000000">1000000</td>' in data.html()
    assert mime(loans(), ALL[:1], [4], headers=False).text() == "USA"


def test_that_cells_between_several_blocks_are_copied_blank() -> None:
    mask = np.array([[True, False], [False, True]])
    assert mime(loans(), ALL[:2], [0, 4], headers=False, mask=mask).text() == "a\t\n\tCanada"


@pytest.mark.parametrize(
    ("present", "at", "step", "to"),
    [
        ("xxx__xx", 0, 1, 2),  # inside a block to its end
        ("xxx__xx", 2, 1, 5),  # from its end to the next block
        ("xxx__xx", 3, 1, 5),  # from a blank to the next block
        ("xxx____", 2, 1, 6),  # to the edge where nothing follows
        ("xxx__xx", 6, -1, 5),
        ("xxx__xx", 5, -1, 2),
        ("xxx__xx", 0, -1, 0),
        ("xxxxxxx", 1, 1, 6),
    ],
)
def test_that_ctrl_arrow_goes_where_excel_goes(present: str, at: int, step: int, to: int) -> None:
    assert block_edge(np.array([c == "x" for c in present]), at, step) == to


@given(st.sets(st.integers(0, 60)))
def test_that_runs_cover_exactly_the_rows(rows: set[int]) -> None:
    found = runs(np.array(sorted(rows), dtype=np.int64))
    assert {row for first, last in found for row in range(first, last + 1)} == rows
    assert all(found[i + 1][0] > found[i][1] + 1 for i in range(len(found) - 1))
