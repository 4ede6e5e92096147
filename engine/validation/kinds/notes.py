"""Notes alone: fixed, floating and amortising ones, rate conversions, and the workbook's risk measures of a class."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import calendars, dates
from engine.curves import Curve, Floats
from engine.terms import CurveNode
from engine.validation.cases import Case, CaseError, Library
from engine.validation.compare import Answer, Departure
from engine.validation.kinds.plain import day, serial
from engine.validation.registry import kind
from engine.valuation import times
from engine.valuation.conventions import convert
from engine.valuation.discounting import Discounting, by_margin, by_yield, over_curve
from engine.valuation.note import Note, Style, duration

_FREQUENCIES: Final = {"cont": 0.0, "semi": 2.0, "quarterly": 4.0, "monthly": 12.0, "annual": 1.0}
_DAY_COUNTS: Final = {
    "30/360BONDBASIS": dates.THIRTY_360_BOND,
    "30/360": dates.THIRTY_360_BOND,
    "ACT/360": dates.ACT_360,
    "ACT/365": dates.ACT_365,
    "ACT360": dates.ACT_360,
    "ACT365": dates.ACT_365,
}
_ICMA: Final = "ACT/ACTICMA"
_CALENDARS: Final = {"US GOVERNMENTBOND": "US GOVERNMENTBOND (SIFMA)"}
_BASIS_POINT: Final = 1e-4


# --- reading ------------------------------------------------------------------------------------------------------


def _day_count(text: str) -> int:
    key = text.upper().replace(" ", "").replace("_", "/")
    if key not in _DAY_COUNTS:
        raise CaseError(f"has the day count {text!r}; known here are {', '.join(sorted(_DAY_COUNTS))}")
    return _DAY_COUNTS[key]


def _months(text: str) -> int:
    found = re.fullmatch(r"(\d{1,2})M", text)
    if found is None or int(found[1]) not in (1, 2, 3, 4, 6, 12):
        raise CaseError(f"has the period {text!r}; write 3M or 6M")
    return int(found[1])


def _calendar(name: str, first: dt.date, last: dt.date) -> dates.Calendar:
    if name.strip().casefold() == "none":
        return dates.Calendar(())
    known = _CALENDARS.get(name.strip().upper(), name)
    return dates.Calendar(calendars.holidays(known, first.year - 1, last.year + 1))


def _curve(inputs: Mapping[str, Any], library: Library, usual: str = "") -> Curve:
    """The curve of a case: nodes of its own, or another case's; by dates and continuous, or by months."""
    named = inputs.get("curve", usual)
    given = named if isinstance(named, Mapping) else library.inputs(str(named))
    if "nodes_months_rate" in given:
        nodes = [CurveNode(float(m), float(r)) for m, r in given["nodes_months_rate"].items()]
        return Curve.of_nodes(day(given["asof"]), nodes)
    dated = sorted((serial(on), float(rate)) for on, rate in given["nodes"])
    start = dated[0][0]
    days = np.array([on - start for on, _ in dated], dtype=np.int64)
    return Curve(start, days, np.array([rate for _, rate in dated], dtype=np.float64), frequency=0.0)


def _iso(on: int) -> str:
    return dates.from_serial(on).isoformat()


# --- a note with its flows ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Paper:
    """days, amounts: payments after settlement; accrued per 100; per_100: what a price of 1 is in money."""

    settlement: int
    days: np.ndarray[Any, np.dtype[np.int64]]
    amounts: Floats
    accrued: float
    per_100: float

    def clean(self, way: Discounting, rate: float) -> float:
        return float(way.worth(self.amounts[:, None], np.array([[rate]]))[0, 0]) / self.per_100 - self.accrued

    def rate(self, way: Discounting, clean: float) -> float:
        worth = np.array([[(clean + self.accrued) * self.per_100]])
        return float(way.solve(self.amounts[:, None], worth)[0, 0])

    def spread(self, curve: Curve, clean: float, frequency: float) -> float:
        return self.rate(over_curve(curve, self.settlement, self.days, frequency), clean)

    def risk(self, way: Discounting, years: Floats, rate: float) -> dict[str, float]:
        """Price, durations and convexity at a yield compounded `way.frequency` times a year."""
        clean = self.clean(way, rate)
        worth = (clean + self.accrued) * self.per_100
        macaulay, convexity = duration(years, self.amounts, rate, way.frequency, worth)
        modified = macaulay / (1.0 + rate / way.frequency)
        return {
            "clean": clean,
            "dirty": clean + self.accrued,
            "macaulay": macaulay,
            "modified_duration": modified,
            "convexity": convexity,
            "bpv_per_100": worth * _BASIS_POINT * (0.5 * convexity * _BASIS_POINT - modified),
        }

    def on_curve(self, curve: Curve, settles: int, accrued: float) -> tuple[float, float]:
        """Worth on the curve's day, and clean price per 100 on the day it settles."""
        worth = sum(a * curve.discount(int(d)) for d, a in zip(self.days, self.amounts, strict=True))
        return worth, worth / curve.discount(settles) / self.per_100 - accrued


