"""What a waterfall document may say, and that what is wrong is refused before anything runs."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from engine.waterfall import compile_waterfall, read_document
from engine.waterfall.schema import WaterfallError, class_id
from tests.engine.builders import TEMPLATES, template

BASE = template("us-2014-pari-passu-b")


def changed(section: str, place: int, step: Any) -> dict[str, Any]:
    data = copy.deepcopy(BASE)
    data["waterfalls"][section][place] = step
    return data


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in BASE.items() if k != key}


@pytest.mark.parametrize("name", TEMPLATES)
def test_that_the_shipped_documents_are_valid_and_compile_with_and_without_class_x(name: str) -> None:
    document = read_document(template(name))
    ids = list(document.class_ids)
    whole = compile_waterfall(document, ids)
    less = compile_waterfall(document, [i for i in ids if i != "X"])
    assert len(whole.labels) - len(less.labels) == 1  # only the step that is X's alone falls away
    assert len(whole.labels) == sum(len(s) for s in document.sections.values())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (without("wdl"), "wdl: 1"),
        (BASE | {"wdl": 2}, "wdl: 1"),
        (without("waterfalls"), "interest"),
        (without("classes"), "classes"),
        (without("name"), "name"),
        (changed("interest", 0, {"pay_everyone": {}}), "interest step 1"),
        (changed("interest", 0, {"pay_fee": {"fees": ["trustee"]}, "cure": {"tests": []}}), "interest step 1"),
        (changed("interest", 0, {"pay_fee": {"fees": ["nosuch"]}}), "nosuch"),
        (changed("interest", 0, {"pay_fee": {"fees": ["trustee"], "colour": 1}}), "colour"),
        (changed("interest", 3, {"pay_interest": {"classes": ["Z"]}}), "Z"),
        (changed("interest", 6, {"cure": {"tests": ["OC_Z"]}}), "OC_Z"),
        (changed("interest", 0, {"pay_fee": {"fees": ["trustee"]}, "when": "phase.summer"}), "summer"),
        (changed("interest", 0, {"pay_fee": {"fees": ["trustee"]}, "when": "perhaps"}), "perhaps"),
        (changed("interest", -1, {"pay_fee": {"fees": ["trustee"]}}), "last step"),
        (BASE | {"tests": BASE["tests"] | {"T": {"type": "nosuch", "classes": ["A"], "trigger": 1}}}, "nosuch"),
        (BASE | {"tests": BASE["tests"] | {"T": {"type": "oc", "classes": ["A"]}}}, "trigger"),
        (BASE | {"tests": BASE["tests"] | {"T": {"type": "oc", "classes": ["Z"], "trigger": 1}}}, "Z"),
        (BASE | {"classes": BASE["classes"] | {"F": {}}}, "F"),
        # a value that the language does not know is refused, not read as something else
        (changed("interest", 0, {"pay_fee": {"fees": ["trustee"], "part": "half"}}), "half"),
        (changed("interest", 4, {"pay_principal": {"classes": ["X"], "amount": "half"}}), "half"),
        (changed("principal", -2, {"reinvest": {"amount": "half"}}), "half"),
        (changed("interest", -3, {"divert": {"test": "DIV", "share": 0.5, "amount": "half"}}), "half"),
        (changed("interest", 3, {"pay_interest": {"classes": ["A"], "alloc": "by_age"}}), "by_age"),
        (changed("interest", 3, {"pay_interest": {"classes": ["A"], "include": ["everything"]}}), "everything"),
        (changed("interest", -1, {"hurdle_split": {"equity": "SUB", "book_as": "gift"}}), "gift"),
        (changed("principal", -1, {"run": {"waterfall": "interest"}}), "interest"),
        (BASE | {"capped": ["nosuch"]}, "nosuch"),
    ],
)
def test_that_a_wrong_document_is_refused_naming_what_is_wrong(data: dict[str, Any], says: str) -> None:
    with pytest.raises(WaterfallError, match=says):
        compile_waterfall(read_document(data), [c for c in BASE["classes"] if c != "X"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Class A-1", "A-1"), ("class B-2 ", "B-2"), ("C", "C"), ("Sub Notes", "SUB"), ("Subordinated Notes", "SUB")],
)
def test_that_the_names_of_classes_give_their_ids(name: str, expected: str) -> None:
    assert class_id(name) == expected
