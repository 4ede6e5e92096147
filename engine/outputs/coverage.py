"""Tables of the coverage tests by payment date (spec: engine 6.7): as measured, cushions, cures due and paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.outputs.table import Field, Table, Unit, balance, before, days, field, money
from engine.projection import Projection
from engine.waterfall.clauses import Clause
from engine.waterfall.document import Document, Step
from engine.waterfall.steps import LOG_COLUMNS
from engine.waterfall.trace import failing

Floats = NDArray[np.float64]

_DUE, _PAID = LOG_COLUMNS.index("due"), LOG_COLUMNS.index("paid")
_TYPES: Final = {
    "oc": "overcollateralisation",
    "ic": "interest coverage",
    "diversion": "interest diversion",
    "eod": "event of default",
}


def spelled(test_id: str) -> str:
    """OC_A-2 as people write it: OC A-2."""
    return test_id.replace("_", " ")


def cushion(flows: Projection, test: int) -> tuple[Floats, Floats]:
    """What the numerator may lose before the test fails, in money; and the ratio over the trigger. float64[n_dates].

    Negative where it fails; missing where nothing is to be covered.
    """
    r = flows.result
    covers = np.isfinite(r.ratio[:, test])
    in_money = r.numerator[:, test] - r.trigger[:, test] * r.denominator[:, test]
    over = np.where(covers, r.ratio[:, test], np.nan) - r.trigger[:, test]
    return np.where(covers, in_money, np.nan), over


def test_tables(flows: Projection) -> Iterator[Table]:
    """A table a test. One cure step may restore two tests: what it pays is shown with both.

    Cures due and paid are missing on dates whose waterfalls have no cure for the test.
    """
    n = np.arange(1, len(flows.payment_dates) + 1)
    for k, test in enumerate(flows.document.tests):
        r = flows.result
        in_money, over = cushion(flows, k)
        columns = [
            field("Period", Unit.COUNT, n),
            days("Payment date", flows.payment_dates),
            balance("Numerator", r.numerator[:, k]),
            balance("Denominator", r.denominator[:, k]),
            *_liabilities(flows, k),
            field("Result", Unit.RATIO, r.ratio[:, k]),
            field("Threshold", Unit.RATIO, r.trigger[:, k]),
            field("Pass", Unit.FLAG, ~failing(flows, k)),
            field("Counts", Unit.FLAG, r.active[:, k]),
            balance("Cushion", in_money),
            field("Cushion of ratio", Unit.RATIO, over),
            *_cures(flows, test.id),
        ]
        name = spelled(test.id)
        title = f"{name} ({_TYPES[test.type]} test) of {flows.deal}"
        yield Table(f"test-{test.id}", f"Deal CF-{name}", title, flows.currency, tuple(columns))


def test_summary(flows: Projection) -> Table:
    """A row a test: where it stands, and the projected date of its first breach (none: missing)."""
    tests, r = flows.document.tests, flows.result
    failed = [np.flatnonzero(failing(flows, k)) for k in range(len(tests))]
    cushions = np.stack([np.where(r.active[:, k], cushion(flows, k)[0], np.nan) for k in range(len(tests))])
    lowest = np.fmin.reduce(cushions, axis=1)  # missing only where all are
    paid = [{c.name: float(np.nansum(c.values)) for c in _cures(flows, t.id) if c.name.endswith("paid")} for t in tests]
    columns = (
        field("Test", Unit.TEXT, [spelled(t.id) for t in tests]),
        field("Kind", Unit.TEXT, [_TYPES[t.type] for t in tests]),
        field("First result", Unit.RATIO, r.ratio[0]),
        field("First threshold", Unit.RATIO, r.trigger[0]),
        balance("Lowest cushion", lowest),
        days("First breach", [flows.payment_dates[f[0]] if f.size else None for f in failed]),
        field("Breaches", Unit.COUNT, [f.size for f in failed]),
        money("Cures paid from interest", [p["Interest cure paid"] for p in paid], adds=False),
        money("Cures paid from principal", [p["Principal cure paid"] for p in paid], adds=False),
    )
    return Table("tests", "Deal CF-Tests", f"Coverage tests of {flows.deal}", flows.currency, columns)


def _liabilities(flows: Projection, k: int) -> list[Field]:
    """Of an interest coverage test: what is outstanding of the classes it covers, with deferred interest."""
    test, r, start = flows.document.tests[k], flows.result, flows.inputs
    if test.type != "ic":
        return []
    total = np.zeros(len(flows.payment_dates))
    for place, c in enumerate(start.class_ids):
        if c in test.classes:
            total += before(
                float(start.balance[place] + start.deferred[place]), r.balance[:, place] + r.deferred[:, place]
            )
    return [balance("Liability balance", total)]


# --- cures -------------------------------------------------------------------------------------------------------


def _cures(flows: Projection, test_id: str) -> list[Field]:
    made = []
    for source in ("interest", "principal"):
        steps = [(place, c) for place, c in enumerate(flows.clauses) if _source(flows.document, c) == source]
        own = [place for place, c in steps if test_id in (*c.step.ids("tests"), *c.step.ids("test"))]
        earlier = [place for place, c in steps if own and place < own[0] and _to_notes(c.step)]
        due, paid = _of_steps(flows, own, _DUE), _of_steps(flows, own, _PAID)
        prior = np.where(np.isnan(paid), np.nan, np.nansum(flows.result.log[:, earlier, _PAID], axis=1))
        words = source.capitalize()
        made.append(
            (money(f"Prior {source} cure", prior), money(f"{words} cure due", due), money(f"{words} cure paid", paid))
        )
    (prior_i, due_i, paid_i), (prior_p, due_p, paid_p) = made
    return [prior_i, prior_p, due_i, paid_i, due_p, paid_p]


def _of_steps(flows: Projection, steps: Sequence[int], column: int) -> Floats:
    """float64[n_dates]: of several steps for one test the largest due (the later ones ask for the rest), all that is
    paid; missing where none ran."""
    log = flows.result.log[:, list(steps), column]
    ran = ~np.isnan(log).all(axis=1) if steps else np.zeros(log.shape[0], dtype=np.bool_)
    known = np.nan_to_num(log, nan=0.0)
    total = known.max(axis=1, initial=0.0) if column == _DUE else known.sum(axis=1)
    return np.where(ran, total, np.nan)


def _to_notes(step: Step) -> bool:
    """Whether what the step takes repays notes, so that it counts for the tests after it."""
    return step.type == "cure" or (step.type == "divert" and step.terms.get("to") == "nps")


def _source(document: Document, clause: Clause) -> str | None:
    """What pays a cure or a diversion: principal where its waterfall only ever runs on principal."""
    if clause.step.type not in ("cure", "divert"):
        return None
    return "principal" if _runs_on(document, clause.waterfall) == {"principal"} else "interest"


def _runs_on(document: Document, name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Sources of cash under which a waterfall runs: its own where a rule names it, else those of what runs it."""
    if any(name in rule.run for rule in document.dispatch) or name in seen:
        return {document.waterfalls[name].source}
    found: set[str] = set()
    for other in document.waterfalls.values():
        if any(step.terms.get("waterfall") == name for step in _all_steps(other.steps) if step.type == "run"):
            found |= _runs_on(document, other.id, seen | {name})
    return found or {document.waterfalls[name].source}


def _all_steps(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if step.type == "branch":
            yield from _all_steps((*step.terms["then"], *step.terms["otherwise"]))
