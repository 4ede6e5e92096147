"""What a waterfall document may say: how it reads, and how it is listed. What is refused: test_language_refusals."""

from __future__ import annotations

import datetime as dt
import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.waterfall.document import AccountTerms, InputTerms, Step, Tier, class_id
from engine.waterfall.expressions import Binary, Controlling, Number, Reference, SumOver, Unary, constant, parse
from engine.waterfall.language import read_document
from engine.waterfall.listing import lines, listing
from engine.waterfall.reading import Expressions
from engine.waterfall.step_reading import COMMON, KEYS, StepReader, walk
from tests.engine.language_documents import EVERYTHING, ROOT, TEMPLATES, shipped

DOCUMENT = read_document(EVERYTHING)


def steps(waterfall: str, kind: str) -> list[Step]:
    return [s for _, s in walk(waterfall, DOCUMENT.waterfalls[waterfall].steps) if s.type == kind]


# --- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.stem)
def test_that_the_shipped_documents_are_valid_and_named_as_their_files(path: Path) -> None:
    document = read_document(shipped(path))
    assert document.name == path.stem
    text = listing(document)
    assert text.startswith(document.title)
    assert text.count("\n  (") == sum(len(w.steps) for w in document.waterfalls.values())


def test_that_the_document_of_everything_uses_every_type_of_step() -> None:
    used = {s.type for name, w in DOCUMENT.waterfalls.items() for _, s in walk(name, w.steps)}
    assert used == set(KEYS)


def test_that_the_head_of_a_document_is_read() -> None:
    assert (DOCUMENT.name, DOCUMENT.title, DOCUMENT.version) == ("everything", "All keys, all steps", 2)
    assert DOCUMENT.effective == dt.date(2021, 3, 15)
    assert DOCUMENT.equity == "SUB"
    assert DOCUMENT.accounts == (AccountTerms("reserve", 5), AccountTerms("extra"))
    assert DOCUMENT.inputs[0] == InputTerms("cap_fixed", "Senior Expense Cap Fixed", 200_000.0)
    assert DOCUMENT.inputs[1] == InputTerms("taxes", "Taxes", 0.0)
    assert DOCUMENT.contributions[0].rate == pytest.approx(0.08)
    assert DOCUMENT.caps[0].carry_forward == 3
    assert constant(DOCUMENT.caps[0].percent) == pytest.approx(0.0002)


def test_that_the_terms_of_classes_are_read() -> None:
    a1, a2, b = (next(c for c in DOCUMENT.classes if c.id == i) for i in ("A-1", "A-2", "B"))
    assert (a1.deferrable, a1.index_floor, a1.index_cap) == ("never", None, None)
    assert a1.step_ups == ((dt.date(2023, 4, 20), pytest.approx(0.015)), (dt.date(2025, 4, 20), 0.02))
    assert (a2.interest_on_unpaid, a2.index_floor, a2.index_cap) == (False, 0.0, 0.08)
    assert (b.deferrable, b.interest_on_deferred) == ("if_not_controlling", False)


def test_that_tests_take_triggers_from_the_class_a_number_an_input_or_a_schedule() -> None:
    tests = {t.id: t for t in DOCUMENT.tests}
    assert (tests["OC_A"].of, tests["OC_A"].trigger) == ("A-1", None)
    assert tests["IC_A"].trigger == pytest.approx(1.2)
    assert not tests["IC_A"].pass_on_equal
    assert tests["OC_C"].trigger == ((dt.date(2021, 1, 20), 1.05), (dt.date(2023, 1, 20), pytest.approx(1.06)))
    assert tests["OC_C"].active == Binary(">", Reference(("period",)), Number(1.0))
    assert tests["DIV"].trigger == "Interest diversion trigger"


def test_that_groups_stand_for_their_members_in_lists_and_in_expressions() -> None:
    assert next(t for t in DOCUMENT.tests if t.id == "OC_C").classes == ("A-1", "A-2", "B", "C")
    assert next(t for t in DOCUMENT.tests if t.id == "OC_C").denominator == SumOver(("A-1", "A-2", "B", "C"), "total")
    assert steps("interest", "pay_interest")[0].ids("classes") == ("X", "A-1", "A-2")


