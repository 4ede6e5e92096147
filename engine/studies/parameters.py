"""What scenarios are made of one figure at a time: each parameter with its unit, its range and how it is set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.assumptions import Assumptions, Proxy

if TYPE_CHECKING:
    from engine.model import Model

Floats = NDArray[np.float64]

MOST_VALUES: Final = 200
"""Values of one axis."""


class Unit(StrEnum):
    """SHARE and RATE are fractions (a rate is one a year), PRICE a percentage of par, DATE a serial day, NOTCHES
    whole.
    """

    SHARE = "share"
    RATE = "rate"
    MONTHS = "months"
    PRICE = "price"
    DATE = "date"
    NOTCHES = "notches"


WHOLE: Final = (Unit.DATE, Unit.NOTCHES)
"""Units of which there are no parts."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One figure of a scenario.

    low, high  what it may be;  put: the assumptions with it;  read: what it is in a scenario of a deal, None: nothing
    dear       each of its values needs loans or notes made ready anew (some tens of milliseconds)
    """

    name: str
    title: str
    unit: Unit
    low: float
    high: float
    put: Callable[[Model, Assumptions, float], Assumptions]
    read: Callable[[Model, Assumptions], float | None]
    dear: bool = False


_NAMES: Final = tuple(field.name for field in fields(Assumptions))
_FIGURES: Final = attrgetter(*_NAMES)
_PLACES: Final = {name: place for place, name in enumerate(_NAMES)}


def varied(base: Assumptions, name: str, value: float) -> Assumptions:
    """`replace` of one figure in half its time: large grids are made of it."""
    figures = list(_FIGURES(base))
    figures[_PLACES[name]] = value
    return Assumptions(*figures)


def _plain(name: str, title: str, unit: Unit, low: float, high: float, field: str = "") -> Parameter:
    """A parameter that is a figure of `Assumptions` of its own."""
    of = field or name

    def put(_model: Model, base: Assumptions, value: float) -> Assumptions:
        return varied(base, of, value)

    def read(model: Model, base: Assumptions) -> float | None:
        return model.rates(base)[of] if of in ("cpr", "cdr", "severity", "lag") else getattr(base, of)

    return Parameter(name, title, unit, low, high, put, read)


def _put_recovery(_model: Model, base: Assumptions, value: float) -> Assumptions:
    return replace(base, severity=1.0 - value)


def _read_recovery(model: Model, base: Assumptions) -> float:
    return 1.0 - model.rates(base)["severity"]


def _put_call(_model: Model, base: Assumptions, value: float) -> Assumptions:
    return replace(base, call_date=dates.from_serial(round(value)))


def _read_call(_model: Model, base: Assumptions) -> float | None:
    return None if base.call_date is None else float(dates.serial(base.call_date))


def _own(model: Model) -> Proxy:
    """What the deal's own terms buy."""
    terms = model.structure.reinvestment
    return Proxy(1.0, terms.spread, terms.floor, max(terms.maturity_months, 1.0))


def _put_spread(model: Model, base: Assumptions, value: float) -> Assumptions:
    return replace(base, buys=tuple(replace(proxy, spread=value) for proxy in base.buys or (_own(model),)))


def _read_spread(model: Model, base: Assumptions) -> float:
    return sum(proxy.share * proxy.spread for proxy in base.buys or (_own(model),))


def _read_sale_price(model: Model, base: Assumptions) -> float:
    return model.structure.sale_price * 100.0 if base.sale_price is None else base.sale_price


def _read_buy_price(model: Model, base: Assumptions) -> float:
    return model.structure.reinvestment.price * 100.0 if base.buy_price is None else base.buy_price


def _read_downgrade(_model: Model, base: Assumptions) -> float:
    return float(base.downgrade)


def _put_downgrade(_model: Model, base: Assumptions, value: float) -> Assumptions:
    return replace(base, downgrade=round(value))


_ALL: Final = (
    _plain("cdr", "Default rate", Unit.RATE, 0.0, 1.0),
    _plain("cpr", "Prepayment rate", Unit.RATE, 0.0, 1.0),
    _plain("severity", "Loss severity", Unit.SHARE, 0.0, 1.0),
    Parameter("recovery", "Recovery rate", Unit.SHARE, 0.0, 1.0, _put_recovery, _read_recovery),
    replace(_plain("lag", "Recovery lag", Unit.MONTHS, 0.0, 120.0), dear=True),
    replace(_plain("sale_price", "Sale price at redemption", Unit.PRICE, 2.0, 200.0), read=_read_sale_price),
    replace(_plain("shift", "Shift of the curve", Unit.RATE, -0.2, 0.2, "rate_shift"), dear=True),
    Parameter("call", "Redemption from", Unit.DATE, -1e6, 1e6, _put_call, _read_call),
    _plain("call_below", "Call below a distribution of", Unit.SHARE, 0.0, 1.0),
    _plain("clean_up", "Call below a share of the par of", Unit.SHARE, 0.0, 1.0),
    replace(_plain("buy_price", "Price of reinvestment", Unit.PRICE, 2.0, 200.0), read=_read_buy_price),
    Parameter("buy_spread", "Spread of reinvestment", Unit.RATE, -0.05, 0.5, _put_spread, _read_spread, dear=True),
    replace(_plain("price_shock", "Price shock", Unit.SHARE, -1.0, 1.0), dear=True),
    Parameter(
        "downgrade",
        "Downgrade",
        Unit.NOTCHES,
        0.0,
        20.0,
        _put_downgrade,
        lambda _model, base: base.downgrade,
        dear=True,
    ),
)

