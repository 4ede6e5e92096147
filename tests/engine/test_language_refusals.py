"""What a waterfall document may not say: each is refused naming place and remedy."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest

from engine.waterfall.document import WaterfallError
from engine.waterfall.language import read_document
from tests.engine.language_documents import EVERYTHING, changed, with_step

EQUITY = {"pay_equity": {"equity": "SUB"}}
FEE = {"pay_fee": {"fees": ["junior"]}}


def interest(*last: Any) -> dict[str, Any]:
    """EVERYTHING whose interest waterfall ends with these steps."""
    data = changed("waterfalls", "interest", -1, to=last[0])
    data["waterfalls"]["interest"] += last[1:]
    return data


def values(**made: Any) -> dict[str, Any]:
    """EVERYTHING with these values, used so that the check of unused ones is content."""
    data = changed("values", to=EVERYTHING["values"] | made)
    data["waterfalls"]["interest"].insert(0, {"assert": {"that": next(iter(made))}})
    return data


WRONG: list[tuple[dict[str, Any], str]] = [
    # the head
    (changed("wdl", to=...), "wdl: 1"),
    (changed("wdl", to=2), "wdl: 1"),
    (changed("wdl", to=True), "wdl: 1"),
    (changed("name", to=...), "'name'"),
    (changed("classes", to={}), "'classes'"),
    (changed("waterfalls", to=...), "interest, principal, nps and acceleration"),
    (EVERYTHING | {"colour": 1}, "does not know 'colour'; it knows wdl"),
    (changed("effective", to="15.3.2021"), "effective: .* is no date; write it as 2021-04-20"),
    (changed("effective", to=None), "Nothing stands after effective"),
    (changed("version", to=True), "version: True"),
    (changed("title", to=["a"]), "title: a list is no text"),
    # classes and groups
    (changed("classes", "B", to={"kind": "loan"}), "Class B, kind: 'loan' is none of debt"),
    (changed("classes", "B", to={"deferable": "always"}), "Class B does not know 'deferable'"),
    (changed("classes", "B", to={"deferrable": True}), "Class B, deferrable: True"),
    (changed("classes", "B", to={"optional": 1}), "neither true nor false"),
    (changed("classes", "B", to={"index_floor": 3, "index_cap": 2}), "write 5% or 0.05"),
    (changed("classes", "B", to={"index_floor": 0.03, "index_cap": 0.02}), "index_cap 0.02 is below"),
    (changed("classes", "SUB", to={"kind": "equity", "deferrable": "always"}), "equity, which has no deferrable"),
    (changed("classes", "B", to={"kind": "equity"}), "One class must have kind: equity.*SUB"),
    (changed("classes", "SUB", to=...), "here it is none"),
    (changed("classes", "F", to={}), "No step pays principal to class F"),
    (changed("classes", "A-1", "step_ups", 1, "from", to=dt.date(2023, 4, 20)), "put the dates in rising order"),
    (changed("classes", "A-1", "step_ups", 0, "from", to="2020-04-20"), "before 2021-03-15"),
    (changed("classes", "A-1", "step_ups", 0, "margin", to=150), "is no number from -0.1 to 1"),
    (changed("classes", "bad id", to={}), "'bad id' is no id"),
    (changed("classes", None, to={}), "nothing is no id"),
    (changed("groups", "A", to=["A-1", "Z"]), "Group A: class Z is not declared"),
    (changed("groups", "B", to=["A-1"]), "Group B: a class has that id"),
    (changed("groups", "A", to=["A-1", "A-1"]), "A-1 stands twice"),
    # fees, caps, accounts, inputs, contributions
    (changed("fees", "admin", "cap", to="other"), "Fee admin: cap other is not declared; there are: expenses"),
    (changed("fees", "admin", "basis", to="begin"), "Fee admin, basis"),
    (changed("fees", "admin", "name", to=...), "Fee admin has no name"),
    (changed("fees", "late", to="Late Fee"), "No step pays the fee late"),
    (changed("caps", "other", to={"fixed": 1}), "up to the cap other"),
    (changed("caps", "expenses", to={"carry_forward": 3}), "neither fixed nor percent"),
    (changed("caps", "expenses", "percent", to=2), "Cap expenses, percent: 2 is no number from 0 to 1"),
    (changed("caps", "expenses", "fixed", to=-1), "Cap expenses, fixed: -1"),
    (changed("caps", "expenses", "fixed", to="cash"), "only expressions of steps"),
    (changed("caps", "expenses", "carry_forward", to=1.5), "carry_forward: 1.5"),
    (changed("capped", to=["nosuch"]), "fee nosuch is not declared"),
    (changed("capped", to=["admin"]), "already stands under the cap expenses"),
    (changed("accounts", "idle", to={}), "Account idle is used nowhere"),
    (changed("accounts", "extra", to={"number": 5}), "Two accounts have one number"),
    (changed("accounts", "extra", to={"number": 0}), "Account extra, number"),
    (changed("waterfalls", "principal", 4, to={"reinvest": {}}), "Account extra is filled but never drawn on"),
    (changed("inputs", "idle", to="Idle"), "Input idle is used nowhere"),
    (changed("inputs", "turbo", to={"default": 1}), "Input turbo has no label"),
    (changed("inputs", "turbo", "default", to=math.nan), "no finite number"),
    (changed("inputs", "turbo", "default", to=10**400), "no finite number"),
    (changed("contributions", "holders", "account", to="nosuch"), "Contribution holders: account nosuch"),
    (changed("contributions", "holders", "rate", to=8), "write 8% or 0.08"),
    # tests
    (changed("tests", "OC_A", "type", to="nosuch"), "Test OC_A, type: 'nosuch' is none of oc"),
    (changed("tests", "OC_A", "of", to=...), "either a trigger or `of`"),
    (changed("tests", "OC_A", "trigger", to=1.2), "either a trigger or `of`"),
    (changed("tests", "OC_A", "classes", to=...), "has no classes"),
    (changed("tests", "OC_A", "classes", to=["A-3"]), "class A-3 is not declared; did you mean A-"),
    (changed("tests", "OC_A", "classes", to=["SUB"]), "SUB is equity, which no test covers"),
    (changed("tests", "OC_A", "of", to="Z"), "Test OC_A: class Z"),
    (changed("tests", "EOD", "trigger", to=102.5), "write 124.3% or 1.243"),
    (changed("tests", "EOD", "trigger", to="trigger label"), "Test EOD, trigger"),
    (changed("tests", "EOD", "trigger", to=True), "True is no number"),
    (changed("tests", "OC_C", "trigger", 1, "from", to="2020-01-20"), "2020-01-20 follows 2021-01-20"),
    (changed("tests", "OC_C", "trigger", 1, to={"from": "2024-01-20"}), r"write \{from"),
    (changed("tests", "OC_C", "numerator", to="cash"), "only expressions of steps"),
    (changed("tests", "OC_C", "numerator", to="test.OC_A.numerator"), "tests are measured together"),
    (changed("tests", "OC_C", "active", to="phase.late and phase.summer"), "phase summer is not declared"),
    # values, phases, the rest of the head
    (changed("values", "adjusted", to="cash"), "Value adjusted: `cash`"),
    (changed("values", "adjusted", to="test.OC_A.ratio"), "Test OC_C, numerator stands on test OC_A"),
    (changed("values", "adjusted", to="pool.size"), "there is no figure size of pool; there are performing"),
    (changed("values", "adjusted", to="pool"), "pool alone is no value"),
    (changed("values", "adjusted", to="class.A-1.balance-1"), "a minus sign stands between spaces"),
    (changed("values", "adjusted", to="class.A-1"), "write class.<id>.<figure>"),
    (changed("values", "adjusted", to="adjusted + 1"), "value adjusted -> value adjusted goes in a circle"),
    (changed("values", "adjusted", to="senior_unpade"), "did you mean senior_unpaid"),
    (changed("values", "adjusted", to="input.nosuch"), "input nosuch is not declared"),
    (changed("values", "adjusted", to="dates.today"), "no figure today of dates"),
    (changed("values", "adjusted", to="os.system"), "there is no reference os.system"),
    (changed("values", "adjusted", to="1e15 * 1e15"), "too large"),
    (values(one="two", two="one"), "goes in a circle"),
    (values(**{f"v{i}": f"v{i + 1} + 1" for i in range(60)}, v60=1), "stands on too many others"),
    (values(**{f"v{i}": f"v{i + 1} + v{i + 1}" for i in range(20)}, v20=1), "stands on too many others"),
    (changed("values", "cash", to=1), "Value cash: the name is taken"),
    (changed("values", "idle", to=1), "Value idle is used nowhere"),
    (changed("phases", "redemption", to=1), "Phase redemption is one of the language's own"),
    (changed("phases", "idle", to=1), "Phase idle is used nowhere"),
    (changed("phases", "late", to="not phase.late"), "phase late -> phase late goes in a circle"),
    (changed("event_of_default", to="phase.acceleration"), "stands on itself"),
    (changed("call", to="cash > 1"), "call: `cash`"),
    # dispatch and flow
    (changed("dispatch", 1, "when", to="phase.reinvestment"), "end with `when: true`"),
    (changed("dispatch", 0, "when", to=True), "put it last"),
    (changed("dispatch", 0, "run", to="nosuch"), "waterfall nosuch is not declared"),
    (changed("dispatch", 0, "run", to=...), "dispatch rule 1 runs nothing"),
    (changed("dispatch", 0, "run", to=["acceleration", "interest"]), "the second would get nothing"),
    (changed("dispatch", 1, "run", to=["nps", "interest", "principal"]), "put it at the end"),
    (changed("dispatch", 1, "run", to=["interest", "nps"]), "Waterfall principal never runs"),
    (changed("dispatch", to=[]), "dispatch: the list is empty"),
    (changed("waterfalls", "idle", to={"source": "interest", "steps": [EQUITY]}), "Waterfall idle never runs"),
    (changed("waterfalls", "idle", to=[EQUITY]), "Waterfall idle has no source"),
    (changed("waterfalls", "nps", to=[]), "Waterfall nps has no steps"),
    (changed("waterfalls", "nps2", to={"source": "notes", "steps": [EQUITY]}), "all pay out the note pot"),
    (
        with_step("senior", 0, {"run": {"waterfall": "interest"}}),
        "in a circle: (interest -> )?senior -> interest",
    ),
    (with_step("nps", 0, {"cure": {"tests": ["OC_A"]}}), "pays out the pot that cure would fill"),
    (
        with_step("principal", 0, {"divert": {"test": "DIV"}}),
        "only interest can be diverted to principal",
    ),
    (with_step("senior", 0, {"divert": {"test": "DIV"}}), "senior pays out interest and principal"),
    (with_step("senior", 0, {"transfer": {"to": "principal"}}), "senior pays out interest and principal already"),
    (with_step("principal", 0, {"run": {"waterfall": "interest"}}), "interest pays out interest and principal"),
    (with_step("interest", 0, {"transfer": {"to": "interest", "amount": 1}}), "interest pays out interest already"),
    (with_step("interest", 0, EQUITY), r"interest step 2 \(run, B\) never gets cash: interest step 1"),
    (interest(FEE), r"interest step 21 \(pay_fee, U\): the last step must give away all"),
    (interest(EQUITY | {"when": "phase.late"}), "without condition or limit"),
    (interest(EQUITY | {"cap": 5}), "without condition or limit"),
    (interest(EQUITY | {"share": 0.5}), "without condition or limit"),
    (interest({"branch": {"if": "phase.late", "then": [EQUITY]}}), "the last step must give away all"),
    (interest({"branch": {"if": "phase.late", "then": [EQUITY], "else": [FEE]}}), "the last step must"),
    (interest({"run": {"waterfall": "senior"}}), "the last step must give away all"),
    (interest({"to_account": {"account": "reserve", "target": 5}}), "the last step must give away all"),
    (
        interest({"branch": {"if": "phase.late", "then": [EQUITY, FEE]}}, EQUITY),
        r"then step 2 \(pay_fee, ii\) never gets",
    ),
    (changed("waterfalls", "nps", 3, to=EQUITY), "never gets cash"),
    (changed("waterfalls", "nps", 3, to=FEE), "test OC_C counts class C, whose principal nps never pays"),
    # steps
    (with_step("interest", 0, {"pay_everyone": {}}), "interest step 1: 'pay_everyone' is not one step"),
    (with_step("interest", 0, FEE | EQUITY), "interest step 1: 'pay_fee', 'pay_equity' is not one step"),
    (with_step("interest", 0, {}), "interest step 1: nothing is not one step"),
    (with_step("interest", 0, "pay_fee"), "interest step 1: 'pay_fee' stands where a mapping"),
    (with_step("interest", 0, FEE | {"colour": 1}), "is not one step"),
    (with_step("interest", 0, FEE | {"when": None}), "nothing stands after when"),
    (with_step("interest", 0, FEE | {"when": "perhaps"}), "value perhaps is not declared"),
    (with_step("interest", 0, FEE | {"when": "phase.summer"}), r"interest step 1 \(pay_fee, A\), when: phase summer"),
    (with_step("interest", 0, FEE | {"share": 1.5}), "share: 1.5 is no number from 0 to 1"),
    (with_step("interest", 0, FEE | {"share": True}), "share: True is no number"),
    (with_step("interest", 0, FEE | {"cap": "0 - 5"}), "cap: -5"),
    (with_step("interest", 0, FEE | {"id": "residual"}), "another step has the id residual"),
    (with_step("interest", 0, {"pay_fee": {}}), "pay_fee names no fees"),
    (with_step("interest", 0, {"pay_fee": {"fees": []}}), "the list is empty"),
    (with_step("interest", 0, {"pay_fee": {"fees": ["nosuch"]}}), r"step 1 \(pay_fee, A\): fee nosuch is not declared"),
    (with_step("interest", 0, {"pay_fee": {"fees": ["base", "base"]}}), "base stands twice"),
    (with_step("interest", 0, {"pay_fee": {"fees": ["base"], "part": "half"}}), "'half' is none of all"),
    (with_step("interest", 0, {"pay_fee": {"fees": ["base"], "part": "capped"}}), "fee base stands under no cap"),
    (with_step("interest", 0, {"pay_fee": {"fees": ["base"], "alloc": "weights"}}), "'weights' is none of sequential"),
    (
        with_step("interest", 0, {"pay_fee": {"fees": ["base"], "colour": 1}}),
        "pay_fee does not know 'colour'; it knows fees",
    ),
    (with_step("interest", 0, {"pay_interest": {"classes": ["Z"]}}), "class Z is not declared"),
    (with_step("interest", 0, {"pay_interest": {"classes": ["SUB"]}}), "pay it with pay_equity"),
    (with_step("interest", 0, {"pay_interest": {"classes": ["A", "A-1"]}}), "A-1 stands twice"),
    (with_step("interest", 0, {"pay_interest": {"classes": ["B"], "include": ["all"]}}), "'all' is none of current"),
    (with_step("interest", 0, {"pay_interest": {"classes": ["B"], "alloc": "by_age"}}), "'by_age'"),
    (with_step("interest", 0, {"pay_interest": {"classes": ["A"], "alloc": "weights"}}), "go together"),
    (with_step("interest", 0, {"pay_interest": {"classes": ["A"], "weights": [1]}}), "go together"),
    (
        with_step("interest", 0, {"pay_deferred": {"classes": "A", "alloc": "weights", "weights": [1]}}),
        "classes 2, weights 1",
    ),
    (
        with_step("interest", 0, {"pay_deferred": {"classes": "A", "alloc": "weights", "weights": [1, 1]}}),
        "add up to 2",
    ),
    (with_step("interest", 0, {"pay_principal": {"classes": ["B"], "amount": "scheduled"}}), "class B has no schedule"),
    (with_step("interest", 0, {"pay_principal": {"classes": ["B"], "amount": "half"}}), "value half is not declared"),
    (with_step("interest", 0, {"pay_principal": {"classes": ["B"], "stop_at": -1}}), "stop_at: -1"),
    (with_step("interest", 0, {"cure": {"tests": ["OC_Z"]}}), "test OC_Z is not declared"),
    (with_step("interest", 0, {"cure": {"tests": ["OC_A"], "via": "principal"}}), "via: 'principal'"),
    (with_step("interest", 0, {"divert": {"share": 0.5}}), "divert names no test"),
    (with_step("interest", 0, {"divert": {"test": "DIV", "share": 2}}), "share: 2"),
    (with_step("interest", 0, {"divert": {"test": "IC_A"}}), "which no par cures"),
    (with_step("interest", 0, {"divert": {"test": "DIV", "to": "equity"}}), "'equity' is none of principal"),
    (with_step("interest", 0, {"divert": {"test": "DIV", "to": "account:x"}}), "account x is not declared"),
    (with_step("interest", 0, {"reinvest": {"amount": "half"}}), "value half"),
    (with_step("interest", 0, {"to_account": {"account": "x"}}), "account x is not declared"),
    (with_step("interest", 0, {"to_account": {"account": "reserve", "amount": -1}}), "amount: -1"),
    (with_step("interest", 0, {"from_account": {"account": "reserve"}, "share": 0.5}), "share means nothing beside"),
    (with_step("interest", 0, {"transfer": {"to": "equity"}}), "'equity' is none of interest"),
    (with_step("interest", 0, {"run": {"waterfall": "nosuch"}}), "waterfall nosuch is not declared"),
    (with_step("interest", 0, {"repay_contribution": {"contribution": "x"}}), "contribution x is not declared"),
    (with_step("interest", 0, {"retain": {"amount": "1 +"}}), "interest step 1 .*end of the text"),
    (
        with_step("interest", 0, {"branch": {"if": "phase.late", "then": [{"x": 1}]}}),
        r"\(branch, A\), then step 1: 'x'",
    ),
    (
        with_step("interest", 0, {"branch": {"if": "phase.late", "then": [FEE]}, "cap": 1}),
        "cap means nothing beside branch",
    ),
    (with_step("interest", 0, {"branch": {"then": [FEE]}}), "branch names no if"),
    (interest({"pay_equity": {"equity": "B"}}), "class B is not the equity; write SUB"),
    (interest({"pay_equity": {"equity": "SUB", "book_as": "gift"}}), "book_as: 'gift'"),
    (interest({"hurdle_split": {"equity": "SUB", "manager_share": 20}}), "manager_share: 20"),
    (interest({"hurdle_split": {"equity": "SUB", "manager_share": 0.2, "tiers": [{}]}}), "beside tiers"),
    (interest({"hurdle_split": {"equity": "SUB", "tiers": [{"irr": 0.15}, {"irr": 0.12}]}}), "rising order"),
    (interest({"hurdle_split": {"equity": "SUB", "tiers": [{"irr": 12}]}}), "12% or 0.12"),
    (interest({"hurdle_split": {"equity": "SUB", "tiers": [{"moic": "deal"}]}}), "moic has no figure"),
    (interest({"hurdle_split": {"equity": "SUB", "tiers": [{"irr": 0.1, "moic": 2}]}}), "a tier for each"),
]


@pytest.mark.parametrize(("data", "says"), WRONG, ids=[says for _, says in WRONG])
def test_that_a_wrong_document_is_refused_naming_what_is_wrong(data: dict[str, Any], says: str) -> None:
    with pytest.raises(WaterfallError, match=says) as refused:
        read_document(data)
    assert len(str(refused.value)) < 700
    assert str(refused.value).endswith((".", "?"))


@pytest.mark.parametrize("data", [None, [], "wdl: 1", 5, True])
def test_that_what_is_no_mapping_is_refused(data: Any) -> None:
    with pytest.raises(WaterfallError):
        read_document(data)


def test_that_branches_within_branches_end() -> None:
    step: dict[str, Any] = FEE
    for _ in range(200):
        step = {"branch": {"if": "phase.late", "then": [step]}}
    with pytest.raises(WaterfallError, match="8 branches within each other"):
        read_document(with_step("interest", 0, step))


def test_that_a_branch_that_holds_itself_ends() -> None:
    step: dict[str, Any] = {"branch": {"if": "phase.late"}}
    step["branch"]["then"] = [step, step]
    with pytest.raises(WaterfallError, match="branches within each other"):
        read_document(with_step("interest", 0, step))


def test_that_waterfalls_which_run_one_another_many_times_over_are_refused() -> None:
    data = changed("waterfalls", "w0", to={"source": "interest", "steps": [FEE]})
    for i in range(1, 40):
        twice = [{"run": {"waterfall": f"w{i - 1}"}}] * 2
        data["waterfalls"][f"w{i}"] = {"source": "interest", "steps": twice}
    data["waterfalls"]["interest"].insert(0, {"run": {"waterfall": "w39"}})
    with pytest.raises(WaterfallError, match="within each other"):
        read_document(data)
