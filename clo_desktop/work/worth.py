"""The verb `value`: what a deal's notes and equity are worth, as plain data and in words. No Qt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.figures import percent
from clo_desktop.progress import Progress, silent
from clo_desktop.work.desk import Desk
from engine.assumptions import Assumptions
from engine.valuation.calls import CallTable, Costs
from engine.valuation.conventions import MEASURES
from engine.valuation.note import Quote
from engine.valuation.rate_risk import RateRisk
from engine.valuation.whole import DealValue, value_deal
from engine.waterfall.document import class_id

Plain = dict[str, Any]


def value(
    desk: Desk,
    deal: str,
    assumptions: Assumptions,
    quotes: Iterable[tuple[str, Quote]] = (),
    *,
    curve: Path | None = None,
    settlement: dt.date | None = None,
    marked_on: dt.date | None = None,
    to_worst: bool = False,
    costs: Costs | None = None,
    risk: bool = False,
    report: Progress = silent,
) -> DealValue:
    """What the deal is worth. `quotes`: class (A-1 or Class A-1) and price, the deal's own prices for the others.

    Raises Refused for an unknown deal or class, terms that are missing, a settlement outside the run.
    """
    given: dict[str, Quote] = {}
    for name, quote in quotes:
        if class_id(name) in given:
            raise Refused(f"Class {class_id(name)} is quoted twice; keep one.", code="quote")
        given[class_id(name)] = quote
    with desk.ready(deal, curve=curve) as model:
        return value_deal(
            model,
            assumptions,
            given,
            settlement=settlement,
            marked_on=marked_on,
            to_worst=to_worst,
            costs=costs,
            risk=risk,
            report=report,
        )


# --- as data -------------------------------------------------------------------------------------------------------


def plain(done: DealValue) -> Plain:
    """Every figure under its name; `measures` says the unit and the convention of each name."""
    v, p = done.valuation, done.projection
    made: Plain = {
        "deal": v.deal,
        "currency": v.currency,
        "as_of": v.as_of.isoformat(),
        "settlement": v.settlement.isoformat(),
        "redeemed": v.redeemed.isoformat(),
        "assumptions": {**p.rates, "rate_shift": p.assumptions.rate_shift, "sale_price": p.sale_price},
        "assumed_terms": list(p.assumed),
        "classes": [record(c) for c in v.classes],
        "equity": record(done.equity),
        "marks": record(done.marks),
        "price_buckets": [record(b) for b in done.buckets],
    }
    if done.calls is not None:
        made["calls"] = _calls(done.calls)
    if done.risks is not None:
        made["rate_risk"] = [record(r) for r in done.risks]
    made["measures"] = conventions()
    return made


def conventions() -> Plain:
    """Title, unit and convention of every figure, by its name."""
    return {name: {"title": m.title, "unit": m.unit, "convention": m.convention} for name, m in MEASURES.items()}


def record(of: Any) -> Plain:
    """A frozen result as plain data: dates in ISO, tuples as lists."""
    return {f.name: _value(getattr(of, f.name)) for f in fields(of)}


def _value(found: Any) -> Any:
    if isinstance(found, dt.date):
        return found.isoformat()
    if isinstance(found, tuple):
        return [_value(item) for item in found]
    return found


def _calls(table: CallTable) -> Plain:
    return {
        "redemptions": [record(r) for r in table.redemptions],
        "classes": [record(c) for c in table.classes],
        "best_for_equity": None if table.best is None else record(table.best),
    }


# --- in words ------------------------------------------------------------------------------------------------------

_COLUMNS: Final[tuple[tuple[str, str, str], ...]] = (
    ("clean", "Clean", ".4f"),
    ("accrued", "Accrued", ".4f"),
    ("yield_quarterly", "Yield", "%"),
    ("discount_margin", "DM", "bp"),
    ("z_spread", "Z-spread", "bp"),
    ("wal", "WAL", ".2f"),
    ("modified", "Modified", ".2f"),
    ("spread_duration", "Spread d.", ".2f"),
    ("cs01", "CS01", ",.0f"),
    ("write_down", "Write-down", ",.0f"),
)


def words(done: DealValue) -> str:
    """A line a class, the equity, the marks, calls and rate risk where there are."""
    v, e, m = done.valuation, done.equity, done.marks
    lines = [
        f"{v.deal} as of {v.as_of}, settled on {v.settlement}, redeemed on {v.redeemed}; prices per 100 of current "
        f"balance with deferred interest, {v.currency}",
        f"{'Class':12}" + "".join(f"{title:>12}" for _, title, _ in _COLUMNS) + "  Principal",
    ]
    for c in v.classes:
        window = f"{c.window_first} to {c.window_last}" if c.window_first else "–"
        lines.append(
            f"{c.name:12.12}"
            + "".join(f"{told(getattr(c, name), form):>12}" for name, _, form in _COLUMNS)
            + f"  {window}"
        )
    for c in v.classes:
        if c.first_loss is not None and c.write_down is not None:
            since = f", uncovered from {c.uncovered}" if c.uncovered else ""
            lines.append(f"{c.name} loses {c.write_down:,.0f} ({told(c.write_down_share, '%')} of its claim){since}.")
    lines += [
        f"Equity at {told(e.price, '.4f')}: IRR {told(e.irr_at_price, '%')}, at cost {told(e.irr_at_cost, '%')}, "
        f"at book {told(e.irr_at_book, '%')}, at NAV {told(e.irr_at_nav, '%')}, "
        f"since closing {told(e.irr_since_closing, '%')}, to date {told(e.irr_to_date, '%')}; "
        f"MOIC {told(e.moic_at_price, '.2f')}, paid back on {e.payback_at_price or '–'}",
        f"Incentive fee {e.incentive_fee:,.0f}: it costs {told(e.incentive_fee_effect, 'bp')} of the IRR since closing "
        f"({told(e.irr_since_closing_before_fee, '%')} before it, {told(e.irr_at_price_before_fee, '%')} at the price)",
        "Cash-on-cash by year: " + ", ".join(f"{year} {percent(share, 1)}" for year, share in e.by_year),
        f"Marks of {m.marked_on}: market value {told(m.market_value, ',.0f')}, average "
        f"{told(m.average_price, '.3f')}, {m.unmarked_par:,.0f} par unmarked; "
        f"NAV {told(m.nav, ',.0f')}, {told(m.nav_price, '.3f')} per 100",
        "MVOC: " + ", ".join(f"{name} {percent(ratio)}" for name, ratio in m.mvoc),
        "Assets by price: "
        + ", ".join(
            f"{b.name} {percent(b.share, 1)} (market value {told(b.market_value, ',.0f')})" for b in done.buckets
        ),
    ]
    lines += _call_words(done.calls) if done.calls is not None else []
    lines += _risk_words(done.risks) if done.risks is not None else []
    used = [name for name, _, _ in _COLUMNS] + ["irr_at_price", "nav", "mvoc"]
    lines += [f"{MEASURES[name].title}: {MEASURES[name].convention}." for name in used]
    lines += [f"Assumed: {text}" for text in done.projection.assumed]
    return "\n".join(lines)


def _call_words(table: CallTable) -> list[str]:
    lines = [f"To worst over maturity and {len(table.redemptions) - 1} call dates:"]
    lines += [
        f"{c.name:12.12} yield {told(c.worst_yield, '%'):>9} on {c.worst_yield_on or '–'}, "
        f"margin {told(c.worst_margin, 'bp'):>9} on {c.worst_margin_on or '–'}"
        for c in table.classes
    ]
    if table.best is not None:
        lines.append(f"The equity earns most, {told(table.best.equity_irr, '%')}, redeemed on {table.best.redeemed}.")
    return lines


def _risk_words(risks: tuple[RateRisk, ...]) -> list[str]:
    lines = ["Effective duration, and by tenor:"]
    for r in risks:
        keyed = ", ".join(f"{months:g}m {years:.3f}" for months, years in r.key_rates)
        lines.append(f"{r.class_id:12.12} {told(r.effective_duration, '.3f'):>9}  {keyed}")
    return lines


def told(found: float | None, form: str) -> str:
    """A figure, – where there is none."""
    if found is None:
        return "–"
    if form == "%":
        return percent(found)
    return f"{found * 1e4:.1f} bp" if form == "bp" else f"{found:{form}}"
