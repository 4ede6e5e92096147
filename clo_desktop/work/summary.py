"""Results in words and aligned figures, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from clo_desktop.figures import counted, percent
from clo_desktop.store import DealSummary
from clo_desktop.work import scenario_told
from clo_desktop.work.desk import Imported
from clo_desktop.work.standing import mark
from engine import cash
from engine.compliance import Compliance, TestResult
from engine.projection import Projection
from engine.waterfall.trace import StepTrace, Trace, failing


def _figure(kind: str, value: float) -> str:
    """A result in the unit of its kind."""
    if kind == "share":
        return percent(value, 3)
    if kind == "ratio":
        return percent(value)
    if kind == "years":
        return f"{value:.2f} y"
    return f"{value:,.2f}"


def _test_line(r: TestResult) -> str:
    bound = "max" if r.direction == "MAX" else "min"
    result, room = ("–", "–") if r.empty else (_figure(r.kind, r.result), _figure(r.kind, r.cushion))
    limit = _figure(r.kind, r.threshold)
    return (
        f"{r.number:4d}  {r.name:52.52} {result:>12} {bound} {limit:>12} {room:>12}  {mark(r):14} {r.comment}"
    ).rstrip()


def deals(found: Sequence[DealSummary], *, shared: bool = False) -> str:
    """A line a deal. shared  whether they are those of a server"""
    if not found and shared:
        return "No deal is assigned to you; ask an administrator."
    if not found:
        return "There is no deal yet; `clo import FILE --deal NAME` brings one in."
    return "\n".join(
        f"{d.name:24} {d.as_of or '–'}  {counted(d.assets, 'asset'):>12}  par {d.par:18,.2f} {d.currency}"
        for d in found
    )


def imported(outcome: Imported) -> str:
    """A line a fault, and what was stored."""
    lines = []
    for fault in outcome.faults:
        place = f"{fault.sheet}!{fault.cell}" if fault.cell else fault.sheet
        lines.append(f"{fault.severity:8} {place:24} {fault.column}: {fault.message}")
    if outcome.imported:
        lines.append(
            f"{outcome.deal}: {counted(outcome.holdings, 'holding')} of {counted(outcome.assets, 'asset')}, "
            f"par {outcome.par:,.2f}, principal cash {outcome.principal_cash:,.2f}; "
            f"{counted(outcome.warnings, 'warning')}."
        )
        lines += [] if outcome.snapshot is None else [outcome.snapshot.words]
    return "\n".join(lines)


def refused_import(outcome: Imported) -> str:
    """Why nothing was stored."""
    errors, them = counted(outcome.errors, "error"), "it" if outcome.errors == 1 else "them"
    return f"Nothing was imported: {outcome.file_name} has {errors}; mend {them} and import again."


def compliance(done: Compliance) -> str:
    """The table of tests with a head and the notes."""
    failing = sum(r.outcome.value == "fail" for r in done.results)
    fail = "fails" if failing == 1 else "fail"
    lines = [
        f"{done.deal} as of {done.as_of or 'an unknown date'}: {counted(len(done.results), 'test')}, {failing} {fail} "
        f"({done.readings.name} readings)",
        f"Collateral principal amount {done.collateral_principal_amount:,.2f} "
        f"= performing par {done.performing_par:,.2f} + principal cash {done.cash:,.2f}",
        f"{'':4}  {'Test':52} {'Result':>12} {'':3} {'Limit':>12} {'Cushion':>12}  Outcome",
    ]
    lines += [_test_line(r) for r in done.results]
    lines += [f"Note: {note}" for note in done.notes]
    return "\n".join(lines)


def _further(done: Projection) -> str:
    """What else was asked for."""
    asked = done.assumptions
    words = [f", curve shifted by {asked.rate_shift * 1e4:+.0f} bp"] if asked.rate_shift else []
    words += [f", {word}" for word in scenario_told.shock_words(asked)]
    words += [f", redeemed from {asked.call_date.isoformat()}"] if asked.call_date else []
    words += [f", {rule}" for rule in scenario_told.call_rules(asked, done.structure)]
    words += [] if asked.reinvest else [", no reinvestment"]
    words += [] if asked.recover_after_maturity else [", no recoveries after maturity"]
    return "".join(words)


def _rate(name: str, value: float) -> str:
    return f"{value:g} months" if name == "lag" else percent(value, 1 if name == "severity" else 2)


def projection(done: Projection) -> str:
    """Totals by class, the first dates, and what was assumed. Money in whole units of the deal's currency."""
    r = done.result
    rates = scenario_told.rate_words(done.assumptions, done.rates, _rate)
    irr = done.equity_irr
    lines = [
        f"{done.deal} as of {done.as_of}: {counted(len(done.payment_dates), 'payment date')} to "
        f"{done.payment_dates[-1]}, priority of payments {done.document.name}",
        f"{', '.join(rates)}, sale price {done.sale_price:g}" + _further(done),
        *(f"{head}: {'; '.join(entries)}" for head, entries in scenario_told.sections(done.assumptions)),
        f"{'Class or fee':14} {'Opening':>16} {'Interest':>16} {'Deferred paid':>16} {'Principal':>16} "
        f"{'At the end':>16}",
    ]
    for k, tranche in enumerate(done.tranches):
        end = 0.0 if k == done.equity else float(r.balance[-1, k] + r.deferred[-1, k] + r.unpaid[-1, k])
        lines.append(
            f"{tranche.name:14} {tranche.current_balance:16,.0f} {r.interest[:, k].sum():16,.0f} "
            f"{r.deferred_paid[:, k].sum():16,.0f} {r.principal[:, k].sum():16,.0f} {end:16,.0f}"
        )
    for k, fee in enumerate(done.structure.fees):
        lines.append(f"{fee.name:14.20} {'':>11} {r.fee_paid[:, k].sum():16,.0f}")
    lines.append(f"Incentive fee {'':>17} {r.cash[:, cash.INCENTIVE_FEE].sum():16,.0f}")
    total = done.paid(done.equity).sum()
    lines.append(
        f"Subordinated notes: {total:,.0f} in all; IRR since purchase {'none' if irr is None else percent(irr)}"
    )
    for k, test in enumerate(done.document.tests):
        dates = [done.payment_dates[i] for i in np.flatnonzero(failing(done, k))]
        when = f"fails first on {dates[0]}, {counted(len(dates), 'time')} in all" if dates else "never fails"
        lines.append(f"{test.id:8} {percent(r.ratio[0, k]):>9} against {percent(r.trigger[0, k])}: {when}")
    gap = abs(done.sources - done.uses).max()
    lines.append(
        f"Sources {done.sources.sum():,.2f} = uses {done.uses.sum():,.2f}; largest difference on a date {gap:.6f}"
    )
    lines += [f"Assumed: {text}" for text in done.assumed]
    lines += [f"Note: {text}" for text in done.structure.notes]
    return "\n".join(lines)


