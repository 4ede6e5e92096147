"""Curves and internal rates of return."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine import dates
from engine.curves import Curve
from engine.terms import CurveNode
from engine.validation.cases import Case, Library
from engine.validation.compare import Answer, Departure
from engine.validation.kinds.plain import day, serial
from engine.validation.registry import kind
from engine.valuation import irr, xirr, xnpv

_CHAIN: Final = (
    "the workbook chains one-month rates compounded yearly and averages them over the tenor; the engine takes simple "
    "actual/360 forwards of discount factors (case YC-2)"
)
_LINEAR: Final = (
    "the workbook interpolates by months; the engine by days between the nodes' dates, compounded quarterly (case YC-2)"
)


def _of_months(inputs: Mapping[str, Any]) -> Curve:
    nodes = [CurveNode(float(m), float(r)) for m, r in inputs["nodes_months_rate"].items()]
    return Curve.of_nodes(day(inputs["asof"]), nodes)


def _zero(curve: Curve, on: int) -> float:
    """Zero rate to a day, compounded as the curve's."""
    years = (on - curve.as_of) / 365.0
    growth = curve.discount(on)
    if curve.frequency == 0.0:
        return -math.log(growth) / years
    return float(curve.frequency * (growth ** (-1.0 / (curve.frequency * years)) - 1.0))


@kind("YC-1")
def workbook_curve(case: Case, library: Library) -> Answer:
    """The workbook's curve: not what the engine computes; its own figures stand beside."""
    curve = _of_months(case.inputs)
    departures: dict[str, Departure] = {}
    for months in case.expected.get("spot", {}):
        on = int(dates.add_months(curve.as_of, int(months), False))
        departures[f"spot.{months}"] = Departure(_LINEAR, _zero(curve, on))
    for months in case.expected.get("fwd_1m_at_i_months", {}):
        on = int(dates.add_months(curve.as_of, int(months), False))
        departures[f"fwd_1m_at_i_months.{months}"] = Departure(_CHAIN, curve.forward(on, 1))
    for asked in case.expected.get("spot_rate", {}):
        on_day, tenor = asked.split(",")
        corrected = curve.forward(serial(on_day), int(tenor.rstrip("m")))
        departures[f"spot_rate.{asked}"] = Departure(_CHAIN, corrected)
    for asked in case.expected.get("zero_rate_from_asof", {}):
        departures[f"zero_rate_from_asof.{asked}"] = Departure(_LINEAR, _zero(curve, serial(asked)))
    return Answer({}, departures, ("not run: the workbook's curve; the engine's own figures are given",))


@kind("YC-2")
def month_curve(case: Case, library: Library) -> Any:
    """Discount factors and three-month forwards of a curve with month nodes, compounded quarterly."""
    curve = _of_months(case.inputs)
    asked = case.expected
    return {
        "df": {on: curve.discount(serial(on)) for on in asked.get("df", {})},
        "fwd3m": {on: curve.forward(serial(on), 3) for on in asked.get("fwd3m", {})},
    }


@kind("CRV")
def dated_curve(case: Case, library: Library) -> Any:
    """Discount factors, zero rates and three-month forwards of a curve with dated nodes, compounded continuously."""
    nodes = sorted((serial(on), float(rate)) for on, rate in case.inputs["nodes"])
    start = nodes[0][0]
    days = np.array([on - start for on, _ in nodes], dtype=np.int64)
    curve = Curve(start, days, np.array([rate for _, rate in nodes], dtype=np.float64), frequency=0.0)
    asked = [serial(on) for on in case.inputs["query"]]
    return {
        "discount": [curve.discount(on) for on in asked],
        "zero_cont": [_zero(curve, on) for on in asked],
        "fwd_3M_simple_act360": [curve.forward(on, 3) for on in asked],
    }


@kind("XIRR")
def internal_rates(case: Case, library: Library) -> Any:
    """IRR of dated flows by four day counts, IRR a period, and net present value at 12 % (or at `rate`)."""
    days: list[dt.date] = [day(on) for on in case.inputs["dates"]]
    amounts = [float(amount) for amount in case.inputs["amounts"]]
    return {
        "xirr_act365": xirr(days, amounts),
        "irr_per_period": irr(amounts),
        "xnpv_at_12pct": xnpv(0.12, days, amounts),
        "xnpv": xnpv(float(case.inputs.get("rate", 0.12)), days, amounts),
        "xirr_30/360": xirr(days, amounts, dates.THIRTY_360),
        "xirr_ACT/ACT": xirr(days, amounts, dates.ACT_ACT),
        "xirr_ACT/360": xirr(days, amounts, dates.ACT_360),
    }
