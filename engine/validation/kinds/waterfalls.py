"""One payment date through a priority of payments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from engine import cash
from engine.validation.cases import Case, CaseError, Library
from engine.validation.compare import Answer
from engine.validation.harness import Run, pay
from engine.validation.registry import kind

FEES: Final = {
    "trustee": "Trustee Fee",
    "admin": "Admin Fee",
    "base": "Base Manager Fee",
    "junior": "Junior Manager Fee",
}
_MET: Final = (1e12, 1.0, 1.0)  # a test far above its trigger: numerator, denominator, trigger
_PHASES: Final = ("reinvestment", "post", "acceleration")


def _all(steps: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Every step, those of branches too."""
    for step in steps:
        yield step
        branch = step.get("branch", {})
        yield from _all((*branch.get("then", ()), *branch.get("else", ())))


def as_document(name: str, deal: Mapping[str, Any]) -> dict[str, Any]:
    """A document of a deal's lists of steps: classes, fees and tests declared, each test over its class and above.

    A list whose last step is a branch gets a last step that takes what the branch leaves, which is nothing.
    """
    lists = {section: list(items) for section, items in deal["waterfalls"].items()}
    if "branch" in lists["principal"][-1]:
        lists["principal"].append({"run": {"waterfall": "nps"}})
    rated = [c for c in deal["classes"] if c != "SUB"]
    steps = [step for items in lists.values() for step in _all(items)]
    used = {t for step in steps for t in step.get("cure", {}).get("tests", ())}
    paid = {f for step in steps for f in step.get("pay_fee", {}).get("fees", ())}
    tests: dict[str, Any] = {}
    for test in sorted(used):
        type_, last = test.split("_")
        tests[test] = {"type": type_.lower(), "of": last, "classes": rated[: rated.index(last) + 1]}
    tests["DIV"] = {"type": "diversion", "classes": rated, "trigger": 1.0}
    return {
        "wdl": 1,
        "name": name,
        "classes": {c: {"kind": "equity"} if c == "SUB" else {} for c in deal["classes"]},
        "fees": {f: title for f, title in FEES.items() if f in paid},
        "tests": tests,
        "waterfalls": lists,
    }


def date_state(given: Mapping[str, Any], tests: Mapping[str, Any]) -> dict[str, Any]:
    """The state of the date for `harness.pay` from the inputs of a WDL case."""
    if given["phase"] not in _PHASES:
        raise CaseError(f"has the phase {given['phase']!r}; known are {', '.join(_PHASES)}")
    figures: dict[str, tuple[float, float, float]] = {}
    for test in tests:
        row = given["tests"].get(test)
        if row is None or row["type"] == "IC":
            if row is not None and row["cure"] != 0.0:
                raise CaseError("has an interest coverage test that needs a cure; give tests that are met")
            figures[test] = _MET
        else:
            figures[test] = (row["num"], row["den"], row["trig"])
    return {
        "interest": given["interest"],
        "principal": given["principal"],
        "balance": given["balances"],
        "deferred": given["deferred"],
        "due": given["interest_due"],
        "fees": given["fees_due"],
        "tests": figures,
        "phases": {"reinvestment", "acceleration"} & {given["phase"]},
        "reinvest_share": given["reinvest_share_of_principal"],
        "hurdle": given["equity_threshold"],
        "manager_share": given["manager_share"],
    }


def payments(run: Run) -> dict[str, float]:
    """What the date paid, under the names of the cases."""
    r = run.result
    made = dict.fromkeys((f"fee.{f}" for f in FEES), 0.0) | {f"fee.{f}": run.fee(f) for f in run.document.fee_ids}
    for i, c in enumerate(run.class_ids):
        names = ("interest", "def", "principal") if c == run.document.equity else ("int", "def", "prin")
        for name, paid in zip(names, (r.interest, r.deferred_paid, r.principal), strict=True):
            made[f"{c}.{name}"] = float(paid[0, i])
    made["diverted"], made["reinvested"] = run.shown(cash.DIVERTED), run.shown(cash.REINVESTED)
    made["incentive"], made["notes_pot"] = run.shown(cash.INCENTIVE_FEE), run.shown(cash.NOTES_POT)
    return made


@kind("WDL")
def waterfall_date(case: Case, library: Library) -> Answer:
    """One payment date of a deal's priority of payments; every payment must be the case's, and all cash be paid."""
    given = case.inputs
    wdl = given["wdl"]
    name, deal = library.waterfall(wdl) if isinstance(wdl, str) else (case.id, wdl)
    data = as_document(name, deal)
    run = pay(data, [str(c) for c in deal["classes"]], date_state(given, data["tests"]))
    return Answer(payments(run) | {"left": run.shown(cash.CARRIED)}, whole=True)


