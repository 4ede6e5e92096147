"""Tests of one's own, formulas, scheduled limits, reference tables: all of it data (issue 4, section 1)."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.compliance import Compliance, formulas, own, read_tables, tables
from engine.compliance.formulas import FormulaError, Lacking
from engine.terms import Deal, TestLimit
from resources import library
from tests.engine.builders import ROOT
from tests.engine.test_compliance_oracle import INPUTS, judged
from tests.engine.test_compliance_rules import asset

SETS = library.catalogue().sets
LOTS = [
    (asset(0, country="Germany", moodys_rating="B3"), 30.0),
    (asset(1, country="Germany"), 10.0),
    (asset(2, country="USA", revolver=True, unfunded_amount=5.0), 60.0),
]


def deal_with(*tests: tuple[str, str, float, str]) -> Deal:
    deal = Deal("own", quality_inputs=tuple(INPUTS.items()))
    for name, direction, limit, text in tests:
        deal, _ = own.with_test(deal, name, direction, limit, text, sets=SETS)
    return deal


def evaluated(deal: Deal) -> Compliance:
    return judged(LOTS, 0.0, (), limits=deal.limits, quality_inputs=deal.quality_inputs, clo_inputs=deal.clo_inputs)


# --- tests of one's own ------------------------------------------------------------------------------------------


def test_that_at_most_5_percent_of_x_is_a_filter_a_direction_and_a_limit() -> None:
    done = evaluated(deal_with(("German loans", "max", 0.05, "country = Germany")))
    found = done.result(201)
    assert (found.name, found.result, found.threshold, found.outcome.value) == ("German loans", 0.4, 0.05, "fail")
    assert found.wording == "country = Germany"
    assert found.cushion_par == pytest.approx(-35.0)
    assert found.members.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1.0),
        ("share where country in group_2 and moodys_rating >= B3", 0.3),
        ("share of unfunded_amount where revolver", 0.05),
        ("largest by country", 0.6),
        ("largest 2 by country", 0.4),
        ("Top 2 by issuer_id where country != Canada", 0.9),
        ("average coupon_spread", None),
        ("average spread where country = Germany", 0.04),
        ("average of wal", 5.0),
    ],
)
def test_that_every_primitive_can_be_written(text: str, expected: float | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match=r"no measure 'coupon_spread'; measures: .*floating_spread"):
            deal_with(("x", "MAX", 0.5, text))
        return
    done = evaluated(deal_with(("x", "MAX", 0.5 if "wal" not in text else 4.0, text)))
    assert done.result(201).result == pytest.approx(expected)
    assert done.result(201).kind == ("years" if "wal" in text else "share")


@pytest.mark.parametrize(
    ("name", "direction", "limit", "text", "says"),
    [
        ("", "MAX", 0.05, "dip", "no name"),
        ("x", "UP", 0.05, "dip", "UP"),
        ("x", "MAX", 5.0, "dip", "no share.*5%"),
        ("x", "MAX", float("nan"), "dip", "no number"),
        ("x", "MAX", "5 percent", "dip", "no number"),
        ("x", "MAX", 0.05, "kountry = Germany", "kountry"),
        ("x", "MAX", 0.05, "country in nowhere", "nowhere"),
        ("x", "MAX", 0.05, "largest 0 by country", "rank 0"),
        ("x", "MAX", 0.05, "top 3 by beauty", "beauty"),
        ("x", "MAX", 0.05, "share of country", "no number"),
    ],
)
def test_that_a_test_that_cannot_be_read_is_refused_and_nothing_changed(
    name: str, direction: str, limit: Any, text: str, says: str
) -> None:
    deal = deal_with()
    with pytest.raises(ValueError, match=says):
        own.with_test(deal, name, direction, limit, text, sets=SETS)
    assert deal == deal_with()


def test_that_removing_a_test_leaves_the_deal_as_it_was() -> None:
    deal = deal_with(("a", "MAX", 0.05, "dip"))
    assert own.without_test(deal, 201) == deal_with()
    with pytest.raises(ValueError, match="no test 14 of its own; its own tests: 201"):
        own.without_test(deal, 14)


def test_that_numbers_of_own_tests_do_not_collide_and_fill_gaps() -> None:
    deal = deal_with(("a", "MAX", 0.05, "dip"), ("b", "MAX", 0.05, "cov_lite"))
    assert [t.number for t in deal.limits] == [201, 202]
    again, number = own.with_test(own.without_test(deal, 201), "c", "MAX", 0.1, "piking")
    assert (number, [t.number for t in again.limits]) == (201, [202, 201])


def test_that_a_label_that_was_spoilt_in_the_workbook_is_a_note_and_the_others_are_evaluated() -> None:
    deal = deal_with(("a", "MAX", 0.05, "dip"), ("b", "MAX", 0.05, "cov_lite"))
    spoilt = tuple((k, "dip dip" if k == "Test 201" else v) for k, v in deal.quality_inputs)
    done = evaluated(replace(deal, quality_inputs=spoilt))
    assert [r.number for r in done.results] == [202]
    assert any(n.startswith("Test 201 (a) was not evaluated: “Test 201” cannot be read") for n in done.notes)
    bare = evaluated(replace(deal, quality_inputs=()))
    assert all("say under “Test 20" in n for n in bare.notes[:2])


@pytest.mark.parametrize("text", ["country in nowhere", "maturity > :nothing"])
def test_that_an_unknown_set_or_parameter_typed_in_the_workbook_refuses_that_test_only(text: str) -> None:
    deal = deal_with(("a", "MAX", 0.05, "dip"), ("b", "MAX", 0.05, "cov_lite"))
    typed = tuple((k, text if k == "Test 201" else v) for k, v in deal.quality_inputs)
    done = evaluated(replace(deal, quality_inputs=typed))
    assert [r.number for r in done.results] == [202]
    assert "what it counts cannot be read" in done.notes[0]


def test_that_a_limit_of_5_typed_for_5_percent_is_not_judged() -> None:
    deal = deal_with(("a", "MAX", 0.05, "dip"))
    done = evaluated(replace(deal, limits=(replace(deal.limits[0], threshold=5.0),)))
    assert done.results == ()
    assert "A limit of 5 is no share of the pool; write 5% or 0.05." in done.notes[0]


def test_that_an_own_test_survives_the_workbook_and_the_store(tmp_path: Path) -> None:
    from clo_desktop.sheets.read import read_book
    from clo_desktop.sheets.write import write_book
    from clo_desktop.store import open_store
    from tests.engine.builders import harbor

    book = harbor()
    deal, number = own.with_test(book.deal, "Unfunded, small", "MAX", 0.0725, "share of unfunded_amount where revolver")
    deal, second = own.with_test(deal, "German", "MAX", 0.05, "country = Germany and not defaulted")
    book = replace(book, deal=replace(deal, clo_inputs=(*deal.clo_inputs, ("Affiliate VADHOL", "HADHOL"))))
    write_book(book, tmp_path / "own.xlsx")
    reading = read_book(tmp_path / "own.xlsx", deal.name)
    assert reading.book is not None
    assert reading.book.deal.limits[-2:] == deal.limits[-2:]
    assert own.texts(reading.book.deal) == own.texts(deal)
    assert ("Affiliate VADHOL", "HADHOL") in reading.book.deal.clo_inputs
    with open_store(tmp_path / "own.clo") as store:
        store.save(reading.book)
        assert own.definitions(store.load(deal.name).deal) == own.definitions(deal)
    assert {number, second} == {201, 202}


# --- formulas ----------------------------------------------------------------------------------------------------


class Known:
    """Inputs by label for formulas."""

    def call(self, name: str, arguments: tuple[Any, ...]) -> float:
        if arguments == ("absent",):
            raise Lacking("absent")
        return {"input": 2.0, "result": 0.5, "given": 1.0}.get(name, 7.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 ** 2 - -1", 20.0),
        ("input('x') / result(33)", 4.0),
        ("max(0, min(input('x'), 1.5))", 1.5),
        ("3 if input('x') >= 2 and not result(33) > 1 else 4", 3.0),
        ("abs(-2.5) + round(1.26, 1)", 3.8),
        ("cash() * given('x')", 7.0),
    ],
)
def test_that_a_formula_is_arithmetic(text: str, expected: float) -> None:
    assert formulas.parse(text).value(Known()) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        "", "1 +", "x", "'a'", "input(1)", "input('a', 'b')", "result('a')", "open('/etc/passwd')", "().__class__",
        "[1, 2]", "lambda: 1", "input('x').real", "1 if True", "a := 3", "min()", "recovery_over('both', 1)", "True",
        "input(input('x'))", "1 < 2 < 3", "f'{1}'", "__import__('os').system('true')", "~1", "1 if 1 else 'a'",
        "max(*[1])", "result(n=3)",
    ],
)  # fmt: skip
def test_that_nothing_but_arithmetic_is_a_formula(text: str) -> None:
    with pytest.raises(FormulaError):
        formulas.parse(text)


@given(st.text(max_size=40))
def test_that_any_text_is_a_formula_or_refused(text: str) -> None:
    with contextlib.suppress(FormulaError):
        formulas.parse(text)


def test_that_a_formula_says_what_it_lacks_and_which_results_it_uses() -> None:
    made = formulas.parse("result(33) + recovery_over('factor', 0.43) * input('absent') + result(7)")
    assert made.tests == (7, 33)
    with pytest.raises(Lacking, match="absent"):
        made.value(Known())
    with pytest.raises(Lacking, match="other than zero"):
        formulas.parse("1 / (input('x') - 2)").value(Known())


def test_that_a_formula_of_arrays_gives_what_each_figure_gives() -> None:
    text = "max(input('a'), min(4, 10 / input('b'), input('a') * 2), -1)"

    def of(a: Any, b: Any) -> Any:
        return SimpleNamespace(call=lambda _name, arguments: {"a": a, "b": b}[arguments[0]])

    pairs = [(1.0, 5.0), (-3.0, 2.0), (3.0, -2.5), (7.0, 4.0), (1.0, 0.0)]
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    made = formulas.parse(text).step(of(a, b))
    assert made[:4].tolist() == [formulas.parse(text).value(of(*pair)) for pair in pairs[:4]]
    assert np.isnan(made[4])
    with pytest.raises(Lacking):
        formulas.parse(text).value(of(*pairs[4]))


STEPS = {"01-20": 5.5, "03-31": 5.25, "04-20": 5.0}  # the analysis date is 2026-03-31


# --- scheduled limits --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "threshold", "source"),
    [
        ({}, 6.74, "deal"),
        ({"WAL Test Date": dt.date(2031, 3, 31)}, 1826 / 365, "computed"),
        ({"WAL Test Date": dt.date(2020, 1, 1)}, 0.0, "computed"),
        ({f"Limit 35 from 2026-{d}": x for d, x in STEPS.items()}, 5.25, "schedule"),
        ({"Limit 35 from 2027-01-20": 5.5}, 6.74, "deal"),
        ({"Limit 36 from 2020-01-20": 5.5}, 6.74, "deal"),
    ],
)  # fmt: skip
def test_that_the_limit_of_the_average_life_steps_or_runs_down(
    inputs: dict[str, Any], threshold: float, source: str
) -> None:
    limits = (TestLimit(35, "", "MAX", 6.74),)
    done = judged(LOTS, 0.0, (), limits=limits, quality_inputs=tuple((INPUTS | inputs).items()))
    assert done.result(35).threshold == pytest.approx(threshold)
    assert done.result(35).limit_source == source


@pytest.mark.parametrize(
    ("label", "value", "says"),
    [("Limit 35 from 2026-02-30", 5.0, "no day"), ("Limit 35 from 2026-02-20", "five", "number beside it")],
)
def test_that_a_step_that_cannot_be_read_is_refused_naming_it(label: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        judged(LOTS, 0.0, (35,), quality_inputs=((label, value),))


# --- reference tables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "file", "key", "value"),
    [
        ("moodys_factors", "moodys_rating_factors.csv", "moodys_rating", "rating_factor"),
        ("sp_factors", "sp_rating_factors.csv", "sp_rating", "sp_rating_factor"),
        ("fitch_factors", "fitch_rating_factors.csv", "fitch_rating", "fitch_rating_factor"),
    ],
)
def test_that_factors_are_the_published_ones(shared: Path, table: str, file: str, key: str, value: str) -> None:
    with (shared / "data" / "reference" / file).open(encoding="utf-8") as opened:
        rows = [r for r in csv.DictReader(opened) if r[key]]
    entries = library.catalogue().tables[table].entries
    assert len(rows) >= 21
    for row in rows:
        assert entries[(row[key],)] == float(row[value]), row


def test_that_sp_recovery_rates_are_the_published_ones(shared: Path) -> None:
    folder, entries = shared / "data" / "reference", library.catalogue().tables["sp_recovery"].entries
    with (folder / "sp_recovery_by_recovery_rating.csv").open(encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows:
        for liability in ("AAA", "AA", "A", "BBB", "BB", "B", "CCC"):
            key = (row["sp_recovery_rating"], row["recovery_point_estimate_pct"], liability)
            assert entries[key] == pytest.approx(float(row[f"liability_{liability}_pct"]) / 100)
    assert len(entries) == 7 * len(rows)


def test_that_every_table_says_its_date_its_source_and_what_is_not_confirmed() -> None:
    for table in library.catalogue().tables.values():
        dt.date.fromisoformat(table.as_of)
        assert table.title
        assert table.source
        assert table.entries
    unconfirmed = {t.name for t in library.catalogue().tables.values() if t.unconfirmed}
    assert {"sp_recovery_junior", "fitch_factors", "moodys_matrix_example"} <= unconfirmed
    assert "sp_recovery" not in unconfirmed


def test_that_a_deal_overrides_an_entry_and_the_result_follows() -> None:
    limits = (TestLimit(36, "", "MAX", 3000.0),)
    inputs = (*INPUTS.items(), ("Table moodys_factors B2", 2800.0))
    plain, changed = (judged(LOTS, 0.0, (), limits=limits, quality_inputs=q) for q in (tuple(INPUTS.items()), inputs))
    assert (plain.result(36).result, changed.result(36).result) == (2720.0, 2800.0)
    assert changed.plan is not None
    assert changed.plan.tables["moodys_factors"].overridden == (("B2",),)
    assert "Table moodys_factors, the deal's own: B2" in changed.result(36).reading


def test_that_what_is_not_confirmed_of_a_table_stands_beside_the_figures_made_of_it() -> None:
    done = judged(LOTS, 0.0, (140, 148, 160, 36))
    assert "not confirmed: CCC- is 5751.10 in one source" in done.result(140).reading
    assert "Table sp_recovery_junior, not confirmed: the whole table" in done.result(148).reading
    assert "Table fitch_factors, not confirmed: the whole table" in done.result(160).reading
    assert "not confirmed" not in done.result(36).reading


@pytest.mark.parametrize(
    ("label", "value", "says"),
    [
        ("Table nosuch B2", 1.0, "no reference table nosuch"),
        ("Table moodys_factors B9", 1.0, "no entry 'B9'"),
        ("Table moodys_factors B2", "high", "needs a number"),
        ("Table sp_recovery 1/90", 0.6, "no entry"),
    ],
)
def test_that_an_override_that_cannot_be_read_is_refused(label: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tables.of_deal(library.catalogue().tables, Deal("d", quality_inputs=((label, value),)))


def test_that_a_broken_table_is_refused_by_name() -> None:
    text = (ROOT / "resources" / "reference" / "sp_tables.yaml").read_text(encoding="utf-8")
    rows = yaml.safe_load(text)["tables"]
    for change in ({"values": {"AAA": "high"}}, {"keys": ["a", "b"]}, {"source": None, "values": None}):
        with pytest.raises(ValueError, match="sp_factors"):
            read_tables([{"tables": [rows[0] | change]}])
    with pytest.raises(ValueError, match="twice"):
        read_tables([{"tables": [rows[0], rows[0]]}])


# --- values that occur nowhere -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("country = Germny", "no asset has the Country “Germny”; near to it: Germany"),
        ("country in (Atlantis, Grmany)", "“Atlantis”; check how it is spelt; no asset has the Country “Grmany”"),
        ("country = Bermuda", None),  # a named set lists it: it is spelt right, and not held
        ("coupon_type = FIXED", None),  # the column may have it
        ("country = Germany and revolver", None),  # nothing counts, yet both occur
        ("country = Germny or country = USA", None),  # something counts
    ],
)
def test_that_a_misspelt_value_that_leaves_nothing_to_count_is_noted(text: str, says: str | None) -> None:
    notes = [n for n in evaluated(deal_with(("Mine", "max", 0.05, text))).notes if "counts nothing" in n]
    assert len(notes) == (says is not None)
    if says is not None:
        assert notes[0].startswith("Test 201 (Mine) counts nothing: ")
        assert says in notes[0]