PARAMETERS: Final[Mapping[str, Parameter]] = {p.name: p for p in _ALL}


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter with the values it takes, in the order they are shown."""

    parameter: Parameter
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        p = self.parameter
        if not 1 <= len(self.values) <= MOST_VALUES:
            raise ValueError(f"{p.title} takes 1 to {MOST_VALUES} values, not {len(self.values)}.")
        outside = [v for v in self.values if not p.low <= v <= p.high]
        if outside:
            raise ValueError(f"{p.title} is from {told(p, p.low)} to {told(p, p.high)}; {told(p, outside[0])} is not.")


def parameter(name: str) -> Parameter:
    """Raises ValueError for an unknown name, with those that are known."""
    found = PARAMETERS.get(name.strip().lower())
    if found is None:
        raise ValueError(f"{name.strip()!r} is no parameter; take one of {', '.join(PARAMETERS)}.")
    return found


def steps(of: Parameter, low: float, high: float, count: int) -> Axis:
    """Values at equal distances, both ends included; dates and notches whole."""
    if not 2 <= count <= MOST_VALUES:
        raise ValueError(f"{of.title} takes 2 to {MOST_VALUES} values, not {count}.")
    # by parts, so that both ends are what was said
    values = [low + (high - low) * k / (count - 1) for k in range(count)]
    values[-1] = high
    if of.unit in WHOLE:
        values = [float(round(v)) for v in values]
        if len(set(values)) < count:
            raise ValueError(f"{of.title}: {count} values do not fit between the ends; take fewer.")
    return Axis(of, tuple(values))


def axis(text: str) -> Axis:
    """An axis from words: `cdr=0:0.2:20` (from, to, how many) or `lag=0,6,12` (these).

    0.02 and 2% are the same; dates are 2027-04-15. Raises ValueError with the remedy.
    """
    name, separator, rest = text.partition("=")
    if not separator:
        raise ValueError(f"{text!r} is no axis; write cdr=0:0.2:20 (from, to, how many) or lag=0,6,12.")
    of = parameter(name)
    parts = rest.split(":")
    if len(parts) == 3:
        try:
            count = int(parts[2])
        except ValueError:
            raise ValueError(f"{parts[2].strip()!r} values are no whole number; write {of.name}=FROM:TO:20.") from None
        return steps(of, value_of(of, parts[0]), value_of(of, parts[1]), count)
    if len(parts) > 1:
        raise ValueError(f"{rest!r} is no range; write {of.name}=FROM:TO:HOW MANY.")
    return Axis(of, tuple(value_of(of, part) for part in rest.split(",")))


def value_of(of: Parameter, text: str) -> float:
    """A value from words: 0.02, 2%, 97, 2027-04-15 by the parameter's unit. Raises ValueError."""
    trimmed = text.strip()
    try:
        if of.unit is Unit.DATE:
            return float(dates.serial(dt.date.fromisoformat(trimmed)))
        if of.unit is Unit.NOTCHES:
            return float(int(trimmed))
        if trimmed.endswith("%") and of.unit in (Unit.SHARE, Unit.RATE):
            return _finite(trimmed[:-1]) / 100.0
        return _finite(trimmed)
    except ValueError:
        example = {Unit.DATE: "2027-04-15", Unit.MONTHS: "12", Unit.PRICE: "97", Unit.NOTCHES: "2"}.get(
            of.unit, "0.02 or 2%"
        )
        raise ValueError(f"{of.title}: {trimmed!r} is no value of it; write {example}.") from None


def _finite(text: str) -> float:
    value = float(text)
    if not np.isfinite(value):
        raise ValueError(text)
    return value


def told(of: Parameter, value: float) -> str:
    """A value in words, in the parameter's unit."""
    if of.unit is Unit.DATE:
        return dates.from_serial(round(value)).isoformat() if abs(value) < 1e5 else "any day"
    if of.unit in (Unit.SHARE, Unit.RATE):
        return f"{round(value * 100.0, 6):g} %"
    return f"{value:g} {of.unit}" if of.unit in (Unit.MONTHS, Unit.NOTCHES) else f"{value:g}"