@kind("WF-1")
def interest_waterfall(case: Case, library: Library) -> Any:
    """The interest waterfall step by step: senior fees; each class with its deferred interest and test; the
    diversion; the junior fee; the rest.

    The first class has no test of its own, the first two do not defer, the last is not tested (the order of deal MAG8).
    """
    given = case.inputs
    dues = given["interest_due_and_deferred"]
    classes = list(dues)
    tested = classes[1:-1]
    names = {f: name for f, name in FEES.items() if name in given["fees"]}
    steps: list[dict[str, Any]] = []
    labels: list[str] = []

    def add(label: str, step: Mapping[str, Any], when: str | None = None) -> None:
        labels.append(label)
        steps.append({**step, "when": when} if when else dict(step))

    for fee in [f for f in names if f != "junior"]:
        add(names[fee], {"pay_fee": {"fees": [fee]}})
    for place, c in enumerate(classes):
        add(f"{c} int", {"pay_interest": {"classes": [c]}})
        if place > 1:
            add(f"{c} deferred", {"pay_deferred": {"classes": [c]}})
        if c in tested:
            add(f"cure {c}", {"cure": {"tests": [f"OC_{c}"]}})
    add("diversion", {"divert": {"test": "DIV", "share": 0.5, "amount": "par_cure"}}, "phase.reinvestment")
    add(FEES["junior"], {"pay_fee": {"fees": ["junior"]}})
    rest = {"hurdle_split": {"equity": "SUB", "book_as": "interest"}}
    notes = [{"pay_principal": {"classes": [c]}} for c in classes]
    tests = {f"OC_{c}": {"type": "oc", "classes": classes[: classes.index(c) + 1], "trigger": 1.0} for c in tested}
    tests["DIV"] = {"type": "diversion", "classes": classes, "trigger": 1.0}
    data = {
        "wdl": 1,
        "name": "interest",
        "classes": {c: {} for c in classes} | {"SUB": {"kind": "equity"}},
        "fees": names,
        "tests": tests,
        "waterfalls": {
            "interest": [*steps, rest],
            "principal": [{"run": {"waterfall": "nps"}}],
            "nps": [*notes, rest],
            "acceleration": [
                *steps[: len(names) - 1],
                *({"pay_interest": {"classes": [c]}} for c in classes),
                *notes,
                rest,
            ],
        },
    }
    # tests short of par by the cure they need, at trigger 1: what the date has repaid or diverted before counts
    cured = given["oc_interest_cure"]
    repaid = {c: sum(dues[k][1] for k in classes[: classes.index(c) + 1]) for c in classes}
    figures = {f"OC_{c}": _MET for c in tested}
    before = 0.0
    for c in tested:
        if cured.get(c):
            figures[f"OC_{c}"] = (4e8, 4e8 + cured[c] + before + repaid[c], 1.0)
            before += cured[c]
    figures["DIV"] = (6e8, 6e8 + given["diversion_cure"] + before + repaid[classes[-1]], 1.0)
    state = {
        "interest": given["income"],
        "principal": 0.0,
        "balance": dict.fromkeys(classes, 1e8),
        "due": {c: v[0] for c, v in dues.items()},
        "deferred": {c: v[1] for c, v in dues.items()},
        "fees": {f: given["fees"][name] for f, name in names.items()},
        "tests": figures,
        "phases": {"reinvestment"},
    }
    run = pay(data, [*classes, "SUB"], state)
    return {
        "steps": [[label, *(run.log(i, c) for c in ("due", "paid", "cash_after"))] for i, label in enumerate(labels)],
        "to_note_payment_sequence": sum(run.log(i, "paid") for i, step in enumerate(steps) if "cure" in step),
        "to_principal": run.shown(cash.DIVERTED),
        "residual_to_equity_level": run.log(len(labels), "due"),
    }


@kind("WF-2")
def pari_passu(case: Case, library: Library) -> Any:
    """Classes paid pari passu: a shortage shared by balance, and a surplus (70 m) that pays all and leaves a rest."""
    balances = case.inputs["balances"]
    ids = [*balances, "SUB"]
    rest = {"pay_equity": {"equity": "SUB"}}
    step = {"pay_principal": {"classes": list(balances), "alloc": "pro_rata"}}
    data = {
        "wdl": 1,
        "name": "pari passu",
        "classes": {c: {} for c in balances} | {"SUB": {"kind": "equity"}},
        "waterfalls": {
            "interest": [step, rest],
            "principal": [{"run": {"waterfall": "nps"}}],
            "nps": [*({"pay_principal": {"classes": [c]}} for c in balances), rest],
            "acceleration": [{"pay_interest": {"classes": list(balances)}}, step, rest],
        },
    }

    def paid(available: float) -> dict[str, float]:
        state = {"interest": available, "principal": 0.0, "balance": balances, "due": {}, "fees": {}, "tests": {}}
        result = pay(data, ids, state | {"phases": set()}).result
        found = {c: float(result.principal[0, i]) for i, c in enumerate(balances)}
        return found | {"left": float(result.interest[0, len(balances)])}

    return {"paid": paid(float(case.inputs["available"])), "if_available_70m": paid(70e6)}
