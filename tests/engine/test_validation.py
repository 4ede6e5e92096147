"""Model validation: what a file may say, what a figure must meet, what is never called passed."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import resources
from engine import validation
from engine.validation import Answer, CaseError, Report, read_cases, validate
from engine.validation.compare import compare, tolerance_of

PACK: dict[str, Any] = json.loads(resources.path("validation/pack.json").read_text(encoding="utf-8"))


def case(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": "WF-2-x", "inputs": {"available": 9e6, "balances": {"B-1": 2e7, "B-2": 1e7}}}
    return plain | {"expected": {"paid": {"B-1": 6e6, "B-2": 3e6}}} | changes


def run(*rows: Any) -> Report:
    return validate(read_cases({"cases": list(rows)}))


def outcome(row: dict[str, Any]) -> str:
    return run(row).results[0].outcome


def changed(value: Any) -> Any:
    """The same structure with its first figure moved by a hundredth of a percent and a little."""
    if isinstance(value, dict):
        made = copy.deepcopy(value)
        for key in made:
            moved = changed(made[key])
            if moved != made[key]:
                made[key] = moved
                return made
        return made
    if isinstance(value, list):
        for i, item in enumerate(value):
            moved = changed(item)
            if moved != item:
                return [*value[:i], moved, *value[i + 1 :]]
        return value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value * 1.0001 + 0.001
    return value


# --- the pack ----------------------------------------------------------------------------------------------------


def test_that_the_project_s_own_pack_passes() -> None:
    report = validate(read_cases(PACK))
    assert [(r.case.id, row) for r in report.results for row in r.failing] == []
    assert report.failed == ()
    assert report.count(validation.NOT_COVERED) == 0


def test_that_the_pack_covers_every_kind_and_names_a_source_for_every_case() -> None:
    cases = read_cases(PACK)
    assert {validation.kind_of(c) for c in cases} == set(validation.KINDS)
    assert [c.id for c in cases if not c.notes] == []


@pytest.mark.parametrize("row", PACK["cases"], ids=[row["id"] for row in PACK["cases"]])
def test_that_a_wrong_figure_fails_the_case(row: dict[str, Any]) -> None:
    wrong = row | {"expected": changed(row["expected"])}
    if wrong["expected"] == row["expected"]:  # nothing but dates
        wrong["expected"] = {key: [*days[:-1], "2030-01-02"] for key, days in row["expected"].items()}
    assert wrong["expected"] != row["expected"]
    needed = [other for other in PACK["cases"] if other["id"] == row["inputs"].get("asset_case")]
    report = run(wrong, *needed)
    assert {r.case.id for r in report.failed} == (set() if row["mode"] == "legacy" else {row["id"]})


# --- what is never called passed ---------------------------------------------------------------------------------


def test_that_an_unknown_kind_is_not_covered() -> None:
    assert outcome(case(id="XYZ-1")) == validation.NOT_COVERED
    assert outcome(case(kind="XYZ")) == validation.NOT_COVERED
    assert outcome(case(id="WF-22")) == validation.NOT_COVERED  # a longer word is another word
    assert outcome(case()) == validation.PASSED


def test_that_a_kind_named_by_the_case_is_taken_before_its_id() -> None:
    assert outcome(case(id="ours-7", kind="WF-2")) == validation.PASSED


def test_that_a_legacy_case_without_a_counterpart_is_listed_as_not_run() -> None:
    result = run(case(id="XYZ-1", mode="legacy")).results[0]
    assert result.outcome == validation.LEGACY
    assert "not run" in result.remarks[0]


def test_that_a_figure_the_engine_does_not_compute_fails() -> None:
    assert outcome(case(expected={"paid": {"B-9": 1.0}})) == validation.FAILED
    assert outcome(case(expected={"yield": 0.0})) == validation.FAILED
    assert outcome(case(expected=[1.0])) == validation.FAILED


def test_that_a_payment_the_case_does_not_expect_fails() -> None:
    row = next(row for row in PACK["cases"] if row["id"] == "WDL-tests-pass")
    less = {name: figure for name, figure in row["expected"].items() if name != "incentive"}
    result = run(row | {"expected": less}).results[0]
    assert [r.path for r in result.failing] == ["incentive"]


def test_that_a_list_longer_or_shorter_than_expected_fails() -> None:
    row = next(row for row in PACK["cases"] if row["id"] == "CAL-TARGET-2026")
    days = row["expected"]["holidays"]
    for other in (days[:-1], [*days, "2026-12-31"]):
        assert outcome(row | {"expected": {"holidays": other}}) == validation.FAILED


def test_that_text_for_a_number_and_one_for_true_fail() -> None:
    assert compare({"a": 1.0}, Answer({"a": "1.0"}), None)[0].outcome == "fail"
    assert compare({"a": 1.0}, Answer({"a": True}), None)[0].outcome == "fail"
    assert compare({"a": True}, Answer({"a": 1}), None)[0].outcome == "fail"
    assert compare({"a": None}, Answer({"a": 0.0}), None)[0].outcome == "fail"


@given(st.floats(allow_nan=True), st.floats(-1e15, 1e15))
def test_that_a_computed_figure_passes_exactly_within_its_tolerance(computed: float, expected: float) -> None:
    (row,) = compare({"a": expected}, Answer({"a": computed}), None)
    near = math.isfinite(computed) and abs(computed - expected) <= tolerance_of(expected, None)
    assert row.outcome == ("pass" if near else "fail")


def test_that_the_case_s_own_tolerance_counts_but_never_finer_than_a_double() -> None:
    assert tolerance_of(0.05, 1e-8) == 1e-8
    assert tolerance_of(4e6, 1e-12) == pytest.approx(4e-8)
    assert tolerance_of(1e6, None) == pytest.approx(1e-5)
    assert tolerance_of(0.0, None) == 1e-6


# --- malformed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "no list `cases`"),
        ({"cases": {}}, "no list `cases`"),
        ({"cases": []}, "empty"),
        ({"cases": [1]}, "number 1 is no mapping"),
        ({"cases": [case(id="")]}, "has no id"),
        ({"cases": [case(id=7)]}, "has no id"),
        ({"cases": [case(inputs=[1])]}, "no mapping `inputs`"),
        ({"cases": [case(expected=None)]}, "nothing in `expected`"),
        ({"cases": [case(expected={})]}, "nothing in `expected`"),
        ({"cases": [case(tolerance="tight")]}, "tolerance"),
        ({"cases": [case(tolerance=-1)]}, "tolerance"),
        ({"cases": [case(mode=3)]}, "mode that is no text"),
        ({"cases": [case(), case()]}, "Two cases"),
        ({"cases": [case(inputs={"x": math.inf})]}, "infinite"),
        ({"cases": [case(inputs={"x": 10**400})]}, "infinite"),
        ({"cases": [case()] * 10_001}, "split it"),
    ],
)
def test_that_a_file_of_the_wrong_shape_is_refused_with_the_place(data: Any, words: str) -> None:
    with pytest.raises(CaseError, match=words):
        read_cases(data)


def test_that_deep_nesting_is_refused() -> None:
    deep: Any = 1.0
    for _ in range(60):
        deep = [deep]
    with pytest.raises(CaseError, match="nested"):
        read_cases({"cases": [case(inputs={"x": deep})]})


@pytest.mark.parametrize("row", PACK["cases"], ids=[row["id"] for row in PACK["cases"]])
@pytest.mark.parametrize("inputs", [{}, "emptied", "texts"])
def test_that_inputs_a_runner_cannot_use_fail_with_a_reason_and_without_a_traceback(
    row: dict[str, Any], inputs: Any
) -> None:
    if inputs == "emptied":
        inputs = {
            key: type(value)() if isinstance(value, list | dict) else None for key, value in row["inputs"].items()
        }
    elif inputs == "texts":
        inputs = dict.fromkeys(row["inputs"], "?")
    report = run(row | {"inputs": inputs}, case())
    first, second = report.results
    assert second.outcome == validation.PASSED  # the others are run nonetheless
    assert first.outcome in (validation.FAILED, validation.LEGACY)
    if first.outcome == validation.FAILED and not first.rows:
        assert first.remarks[0].startswith("could not be run")


@pytest.mark.parametrize(
    ("case_id", "change", "words"),
    [
        ("POOL-two-periods", {"asset_case": "AST-9"}, "AST-9"),
        ("WDL-tests-pass", {"wdl": "elsewhere.json:X"}, "elsewhere.json"),
        ("WDL-tests-pass", {"phase": "ramp-up"}, "ramp-up"),
        ("DC-act-360", {"convention": "Act/361"}, "Act/361"),
        ("CAL-TARGET-2026", {"calendar": "Mars"}, "Mars"),
        ("SCH-short-first", {"tenor": "0M"}, "month"),
        ("SCH-short-first", {"rule": "Forward"}, "Forward"),
        ("SCH-short-first", {"convention": "Nearest"}, "Nearest"),
        ("CAL-TARGET-2026", {"year": 99999}, "99999"),
        ("DEAL-two-dates", {"periods": 10_000}, "10000"),
    ],
)
def test_that_a_reference_or_a_word_that_is_unknown_is_named(case_id: str, change: Any, words: str) -> None:
    row = next(row for row in PACK["cases"] if row["id"] == case_id)
    result = run(row | {"inputs": row["inputs"] | change}).results[0]
    assert result.outcome == validation.FAILED
    assert words in result.remarks[0]


def test_that_only_bare_names_of_json_files_are_asked_for() -> None:
    names = ["waterfalls.json:A", "../secret.json:A", "/etc/x.json:A", "a\\b.json:A", "notes.txt:A", ":A"]
    cases = read_cases({"cases": [case(id=f"WDL-{i}", inputs={"wdl": name}) for i, name in enumerate(names)]})
    assert validation.files_named(cases) == ("waterfalls.json",)
