"""Static checks of a document: every id declared, nothing ignored, every waterfall gives away its cash."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from engine.waterfall.document import Document, Step, WaterfallError
from engine.waterfall.expressions import WORDS, Expression, Number, constant
from engine.waterfall.flow import check_flow
from engine.waterfall.names import PHASES, RESERVED, Names, known
from engine.waterfall.step_reading import walk

AMOUNTS: Final = ("amount", "target", "limit", "stop_at")
"""Terms of steps that are money, so never negative."""


def check(document: Document) -> None:
    """Raises WaterfallError for the first thing that is wrong, naming the place and the remedy."""
    names = Names(document)
    _terms(document, names)
    _own_names(document)
    for where, expression in _outside_steps(document):
        names.check(where, expression)
    names.order()
    _what_tests_stand_on(document, names)
    _step_ids(document)
    for name, waterfall in document.waterfalls.items():
        for where, step in walk(name, waterfall.steps):
            _step(where, step, document, names)
    check_flow(document)
    _paid(document)
    _used(document, names)


def _terms(document: Document, names: Names) -> None:
    """Classes, fees, caps, tests and contributions name what there is."""
    equity = [c.id for c in document.classes if c.kind == "equity"]
    if len(equity) != 1:
        says = ", ".join(equity) or "none"
        raise WaterfallError(f"One class must have kind: equity, which takes the residual; here it is {says}.")
    for terms in document.classes:
        first = terms.step_ups[0][0] if terms.step_ups else None
        if first is not None and document.effective is not None and first < document.effective:
            raise WaterfallError(
                f"Class {terms.id}: the step-up of {first} is before {document.effective}, the day from which the "
                "document holds; the margin of that day is the deal's own."
            )
    caps = [c.id for c in document.caps]
    for fee in document.fees:
        known(f"Fee {fee.id}", "cap", [fee.cap] if fee.cap else [], caps)
    for cap in document.caps:
        _not_negative(f"Cap {cap.id}, fixed", cap.fixed)
        _not_negative(f"Cap {cap.id}, percent", cap.percent, most=1.0)
    for contribution in document.contributions:
        known(f"Contribution {contribution.id}", "account", [contribution.account], names.ids["account"])
    numbers = [a.number for a in document.accounts if a.number is not None]
    if len(set(numbers)) < len(numbers):
        raise WaterfallError("Two accounts have one number, so both would open with its cash; number each differently.")
    for test in document.tests:
        known(f"Test {test.id}", "class", [*test.classes, *([test.of] if test.of else [])], document.class_ids)
        if document.equity in (*test.classes, test.of):
            raise WaterfallError(f"Test {test.id}: {document.equity} is equity, which no test covers; take it out.")


def _own_names(document: Document) -> None:
    """Values and phases are called so that an expression can name them."""
    for value in document.values:
        if value in RESERVED | WORDS or not re.match(r"[^\W\d]", value):
            raise WaterfallError(f"Value {value}: the name is taken or begins with a digit; give it another.")
    for phase in document.phases:
        if phase in PHASES:
            raise WaterfallError(f"Phase {phase} is one of the language's own; give yours another name.")


def _outside_steps(document: Document) -> Iterator[tuple[str, Expression]]:
    for cap in document.caps:
        yield f"Cap {cap.id}, fixed", cap.fixed
        yield f"Cap {cap.id}, percent", cap.percent
    for test in document.tests:
        for key in ("numerator", "denominator", "active"):
            if (expression := getattr(test, key)) is not None:
                yield f"Test {test.id}, {key}", expression
    yield from ((f"Value {i}", e) for i, e in document.values.items())
    yield from ((f"Phase {i}", e) for i, e in document.phases.items())
    yield from ((f"dispatch rule {i}, when", rule.when) for i, rule in enumerate(document.dispatch, start=1))
    for key in ("event_of_default", "call"):
        if (expression := getattr(document, key)) is not None:
            yield key, expression


def _what_tests_stand_on(document: Document, names: Names) -> None:
    """Tests are measured before anything that stands on them."""
    for where, expression in _outside_steps(document):
        if where.startswith(("Test ", "Cap ")):
            tests = sorted(name for kind, name in names.closure(expression) if kind == "test")
            if tests:
                raise WaterfallError(
                    f"{where} stands on test {tests[0]}, and tests are measured together; name what that test measures."
                )
    if document.event_of_default is not None:
        own = {("phase", "event_of_default"), ("phase", "acceleration")} & names.closure(document.event_of_default)
        if own:
            raise WaterfallError(
                "event_of_default stands on itself; an event once declared stays declared, so leave it out."
            )


def _step_ids(document: Document) -> None:
    seen: set[str] = set()
    for name, waterfall in document.waterfalls.items():
        for where, step in walk(name, waterfall.steps):
            if step.id in seen:
                raise WaterfallError(f"{where}: another step has the id {step.id}; give each its own.")
            seen |= {step.id} - {""}


def _step(where: str, step: Step, document: Document, names: Names) -> None:
    """One step names what there is, and no constant is out of its bounds."""
    terms = step.terms
    kinds = {c.id: c.kind for c in document.classes}
    for kind, key in (
        ("class", "classes"),
        ("class", "equity"),
        ("fee", "fees"),
        ("test", "tests"),
        ("test", "test"),
        ("account", "account"),
        ("contribution", "contribution"),
    ):
        known(where, kind, step.ids(key), names.ids[kind])
    if step.type == "run":
        known(where, "waterfall", step.ids("waterfall"), document.waterfalls)
    if str(terms.get("to", "")).startswith("account:"):
        known(where, "account", [str(terms["to"]).removeprefix("account:")], names.ids["account"])
    for key in ("when", "cap", "cap_life", "share"):
        if (expression := getattr(step, key)) is not None:
            names.check(f"{where}, {key}", expression, in_step=True)
    for key, value in terms.items():
        if key not in ("then", "otherwise") and isinstance(value, Expression):
            names.check(f"{where}, {'if' if key == 'condition' else key}", value, in_step=True)
            if key in AMOUNTS and step.type != "pay_hedge":  # a negative amount of a hedge is a receipt
                _not_negative(f"{where}, {key}", value)
    for key, amount in (("cap", step.cap), ("cap_life", step.cap_life)):
        if amount is not None:
            _not_negative(f"{where}, {key}", amount)
    for share in (step.share, terms.get("share")):
        if share is not None:
            _not_negative(f"{where}, share", share, most=1.0)
    if "equity" in terms and terms["equity"] != document.equity:
        raise WaterfallError(f"{where}: class {terms['equity']} is not the equity; write {document.equity}.")
    if document.equity in step.ids("classes"):
        raise WaterfallError(f"{where}: {document.equity} is equity; pay it with pay_equity or hurdle_split.")
    if terms.get("amount") == "scheduled":
        wrong = [c for c in step.ids("classes") if kinds[c] != "class_x"]
        if wrong:
            raise WaterfallError(
                f"{where}: class {', '.join(wrong)} has no schedule; only class_x may be paid `amount: scheduled`."
            )
    if step.type == "pay_fee":
        _part(where, step, document)
    if step.type == "divert" and "test" in terms and terms["amount"] != "share_only":
        test = next(t for t in document.tests if t.id == terms["test"])
        if test.type == "ic":
            raise WaterfallError(
                f"{where}: {test.id} is an interest coverage test, which no par cures; name another test or share_only."
            )


def _part(where: str, step: Step, document: Document) -> None:
    """Fees paid up to or above a cap stand under one."""
    if step.terms["part"] not in ("capped", "excess_of_cap"):
        return
    caps = {f.id: f.cap for f in document.fees}
    free = [f for f in step.ids("fees") if caps[f] is None]
    if free:
        raise WaterfallError(
            f"{where}: fee {', '.join(free)} stands under no cap; write `cap:` in the fee or another part here."
        )
    if len({caps[f] for f in step.ids("fees")}) > 1:
        raise WaterfallError(f"{where}: the fees stand under different caps; write a step for each cap.")


def _not_negative(where: str, of: Expression, most: float = 1e15) -> None:
    value = of.value if isinstance(of, Number) else constant(of)
    if value is not None and not 0.0 <= value <= most:
        bounds = f"from 0 to {most:g}" if most < 1e15 else "of at least 0"
        raise WaterfallError(f"{where}: {value:g} is no number {bounds}; write one.")


def _paid(document: Document) -> None:
    """Every class and every fee is paid by some step."""
    paid: dict[str, set[str]] = {}
    capped: set[str | None] = set()
    caps = {f.id: f.cap for f in document.fees}
    for name, waterfall in document.waterfalls.items():
        for _, step in walk(name, waterfall.steps):
            paid.setdefault(step.type, set()).update(step.ids("classes"), step.ids("equity"), step.ids("fees"))
            if step.terms.get("part") == "capped":
                capped |= {caps[f] for f in step.ids("fees")}
    for terms in document.classes:
        if terms.kind == "equity":
            if terms.id not in paid.get("hurdle_split", set()) | paid.get("pay_equity", set()):
                raise WaterfallError(f"No step pays class {terms.id}; end a waterfall with hurdle_split or pay_equity.")
            continue
        deferring = ("pay_deferred",) if terms.deferrable in ("if_not_controlling", "always") else ()
        for kind in ("pay_principal", "pay_interest", *deferring):
            if terms.id not in paid.get(kind, set()):
                what = {"pay_principal": "principal", "pay_interest": "interest"}.get(kind, "deferred interest")
                raise WaterfallError(f"No step pays {what} to class {terms.id}; write {kind} for it.")
    _all(paid.get("pay_fee", set()), document.fee_ids, "No step pays the fee {}; write pay_fee for it or take it out.")
    _all(
        capped,
        [c.id for c in document.caps],
        "No step pays fees up to the cap {}; write `part: capped` or take it out.",
    )


def _all(used: Collection[str | None], declared: Collection[str], says: str) -> None:
    missing = [d for d in declared if d not in used]
    if missing:
        raise WaterfallError(says.format(", ".join(missing)))


def _used(document: Document, names: Names) -> None:
    """Nothing is declared that nothing uses."""
    filled = {c.account for c in document.contributions}
    drawn = {name for kind, name in names.used if kind == "account"}
    touched = set(drawn)
    for name, waterfall in document.waterfalls.items():
        for _, step in walk(name, waterfall.steps):
            to = str(step.terms.get("to", ""))
            filled |= {*(step.ids("account") if step.type == "to_account" else ())}
            filled |= {to.removeprefix("account:")} if to.startswith("account:") else set()
            touched |= {*(step.ids("account") if step.type == "from_account" else ())}
            drawn |= {*(step.ids("account") if step.type == "from_account" else ())}
    for account in (a.id for a in document.accounts):
        if account in filled and account not in drawn:
            raise WaterfallError(f"Account {account} is filled but never drawn on; write from_account for it.")
        if account not in filled | touched:
            raise WaterfallError(f"Account {account} is used nowhere; write a step for it or take it out.")
    inputs = {name for kind, name in names.used if kind == "input"}
    own = [i.id for i in document.inputs]
    _all(inputs, own, "Input {} is used nowhere; write input.<id> in an expression or take it out.")
    for kind, declared in (("value", document.values), ("phase", document.phases)):
        used = {name for k, name in names.used if k == kind}
        _all(used, list(declared), f"{kind.title()} {{}} is used nowhere; use it in an expression or take it out.")
