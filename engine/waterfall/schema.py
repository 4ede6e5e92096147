"""The waterfall language: what a document may say, checked before anything runs (spec: engine 7A).

A document is data (YAML or JSON): classes, fees, caps, tests and four ordered lists of steps. Nothing in it is code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SECTIONS: Final = ("interest", "principal", "nps", "acceleration")
"""Interest and principal proceeds, the note payment sequence, and the one pot after acceleration or redemption."""

STEP_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "pay_fee": frozenset({"fees", "part", "alloc"}),
    "pay_interest": frozenset({"classes", "include", "alloc"}),
    "pay_deferred": frozenset({"classes", "alloc"}),
    "pay_principal": frozenset({"classes", "alloc", "amount"}),
    "cure": frozenset({"tests", "combine", "via"}),
    "divert": frozenset({"test", "share", "amount", "to"}),
    "reinvest": frozenset({"amount"}),
    "run": frozenset({"waterfall", "amount"}),
    "hurdle_split": frozenset({"equity", "book_as", "manager_share"}),
    "pay_equity": frozenset({"equity", "book_as"}),
}
ALLOCATIONS: Final = ("sequential", "pro_rata")
VALUES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("pay_fee", "part"): ("all", "capped", "excess_of_cap"),
    ("pay_principal", "amount"): ("all", "scheduled"),
    ("cure", "combine"): ("max",),
    ("cure", "via"): ("nps",),
    ("divert", "amount"): ("par_cure", "paydown_cure", "share_only"),
    ("divert", "to"): ("principal",),
    ("reinvest", "amount"): ("policy", "all"),
    ("run", "waterfall"): ("nps",),
    ("run", "amount"): ("all",),
    ("hurdle_split", "book_as"): ("interest", "principal"),
    ("pay_equity", "book_as"): ("interest", "principal"),
}
"""What a word of a step may be; a word that would be ignored is refused."""

NEEDED: Final[Mapping[str, str]] = {
    "pay_fee": "fees",
    "pay_interest": "classes",
    "pay_deferred": "classes",
    "pay_principal": "classes",
    "cure": "tests",
    "divert": "test",
    "hurdle_split": "equity",
    "pay_equity": "equity",
}
KINDS: Final = ("debt", "class_x", "equity")
TEST_TYPES: Final = ("oc", "ic", "diversion", "eod")
_CONDITION: Final = re.compile(r"^(not\s+)?(?:phase\.(\w+)|controlling\s*==\s*([\w-]+))$")
PHASES: Final = ("reinvestment", "redemption", "acceleration", "first_period")


class WaterfallError(ValueError):
    """The document is wrong; the text names the step and the remedy."""


@dataclass(frozen=True, slots=True)
class ClassTerms:
    id: str
    kind: str = "debt"  # debt, class_x, equity
    optional: bool = False


@dataclass(frozen=True, slots=True)
class TestTerms:
    """A coverage test. The trigger is a number, an input's label, or that of class `of` in the deal."""

    __test__ = False

    id: str
    type: str
    classes: tuple[str, ...]
    of: str | None = None
    trigger: float | str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One conjunct of a step's `when`."""

    kind: str  # phase or controlling
    subject: str
    negated: bool


@dataclass(frozen=True, slots=True)
class Step:
    type: str
    terms: Mapping[str, Any]
    when: tuple[Condition, ...] = ()

    def ids(self, key: str) -> tuple[str, ...]:
        found = self.terms.get(key, ())
        return (found,) if isinstance(found, str) else tuple(found)


@dataclass(frozen=True, slots=True)
class Document:
    """A checked waterfall. `fees` maps ids to the names of the deal's fees; `capped` are under the expense cap."""

    name: str
    title: str
    classes: tuple[ClassTerms, ...]
    fees: Mapping[str, str]
    capped: tuple[str, ...]
    tests: tuple[TestTerms, ...]
    sections: Mapping[str, tuple[Step, ...]]

    @property
    def class_ids(self) -> tuple[str, ...]:
        return tuple(c.id for c in self.classes)


def class_id(tranche_name: str) -> str:
    """The id of a tranche in the language: "Class B-1" is B-1; subordinated notes are SUB."""
    name = tranche_name.strip()
    if re.match(r"(?i)^(sub|subordinated|equity|income)\b", name) or re.match(r"(?i)^preference", name):
        return "SUB"
    return re.sub(r"(?i)^class\s+", "", name).strip()


def read_document(data: Mapping[str, Any]) -> Document:
    """A document from parsed YAML or JSON. Raises WaterfallError naming the step and what to change."""
    if data.get("wdl") != 1:
        raise WaterfallError("The document does not say `wdl: 1`, the only version this application reads.")
    for key in ("name", "classes"):
        if not data.get(key):
            raise WaterfallError(f"The document has no {key!r}; each document needs it.")
    classes = tuple(_class(str(i), terms or {}) for i, terms in data["classes"].items())
    fees = {str(k): str(v) for k, v in data.get("fees", {}).items()}
    tests = tuple(_test(str(i), terms) for i, terms in data.get("tests", {}).items())
    lists = data.get("waterfalls", {})
    for name in SECTIONS:
        if name not in lists:
            raise WaterfallError(f"The waterfall {name!r} is missing; each document has {', '.join(SECTIONS)}.")
    document = Document(
        name=str(data["name"]),
        title=str(data.get("title", data["name"])),
        classes=classes,
        fees=fees,
        capped=tuple(data.get("capped", ())),
        tests=tests,
        sections={name: tuple(_steps(name, lists[name])) for name in SECTIONS},
    )
    _check(document)
    return document


