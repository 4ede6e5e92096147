"""The verb `alternatives`: hold the deal, or refinance, reset or call it; as plain data and in words. No Qt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress, silent
from clo_desktop.work.desk import Desk
from clo_desktop.work.worth import conventions, record, told
from engine.assumptions import Assumptions
from engine.valuation.alternatives import Action, Alternatives, Offer, Outcome, alternatives, market_offer
from engine.valuation.calls import Costs
from engine.valuation.conventions import MEASURES
from engine.valuation.note import Quote, Style

Plain = dict[str, Any]

_USED = ("irr", "present_gain", "recovered_on", "break_even_shift", "break_even_senior")


def compared(
    desk: Desk,
    deal: str,
    assumptions: Assumptions,
    refinance: dict[str, Any],
    reset: dict[str, Any] | None = None,
    *,
    call: Costs | None = None,
    price: float | None = None,
    on: Sequence[dt.date] | None = None,
    settlement: dt.date | None = None,
    curve: Path | None = None,
    report: Progress = silent,
) -> Alternatives:
    """Every alternative. `refinance`, `reset`: fields of `Offer`; without margins those of the market.

    The market's margin of a class is its discount margin in the deal; classes that pay less than that are left out.
    Raises Refused for terms that cannot be, and where there are neither margins nor cheaper ones in the market.
    """
    with desk.ready(deal, curve=curve) as model:  # raises what cannot be as Refused
        offers: dict[Action, Offer] = {}
        for action, terms in ((Action.REFINANCE, refinance), (Action.RESET, reset)):
            if terms is None:
                continue
            others = {name: value for name, value in terms.items() if name != "margins"}
            offer = Offer(**terms) if terms.get("margins") else market_offer(model, **others)
            if offer is None:
                raise Refused(
                    "No class pays more than its discount margin in the deal, so there is no offer to compare; say "
                    "one, such as --new A-1=1.05%.",
                    code="alternatives",
                )
            offers[action] = offer
        quote = None if price is None else Quote(Style.PRICE, price)
        return alternatives(model, assumptions, offers, call, quote, on=on, settlement=settlement, report=report)


def plain(deal: str, done: Alternatives) -> Plain:
    """Holding, the offers, every alternative on every date, the best of each; `measures` has units and conventions."""
    best = {a.value: b for a in Action if (b := done.best(a)) is not None}
    choice = done.choice
    return {
        "deal": deal,
        "currency": done.currency,
        "settlement": done.settlement.isoformat(),
        "equity_price": done.price,
        "equity_price_basis": done.basis,
        "hold": {"irr": done.hold_irr, "flows": [[day.isoformat(), amount] for day, amount in done.hold_flows]},
        "offers": {action.value: record(offer) for action, offer in done.offers.items()},
        "senior": {action.value: name for action, name in done.senior.items()},
        "alternatives": [record(o) for o in done.outcomes],
        "best": {name: {"on": o.on.isoformat(), "irr": o.irr} for name, o in best.items()},
        "choice": None if choice is None else {"action": choice.action.value, "on": choice.on.isoformat()},
        "measures": conventions(),
    }


def words(deal: str, done: Alternatives) -> str:
    """What pays best, and a line a date and alternative."""
    lines = [
        f"{deal}, settled on {done.settlement}, equity at {done.price:.4f} ({done.basis}): held to the end it earns "
        f"{told(done.hold_irr, '%')}.",
        verdict(done),
        f"{'':10} {'On':10} {'Costs':>11} {'Equity IRR':>10} {'Gained':>10} {'Present':>12} {'Recovered':>10} "
        f"{'All +':>9} {'Senior':>9}",
    ]
    lines += [
        f"{o.action.value:10} {o.on} {o.costs:>11,.0f} {told(o.irr, '%'):>10} {told(o.irr_gain, 'bp'):>10} "
        f"{told(o.present_gain, ',.0f'):>12} {o.recovered_on or '–'!s:>10} "
        f"{told(o.break_even_shift, 'bp'):>9} {told(o.break_even_senior, 'bp'):>9}"
        + ("" if o.counted else "  (does not repay every note; not counted)")
        for o in done.outcomes
    ]
    lines += [f"{MEASURES[name].title}: {MEASURES[name].convention}." for name in _USED]
    return "\n".join(lines)


def verdict(done: Alternatives) -> str:
    """One sentence: what earns the equity most, and by how much."""
    if done.hold_irr is None:
        return "Held, the equity has no IRR: nothing comes back, so alternatives are not told against it."
    choice = done.choice
    if choice is None:
        return "Holding earns the equity most: no alternative on any date beats it."
    more, worth = told(choice.irr_gain, "bp"), told(choice.present_gain, ",.0f")
    return (
        f"The equity earns most by a {_NAMES[choice.action]} on {choice.on}: {told(choice.irr, '%')}, {more} more than "
        f"held, worth {worth} {done.currency} today."
    )


_NAMES = {Action.REFINANCE: "refinancing", Action.RESET: "reset", Action.CALL: "call"}


def best_words(done: Alternatives, action: Action) -> str:
    """The best date of an alternative, and its break-evens."""
    found: Outcome | None = done.best(action)
    if found is None:
        return f"{_NAMES[action].capitalize()}: on no date"
    said = f"{_NAMES[action].capitalize()}: best on {found.on}, {told(found.irr_gain, 'bp')}"
    if found.break_even_senior is not None:
        said += (
            f", breaks even {told(found.break_even_shift, 'bp')} above the offer, or with "
            f"{done.senior[action]} at {told(found.break_even_senior, 'bp')}"
        )
    return said
