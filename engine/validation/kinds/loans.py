"""Cash flows of loans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine import dates
from engine.asset import Asset
from engine.loans import columns as col
from engine.terms import Sink
from engine.validation.cases import Case, CaseError, Library
from engine.validation.compare import Answer, Departure
from engine.validation.harness import Floats, Rate, run_loans
from engine.validation.kinds.plain import day, index_of
from engine.validation.registry import kind

_BASES: Final = {0: "30/360", 1: "ACTUAL/ACTUAL", 2: "ACTUAL/360", 3: "ACTUAL/365", 4: "30/360EU"}
_MOST_DATES: Final = 2_000
_LONGEST_LAG: Final = 240
_D11: Final = (
    "the workbook writes off at maturity every claim that is still open; the engine collects it on the loan's cycle "
    "after maturity (recover_after_maturity)"
)
WRITTEN_OFF: Final = "run with recover_after_maturity off: claims open at maturity are written off, as the case has it"


@dataclass(frozen=True, slots=True)
class _Date:
    """A date on which a loan pays; off its cycle only principal of the sink table falls due."""

    on: dt.date
    accrual_start: dt.date
    off_cycle: bool


def asset_of(terms: Mapping[str, Any], asset_id: str = "L1") -> Asset:
    """A loan of a case's terms."""
    if terms["basis"] not in _BASES:
        raise CaseError(f"has the day-count basis {terms['basis']!r}; 0 to 4 are known")
    if not 0 <= terms["lag"] <= _LONGEST_LAG:
        raise CaseError(f"has a recovery lag of {terms['lag']} months; 0 to {_LONGEST_LAG} are run")
    if terms["freq"] not in (1, 2, 4, 12):
        raise CaseError(f"has {terms['freq']!r} payments a year; 1, 2, 4 and 12 are run")
    convention = str(terms["bdc"]).upper()
    if convention not in dates.CONVENTIONS:
        raise CaseError(f"names the business-day convention {terms['bdc']!r}, which is unknown")
    return Asset(
        asset_id=asset_id,
        issuer_id=asset_id,
        maturity=day(terms["maturity"]),
        coupon_type=terms["type"],
        payment_frequency=terms["freq"],
        coupon_spread=terms["spread"],
        index_floor=terms["floor"],
        index_cap=terms.get("cap"),
        coupon=terms["coupon"],
        dated_date=day(terms["dated"]),
        first_payment_date=day(terms["first_pay"]),
        day_count=_BASES[terms["basis"]],
        business_day_convention=convention,
        payment_eom=bool(terms["eom"]),
        market_value=terms["mv"],
        defaulted=bool(terms.get("defaulted", False)),
    )


def vectors_of(terms: Mapping[str, Any]) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """cpr, cdr and severity of a case's terms, one entry an interest date."""

    def vector(value: Any) -> tuple[float, ...]:
        if value == []:
            raise CaseError("has an empty vector; give one entry or more")
        return tuple(float(v) for v in value) if isinstance(value, list) else (float(value),)

    return vector(terms["cpr"]), vector(terms["cdr"]), vector(terms["sev"])


def sinks_of(terms: Mapping[str, Any], asset_id: str = "L1") -> tuple[Sink, ...]:
    """A case's sink table (shares of the balance that is left) as amounts."""
    found, left = [], 1.0
    for on, share in terms.get("sink", {}).items():
        found.append(Sink(asset_id, day(on), left * share * terms["par"]))
        left -= left * share
    return tuple(found)


