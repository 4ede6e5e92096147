"""Classes, fees, the incentive fee, coverage tests."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any, Final

import numpy as np

from engine import cash, dates
from engine.loans import columns as col
from engine.results import Result
from engine.validation.cases import Case, CaseError, Library
from engine.validation.compare import Answer, Departure
from engine.validation.harness import (
    Run,
    coverage_ratio,
    deal_inputs,
    excess_of_ccc,
    given_flows,
    pay,
    run_deal,
    small_document,
)
from engine.validation.kinds.plain import day
from engine.validation.registry import kind
from engine.valuation import xirr

FEES: Final = {"trustee": "Trustee Fee", "base": "Base Manager Fee", "junior": "Junior Manager Fee"}


def fee_day_count(text: str) -> int:
    code = {"act/360": dates.ACT_360, "30/360": dates.THIRTY_360, "act/365": dates.ACT_365}.get(text.lower())
    if code is None:
        raise CaseError(f"has a fee with the day count {text!r}; act/360, act/365 and 30/360 are run")
    return code


def _quarter_later(on: dt.date) -> dt.date:
    return dates.from_serial(dates.add_months(dates.serial(on), 3, False))


def split_interest(paid: float, accrued: float) -> tuple[float, float]:
    """Interest paid as current interest and interest on deferred interest, current first."""
    current = min(paid, accrued)
    return current, paid - current


@kind("LIA-1")
def deferrable_class(case: Case, library: Library) -> Any:
    """Two dates of a class that defers: shortfall deferred, interest on it, deferred interest and principal paid."""
    given = case.inputs
    periods = (given["p1"], given["p2"])
    document = small_document(
        ["D"],
        FEES,
        [{"pay_interest": {"classes": ["D"]}}, {"pay_deferred": {"classes": ["D"]}}],
        [{"pay_principal": {"classes": ["D"]}}],
    )
    start, end = (day(periods[1][key]) for key in ("start", "end"))
    payments = [day(periods[0]["end"]), end, _quarter_later(end)]
    if payments[0] != start:
        raise CaseError("has a second period that does not start where the first ends")
    begin = day(periods[0]["start"])
    code = fee_day_count(given["basis"])
    bounds = [dates.serial(d) for d in (begin, *payments)]
    fractions = [dates.year_fraction(a, b, code) for a, b in itertools.pairwise(bounds)]
    rates = [max(p["index"], 0.0) + given["spread"] for p in periods]
    accrual = np.array([rates[0] * fractions[0], rates[1] * fractions[1], 0.0])
    inputs = deal_inputs(
        document,
        ["D", "SUB"],
        payments,
        begin,
        balance={"D": given["balance"]},
        accrual={"D": accrual},
        deferrable={"D": "always"},
        performing=1e12,
    )

    def run(second: float) -> Result:
        flows = [
            {col.INTEREST: periods[0]["cash_for_interest"], col.SCHEDULED: periods[0].get("principal", 0.0)},
            {col.INTEREST: second, col.SCHEDULED: periods[1].get("principal", 0.0)},
            {},
        ]
        return run_deal(document, inputs, given_flows(flows)).result

    def accrued(result: Result, i: int) -> tuple[float, float]:
        """Interest on the balance and on what is deferred."""
        balance, deferred = (given["balance"], 0.0) if i == 0 else (result.balance[0, 0], result.deferred[0, 0])
        return float(balance * accrual[i]), float(deferred * accrual[i])

    # the second date has cash for all interest (never more than is due) and for some of what is deferred
    due, on_deferred = accrued(run(0.0), 1)
    interest = min(due + on_deferred, periods[1]["cash_for_interest"])
    result = run(interest + periods[1]["cash_for_deferred"])
    found = {}
    for i, name in enumerate(("p1", "p2")):
        current, late = accrued(result, i)
        paid = split_interest(float(result.interest[i, 0]), current)
        before = 0.0 if i == 0 else float(result.deferred[i - 1, 0])
        repaid = float(result.deferred_paid[i, 0])
        found[name] = {
            "int_accrued": current,
            "def_int_accrued": late,
            "int_paid": paid[0],
            "def_int_paid": paid[1],
            "def_prin_paid": repaid,
            "prin_paid": float(result.principal[i, 0]),
            "end_bal": float(result.balance[i, 0]),
            "def_end": before + late - paid[1] - repaid,
            "next_def_beg": float(result.deferred[i, 0]),
        }
    return found


@kind("FEE")
def fees(case: Case, library: Library) -> Any:
    """Accrual of three fees: on the opening basis, on the mean with interest on unpaid, and with a fixed part."""
    given = case.inputs
    base, junior, trustee = given["base_fee"], given["junior_fee"], given["trustee"]
    start, end = (day(on) for on in given["period"])
    terms = {"trustee": trustee, "base": base, "junior": junior}
    counts = {f: fee_day_count(t.get("day", t.get("basis", "act/360"))) for f, t in terms.items()}
    fraction = {f: dates.year_fraction(dates.serial(start), dates.serial(end), counts[f]) for f in terms}
    late = {f: (junior.get("index", 0.0) + t.get("spread", 0.0)) * fraction[f] for f, t in terms.items()}
    document = small_document(["A"], FEES, [{"pay_fee": {"fees": list(FEES)}}], [])
    inputs = deal_inputs(
        document,
        ["A", "SUB"],
        [end, _quarter_later(end)],
        start,
        performing=float(given["end_basis"]),
        opening_basis=float(given["beg_basis"]),
        fee_percent={f: t["pct"] for f, t in terms.items()},
        fee_fixed={f: t.get("fixed_pa", 0.0) for f, t in terms.items()},
        fee_basis={f: "average" if t["type"] == "average" else "begin" for f, t in terms.items()},
        fee_fraction=fraction,
        fee_interest={f: late[f] if t.get("interest", False) else 0.0 for f, t in terms.items()},
        fee_unpaid={f: t.get("unpaid", 0.0) for f, t in terms.items()},
    )
    accrued = [float(x) for x in run_deal(document, inputs).result.fee_accrued[0]]
    return {"trustee": accrued[0], "base": accrued[1], "junior": accrued[2]}


@kind("INC")
def incentive_fee(case: Case, library: Library) -> Any:
    """The manager's share of distributions once the hurdle is met, threshold by compounding, and the IRR."""
    given = case.inputs
    payments = [day(on) for on, _ in given["distributable"]]
    hurdle = float(given["hurdle"])
    past = [(day(on), float(amount)) for on, amount in given["history"]]
    before = max(on for on, _ in past)
    document = small_document(["A"], FEES, [], [])
    inputs = deal_inputs(
        document,
        ["A", "SUB"],
        [*payments, _quarter_later(payments[-1])],
        before,
        hurdle=hurdle,
        manager_share=float(given["share"]),
        hurdle_value=sum(a * (1 + hurdle) ** ((before - on).days / 365) for on, a in past),
    )
    run = run_deal(document, inputs, given_flows([*({col.INTEREST: c} for _, c in given["distributable"]), {}]))
    rows = []
    flows = list(past)
    for i, on in enumerate(payments):
        paid = float(run.result.interest[i, 1] + run.result.principal[i, 1])
        needed = -sum(a * (1 + hurdle) ** ((on - before).days / 365) for before, a in flows)
        flows.append((on, paid))
        rows.append(
            {
                "date": on.isoformat(),
                "cash": run.shown(cash.INTEREST_PROCEEDS, i),
                "threshold": needed,
                "incentive_fee": run.shown(cash.INCENTIVE_FEE, i),
                "to_sub": paid,
                "irr": xirr([d for d, _ in flows], [a for _, a in flows]),
            }
        )
    return {"rows": rows}


