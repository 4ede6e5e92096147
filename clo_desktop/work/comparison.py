"""Scenarios side by side: in which inputs they differ, and every figure that came of each. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from clo_desktop.faults import Refused
from clo_desktop.figures import counted, percent
from clo_desktop.work import scenario_told
from clo_desktop.work.scenario_written import said
from engine.assumptions import Assumptions
from engine.loans import columns as col
from engine.loans.vectors import ruled
from engine.outputs import Unit
from engine.projection import Projection

MOST: Final = 4
"""Scenarios side by side."""

LETTERS: Final = "ABCD"

_INPUTS: Final = {
    "cpr": "Prepayment rate a year",
    "cdr": "Default rate a year",
    "severity": "Loss severity",
    "lag": "Recovery lag (months)",
    "sale_price": "Sale price at redemption (% of par)",
    "buy_price": "Price of reinvestment (% of par)",
    "reinvest": "Reinvestment",
    "recover_after_maturity": "Recoveries after maturity",
    "curve": "Curve",
    "call": "Calls",
    "buys": "What reinvestment buys",
    "price_shock": "Price shock",
    "downgrade": "Downgrade (notches)",
    "shocks": "Shocks by kind of asset",
    "rules": "Rules by kind of asset",
    "events": "Events of single assets",
}
_SHARES: Final = ("cpr", "cdr", "severity", "price_shock")


@dataclass(frozen=True, slots=True)
class Input:
    """Something that not all scenarios say alike, in the words of each; "" where it is left to the deal."""

    title: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the comparison: its words, its unit, and the figure in each scenario (None: there is none)."""

    words: str
    unit: Unit
    values: tuple[float | None, ...]


def inputs(asked: Sequence[Assumptions]) -> tuple[Input, ...]:
    """The inputs in which the scenarios differ."""
    each = [_told(one) for one in asked]
    rows = [Input(title, tuple(one.get(key, "") for one in each)) for key, title in _INPUTS.items()]
    return tuple(row for row in rows if len(set(row.said)) > 1)


def _told(asked: Assumptions) -> dict[str, str]:
    """What a scenario says by key, in words."""
    sections = {head: "; ".join(entries) for head, entries in scenario_told.sections(asked)}
    heads = {"buys": "Reinvestment buys", "shocks": "Shocks", "rules": "Rules", "events": "Events"}
    made = {}
    for key, value in said(asked).items():
        made[key] = sections.get(heads.get(key, ""), "") or _value(key, value)
    return made


def _value(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value('', item)}" for name, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key in _SHARES:
        return f"{value * 100:.6g} %"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def figures(runs: Sequence[Projection]) -> tuple[Figure, ...]:
    """Every figure of the runs, which are of one deal."""
    return tuple(_figures(runs))


def _figures(runs: Sequence[Projection]) -> Iterator[Figure]:
    first = runs[0]
    for name, words, unit in (
        ("cdr", "Default rate a year", Unit.RATE),
        ("cpr", "Prepayment rate a year", Unit.RATE),
        ("severity", "Loss severity", Unit.SHARE),
        ("lag", "Recovery lag (months)", Unit.COUNT),
    ):
        used = (None if name in ruled(run.assumptions.rules) else run.rates[name] for run in runs)
        yield Figure(words, unit, tuple(used))
    yield Figure("Shift of the curve", Unit.RATE, tuple(run.assumptions.rate_shift for run in runs))
    yield Figure("Sale price at redemption", Unit.PRICE, tuple(run.sale_price for run in runs))
    yield Figure("Equity IRR since purchase", Unit.RATE, tuple(run.equity_irr for run in runs))
    yield Figure("Equity distributions", Unit.MONEY, tuple(float(run.paid(run.equity).sum()) for run in runs))
    yield Figure("Payment dates", Unit.COUNT, tuple(float(len(run.payment_dates)) for run in runs))
    for words, column in (("Defaults of the pool", col.DEFAULTED), ("Losses of the pool", col.LOSS)):
        yield Figure(words, Unit.MONEY, tuple(float(run.collateral[:, column].sum()) for run in runs))
    yield Figure("Fees paid", Unit.MONEY, tuple(float(run.result.fee_paid.sum()) for run in runs))
    for k, tranche in enumerate(first.tranches):
        if k == first.equity:
            continue
        r = [run.result for run in runs]
        yield Figure(f"{tranche.name} paid", Unit.MONEY, tuple(float(run.paid(k).sum()) for run in runs))
        yield Figure(f"{tranche.name} interest", Unit.MONEY, tuple(float(one.interest[:, k].sum()) for one in r))
        yield Figure(f"{tranche.name} average life", Unit.YEARS, tuple(_life(run, k) for run in runs))
        left = tuple(float(one.balance[-1, k] + one.deferred[-1, k]) for one in r)
        yield Figure(f"{tranche.name} left unpaid", Unit.MONEY, left)
    for k, test in enumerate(first.document.tests):
        words = f"{test.id.replace('_', ' ')} least cushion"
        yield Figure(words, Unit.RATIO, tuple(_cushion(run, k) for run in runs))


