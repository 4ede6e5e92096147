"""Scenarios as YAML: everything that a projection may assume, read strictly (docs/scenarios.md). No Qt.

What is not written is left to the deal. Every refusal names the file, the key and the remedy.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from clo_desktop.faults import Refused
from clo_desktop.work import blocks, scenario_renewal
from clo_desktop.work.blocks import CODE, Block
from engine.assumptions import AS_IT_IS, MOST_NOTCHES, Assumptions, Proxy, RatePath
from engine.curve_shapes import Interpolation
from engine.filter import FilterError, parse
from engine.loans.events import Events, PikWindow, Sale
from engine.loans.vectors import Rule, Vector, ramp
from engine.stress import Shock

T = TypeVar("T")

_NOTCHES: Final = blocks.whole(0, MOST_NOTCHES)
_LARGEST: Final = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Scenario:
    """A file of assumptions: its name, what it calls itself ("": nothing), and what it says."""

    file_name: str
    title: str
    assumptions: Assumptions


def read_scenario(path: Path) -> Scenario:
    """Reads a scenario file. Raises Refused (code "scenario") naming the file, the key and the remedy."""
    return scenario_of_text(scenario_text(path), path.name)


def scenario_text(path: Path) -> str:
    """The text of a scenario file, as yet unread. Raises Refused where it is no text, or too large for one."""
    try:
        if path.stat().st_size > _LARGEST:
            blocks.refuse(path.name, "", f"the file is larger than {_LARGEST // 1_000_000} MB; it is no scenario.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(f"The scenario {path} cannot be read ({error.strerror}); check its name.", code=CODE) from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is no text; save it as YAML in UTF-8.", code=CODE) from error


def scenario_of_text(text: str, name: str) -> Scenario:
    """The scenario of a YAML text; `name` stands for the file in refusals."""
    data = blocks.loaded(text, name)
    if data is None:
        blocks.refuse(name, "", "it holds nothing; write what is assumed, such as cdr: 3%.")
    top = Block(name, "", data, "a scenario is a list of keys and values, such as cdr: 3%")
    title = top.take("title", blocks.text) or ""
    assumptions = blocks.made(name, "", lambda: _assumptions(top))
    return Scenario(name, title, assumptions)


def read_forwards(path: Path) -> tuple[tuple[dt.date, float], ...]:
    """Forward rates from a CSV with the columns date and rate. Raises Refused with the line.

    Each rate holds from its day to the next one's; a rate is a fraction, or a percentage with its sign.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(f"The forwards {path} cannot be read ({error.strerror}); check the name.", code=CODE) from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is no text; save it as CSV in UTF-8.", code=CODE) from error
    reader = csv.DictReader(text.splitlines())
    found: list[tuple[dt.date, float]] = []
    for row in reader:
        where = f"line {reader.line_num}"
        if row.get("date") is None or row.get("rate") is None:
            blocks.refuse(path.name, where, "forwards need the columns date and rate (2026-01-15, 0.041).")
        try:
            day = dt.date.fromisoformat(row["date"].strip())
        except ValueError:
            blocks.refuse(path.name, where, f"“{row['date']}” is no date; write 2026-01-15.")
        rate = blocks.number(path.name, where, row["rate"], -0.05, 1.0, blocks.RATE_WORDS)
        if found and day <= found[-1][0]:
            blocks.refuse(path.name, where, f"{day.isoformat()} is not after the day before it; put the days in order.")
        found.append((day, rate))
    if not found:
        blocks.refuse(path.name, "", "it holds no forwards; it needs the columns date and rate.")
    return tuple(found)


# --- what may stand in a scenario ----------------------------------------------------------------------------------


def _assumptions(top: Block) -> Assumptions:
    call = top.take("call", _call) or {}
    given: dict[str, Any] = {
        "cpr": top.take("cpr", blocks.share),
        "cdr": top.take("cdr", blocks.share),
        "severity": top.take("severity", blocks.share),
        "lag": top.take("lag", blocks.lag),
        "sale_price": top.take("sale_price", blocks.price),
        "buy_price": top.take("buy_price", blocks.price),
        "events": top.take("events", _events),
        "price_shock": top.take("price_shock", blocks.change) or 0.0,
        "downgrade": top.take("downgrade", _NOTCHES) or 0,
        "shocks": top.take("shocks", _shocks) or (),
        "refinancing": top.take("refinancing", scenario_renewal.read),
        **call,
    }
    shift, rates = top.take("curve", _curve) or (None, AS_IT_IS)
    reinvest, late = top.take("reinvest", blocks.flag), top.take("recover_after_maturity", blocks.flag)
    buys, rules = top.take("buys", _buys), top.take("rules", _rules)
    top.end()
    return Assumptions(
        **given,
        rate_shift=shift or 0.0,
        rates=rates,
        buys=buys or (),
        rules=rules or (),
        reinvest=True if reinvest is None else reinvest,
        recover_after_maturity=True if late is None else late,
    )


