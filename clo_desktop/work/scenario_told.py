"""What a projection assumes beside its plain numbers, in words and as plain data. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from engine.assumptions import AS_IT_IS, Assumptions, Proxy, RatePath
from engine.loans.events import Events, PikWindow
from engine.loans.vectors import Rule, Vector, ruled
from engine.refinancing import Refinancing
from engine.stress import Shock
from engine.structure import Structure

Plain = dict[str, Any]

_MOST: Final = 8
"""Entries that are told one by one; of more, their number."""

_RATES: Final = (("cpr", "CPR"), ("cdr", "CDR"), ("severity", "severity"))


def _percent(value: float) -> str:
    return f"{value * 100:.6g} %"


def _points(shift: float) -> str:
    return f"{shift * 1e4:+.6g} bp"


BY_RULES: Final = "by rules"
"""Stands for a figure of the pool that rules of all assets replace."""


def rate_words(asked: Assumptions, rates: Mapping[str, float], show: Callable[[str, float], str]) -> list[str]:
    """The rates and the lag of a run, each after its word: `CPR 20.00 %`, or `CDR by rules` where it is not used.

    show  a figure by its name (cpr, cdr, severity, lag) with its unit
    """
    instead, named = ruled(asked.rules), (*_RATES, ("lag", "recovery lag"))
    return [f"{word} {BY_RULES if of in instead else show(of, rates[of])}" for of, word in named]


def call_rules(asked: Assumptions, structure: Structure | None = None) -> tuple[str, ...]:
    """The rules by which the deal is called: the scenario's, else the deal's own."""
    below, clean_up = asked.call_below, asked.clean_up
    if structure is not None:
        below = structure.call_below if below is None else below
        clean_up = structure.clean_up if clean_up is None else clean_up
    words = [f"called after a distribution below {_percent(below)} of the equity"] if below else []
    words += [f"called when the performing par is below {_percent(clean_up)} of the opening par"] if clean_up else []
    return tuple(words)


def numbers(asked: Assumptions) -> tuple[str, ...]:
    """The plain numbers that are given, and the choices; nothing where all is left to the deal."""
    words = [f"{word} {_percent(value)}" for name, word in _RATES if (value := getattr(asked, name)) is not None]
    words += [] if asked.lag is None else [f"recovery lag {asked.lag:g} months"]
    words += [] if asked.sale_price is None else [f"sale price {asked.sale_price:g} % of par"]
    words += [f"curve shifted by {_points(asked.rate_shift)}"] if asked.rate_shift else []
    words += shock_words(asked)
    words += [] if asked.call_date is None else [f"redeemed from {asked.call_date.isoformat()}"]
    words += call_rules(asked)
    words += [] if asked.reinvest else ["no reinvestment"]
    words += [] if asked.recover_after_maturity else ["no recoveries after maturity"]
    return tuple(words)


def sections(asked: Assumptions) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What is assumed beyond plain numbers, as heads with their entries; nothing where nothing is."""
    made = [
        ("Rate path", list(_rate_path(asked.rates))),
        ("Reinvestment buys", list(_buys(asked))),
        ("Shocks", [f"{shock.where or 'all assets'}: {_shock(shock)}" for shock in asked.shocks]),
        ("Rules", [rule_words(rule) for rule in asked.rules]),
        ("Refinancing", [] if asked.refinancing is None else list(_refinancing(asked.refinancing))),
        ("Events", [] if asked.events is None else list(_events(asked.events))),
    ]
    return tuple((head, _some(entries)) for head, entries in made if entries)


def counts(asked: Assumptions) -> tuple[str, ...]:
    """How much of `sections` there is: `a rate path, 2 assets to buy, 4 rules, 5 events`."""
    path = asked.rates != AS_IT_IS
    numbers = (
        *((len(asked.buys), "asset"), (len(asked.shocks), "shock"), (len(asked.rules), "rule")),
        (_count(asked.events), "event"),
        (int(asked.refinancing is not None), "refinancing"),
    )
    words = [f"{n} {word}{'' if n == 1 else 's'}{' to buy' if word == 'asset' else ''}" for n, word in numbers if n]
    return ("a rate path", *words) if path else tuple(words)