@kind("OC")
def coverage_cures(case: Case, library: Library) -> Any:
    """Ratio of a test, cures from interest and from principal, and the diversion that restores it."""
    given = case.inputs
    test = (float(given["numerator"]), float(given["denominator"]), float(given["trigger"]))
    partial = float(given.get("interest_cure_paid", 0.0))
    cure = {"cure": {"tests": ["OC"]}}

    def date(interest: list[Any], principal: list[Any], in_hand: tuple[float, float]) -> Run:
        rest = {"pay_equity": {"equity": "SUB"}}
        notes = [{"pay_principal": {"classes": ["A"]}}, rest]
        data = {
            "wdl": 1,
            "name": "coverage",
            "classes": {"A": {}, "SUB": {"kind": "equity"}},
            "tests": {
                "OC": {"type": "oc", "classes": ["A"], "trigger": test[2]},
                "DIV": {"type": "diversion", "classes": ["A"], "trigger": test[2]},
            },
            "waterfalls": {
                "interest": [*interest, rest],
                "principal": [*principal, {"run": {"waterfall": "nps"}}],
                "nps": notes,
                "acceleration": [{"pay_interest": {"classes": ["A"]}}, *notes],
            },
        }
        state = {"interest": in_hand[0], "principal": in_hand[1], "balance": {"A": test[1]}, "due": {}, "fees": {}}
        return pay(data, ["A", "SUB"], state | {"tests": {"OC": test, "DIV": test}, "phases": set()})

    def diverted(amount: str) -> float:
        step = {"divert": {"test": "DIV", "share": 1.0, "amount": amount}}
        return date([step], [], (plenty, 0.0)).shown(cash.DIVERTED)

    plenty = 10.0 * test[1]
    return {
        "ratio": coverage_ratio(test[0], test[1]),
        "interest_cure": date([cure], [], (plenty, 0.0)).log(0, "paid"),
        "principal_cure": date([], [cure], (0.0, plenty)).log(1, "paid"),
        "principal_cure_after_partial_interest": date([cure], [cure], (partial, plenty)).log(2, "paid"),
        "reinvestment_diversion_amount_corrected(T*Den-Num)": diverted("par_cure"),
        "reinvestment_diversion_amount_legacy": diverted("paydown_cure"),
    }


@kind("CCC")
def ccc_excess(case: Case, library: Library) -> Any:
    """What of the CCC bucket is excess, lowest prices first, and its haircut to market value."""
    given = case.inputs
    loans = [(str(i), float(balance), float(price)) for i, balance, price in given["ccc"]]
    excess, haircut = excess_of_ccc(float(given["collateral_principal_amount"]), float(given["limit"]), loans)
    by_price = sorted(range(len(loans)), key=lambda i: loans[i][2])
    return Answer(
        {
            "excess_total": float(excess.sum()),
            "excess_items": [[loans[i][0], float(excess[i])] for i in by_price if excess[i] > 0.0],
            "haircut": haircut,
        },
        {
            "legacy_haircut_whole_pool": Departure(
                "the workbook takes the whole pool above the limit at one flat price; the engine takes the lowest "
                "priced CCC obligations at their own",
                haircut,
            )
        },
    )


@kind("ACC-1")
def junior_coverage(case: Case, library: Library) -> Any:
    """A deal's coverage ratio of par and principal cash over its notes, also as the workbook shows it (5 decimals)."""
    given = case.inputs
    ratio = coverage_ratio(given["pool_par"] + given["principal_cash"], given["denominator"])
    return {"ratio": ratio, "workbook_shown": round(ratio, 5)}