def _call(name: str, key: str, value: Any) -> dict[str, Any]:
    block = Block(name, key, value, "write date, below or clean_up under it")
    made = {
        "call_date": block.take("date", blocks.day),
        "call_below": block.take("below", blocks.share),
        "clean_up": block.take("clean_up", blocks.share),
    }
    block.end()
    return made


def _curve(name: str, key: str, value: Any) -> tuple[float, RatePath]:
    block = Block(name, key, value, "write shift, key_shifts, interpolation, forwards or floored under it")
    shift = block.take("shift", blocks.spread)
    path = RatePath(
        key_shifts=block.take("key_shifts", _key_shifts) or (),
        interpolation=block.take("interpolation", interpolation) or AS_IT_IS.interpolation,
        forwards=block.take("forwards", _forwards) or (),
        floored=block.take("floored", blocks.flag) or False,
    )
    block.end()
    return shift or 0.0, path


def interpolation(name: str, key: str, value: Any) -> str:
    """The name of an interpolation. Raises Refused naming the known ones."""
    known = [str(shape) for shape in Interpolation]
    text = blocks.text(name, key, value).lower()
    if text not in known:
        blocks.refuse(name, key, f"{blocks.shown(value)} is not known; write one of {', '.join(known)}.")
    return text


def key_shift(name: str, key: str, months: Any, shift: Any) -> tuple[float, float]:
    """One key rate: months and its shift. Raises Refused."""
    return (
        blocks.number(name, key, months, 1 / 30, 600.0, "a key is a number of months from 1 to 600", units=False),
        blocks.spread(name, key, shift),
    )