def test_that_a_step_left_short_says_all_its_terms() -> None:
    (fee,) = (s for s in steps("interest", "pay_fee") if s.ids("fees") == ("junior",))
    assert fee.terms == {"fees": ("junior",), "part": "all", "alloc": "sequential"}
    assert steps("interest", "pay_interest")[1].terms["include"] == ("current",)
    assert steps("interest", "divert")[0].terms == {
        "test": "DIV",
        "share": Number(0.5),
        "amount": "par_cure",
        "to": "principal",
    }
    assert steps("principal", "reinvest")[0].terms == {"amount": "policy"}
    assert steps("principal", "from_account")[1].terms == {"account": "extra", "amount": "all"}
    assert steps("acceleration", "pay_equity")[0].terms == {"equity": "SUB", "book_as": "interest"}
    assert steps("interest", "cure")[0].terms == {"tests": ("OC_A", "IC_A")}


def test_that_the_common_words_of_a_step_are_read() -> None:
    (to_reserve,) = steps("interest", "to_account")
    assert (constant(to_reserve.cap or Number(0)), constant(to_reserve.cap_life or Number(0))) == (25_000, 200_000)
    assert steps("interest", "cure")[1].share == Number(0.8)
    assert steps("principal", "pay_interest")[0].when == Controlling("B")
    (split,) = steps("interest", "hurdle_split")
    assert split.id == "residual"
    assert split.terms["tiers"] == (
        Tier("irr", pytest.approx(0.12), pytest.approx(0.2), 0.5),
        Tier("irr", pytest.approx(0.15), pytest.approx(0.3)),
        Tier("moic", 2.5),
    )
    (branch,) = steps("interest", "branch")
    assert [s.type for s in branch.terms["then"]] == ["pay_principal", "transfer"]
    assert [s.type for s in branch.terms["otherwise"]] == ["retain"]
    assert branch.terms["then"][0].label == "Turbo"


def test_that_without_a_dispatch_acceleration_and_redemption_go_in_one_pot() -> None:
    document = read_document(shipped(ROOT / "resources/waterfalls/us-2014-pari-passu-b.yaml"))
    assert [r.run for r in document.dispatch] == [("acceleration",), ("interest", "principal", "nps")]
    assert document.dispatch[0].when == parse("phase.acceleration or phase.redemption", "here")
    assert constant(document.dispatch[1].when) == 1.0
    assert {n: w.source for n, w in document.waterfalls.items()} == {
        "interest": "interest",
        "principal": "principal",
        "nps": "notes",
        "acceleration": "both",
    }


def test_that_the_short_spelling_of_capped_fees_is_one_cap_that_is_infinite_where_the_deal_is_silent() -> None:
    document = read_document(shipped(ROOT / "resources/waterfalls/us-2024-class-x.yaml"))
    (cap,) = document.caps
    assert (cap.id, cap.carry_forward) == ("senior_expenses", 0)
    assert {f.id: f.cap for f in document.fees} == {
        "trustee": "senior_expenses",
        "admin": "senior_expenses",
        "base": None,
        "junior": None,
    }
    fixed, percent = document.inputs
    assert (fixed.label, fixed.default) == ("Senior Expense Cap Fixed", math.inf)
    assert (percent.label, percent.default) == ("Senior Expense Cap Percent", 0.0)

    def worth(of: Any, values: dict[str, float]) -> float:
        """The expression with the inputs put in."""
        if isinstance(of, Reference):
            return values[of.path[1]]
        if isinstance(of, Number):
            return of.value
        if isinstance(of, Binary):
            a, b = worth(of.left, values), worth(of.right, values)
            return float(a > b) if of.operator == ">" else float(bool(a) and bool(b))
        condition, then, otherwise = of.arguments
        return worth(then if worth(condition, values) else otherwise, values)

    for given_fixed, given_percent, expected in (
        (None, None, math.inf),
        (None, 0.01, 0.0),
        (5e4, None, 5e4),
        (5e4, 0.01, 5e4),
    ):
        values = {
            fixed.id: fixed.default if given_fixed is None else given_fixed,
            percent.id: percent.default if given_percent is None else given_percent,
        }
        assert worth(cap.fixed, values) == expected
        assert worth(cap.percent, values) == (given_percent or 0.0)