def _asked(expected: Mapping[str, Any], prefix: str) -> dict[str, float]:
    """Keys such as at_clean_98.0, with their number."""
    return {key: float(key.removeprefix(prefix)) for key in expected if key.startswith(prefix)}


def _after(settlement: int, flows: Sequence[tuple[int, float]]) -> tuple[Any, Floats]:
    """Days after settlement, and what is paid on each."""
    on = sorted({d for d, _ in flows if d > settlement})
    paid = [sum(a for d, a in flows if d == each) for each in on]
    return np.array(on, dtype=np.int64), np.array(paid, dtype=np.float64)


# --- kinds ----------------------------------------------------------------------------------------------------------


@kind("FIX")
def fixed_note(case: Case, library: Library) -> Answer:
    """Flows, accrued, price and risk at a yield, yield and z-spreads at a price, of a fixed-rate note."""
    i, asked = case.inputs, case.expected
    start, maturity, settlement = day(i["start"]), day(i["maturity"]), serial(i["settlement"])
    months, face, coupon = _months(i["frequency"]), float(i["face"]), float(i["coupon"])
    convention, _, calendar_name = str(i["payment"]).partition(" ")
    calendar = _calendar(calendar_name, start, maturity)
    plain = dates.serials(calendars.schedule(start, maturity, months, None, dates.Calendar(())))
    periods = [(int(a), int(b)) for a, b in itertools.pairwise(plain)]
    icma = str(i["day_count"]).upper().replace(" ", "") == _ICMA
    count = dates.ACT_ACT if icma else _day_count(str(i["day_count"]))

    def fraction(a: int, b: int, period: tuple[int, int]) -> float:
        return float(dates.year_fraction_icma(a, b, *period) if icma else dates.year_fraction(a, b, count))

    paid_on = [dates.serial(calendar.roll(dates.from_serial(b), convention)) for _, b in periods]
    flows = [(on, face * coupon * fraction(*p, p)) for on, p in zip(paid_on, periods, strict=True)]
    flows.append((paid_on[-1], face))
    days, amounts = _after(settlement, flows)
    current = [p for p, on in zip(periods, paid_on, strict=True) if on > settlement]

    def accrued(on: int) -> float:
        period = next(p for p in periods if p[0] <= on < p[1])
        return coupon * fraction(period[0], on, period) * 100.0

    paper = _Paper(settlement, days, amounts, accrued(settlement), face / 100.0)
    if icma:
        years = times.stepwise_icma(settlement, days, current)
    else:
        years = times.stepwise(settlement, days, count, current[0][0])
    way = by_yield(years, 12.0 / months)
    figures: dict[str, Any] = {"cashflows": [[_iso(on), a] for on, a in flows], "accrued_per_100": paper.accrued}
    for key, rate in _asked(asked, "at_yield_").items():
        figures[key] = paper.risk(way, years, rate)
    for key, clean in _asked(asked, "at_clean_").items():
        figures[key] = {"ytm": paper.rate(way, clean)}
        if "zspread_act365" in asked[key]:
            curve = _curve(i, library, "CRV-1")
            figures[key]["zspread_act365"] = {
                name: paper.spread(curve, clean, _FREQUENCIES[name]) for name in asked[key]["zspread_act365"]
            }
    if any("_on_" in key for key in asked):
        curve, evaluated = _curve(i, library, "CRV-1"), serial(i["eval_date"])
        settles = _next_business_day(calendar, evaluated)
        whole = _Paper(evaluated, *_after(evaluated, flows), 0.0, face / 100.0)
        worth, clean = whole.on_curve(curve, settles, accrued(settles))
        figures |= {key: worth if key.startswith("npv") else clean for key in asked if "_on_" in key}
    return Answer(
        figures,
        remarks=(
            "bpv_per_100 is the change of the whole face's worth for a basis point",
            "the price on the curve settles one business day after eval_date",
        ),
    )


