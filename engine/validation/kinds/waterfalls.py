"""One payment date through a priority of payments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.validation.cases import Case, CaseError, Library
from engine.validation.compare import Answer
from engine.validation.harness import pay
from engine.validation.registry import kind
from engine.waterfall import kernel as wf

FEES: Final = {
    "trustee": "Trustee Fee",
    "admin": "Admin Fee",
    "base": "Base Manager Fee",
    "junior": "Junior Manager Fee",
}
_MET: Final = (1e12, 1.0, 1.0)  # a test far above its trigger: numerator, denominator, trigger
_PHASES: Final = ("reinvestment", "post", "acceleration")


def _flat(items: list[Mapping[str, Any]], when: str | None = None) -> list[dict[str, Any]]:
    """Steps without `branch`: the branch's condition joins that of its steps."""
    made: list[dict[str, Any]] = []
    for item in items:
        if "branch" in item:
            branch = item["branch"]
            made += _flat(branch["then"], branch["if"]) + _flat(branch["else"], f"not {branch['if']}")
        else:
            both = " and ".join(part for part in (when, item.get("when")) if part)
            made.append({k: v for k, v in item.items() if k != "when"} | ({"when": both} if both else {}))
    return made


def as_document(name: str, deal: Mapping[str, Any]) -> dict[str, Any]:
    """A document of a deal's lists of steps: classes, fees and tests declared, each test over its class and above."""
    lists = {section: _flat(items) for section, items in deal["waterfalls"].items()}
    rated = [c for c in deal["classes"] if c != "SUB"]
    used = {t for items in lists.values() for item in items for t in item.get("cure", {}).get("tests", ())}
    tests: dict[str, Any] = {}
    for test in sorted(used):
        type_, last = test.split("_")
        tests[test] = {"type": type_.lower(), "of": last, "classes": rated[: rated.index(last) + 1]}
    tests["DIV"] = {"type": "diversion", "classes": rated, "trigger": 1.0}
    return {
        "wdl": 1,
        "name": name,
        "classes": {c: {"kind": "equity"} if c == "SUB" else {} for c in deal["classes"]},
        "fees": FEES,
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
        "accrual": {c: due / given["balances"][c] for c, due in given["interest_due"].items()},
        "fees": given["fees_due"],
        "tests": figures,
        "phases": {"reinvestment", "acceleration"} & {given["phase"]},
        "policy": given["reinvest_share_of_principal"] * given["principal"],
        "diverted_share": given["reinvest_share_of_principal"],
        "hurdle": given["equity_threshold"],
        "manager_share": given["manager_share"],
    }


def payments(d: wf.Date, ids: list[str]) -> dict[str, float]:
    """What the date paid, under the names of the cases."""
    made = {f"fee.{f}": float(d.fee_paid[i]) for i, f in enumerate(FEES)}
    for i, c in enumerate(ids):
        if c == "SUB":
            made["SUB.interest"], made["SUB.principal"] = float(d.paid_interest[i]), float(d.paid_principal[i])
        else:
            made[f"{c}.int"] = float(d.paid_interest[i] + d.paid_on_deferred[i])
            made[f"{c}.def"], made[f"{c}.prin"] = float(d.paid_deferred[i]), float(d.paid_principal[i])
    made["diverted"], made["reinvested"] = float(d.registers[wf.DIVERTED]), float(d.registers[wf.REINVESTED])
    made["incentive"], made["notes_pot"] = float(d.registers[wf.INCENTIVE]), float(d.registers[wf.POT])
    return made


@kind("WDL")
def waterfall_date(case: Case, library: Library) -> Answer:
    """One payment date of a deal's priority of payments; every payment must be the case's, and all cash be paid."""
    given = case.inputs
    wdl = given["wdl"]
    name, deal = library.waterfall(wdl) if isinstance(wdl, str) else (case.id, wdl)
    data = as_document(name, deal)
    ids = [str(c) for c in deal["classes"]]
    left, d, _ = pay(data, ids, date_state(given, data["tests"]))
    return Answer(payments(d, ids) | {"left": left}, whole=True)


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
            "acceleration": [*notes, rest],
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
    _, d, _ = pay(data, [*classes, "SUB"], state)
    columns = (wf.DUE, wf.PAID, wf.CASH_AFTER)
    return {
        "steps": [[label, *(float(d.log[i, c]) for c in columns)] for i, label in enumerate(labels)],
        "to_note_payment_sequence": float(d.registers[wf.FROM_INTEREST_TO_NOTES]),
        "to_principal": float(d.registers[wf.DIVERTED]),
        "residual_to_equity_level": float(d.log[len(labels), wf.DUE]),
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
        "fees": FEES,
        "tests": {},
        "waterfalls": {
            "interest": [step, rest],
            "principal": [{"run": {"waterfall": "nps"}}],
            "nps": [*({"pay_principal": {"classes": [c]}} for c in balances), rest],
            "acceleration": [step, rest],
        },
    }

    def paid(cash: float) -> dict[str, float]:
        state = {"interest": cash, "principal": 0.0, "balance": balances, "due": {}, "fees": {}, "tests": {}}
        d = pay(data, ids, state | {"phases": set()})[1]
        found = {c: float(d.paid_principal[i]) for i, c in enumerate(balances)}
        return found | {"left": float(d.paid_interest[len(balances)])}

    return {"paid": paid(float(case.inputs["available"])), "if_available_70m": paid(70e6)}
