"""Assumptions written as a scenario file, the inverse of reading one. No Qt."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import yaml

from clo_desktop.faults import Refused
from clo_desktop.work import scenario_renewal
from clo_desktop.work.blocks import CODE
from clo_desktop.work.scenario import scenario_of_text
from engine.assumptions import AS_IT_IS, Assumptions, Proxy
from engine.loans.events import NO_EVENTS, Events, PikWindow, Sale
from engine.loans.vectors import Rule, Vector
from engine.stress import Shock

Plain = dict[str, Any]

_NUMBERS: Final = ("cpr", "cdr", "severity", "lag", "sale_price", "buy_price")
_WIDTH: Final = 110


def text_of(asked: Assumptions, title: str = "") -> str:
    """The scenario as YAML, what is left to the deal not written. Reading it gives the same assumptions, bit for bit,
    but for rules, shocks and events that say nothing; a sale price is kept as the percentage of par it is nearest to.

    Raises Refused for assumptions that a scenario file cannot say.
    """
    asked = _tidied(asked)
    data = ({"title": title} if title else {}) | _assumptions(asked)
    made: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None)
    if not data:
        made = "reinvest: true\n"  # an empty file is refused; this says what the deal does anyway
    if scenario_of_text(made, title or "the scenario").assumptions != asked:
        raise Refused("These assumptions cannot be written as a scenario; change them a little.", code=CODE)
    return made


def said(asked: Assumptions) -> Plain:
    """What a scenario says by the keys of its file; what is left to the deal is not there."""
    return _assumptions(_tidied(asked))


def _tidied(asked: Assumptions) -> Assumptions:
    """Without what says nothing."""
    events = asked.events
    if events is not None:
        sold = {asset: Sale(s.day, _percent(s.price) / 100.0) for asset, s in (events.sales or {}).items()}
        drawn = {asset: tuple(sorted(rows)) for asset, rows in (events.draws or {}).items()}
        given: Plain = {name: getattr(events, name) or None for name in ("maturities", "pik")}
        events = replace(events, **given, sales=sold or None, draws=drawn or None)
        events = None if events == NO_EVENTS else events
    return replace(
        asked,
        rules=tuple(rule for rule in asked.rules if rule != Rule(rule.where)),
        shocks=tuple(shock for shock in asked.shocks if shock != Shock(shock.where)),
        events=events,
    )


def _said(pairs: Plain, nothing: Any = None) -> Plain:
    return {key: value for key, value in pairs.items() if value is not nothing and value not in ({}, [])}


def _assumptions(asked: Assumptions) -> Plain:
    plain = Assumptions()
    return _said(
        {
            **{name: getattr(asked, name) for name in _NUMBERS},
            "reinvest": None if asked.reinvest else False,
            "recover_after_maturity": None if asked.recover_after_maturity else False,
            "curve": _curve(asked),
            "call": _said({"date": asked.call_date, "below": asked.call_below, "clean_up": asked.clean_up}),
            "buys": [_proxy(proxy) for proxy in asked.buys],
            "price_shock": None if asked.price_shock == plain.price_shock else asked.price_shock,
            "downgrade": asked.downgrade or None,
            "shocks": [
                _said({"where": s.where or None, "price": s.price or None, "notches": s.notches or None})
                for s in asked.shocks
            ],
            "rules": [_rule(rule) for rule in asked.rules],
            "refinancing": scenario_renewal.said(asked.refinancing),
            "events": {} if asked.events is None else _events(asked.events),
        }
    )


def _curve(asked: Assumptions) -> Plain:
    path = asked.rates
    return _said(
        {
            "shift": asked.rate_shift or None,
            "key_shifts": dict(path.key_shifts),
            "interpolation": None if path.interpolation == AS_IT_IS.interpolation else str(path.interpolation),
            "forwards": dict(path.forwards),
            "floored": path.floored or None,
        }
    )


def _proxy(proxy: Proxy) -> Plain:
    terms = {"share": proxy.share, "spread": proxy.spread, "floor": proxy.floor, "months": proxy.months}
    return terms | _said({"rating": proxy.rating or None})


def _rule(rule: Rule) -> Plain:
    rates = {name: _rate(getattr(rule, name)) for name in ("cpr", "cdr", "severity")}
    return _said({"where": rule.where or None, **rates, "lag": rule.lag})


def _rate(value: float | Vector | None) -> Any:
    if not isinstance(value, Vector):
        return value
    flags = {"per_step": value.per_step, "from_age": value.from_age, "absolute": value.absolute}
    return {"values": list(value.values), "step": value.step, **{word: True for word, on in flags.items() if on}}


def _events(events: Events) -> Plain:
    return _said(
        {
            "sales": {asset: {"date": s.day, "price": _percent(s.price)} for asset, s in (events.sales or {}).items()},
            "draws": {
                asset: [{"date": day, "amount": amount} for day, amount in rows]
                for asset, rows in (events.draws or {}).items()
            },
            "draw_share": events.draw_share or None,
            "draw_months": None if events.draw_months == Events().draw_months else events.draw_months,
            "maturities": dict(events.maturities or {}),
            "deferrals": {asset: _window(window) for asset, window in (events.pik or {}).items()},
        }
    )


def _window(window: PikWindow) -> Plain:
    return {"share": window.share} | _said({"from": window.begin, "until": window.end})


def _percent(share: float) -> float:
    """The percentage of par that is read as this share again, where there is one."""
    near = share * 100.0
    candidates = (near, math.nextafter(near, math.inf), math.nextafter(near, -math.inf))
    return next((percent for percent in candidates if percent / 100.0 == share), near)