def _next_business_day(calendar: dates.Calendar, on: int) -> int:
    return dates.serial(calendar.roll(dates.from_serial(on + 1), "Following"))


@kind("FRN")
def floating_note(case: Case, library: Library) -> Any:
    """Projected index and flows, accrued, discount margin, yield and z-spreads at a price, of a floating-rate note."""
    i, asked = case.inputs, case.expected
    start, maturity, settlement = day(i["start"]), day(i["maturity"]), serial(i["settlement"])
    face, margin, evaluated = float(i["face"]), float(i["spread"]), serial(i["eval_date"])
    floor = None if i.get("floor_on_coupon") is None else float(i["floor_on_coupon"])
    curve = _curve(i, library, "CRV-1")
    calendar = _calendar(str(i.get("calendar", "US GovernmentBond")), start, maturity)
    convention = "Modified Following"
    on = dates.serials(calendars.schedule(start, maturity, 3, convention, calendar)).tolist()
    rows, fixed, flows = [], {}, []
    for a, b in itertools.pairwise(on):
        fixing = calendar.business_days_before(dates.from_serial(a), 2)
        if dates.serial(fixing) <= evaluated:
            index = float(i["past_fixing"])
            fixed[fixing.isoformat()] = index
        else:
            # the anchors' library projects a plain coupon over its own period, a floored one over the index's tenor
            tenor = dates.from_serial(dates.add_months(a, 3, False))
            end = b if floor is None else dates.serial(calendar.roll(tenor, convention))
            index = (curve.discount(a) / curve.discount(end) - 1.0) / ((end - a) / 360.0)
        rate, tau = index + margin if floor is None else max(index + margin, floor), (b - a) / 360.0
        flows.append((b, face * rate * tau))
        rows.append((a, b, index, rate, tau))
    flows.append((on[-1], face))
    ahead = [row for row in rows if row[1] > settlement]
    days, amounts = _after(settlement, flows)
    accrued = ahead[0][3] * max(settlement - ahead[0][0], 0) / 360.0 * 100.0
    paper = _Paper(settlement, days, amounts, accrued, face / 100.0)
    steps = np.diff(np.concatenate([[settlement], days])) / 360.0
    by_dm = by_margin(np.array([row[2] for row in ahead]), steps)
    worth, clean_on = paper.on_curve(curve, settlement, accrued)
    figures: dict[str, Any] = {
        "cashflows": [[_iso(d), a] for d, a in flows],
        "accrued_per_100": accrued,
        "index_fixings": fixed,
        "projected_index": [[_iso(a), _iso(b), *rest] for a, b, *rest in ahead],
        "wal_act365_from_settlement": (days[-1] - settlement) / 365.0,
    }
    figures |= {key: worth for key in asked if key.startswith("npv_")}
    figures |= {key: clean_on for key in asked if key.startswith("clean_on_")}
    for key, clean in _asked(asked, "at_clean_").items():
        figures[key] = {
            "discount_margin_simple_quarterly": paper.rate(by_dm, clean),
            "yield_quarterly_act360_on_projected": paper.rate(by_yield(np.cumsum(steps), 4.0), clean),
            "zspread_cont_act365": paper.spread(curve, clean, 0.0),
            "zspread_quarterly_act365": paper.spread(curve, clean, 4.0),
        }
    return figures