def _count(events: Events | None) -> int:
    return 0 if events is None else sum(1 for _ in _events(events))


def _some(entries: Sequence[str]) -> tuple[str, ...]:
    more = len(entries) - _MOST
    return tuple(entries) if more <= 0 else (*entries[:_MOST], f"and {more} more")


def _rate_path(rates: RatePath) -> Iterator[str]:
    if rates.key_shifts:
        keys = ", ".join(f"{_points(shift)} at {months:g} months" for months, shift in rates.key_shifts)
        yield f"zero rates shifted by {keys}"
    if rates.interpolation != AS_IT_IS.interpolation:
        yield f"curve interpolated by {rates.interpolation}"
    if rates.forwards:
        (first, rate), (last, at_last) = rates.forwards[0], rates.forwards[-1]
        count = len(rates.forwards)
        if count == 1:
            yield f"forwards of {_percent(rate)} from {first.isoformat()}"
        else:
            yield (
                f"{count} given forwards, from {_percent(rate)} on {first.isoformat()} to {_percent(at_last)} from "
                f"{last.isoformat()}"
            )
    if rates.floored:
        yield "no forward below 0 %"


def _buys(asked: Assumptions) -> Iterator[str]:
    if asked.buy_price is not None:
        yield f"at a price of {asked.buy_price:g} % of par"
    for proxy in asked.buys:
        floor = f", floor {_percent(proxy.floor)}" if proxy.floor else ""
        rated = f", rated {proxy.rating}" if proxy.rating else ""
        terms = f"{_percent(proxy.share)} at {_percent(proxy.spread)} over the index{floor}, {proxy.months:g} months"
        yield terms + rated


def shock_words(asked: Assumptions) -> list[str]:
    """What happens to all assets at once: `prices -20 %`, `ratings down 2 notches`."""
    return _shock_words(asked.price_shock, asked.downgrade)


def _shock_words(price: float, notches: int) -> list[str]:
    words = [] if not price else [f"prices {price * 100:+.6g} %"]
    return words + ([f"ratings down {notches} notch{'' if notches == 1 else 'es'}"] if notches else [])


def _shock(shock: Shock) -> str:
    return ", ".join(_shock_words(shock.price, shock.notches))


def _refinancing(new: Refinancing) -> Iterator[str]:
    balances = dict(new.balances)
    yield f"from {new.on.isoformat()}"
    for name, margin in new.margins:
        yield f"class {name} at {_percent(margin)}" + (f", {balances[name]:,.2f}" if name in balances else "")
    if new.costs:
        yield f"costs {new.costs:,.2f}" + (" paid by the holders of the equity" if new.by_holders else "")
    if new.no_call is not None:
        yield f"no call until {new.no_call.isoformat()}"
    if new.reinvest_to is not None:
        yield f"reinvestment until {new.reinvest_to.isoformat()}"


def rule_words(rule: Rule) -> str:
    """`moodys_rating > B3: CDR 8 %, recovery lag 18 months`"""
    said = [f"{word} {_rate(value)}" for name, word in _RATES if (value := getattr(rule, name)) is not None]
    if rule.lag is not None:
        said.append(f"recovery lag {rule.lag:g} months")
    return f"{rule.where or 'all assets'}: {', '.join(said)}"


def _rate(value: float | Vector) -> str:
    if not isinstance(value, Vector):
        return _percent(value)
    first, last, count = value.values[0], value.values[-1], len(value.values)
    of = f"every {value.step} months" if value.step > 1 else "monthly" if value.step == 1 else "by interest date"
    words = _percent(first) if count == 1 else f"from {_percent(first)} to {_percent(last)} in {count} entries {of}"
    words += ", rates of a period" if value.per_step else ""
    words += ", shares of the opening balance" if value.absolute else ""
    return words + (", by age" if value.from_age else "")