_WORDS: Final = 50  # characters a line of a trace gives to what a step does
_FIGURES: Final = ("Cash before", "Due", "Paid", "Short", "Cash after")


def trace(done: Trace) -> str:
    """The chain of steps of a payment, lettered as in the numbered list; steps with nothing due are left out.

    Steps that paid the class are marked, tests that decided stand below theirs; a negative payment is a receipt.
    """
    lines = [
        f"{done.deal}, {done.date}, {done.class_name}: {done.total:,.2f} paid{_split(done)}; {done.phase}",
    ]
    for section in done.sections:
        heads = " ".join(f"{head:>16}" for head in _FIGURES)
        lines += ["", f"{section.title}: {section.cash_in:,.2f} in", f"{'':{_WORDS + 11}} {heads}"]
        for step in section.steps:
            if not step.idle or step.kind == "branch":
                lines += _step(step)
    return "\n".join(lines)


def _split(done: Trace) -> str:
    """Of what the payment to a class consists."""
    if done.fee is not None:
        return ""
    return f" (interest {done.interest:,.2f}, deferred interest {done.deferred:,.2f}, principal {done.principal:,.2f})"


def _step(step: StepTrace) -> Iterator[str]:
    mark = "→" if step.to_class or (step.of_class and step.paid) else " "
    label = f"{step.label}, {step.when}" if step.when else step.label
    first, *rest = textwrap.wrap(label, _WORDS, break_long_words=False)
    figures = (step.cash_before, step.due, step.paid, step.short, step.cash_after)
    shown = " ".join(f"{'' if x is None else f'{x:,.2f}':>16}" for x in figures)
    yield f"  {f'({step.letter})':7}{mark} {first:{_WORDS}} {shown}"
    yield from (f"{'':11}{line}" for line in rest)
    for test in step.tests:
        verdict = "is not tested" if not test.active else "passes" if test.passed else "FAILS"
        yield (
            f"{'':11}{test.id} {verdict}: {test.numerator:,.2f} / {test.denominator:,.2f} "
            f"= {percent(test.ratio)} against {percent(test.trigger)}"
        )
