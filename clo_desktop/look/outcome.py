"""What came of a run, in words: under which assumptions, equity, notes, tests, and what had to be assumed."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Final

import numpy as np

from clo_desktop.look import formats
from clo_desktop.work import scenario_told
from engine.assumptions import Assumptions
from engine.outputs.beside import Beside
from engine.projection import Projection
from engine.waterfall.trace import failing

_TEST_ID: Final = re.compile(r"\b([OI]C)_(?=[A-Z])")
_OWED: Final = 1.0  # in the deal's currency: less is a rounding of the last payment
_MINUS: Final = re.compile(r"(?<!\w)-(?=\d)")
_UNIT: Final = re.compile(r"(?<=\d) (?=%|bp\b|months\b)")
_TRIGGER: Final = re.compile(r"(?<=trigger )\d\.\d+$")


def spelled(name: str) -> str:
    """The id of a coverage test as people write it: `OC B-2`."""
    return name.replace("_", " ")


def spelled_in(text: str) -> str:
    """A text in which the ids of coverage tests stand as people write them: `Cure of OC B-2, IC B-2`."""
    return _TEST_ID.sub(r"\1 ", text)


def assumed_words(term: str) -> str:
    """An assumed term with figures as everywhere in the window: grouped alike, triggers in percent."""
    term = _TRIGGER.sub(lambda match: formats.with_unit("ratio", float(match[0])), term)
    return formats.in_words(term)


def repaid_on(flows: Projection) -> dt.date | None:
    """The payment date on which the last rated note was repaid; None while something is owed, or nothing ever was."""
    r = flows.result
    rated = [k for k in range(len(flows.tranches)) if k != flows.equity]
    owed = (r.balance + r.deferred + r.unpaid)[:, rated].max(axis=1, initial=0.0) > _OWED
    if not rated or owed[-1]:
        return None
    left = np.flatnonzero(owed)
    return flows.payment_dates[int(left[-1]) + 1 if left.size else 0]


def _rate(name: str, value: float) -> str:
    return f"{formats.figure(value, 0)} months" if name == "lag" else formats.with_unit("rate", value)


def assumptions_words(flows: Projection) -> str:
    """The assumptions of a run on one line."""
    asked = flows.assumptions
    words = scenario_told.rate_words(asked, flows.rates, _rate)
    words.append(f"sale price {formats.text('price', flows.sale_price)}")
    if asked.rate_shift:
        words.append(f"curve shifted by {formats.figure(asked.rate_shift * 1e4, 0)} bp")
    words += map(_dressed, scenario_told.shock_words(asked))
    if asked.call_date:
        words.append(f"redeemed from {asked.call_date.isoformat()}")
    words += map(_dressed, scenario_told.call_rules(asked, flows.structure))
    if not asked.reinvest:
        words.append("no reinvestment")
    if not asked.recover_after_maturity:
        words.append("no recoveries after maturity")
    return ", ".join(words)


def _dressed(words: str) -> str:
    """Words of a scenario as everywhere in the window: true minus signs, units that stay with their number."""
    return _UNIT.sub("\u00a0", _MINUS.sub("−", assumed_words(words)))


def scenario_text(asked: Assumptions) -> str:
    """What is assumed beside plain numbers, as rich text; "" where nothing is."""
    return "".join(
        f"<p style='{_PARAGRAPH}'><b>{_safe(head)}</b> {_safe('; '.join(map(_dressed, entries)))}</p>"
        for head, entries in scenario_told.sections(asked)
    )


def said_text(name: str, asked: Assumptions) -> str:
    """What a scenario says, under its name, as rich text: numbers, and how much there is of the rest."""
    said = [*scenario_told.numbers(asked), *scenario_told.counts(asked)] or ["nothing; all is left to the deal"]
    return f"<p style='{_PARAGRAPH}'><b>{_safe(name)}</b> {_safe(', '.join(map(_dressed, said)))}</p>"


def outcome_text(flows: Projection) -> str:
    """What came of a run, as rich text."""
    irr = flows.equity_irr
    total = float(flows.paid(flows.equity).sum())
    lines = [
        (
            "Subordinated notes",
            f"{formats.with_unit('money', total, flows.currency)} in all, IRR since purchase "
            f"{formats.with_unit('rate', irr)}",
        ),
        ("Notes", _notes(flows)),
        *_failing(flows),
        ("Sources = uses", _balance(flows)),
        ("Priority of payments", flows.document.title),
    ]
    shown = f"<p style='{_PARAGRAPH}'><b>Under</b> {_safe(assumptions_words(flows))}</p>"
    shown += scenario_text(flows.assumptions)
    shown += "".join(f"<p style='{_PARAGRAPH}'><b>{_safe(head)}</b> {_safe(text)}</p>" for head, text in lines)
    shown += "".join(f"<p style='{_PARAGRAPH}'>{_safe(spelled_in(note))}</p>" for note in flows.structure.notes)
    if flows.assumed:
        items = "".join(f"<li>{_safe(assumed_words(term))}</li>" for term in flows.assumed)
        head = f"Assumed terms ({len(flows.assumed)})"
        shown += (
            f"<p style='{_PARAGRAPH}'><b>{head}</b> The workbook leaves these blank.</p>"
            f"<ul style='margin: 0; -qt-list-indent: 0'>{items}</ul>"
        )
    return shown


_PARAGRAPH: Final = "margin: 0 0 5px 0"


def _notes(flows: Projection) -> str:
    r = flows.result
    owed = r.balance[-1] + r.deferred[-1] + r.unpaid[-1]
    unpaid = [t.name for k, t in enumerate(flows.tranches) if k != flows.equity and owed[k] > _OWED]
    if unpaid:
        return f"not repaid in full: {', '.join(unpaid)} by {flows.payment_dates[-1].isoformat()}"
    day = repaid_on(flows)
    return "none are rated" if day is None else f"all repaid by {day.isoformat()}"


def _failing(flows: Projection) -> list[tuple[str, str]]:
    found = []
    for k, test in enumerate(flows.document.tests):
        dates = [flows.payment_dates[i] for i in np.flatnonzero(failing(flows, k))]
        if dates:
            when = f"fails first on {dates[0].isoformat()} ({len(dates)} of {len(flows.payment_dates)} dates)"
            found.append((spelled(test.id), when))
    return found


def _balance(flows: Projection) -> str:
    gap = float(abs(flows.sources - flows.uses).max())
    cents = "to a cent" if gap < 0.005 else f"but for {formats.figure(gap, 2)}"
    dates = len(flows.payment_dates)
    return f"{cents} on " + ("the one date" if dates == 1 else f"each of {dates} dates")


def _safe(text: str) -> str:
    """Text for rich text, whose reader would turn the thin blanks of figures into blanks it breaks lines at."""
    return html.escape(text, quote=False).replace(formats.THIN, "\u00a0")


def beside_words(test: int, found: Beside, currency: str) -> str:
    """Why a coverage test of the compliance table and one of the priority of payments give different figures."""
    classes = ", ".join(f"{name} ({formats.with_unit('money', owed, currency)})" for name, owed in found.without)
    apart = f"leaves out class {classes}" if classes else "is of the balances on that date"
    as_of = "" if found.as_of is None else f" of {found.as_of.isoformat()}"
    return (
        f"Beside it: {found.name} of the priority of payments is {formats.with_unit('ratio', found.ratio)} on "
        f"{found.day.isoformat()} ({formats.text('money', found.numerator)} / "
        f"{formats.text('money', found.denominator)}). Its denominator {apart}; that of test {test} is "
        f"{formats.text('money', found.other)}. Its collateral is projected to that date, with the haircuts of the "
        f"priority of payments; that of test {test} is the pool{as_of}."
    )