def in_order(name: str, key: str, shifts: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Key rates by months. Raises Refused where one is there twice."""
    months = [m for m, _ in shifts]
    for m in months:
        if months.count(m) > 1:
            blocks.refuse(name, key, f"{m:g} months are there twice; keep one.")
    return tuple(sorted(shifts))


def _key_shifts(name: str, key: str, value: Any) -> tuple[tuple[float, float], ...]:
    if not isinstance(value, dict) or not value:
        blocks.refuse(
            name, key, f"{blocks.shown(value)} stands here; write months, a colon and the shift, such as 24: 50bp."
        )
    return in_order(name, key, [key_shift(name, f"{key}.{m}", m, shift) for m, shift in value.items()])


def _forwards(name: str, key: str, value: Any) -> tuple[tuple[dt.date, float], ...]:
    if not isinstance(value, dict) or not value:
        blocks.refuse(
            name, key, f"{blocks.shown(value)} stands here; write a date, a colon and the rate, each on a line."
        )
    found = {}
    for day, rate in value.items():
        where = f"{key}.{day}"
        found[blocks.day(name, where, day)] = blocks.number(name, where, rate, -0.05, 1.0, blocks.RATE_WORDS)
    return tuple(sorted(found.items()))


def _buys(name: str, key: str, value: Any) -> tuple[Proxy, ...]:
    return tuple(_proxy(name, where, item) for where, item in blocks.each(name, key, value))


def _proxy(name: str, key: str, value: Any) -> Proxy:
    block = Block(name, key, value, "an asset to buy has share, spread, floor, months and rating")
    share = block.need("share", blocks.share, "60%")
    spread = block.need("spread", blocks.spread, "3.5%")
    floor = block.take("floor", blocks.share) or 0.0
    months = block.take("months", lambda n, k, v: blocks.number(n, k, v, 1.0, 600.0, blocks.MONTHS, units=False))
    rating = block.take("rating", blocks.rating) or ""
    block.end()
    return blocks.made(name, key, lambda: Proxy(share, spread, floor, 60.0 if months is None else months, rating))


def _where(block: Block) -> str:
    """The filter of a rule or shock, which can be read; "": all assets."""
    where = block.take("where", blocks.text) or ""
    try:
        parse(where)
    except FilterError as error:
        blocks.refuse(block.name, block.at("where"), str(error))
    return where


def _shocks(name: str, key: str, value: Any) -> tuple[Shock, ...]:
    return tuple(_shock(name, where, item) for where, item in blocks.each(name, key, value))


def _shock(name: str, key: str, value: Any) -> Shock:
    block = Block(name, key, value, "a shock has where, and price or notches")
    made = Shock(_where(block), block.take("price", blocks.change) or 0.0, block.take("notches", _NOTCHES) or 0)
    block.end()
    if made == Shock(made.where):
        blocks.refuse(name, key, "it says nothing; give it price (-20%) or notches (2).")
    return made


def _rules(name: str, key: str, value: Any) -> tuple[Rule, ...]:
    return tuple(_rule(name, where, item) for where, item in blocks.each(name, key, value))


def _rule(name: str, key: str, value: Any) -> Rule:
    block = Block(name, key, value, "a rule has where, and cpr, cdr, severity or lag")
    where = _where(block)
    made = Rule(
        where,
        block.take("cpr", _rates),
        block.take("cdr", _rates),
        block.take("severity", _rates),
        block.take("lag", blocks.lag),
    )
    block.end()
    if made == Rule(where):
        blocks.refuse(name, key, "it says nothing; give it cpr, cdr, severity or lag.")
    if isinstance(made.severity, Vector) and (made.severity.absolute or made.severity.per_step):
        blocks.refuse(name, block.at("severity"), "a severity is no rate of a period; leave per_step and absolute out.")
    if isinstance(made.cpr, Vector) and made.cpr.absolute:
        blocks.refuse(name, block.at("cpr"), "absolute is of default rates only; leave it out.")
    return made


def _rates(name: str, key: str, value: Any) -> float | Vector:
    """A number, a list of interest dates, or a vector with its step, or a ramp."""
    if isinstance(value, list):
        return blocks.made(name, key, lambda: Vector(_shares(name, key, value)))
    if not isinstance(value, dict):
        return blocks.share(name, key, value)
    block = Block(name, key, value, "write values, or from, to and months")
    if "from" in value or "to" in value:
        start, end = block.need("from", blocks.share, "2%"), block.need("to", blocks.share, "6%")
        months = block.need("months", blocks.whole(1, 600), "24")
        block.end()
        return ramp(start, end, months)
    values = block.need("values", _shares, "[2%, 4%, 6%]")
    step = block.take("step", blocks.whole(0, 120))
    flags = {word: block.take(word, blocks.flag) or False for word in ("per_step", "from_age", "absolute")}
    block.end()
    return blocks.made(name, key, lambda: Vector(values, step or 0, **flags))


def _shares(name: str, key: str, value: Any) -> tuple[float, ...]:
    return tuple(blocks.share(name, where, item) for where, item in blocks.each(name, key, value))


def _events(name: str, key: str, value: Any) -> Events:
    block = Block(name, key, value, "write sales, draws, draw_share, maturities or deferrals under it")

    def by_id(word: str, read: Callable[[str, str, Any], T]) -> Mapping[str, T] | None:
        found = block.take(word, blocks.by_id)
        return None if found is None else {asset: read(name, where, item) for asset, where, item in found}

    made = Events(
        maturities=by_id("maturities", blocks.day),
        pik=by_id("deferrals", _window),
        sales=by_id("sales", _sale),
        draws=by_id("draws", _draws),
        draw_share=block.take("draw_share", blocks.share) or 0.0,
        draw_months=block.take("draw_months", blocks.whole(1, 600)) or Events().draw_months,
    )
    block.end()
    return made


def _sale(name: str, key: str, value: Any) -> Sale:
    block = Block(name, key, value, "a sale has date and price")
    made = Sale(block.need("date", blocks.day, "2026-01-15"), block.need("price", blocks.price, "98.5") / 100.0)
    block.end()
    return made


def _draws(name: str, key: str, value: Any) -> tuple[tuple[dt.date, float], ...]:
    if value == []:  # the asset draws nothing, whatever the others do
        return ()
    return tuple(sorted(_draw(name, where, item) for where, item in blocks.each(name, key, value)))


def _draw(name: str, key: str, value: Any) -> tuple[dt.date, float]:
    block = Block(name, key, value, "a draw has date and amount")
    made = block.need("date", blocks.day, "2026-01-15"), block.need("amount", blocks.money, "250000")
    block.end()
    return made


def _window(name: str, key: str, value: Any) -> PikWindow:
    block = Block(name, key, value, "a deferral has share, from and until")
    share, begin, end = (
        block.take("share", blocks.share),
        block.take("from", blocks.day),
        block.take("until", blocks.day),
    )
    block.end()
    if begin is not None and end is not None and end < begin:
        blocks.refuse(name, block.at("until"), f"{end.isoformat()} is before {begin.isoformat()}; put them in order.")
    return PikWindow(1.0 if share is None else share, begin, end)