def test_that_a_share_of_the_manager_of_the_short_spelling_is_one_tier() -> None:
    step = {"hurdle_split": {"equity": "SUB", "manager_share": 0.2}}
    (read,) = StepReader(Expressions({})).steps("interest", [step])
    assert read.terms["tiers"] == (Tier(manager_share=0.2),)
    (read,) = StepReader(Expressions({})).steps("interest", [{"hurdle_split": {"equity": "SUB"}}])
    assert read.terms["tiers"] == (Tier(),)


def test_that_shared_steps_need_not_end_a_waterfall_that_only_others_run() -> None:
    assert DOCUMENT.waterfalls["senior"].steps[-1].type == "pay_fee"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Class A-1", "A-1"), ("class B-2 ", "B-2"), ("C", "C"), ("Sub Notes", "SUB"), ("Subordinated Notes", "SUB")],
)
def test_that_the_names_of_classes_give_their_ids(name: str, expected: str) -> None:
    assert class_id(name) == expected


# --- the listing -----------------------------------------------------------------------------------------------------


def test_that_every_step_has_a_clause_and_those_of_a_branch_are_numbered_on() -> None:
    made = list(lines(DOCUMENT))
    assert len(made) == sum(len(list(walk(n, w.steps))) for n, w in DOCUMENT.waterfalls.items())
    assert [c.clause.letter for c in made if c.clause.depth] == ["O(i)", "O(ii)", "O(iii)"]
    (branch,) = (c for c in made if c.clause.letter == "O" and c.clause.waterfall == "interest")
    assert branch.text == "if in the phase late and Class C factor is below 50%, (i) to (ii); otherwise (iii)"


def test_that_a_clause_says_when_it_applies_and_what_limits_it() -> None:
    made = {(c.clause.waterfall, c.clause.letter): c for c in lines(DOCUMENT)}
    assert made["principal", "C"].when == "if Class B is the controlling class"
    assert "at most 25,000 on a payment date" in made["interest", "B"].text
    assert (
        made["senior", "B"].text == "to the Trustee Fee and Admin Fee, pro rata by what is due, up to the expense cap"
    )
    assert made["nps", "A"].text == "to principal of Class A-1 and Class A-2, pro rata by balance"
    assert made["acceleration", "A"].text.endswith("Class A-1, then Class A-2, then Class B, then Class C")


def test_that_the_listing_opens_with_what_runs_when() -> None:
    text = listing(DOCUMENT)
    assert "1. after acceleration or on redemption: Acceleration, redemption and final payment" in text
    assert "2. otherwise: Interest proceeds, then Principal proceeds, then Note payment sequence" in text


# --- the reference in docs/ ------------------------------------------------------------------------------------------

REFERENCE = (ROOT / "docs" / "waterfall-language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.split("\n")[0][:40])
def test_that_the_examples_of_the_reference_can_be_read(example: str) -> None:
    found = yaml.safe_load(example)
    if isinstance(found, list):
        assert StepReader(Expressions({"B": ("B-1", "B-2")})).steps("interest", found)
    elif "wdl" in found:
        assert read_document(found)
    else:
        assert set(found) <= set(EVERYTHING) | {"capped"}


def test_that_the_reference_names_every_key_and_every_type_of_step() -> None:
    for key in [*EVERYTHING, "capped", *KEYS, *COMMON]:
        assert f"`{key}`" in REFERENCE
    for keys in KEYS.values():
        for key in keys:
            assert f"`{key}`" in REFERENCE or f"{key}:" in REFERENCE


def test_that_not_is_read_before_a_condition() -> None:
    assert parse("not phase.redemption", "here") == Unary("not", Reference(("phase", "redemption")))