@kind("AMORT")
def amortising_note(case: Case, library: Library) -> Any:
    """Flows, average life, price and risk at a yield, of a note with a schedule of balances."""
    i = case.inputs
    start, maturity, months = day(i["start"]), day(i["maturity"]), _months(i["tenor"])
    calendar = _calendar(str(i["calendar"]), start, maturity)
    on = dates.serials(calendars.schedule(start, maturity, months, str(i["convention"]), calendar))
    balances = [float(b) for b in i["notionals"]]
    if len(balances) != on.size - 1:
        raise CaseError(f"has {len(balances)} balances for {on.size - 1} periods")
    count, rate = _day_count(str(i["day_count"])), float(i["yield_quarterly_act360"])
    repaid = -np.diff([*balances, 0.0])
    interest = [
        b * float(i["coupon"]) * float(dates.year_fraction(int(a), int(z), count))
        for b, a, z in zip(balances, on[:-1], on[1:], strict=True)
    ]
    days, settlement = on[1:], int(on[0])
    years = times.stepwise(settlement, days, dates.ACT_360, settlement)
    per_100 = balances[0] / 100.0
    paper = _Paper(settlement, days, np.asarray(interest + repaid, dtype=np.float64), 0.0, per_100)
    plain = Curve(settlement, np.array([1], dtype=np.int64), np.zeros(1))
    note = Note(
        settlement, days, paper.amounts[:, None], repaid[:, None], balances[0], 0.0, np.zeros(days.size), months, plain
    )
    thirty = [float(dates.year_fraction(settlement, int(d), dates.THIRTY_360_BOND)) for d in days]
    return {
        "cashflows": [
            [_iso(int(d)), a] for d, *both in zip(days, interest, repaid.tolist(), strict=True) for a in both
        ],
        "wal_act365": note.wal(),
        "wal_30_360": float(repaid @ np.array(thirty)) / balances[0],
        **paper.risk(by_yield(years, 4.0), years, rate),
    }


@kind("CMP")
def rate_conversion(case: Case, library: Library) -> Any:
    """A rate by another compounding and day count, over the same days."""
    said = re.fullmatch(r"(\w+) (\S+) over (\S+)\.\.(\S+)", str(case.inputs["from_"]))
    if said is None:
        raise CaseError("has `from_` in another form than: quarterly Act/360 over 2025-01-15..2026-01-15")
    first, last = serial(said[3]), serial(said[4])

    def read(compounding: str, day_count: str) -> tuple[float, float]:
        if compounding not in _FREQUENCIES:
            raise CaseError(f"has the compounding {compounding!r}; known are {', '.join(_FREQUENCIES)}")
        return _FREQUENCIES[compounding], float(dates.year_fraction(first, last, _day_count(day_count)))

    given = float(case.inputs["rate"]), *read(said[1], said[2])
    figures = {}
    for key in case.expected:
        compounding, _, day_count = key.removeprefix("to_").partition("_")
        figures[key] = convert(*given, *read(compounding, day_count))
    return figures


_FLAT: Final = (
    "the workbook takes the zero rate to each date for the rate of the period that ends there (D-18); the engine "
    "discounts each period at its forward plus the margin"
)
_ZERO: Final = "the workbook averages one-month rates over the tenor (case YC-1); the engine's zero rates stand beside"


@kind("LIA-2")
def class_measures(case: Case, library: Library) -> Answer:
    """Yield, margin, average life and durations of a class at a price, flows given."""
    i = case.inputs
    curve, settlement = _curve(i, library), serial(i["asof"])
    days = np.array([serial(on) for on in i["dates"]], dtype=np.int64)
    flows, repaid = (np.array(i[name], dtype=np.float64)[:, None] for name in ("cashflows", "principal"))
    claim, clean = float(i["current_balance"]), float(i["price"]) * 100.0
    worths = np.array([curve.discount(d) for d in (settlement, *days.tolist())])
    steps = np.diff(np.concatenate([[settlement], days])) / 360.0
    forwards = (worths[:-1] / worths[1:] - 1.0) / steps
    note = Note(settlement, days, flows, repaid, claim, 0.0, forwards, 3, curve)
    found, margin = note.rate(Style.STREET, clean), note.rate(Style.MARGIN, clean)
    figures: dict[str, Any] = {
        "yield_given_price": found,
        "wal": note.wal(),
        "dm_given_price_corrected(YC-2 curve, dirty price)": margin,
    }
    if found is not None:
        macaulay, _ = duration(note.times, flows[:, 0], found, 4.0, clean / 100.0 * claim)
        figures |= {"mac_duration": macaulay, "mod_duration": macaulay / (1.0 + found / 4.0)}
    at_margin = note.prices(Style.MARGIN, np.array([[float(i["input_dm"])]]))[0, 0] / 100.0
    departures = {
        "dm_given_price_legacy": Departure(_FLAT, margin),
        "price_given_dm_legacy": Departure(_FLAT, float(at_margin)),
    }
    years = (days - curve.as_of) / 365.0
    zeros = 4.0 * (worths[1:] ** (-0.25 / years) - 1.0)
    departures |= {f"zero_rates[{k}]": Departure(_ZERO, float(zero)) for k, zero in enumerate(zeros)}
    return Answer(figures, departures)