def _life(run: Projection, k: int) -> float | None:
    repaid = run.result.principal[:, k] + run.result.deferred_paid[:, k]
    years = (run.inputs.days[: repaid.size] - run.inputs.before) / 365.0
    return float((repaid * years).sum() / repaid.sum()) if repaid.sum() > 0.0 else None


def _cushion(run: Projection, k: int) -> float | None:
    r = run.result
    tested = (r.ratio - r.trigger)[r.active[:, k], k]
    found = float(tested.min(initial=np.inf))
    return found if np.isfinite(found) else None


def less(one: float | None, other: float | None) -> float | None:
    """The difference; None where one is missing."""
    return None if one is None or other is None else one - other


# --- on the command line ---------------------------------------------------------------------------------------------


def check_count(count: int) -> None:
    """Raises Refused where so many scenarios do not go side by side."""
    if not 2 <= count <= MOST:
        named = counted(count, "scenario is named", "scenarios are named") if count else "none is named"
        raise Refused(f"Two to four scenarios go side by side; {named}.", code="usage")


def plain(names: Sequence[str], runs: Sequence[Projection]) -> dict[str, Any]:
    """The comparison as data: each figure in every scenario, and what it is less that of the first."""
    return {
        "deal": runs[0].deal,
        "scenarios": list(names),
        "inputs_that_differ": [
            {"input": row.title, "said": [words or None for words in row.said]}
            for row in inputs([run.assumptions for run in runs])
        ],
        "figures": [
            {
                "figure": row.words,
                "unit": row.unit.value,
                "values": list(row.values),
                "less_first": [less(value, row.values[0]) for value in row.values[1:]],
            }
            for row in figures(runs)
        ],
    }


def words(names: Sequence[str], runs: Sequence[Projection]) -> str:
    """The comparison in words; figures in which the scenarios agree are left out."""
    lines = [f"{runs[0].deal}: " + ", ".join(f"{LETTERS[k]} {name}" for k, name in enumerate(names))]
    for row in inputs([run.assumptions for run in runs]):
        each = ", ".join(f"{LETTERS[k]}: {said or 'as the deal says'}" for k, said in enumerate(row.said))
        lines.append(f"{row.title}: {each}")
    shown = [f for f in figures(runs) if any(value != f.values[0] for value in f.values)]
    if not shown:
        return "\n".join([*lines, "Every figure is the same."])
    lines.append(f"{'':32} " + " ".join(f"{LETTERS[k]:>16}" for k in range(len(names))))
    lines += [f"{f.words:32} " + " ".join(f"{_shown(f.unit, value):>16}" for value in f.values) for f in shown]
    lines.append("Figures that are not here are the same in all.")
    return "\n".join(lines)


def _shown(unit: Unit, value: float | None) -> str:
    if value is None:
        return "–"
    if unit in (Unit.RATE, Unit.SHARE, Unit.RATIO):
        return percent(value)
    return f"{value:,.0f}" if unit in (Unit.MONEY, Unit.COUNT) else f"{value:.2f}"
