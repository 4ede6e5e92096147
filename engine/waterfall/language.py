"""The waterfall language: a document read from plain data (YAML or JSON) and checked before anything runs.

What each key means is said in docs/waterfall-language.md. Whatever the data are, the answer is a Document or a
WaterfallError that names the place and the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.waterfall.checks import check
from engine.waterfall.document import (
    AccountTerms,
    Cap,
    ClassTerms,
    Contribution,
    Document,
    FeeClause,
    InputTerms,
    Rule,
    TestTerms,
    Waterfall,
    WaterfallError,
)
from engine.waterfall.expressions import Binary, Expression, Function, Number, Reference
from engine.waterfall.reading import (
    Expressions,
    date,
    entries,
    flag,
    identifier,
    identifiers,
    items,
    mapping,
    number,
    once,
    schedule,
    text,
    whole,
    word,
)
from engine.waterfall.step_reading import SENIOR_EXPENSES, StepReader

KEYS: Final = (
    "wdl name title version effective classes groups fees caps capped accounts inputs contributions tests values"
    " phases waterfalls dispatch event_of_default call"
).split()
"""What stands at the top of a document."""
SOURCES: Final[Mapping[str, str]] = {
    "interest": "interest",
    "principal": "principal",
    "nps": "notes",
    "acceleration": "both",
}
"""The source of a waterfall of that name, where none is written."""
KINDS: Final = ("debt", "class_x", "equity")
TEST_TYPES: Final = ("oc", "ic", "diversion", "eod")


def read_document(data: Mapping[str, Any]) -> Document:
    """A document from parsed YAML or JSON, checked. Raises WaterfallError naming the step and what to change."""
    found = mapping("The document", data, KEYS)
    if isinstance(found.get("wdl"), bool) or found.get("wdl") != 1:
        raise WaterfallError("The document does not say `wdl: 1`, the only version this application reads.")
    for key in ("name", "classes", "waterfalls"):
        if not found.get(key):
            raise WaterfallError(
                f"The document has no {key!r}; each document needs it"
                + (", with the lists interest, principal, nps and acceleration." if key == "waterfalls" else ".")
            )
    blank = [key for key in KEYS if key in found and found[key] is None]
    if blank:
        raise WaterfallError(f"Nothing stands after {', '.join(blank)}; write it or take the key out.")
    groups = _groups(found)
    expressions = Expressions(groups)
    fees, caps, inputs = _fees(found, expressions)
    waterfalls = _waterfalls(found, StepReader(expressions))
    document = Document(
        name=text("name", found["name"]),
        title=text("title", found.get("title", found["name"])),
        version=whole("version", found.get("version", 1), 1, 10**6),
        effective=date("effective", found["effective"]) if "effective" in found else None,
        classes=tuple(_class(i, terms) for i, terms in entries("classes", found["classes"], "class").items()),
        fees=fees,
        caps=caps,
        accounts=tuple(_account(i, terms) for i, terms in _entries(found, "accounts", "account")),
        inputs=inputs,
        contributions=tuple(_contribution(i, terms) for i, terms in _entries(found, "contributions", "contribution")),
        tests=tuple(_test(i, terms, expressions) for i, terms in _entries(found, "tests", "test")),
        values={i: expressions.amount(f"Value {i}", v) for i, v in _entries(found, "values", "value")},
        phases={i: expressions.condition(f"Phase {i}", v) for i, v in _entries(found, "phases", "phase")},
        waterfalls=waterfalls,
        dispatch=_dispatch(found, waterfalls, expressions),
        event_of_default=_condition(found, "event_of_default", expressions),
        call=_condition(found, "call", expressions),
    )
    for name, members in groups.items():
        unknown = [m for m in members if m not in document.class_ids]
        if unknown or name in document.class_ids:
            raise WaterfallError(
                f"Group {name}: a class has that id; name the group otherwise."
                if name in document.class_ids
                else f"Group {name}: class {', '.join(unknown)} is not declared; write it under classes."
            )
    check(document)
    return document


def _entries(found: Mapping[str, Any], key: str, what: str) -> list[tuple[str, Any]]:
    return list(entries(key, found.get(key), what).items())


def _condition(found: Mapping[str, Any], key: str, expressions: Expressions) -> Expression | None:
    return expressions.condition(key, found[key]) if key in found else None


def _groups(found: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {i: identifiers(f"Group {i}", members) for i, members in _entries(found, "groups", "group")}


def _class(name: str, value: object) -> ClassTerms:
    where = f"Class {name}"
    known = "kind optional deferrable interest_on_deferred interest_on_unpaid index_floor index_cap step_ups".split()
    terms = mapping(where, value, known)
    kind = word(f"{where}, kind", terms.get("kind", "debt"), KINDS)
    idle = [key for key in terms if key not in ("kind", "optional")]
    if kind == "equity" and idle:
        raise WaterfallError(f"{where} is equity, which has no {', '.join(idle)}; take it out.")
    floor, cap = (_rate(f"{where}, {k}", terms.get(k, d)) for k, d in (("index_floor", 0.0), ("index_cap", None)))
    if floor is not None and cap is not None and cap < floor:
        raise WaterfallError(f"{where}: index_cap {cap:g} is below index_floor {floor:g}; put it above.")
    deferrable = terms.get("deferrable")
    return ClassTerms(
        id=name,
        kind=kind,
        optional=flag(f"{where}, optional", terms.get("optional", False)),
        deferrable=None
        if deferrable is None
        else word(f"{where}, deferrable", deferrable, ("never", "if_not_controlling", "always")),
        interest_on_deferred=flag(f"{where}, interest_on_deferred", terms.get("interest_on_deferred", True)),
        interest_on_unpaid=flag(f"{where}, interest_on_unpaid", terms.get("interest_on_unpaid", True)),
        index_floor=floor,
        index_cap=cap,
        step_ups=schedule(f"{where}, step_ups", terms["step_ups"], "margin", -0.1, 1.0) if "step_ups" in terms else (),
    )


def _rate(where: str, value: object) -> float | None:
    """A rate; None (null, or the word none) where there is none."""
    return None if value is None or value == "none" else number(where, value, -0.1, 1.0, "write 5% or 0.05")


def _fees(
    found: Mapping[str, Any], expressions: Expressions
) -> tuple[tuple[FeeClause, ...], tuple[Cap, ...], tuple[InputTerms, ...]]:
    """Fees, caps and inputs; `capped: [..]` puts fees under one cap whose figures the deal gives."""
    fees = {i: _fee(i, value) for i, value in _entries(found, "fees", "fee")}
    caps = [_cap(i, value, expressions) for i, value in _entries(found, "caps", "cap")]
    inputs = [_input(i, value) for i, value in _entries(found, "inputs", "input")]
    if "capped" in found:
        if any(c.id == SENIOR_EXPENSES for c in caps):
            raise WaterfallError(f"capped and the cap {SENIOR_EXPENSES} stand together; write `cap:` in the fees.")
        for name in identifiers("capped", found["capped"]):
            if name not in fees:
                raise WaterfallError(f"capped: fee {name} is not declared; declared are {', '.join(fees) or 'none'}.")
            if fees[name].cap is not None:
                raise WaterfallError(f"capped: fee {name} already stands under the cap {fees[name].cap}; write one.")
            fees[name] = FeeClause(name, fees[name].name, SENIOR_EXPENSES, fees[name].basis)
        cap, its_inputs = senior_expense_cap()
        caps.append(cap)
        taken = [i.id for i in inputs if i.id in {made.id for made in its_inputs}]
        if taken:
            raise WaterfallError(f"Input {', '.join(taken)} is what `capped` itself declares; name it otherwise.")
        inputs += its_inputs
    return tuple(fees.values()), tuple(caps), tuple(inputs)


def senior_expense_cap() -> tuple[Cap, tuple[InputTerms, InputTerms]]:
    """The cap of `capped`: (fixed + percent x fee basis) a year, both of the deal; infinite where it gives neither.

    A deal that gives only the percentage has no fixed part.
    """
    fixed = InputTerms("senior_expense_cap_fixed", "Senior Expense Cap Fixed", float("inf"))
    percent = InputTerms("senior_expense_cap_percent", "Senior Expense Cap Percent", 0.0)
    of_fixed, of_percent = Reference(("input", fixed.id)), Reference(("input", percent.id))
    blank = Binary(">", of_fixed, Number(1e15))
    only_percent = Binary("and", blank, Binary(">", of_percent, Number(0.0)))
    cap = Cap(SENIOR_EXPENSES, Function("if", (only_percent, Number(0.0), of_fixed)), of_percent)
    return cap, (fixed, percent)


def _fee(name: str, value: object) -> FeeClause:
    where = f"Fee {name}"
    if isinstance(value, str):
        return FeeClause(name, text(where, value))
    terms = mapping(where, value, ("name", "cap", "basis"))
    if terms.get("name") is None:
        raise WaterfallError(f"{where} has no name; write the name the fee has in the deal.")
    basis = terms.get("basis")
    return FeeClause(
        id=name,
        name=text(f"{where}, name", terms["name"]),
        cap=None if terms.get("cap") is None else identifier(f"{where}, cap", terms["cap"]),
        basis=None if basis is None else word(f"{where}, basis", basis, ("end", "performing", "none")),
    )


def _cap(name: str, value: object, expressions: Expressions) -> Cap:
    where = f"Cap {name}"
    terms = mapping(where, value, ("fixed", "percent", "carry_forward"))
    if terms.get("fixed") is None and terms.get("percent") is None:
        raise WaterfallError(f"{where} has neither fixed nor percent; write the amount a year.")
    fixed, percent = (
        expressions.amount(f"{where}, {key}", 0.0 if terms.get(key) is None else terms[key])
        for key in ("fixed", "percent")
    )
    return Cap(name, fixed, percent, whole(f"{where}, carry_forward", terms.get("carry_forward", 0), 0, 40))


def _account(name: str, value: object) -> AccountTerms:
    terms = mapping(f"Account {name}", value, ("number",))
    place = terms.get("number")
    return AccountTerms(name, None if place is None else whole(f"Account {name}, number", place, 1, 1000))


def _input(name: str, value: object) -> InputTerms:
    where = f"Input {name}"
    if isinstance(value, str):
        return InputTerms(name, text(where, value))
    terms = mapping(where, value, ("label", "default"))
    if terms.get("label") is None:
        raise WaterfallError(f"{where} has no label; write the label it has in the deal's CLO Inputs.")
    default = terms.get("default", 0.0)
    return InputTerms(name, text(f"{where}, label", terms["label"]), number(f"{where}, default", default))


def _contribution(name: str, value: object) -> Contribution:
    where = f"Contribution {name}"
    terms = mapping(where, value, ("account", "rate"))
    if terms.get("account") is None:
        raise WaterfallError(f"{where} has no account; write the account that the cash goes to.")
    rate = number(f"{where}, rate", terms.get("rate", 0.0), 0.0, 1.0, "write 8% or 0.08")
    return Contribution(name, identifier(f"{where}, account", terms["account"]), rate)


def _test(name: str, value: object, expressions: Expressions) -> TestTerms:
    where = f"Test {name}"
    known = "type classes of trigger numerator denominator active pass_on_equal".split()
    terms = mapping(where, value, known)
    kind = word(f"{where}, type", terms.get("type"), TEST_TYPES)
    if terms.get("classes") is None:
        raise WaterfallError(f"{where} has no classes; write those whose balances or interest it covers.")
    if (terms.get("trigger") is None) == (terms.get("of") is None):
        raise WaterfallError(
            f"{where} must have either a trigger or `of`, the class whose trigger in the deal it takes; write one."
        )
    formulas = {
        key: read(f"{where}, {key}", terms[key])
        for key, read in (
            ("numerator", expressions.amount),
            ("denominator", expressions.amount),
            ("active", expressions.condition),
        )
        if terms.get(key) is not None
    }
    return TestTerms(
        id=name,
        type=kind,
        classes=expressions.classes(f"{where}, classes", terms["classes"]),
        of=None if terms.get("of") is None else identifier(f"{where}, of", terms["of"]),
        trigger=None if terms.get("trigger") is None else _trigger(f"{where}, trigger", terms["trigger"]),
        pass_on_equal=flag(f"{where}, pass_on_equal", terms.get("pass_on_equal", True)),
        **formulas,
    )


def _trigger(where: str, value: object) -> float | str | tuple[Any, ...]:
    """A number, the label of an input, or a schedule."""
    if isinstance(value, Mapping):
        terms = mapping(where, value, ("input",))
        return text(f"{where}, input", terms.get("input"))
    if isinstance(value, list | tuple):
        return schedule(where, value, "trigger", 0.01, 20.0)
    return number(where, value, 0.01, 20.0, "write 124.3% or 1.243")


def _waterfalls(found: Mapping[str, Any], reader: StepReader) -> dict[str, Waterfall]:
    made = {}
    for name, value in _entries(found, "waterfalls", "waterfall"):
        source, steps = SOURCES.get(name), value
        if isinstance(value, Mapping):
            terms = mapping(f"Waterfall {name}", value, ("source", "steps"))
            steps = terms.get("steps")
            if terms.get("source") is not None:
                known = ("interest", "principal", "both", "notes")
                source = word(f"Waterfall {name}, source", terms["source"], known)
        if source is None:
            raise WaterfallError(
                f"Waterfall {name} has no source; write {{source: interest, principal, both or notes, steps: [..]}}."
            )
        if not steps:
            raise WaterfallError(f"Waterfall {name} has no steps; write them, the last giving away what is left.")
        made[name] = Waterfall(name, source, reader.steps(name, steps))
    return made


def _dispatch(
    found: Mapping[str, Any], waterfalls: Mapping[str, Waterfall], expressions: Expressions
) -> tuple[Rule, ...]:
    """The rules; without any, acceleration or redemption in one pot, else interest, principal, note payments."""
    if "dispatch" not in found:
        for name in SOURCES:
            if name not in waterfalls:
                raise WaterfallError(f"The waterfall {name!r} is missing; write {', '.join(SOURCES)}, or a `dispatch`.")
        in_one_pot = Binary("or", Reference(("phase", "acceleration")), Reference(("phase", "redemption")))
        return (Rule(in_one_pot, ("acceleration",)), Rule(Number(1.0), ("interest", "principal", "nps")))
    rules = []
    for place, entry in enumerate(items("dispatch", found["dispatch"]), start=1):
        where = f"dispatch rule {place}"
        terms = mapping(where, entry, ("when", "run"))
        if terms.get("run") is None:
            raise WaterfallError(f"{where} runs nothing; write `run:` and the waterfalls in order.")
        if "when" in terms and terms["when"] is None:
            raise WaterfallError(f"{where}: nothing stands after when; write the condition, or `true`.")
        condition = expressions.condition(f"{where}, when", terms.get("when", True))
        rules.append(Rule(condition, once(where, identifiers(f"{where}, run", terms["run"]))))
    return tuple(rules)