def _pay_dates(terms: Mapping[str, Any], analysis: dt.date) -> list[_Date]:
    """Dates of a loan after the analysis date, with those on which recoveries may come after its maturity."""
    calendar = dates.Calendar(())
    months = 12 // terms["freq"]

    def cycle(k: int) -> dt.date:
        moved = dates.add_months(dates.serial(day(terms["first_pay"])), k * months, bool(terms["eom"]))
        return calendar.roll(dates.from_serial(moved), terms["bdc"])

    maturity = calendar.roll(day(terms["maturity"]), terms["bdc"])
    whole: list[dt.date] = []
    while (on := cycle(len(whole))) < maturity and len(whole) < _MOST_DATES:
        whole.append(on)
    after = [cycle(len(whole) + k) for k in range(int(terms["lag"]) // months + 3)]
    whole += [maturity, *(on for on in after if on > maturity)]
    start = max((on for on in whole if on <= analysis), default=day(terms["dated"]))
    found = []
    for on in (on for on in whole if on > analysis):
        sinks = [day(text) for text in terms.get("sink", {})]
        found += [_Date(sink, start, True) for sink in sinks if max(start, analysis) < sink < on]
        found.append(_Date(on, start, False))
        start = on
    return found


def _rows(terms: Mapping[str, Any], pay: list[_Date], flows: Floats) -> list[dict[str, Any]]:
    """Balances rolled over the flows; flows[0] is the time before the first date.

    A default is seen by the engine on the day its accrual period starts.
    """
    places = {d.on: i + 1 for i, d in enumerate(pay)}
    defaulted = bool(terms.get("defaulted", False))
    balance, open_default = (0.0, terms["par"]) if defaulted else (terms["par"], 0.0)
    rows: list[dict[str, Any]] = []
    for i, d in enumerate(pay):
        if rows and balance < 0.005 and open_default < 0.005:
            break
        cash = {name: float(flows[i + 1, column]) for name, column in _CASH.items()}
        seen = places.get(d.accrual_start, 0)
        default, claim = (
            (0.0, 0.0) if d.off_cycle else (float(flows[seen, col.DEFAULTED]), float(flows[seen, col.CLAIM]))
        )
        beginning = balance
        balance += -default - cash["sched"] - cash["unsched"]
        open_default += default - cash["recov"] - cash["loss"]
        row = {"date": d.on.isoformat(), "acc_beg": d.accrual_start.isoformat(), "beg": beginning, "default": default}
        row |= {"mv_default": claim, **cash, "default_bal": open_default, "end": balance}
        row["total"] = cash["interest"] + cash["sched"] + cash["unsched"] + cash["recov"]
        if not d.off_cycle:
            code = dates.day_count_code(_BASES[terms["basis"]])
            fraction = dates.year_fraction(dates.serial(d.accrual_start), dates.serial(d.on), code)
            live = (beginning - default) * fraction
            row["coupon"] = cash["interest"] / live if live > 0.0 else terms["coupon"]
        rows.append(row)
    return rows


_CASH: Final = {
    "interest": col.INTEREST,
    "sched": col.SCHEDULED,
    "unsched": col.UNSCHEDULED,
    "recov": col.RECOVERIES,
    "loss": col.LOSS,
}


def _run(terms: Mapping[str, Any], analysis: dt.date, rate: Rate, recover: bool) -> dict[str, Any]:
    pay = _pay_dates(terms, analysis)
    ends = [pay[0].on - dt.timedelta(days=1), *(d.on for d in pay)]
    flows = run_loans(
        [(asset_of(terms), terms["par"])],
        analysis,
        ends,
        rate=rate,
        sinks=sinks_of(terms),
        vectors=[vectors_of(terms)],
        lag_months=terms["lag"],
        recover_after_maturity=recover,
    )
    rows = _rows(terms, pay, flows)
    totals = {f"sum_{name}": sum(r[key] for r in rows) for name, key in _SUMS.items()}
    return {"rows": rows, **totals, "sum_principal": sum(r["sched"] + r["unsched"] for r in rows)}


_SUMS: Final = {"interest": "interest", "recoveries": "recov", "loss": "loss"}


@kind("AST")
def loan(case: Case, library: Library) -> Any:
    """A loan, date by date: defaults, interest, scheduled and unscheduled principal, recoveries, losses."""
    terms, analysis = case.inputs["asset"], day(case.inputs["asof"])
    rate = index_of(case.inputs, library)
    if case.inputs.get("recover_after_maturity", False):
        return _run(terms, analysis, rate, True)
    made = _run(terms, analysis, rate, False)
    corrected = _run(terms, analysis, rate, True)
    departures = {}
    for name in ("sum_recoveries", "sum_loss"):
        if abs(made[name] - corrected[name]) > 0.005:
            departures[name] = Departure(_D11, corrected[name], judged=True)
    for i, (row, other) in enumerate(zip(made["rows"], corrected["rows"], strict=False)):
        for name in ("recov", "loss", "default_bal"):
            if abs(row[name] - other[name]) > 0.005:
                departures[f"rows[{i}].{name}"] = Departure(_D11, other[name], judged=True)
    return Answer(made, departures, (WRITTEN_OFF,) if departures else ())


@kind("POOL")
def pool(case: Case, library: Library) -> Any:
    """A loan of another case in a deal's collection periods: cash by payment date, defaults by accrual start."""
    given = library.inputs(case.inputs["asset_case"])
    terms, analysis = given["asset"], day(given["asof"])
    flows = run_loans(
        [(asset_of(terms), terms["par"])],
        analysis,
        [day(end) for _, end in case.inputs["collection_periods"]],
        rate=index_of(given, library),
        sinks=sinks_of(terms),
        vectors=[vectors_of(terms)],
        lag_months=terms["lag"],
        recover_after_maturity=False,
    )
    names = {"default": col.DEFAULTED, "mv_default": col.CLAIM, **_CASH}
    performing, defaulted, carrying = terms["par"], 0.0, 0.0
    rows = []
    for period in flows[:-1]:
        row = {name: float(period[column]) for name, column in names.items()}
        rows.append({"beg": performing, "dflt_bal": defaulted, "mv_dflt_bal": carrying, **row})
        performing -= row["default"] + row["sched"] + row["unsched"]
        defaulted += row["default"] - row["recov"] - row["loss"]
        carrying += row["mv_default"] - row["recov"]
    return Answer({"rows": rows}, {}, (WRITTEN_OFF + "; no figure of these periods depends on it",))