def _class(name: str, terms: Mapping[str, Any]) -> ClassTerms:
    unknown = set(terms) - {"kind", "optional"}
    if unknown:
        raise WaterfallError(f"Class {name} does not know {', '.join(sorted(unknown))}; write kind or optional.")
    made = ClassTerms(name, **terms)
    if made.kind not in KINDS:
        raise WaterfallError(f"Class {name}: kind {made.kind!r} is none of {', '.join(KINDS)}.")
    return made


def _test(test_id: str, terms: Mapping[str, Any]) -> TestTerms:
    if terms.get("type") not in TEST_TYPES:
        raise WaterfallError(f"Test {test_id}: type {terms.get('type')!r} is none of {', '.join(TEST_TYPES)}.")
    trigger = terms.get("trigger")
    if isinstance(trigger, Mapping):
        trigger = str(trigger["input"])
    if trigger is None and terms.get("of") is None:
        raise WaterfallError(f"Test {test_id} has neither a trigger nor `of`, the class whose trigger it takes.")
    return TestTerms(test_id, terms["type"], tuple(map(str, terms["classes"])), terms.get("of"), trigger)


def _steps(section: str, items: list[Mapping[str, Any]]) -> list[Step]:
    steps = []
    for place, item in enumerate(items, start=1):
        where = f"{section} step {place}"
        types = [key for key in item if key != "when"]
        if len(types) != 1 or types[0] not in STEP_KEYS:
            known = ", ".join(STEP_KEYS)
            raise WaterfallError(f"{where}: {types} is not one step; write exactly one of {known}.")
        terms = item[types[0]] or {}
        unknown = set(terms) - STEP_KEYS[types[0]]
        if unknown:
            raise WaterfallError(f"{where}: {types[0]} does not know {', '.join(sorted(unknown))}.")
        _check_words(where, types[0], terms)
        steps.append(Step(types[0], terms, _conditions(where, item.get("when"))))
    return steps


def _check_words(where: str, kind: str, terms: Mapping[str, Any]) -> None:
    """Every word of a step means something, and what it needs is there."""
    needed = NEEDED.get(kind)
    if needed is not None and not terms.get(needed):
        raise WaterfallError(f"{where}: {kind} names no {needed}.")
    for key, value in terms.items():
        known = VALUES.get((kind, key))
        if known is not None and value not in known:
            raise WaterfallError(f"{where}: {key} {value!r} is none of {', '.join(known)}.")
    if terms.get("alloc", "sequential") not in ALLOCATIONS:
        raise WaterfallError(f"{where}: alloc {terms['alloc']!r} is none of {', '.join(ALLOCATIONS)}.")
    include = terms.get("include", ["current"])
    if not isinstance(include, list) or not include or not set(include) <= {"current", "on_deferred"}:
        raise WaterfallError(f"{where}: include {include!r} is no list of current and on_deferred.")
    for key in ("share", "manager_share"):
        share = terms.get(key, 0.0)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
            raise WaterfallError(f"{where}: {key} {share!r} is no share from 0 to 1.")


def _conditions(where: str, text: str | None) -> tuple[Condition, ...]:
    if text is None:
        return ()
    made = []
    for part in re.split(r"\s+and\s+", text.strip()):
        match = _CONDITION.match(part.strip())
        if match is None:
            raise WaterfallError(f"{where}: cannot read `when: {text}`; write phase.<name> or controlling == <class>.")
        negated, phase, controlling = match.groups()
        if phase is not None and phase not in PHASES:
            raise WaterfallError(f"{where}: there is no phase {phase!r}; phases are {', '.join(PHASES)}.")
        kind = "phase" if phase is not None else "controlling"
        made.append(Condition(kind, phase or controlling, negated is not None))
    return tuple(made)


def _check(document: Document) -> None:
    """Every id is declared, every class can be paid, every waterfall ends by giving all its cash away."""
    classes, tests = set(document.class_ids), {t.id for t in document.tests}
    _known("capped", "fee", set(document.capped), set(document.fees))
    for test in document.tests:
        _known(f"Test {test.id}", "class", {*test.classes, *([test.of] if test.of else [])}, classes)
    paid: set[str] = set()
    for name, steps in document.sections.items():
        for place, step in enumerate(steps, start=1):
            where = f"{name} step {place} ({step.type})"
            _known(where, "class", {*step.ids("classes"), *step.ids("equity")}, classes)
            _known(where, "fee", set(step.ids("fees")), set(document.fees))
            _known(where, "test", {*step.ids("tests"), *step.ids("test")}, tests)
            _known(where, "class", {c.subject for c in step.when if c.kind == "controlling"}, classes)
            if step.type in ("pay_principal", "hurdle_split", "pay_equity"):
                paid |= {*step.ids("classes"), *step.ids("equity")}
        last = steps[-1].type if steps else None
        if last not in ("hurdle_split", "pay_equity", "run"):
            raise WaterfallError(
                f"{name}: the last step must give away what is left (hurdle_split, pay_equity or run)."
            )
    if classes - paid:
        raise WaterfallError(f"No step pays principal to class {', '.join(sorted(classes - paid))}.")


def _known(where: str, what: str, used: set[str], declared: set[str]) -> None:
    if used - declared:
        raise WaterfallError(f"{where}: {what} {', '.join(sorted(used - declared))} is not declared.")