def _events(events: Events) -> Iterator[str]:
    for asset, sale in (events.sales or {}).items():
        yield f"{asset} is sold on {sale.day.isoformat()} at {sale.price * 100:.6g} % of par"
    for asset, day in (events.maturities or {}).items():
        yield f"{asset} matures on {day.isoformat()}"
    for asset, window in (events.pik or {}).items():
        yield f"{asset} defers {_window(window)}"
    for asset, rows in (events.draws or {}).items():
        for day, amount in rows:
            yield f"{asset} draws {amount:,.2f} on {day.isoformat()}"
        if not rows:
            yield f"{asset} draws nothing"
    if events.draw_share:
        others = "other commitments" if events.draws else "commitments"
        yield f"{_percent(events.draw_share)} of {others} is drawn after {events.draw_months} months"


def _window(window: PikWindow) -> str:
    words = f"{_percent(window.share)} of its interest"
    words += "" if window.begin is None else f" from {window.begin.isoformat()}"
    return words + ("" if window.end is None else f" until {window.end.isoformat()}")


# --- as data -------------------------------------------------------------------------------------------------------


def plain(asked: Assumptions) -> Plain:
    """Everything of `sections`, and what the call rules of the scenario are; rates as fractions, dates ISO."""
    return {
        "buy_price": asked.buy_price,
        "call_below": asked.call_below,
        "clean_up": asked.clean_up,
        "recover_after_maturity": asked.recover_after_maturity,
        "curve": {
            "key_shifts": [{"months": months, "shift": shift} for months, shift in asked.rates.key_shifts],
            "interpolation": asked.rates.interpolation,
            "forwards": [{"date": day.isoformat(), "rate": rate} for day, rate in asked.rates.forwards],
            "floored": asked.rates.floored,
        },
        "buys": [_proxy_plain(proxy) for proxy in asked.buys],
        "price_shock": asked.price_shock,
        "downgrade": asked.downgrade,
        "shocks": [{"where": s.where, "price": s.price, "notches": s.notches} for s in asked.shocks],
        "rules": [_rule_plain(rule) for rule in asked.rules],
        "by_rules": list(ruled(asked.rules)),
        "refinancing": None if asked.refinancing is None else _refinancing_plain(asked.refinancing),
        "events": None if asked.events is None else _events_plain(asked.events),
    }


def _proxy_plain(proxy: Proxy) -> Plain:
    terms = {"share": proxy.share, "spread": proxy.spread, "floor": proxy.floor, "months": proxy.months}
    return {**terms, "rating": proxy.rating or None}


def _refinancing_plain(new: Refinancing) -> Plain:
    return {
        "date": new.on.isoformat(),
        "margins": dict(new.margins),
        "balances": dict(new.balances),
        "costs": new.costs,
        "by_holders": new.by_holders,
        "no_call": None if new.no_call is None else new.no_call.isoformat(),
        "reinvest_to": None if new.reinvest_to is None else new.reinvest_to.isoformat(),
    }


def _rule_plain(rule: Rule) -> Plain:
    rates = {name: _rate_plain(getattr(rule, name)) for name, _ in _RATES}
    return {"where": rule.where, **rates, "lag": rule.lag}


def _rate_plain(value: float | Vector | None) -> Any:
    if not isinstance(value, Vector):
        return value
    flags = {"per_step": value.per_step, "from_age": value.from_age, "absolute": value.absolute}
    return {"values": list(value.values), "step": value.step, **flags}


def _events_plain(events: Events) -> Plain:
    return {
        "sales": {
            asset: {"date": sale.day.isoformat(), "price": sale.price * 100.0}
            for asset, sale in (events.sales or {}).items()
        },
        "draws": {
            asset: [{"date": day.isoformat(), "amount": amount} for day, amount in rows]
            for asset, rows in (events.draws or {}).items()
        },
        "draw_share": events.draw_share,
        "draw_months": events.draw_months,
        "maturities": {asset: day.isoformat() for asset, day in (events.maturities or {}).items()},
        "deferrals": {asset: _window_plain(window) for asset, window in (events.pik or {}).items()},
    }


def _window_plain(window: PikWindow) -> Plain:
    begin, end = window.begin, window.end
    return {
        "share": window.share,
        "from": None if begin is None else begin.isoformat(),
        "until": None if end is None else end.isoformat(),
    }
