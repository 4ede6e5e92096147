"""Classes, fees, the incentive fee, coverage tests."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from engine import collateral as col
from engine import dates
from engine import projection_kernel as pk
from engine.validation.cases import Case, CaseError, Library
from engine.validation.compare import Answer, Departure
from engine.validation.harness import coverage_ratio, excess_of_ccc, given_flows, pay, run_deal, small_document
from engine.validation.kinds.plain import day
from engine.validation.registry import kind
from engine.valuation import xirr
from engine.waterfall import kernel as wf

FEES: Final = {"trustee": "Trustee Fee", "base": "Base Manager Fee", "junior": "Junior Manager Fee"}


def fee_day_count(text: str) -> int:
    code = {"act/360": dates.ACT_360, "30/360": dates.THIRTY_360, "act/365": dates.ACT_365}.get(text.lower())
    if code is None:
        raise CaseError(f"has a fee with the day count {text!r}; act/360, act/365 and 30/360 are run")
    return code


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
    flows = [
        {
            col.INTEREST: p["cash_for_interest"] if i == 0 else 0.0,
            col.SCHEDULED: p.get("principal", 0.0),
        }
        for i, p in enumerate(periods)
    ]
    start, end = (day(periods[1][key]) for key in ("start", "end"))
    last = dates.from_serial(dates.add_months(dates.serial(end), 3, False))
    parts: dict[str, Any] = {
        "accrual_start": day(periods[0]["start"]),
        "balance": {"D": given["balance"]},
        "margin": {"D": given["spread"]},
        "deferrable": ("D",),
        "opening": {"current_index": periods[0]["index"], "performing": 1e12},
    }
    payments = [day(periods[0]["end"]), end, last]
    if payments[0] != start:
        raise CaseError("has a second period that does not start where the first ends")

    def run(second: float) -> pk.Result:
        flows[1][col.INTEREST] = second
        return run_deal(
            document, ["D", "SUB"], payments, given_flows([*flows, {}]), lambda _d, _t: periods[1]["index"], **parts
        )

    def accrued(result: pk.Result, i: int) -> tuple[float, float, float]:
        """Interest on the balance and on what is deferred, and the fraction of the year."""
        code = fee_day_count(given["basis"])
        fraction = dates.year_fraction(dates.serial(day(periods[i]["start"])), dates.serial(payments[i]), code)
        rate = float(result.coupon[i, 0]) * fraction
        balance, deferred = (given["balance"], 0.0) if i == 0 else (result.balance[0, 0], result.deferred[0, 0])
        return float(balance) * rate, float(deferred) * rate, rate

    # the second date has cash for all interest (never more than is due) and for some of what is deferred
    due, on_deferred, _ = accrued(run(0.0), 1)
    interest = min(due + on_deferred, periods[1]["cash_for_interest"])
    result = run(interest + periods[1]["cash_for_deferred"])
    found = {}
    for i, name in enumerate(("p1", "p2")):
        current, late, _ = accrued(result, i)
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
    last = dates.from_serial(dates.add_months(dates.serial(end), 3, False))
    terms = (trustee, base, junior)
    result = run_deal(
        small_document(["A"], FEES, [{"pay_fee": {"fees": list(FEES)}}], []),
        ["A", "SUB"],
        [end, last],
        given_flows([{}, {}]),
        lambda _day, _tenor: 0.0,
        accrual_start=start,
        fees={
            "percent": np.array([t["pct"] for t in terms], dtype=np.float64),
            "fixed": np.array([t.get("fixed_pa", 0.0) for t in terms], dtype=np.float64),
            "average": np.array([t["type"] == "average" for t in terms]),
            "day_count": np.array([fee_day_count(t.get("day", t.get("basis", "act/360"))) for t in terms]),
            "unpaid": np.array([t.get("unpaid", 0.0) for t in terms], dtype=np.float64),
            "bears_interest": np.array([bool(t.get("interest", False)) for t in terms]),
            "interest_spread": np.array([t.get("spread", 0.0) for t in terms], dtype=np.float64),
            "opening_basis": float(given["beg_basis"]),
        },
        opening={"performing": float(given["end_basis"]), "current_index": junior.get("index", 0.0)},
    )
    accrued = [float(x) for x in result.fee_accrued[0]]
    return {"trustee": accrued[0], "base": accrued[1], "junior": accrued[2]}


@kind("INC")
def incentive_fee(case: Case, library: Library) -> Any:
    """The manager's share of distributions once the hurdle is met, threshold by compounding, and the IRR."""
    given = case.inputs
    payments = [day(on) for on, _ in given["distributable"]]
    closing, hurdle = day(given["closing"]), float(given["hurdle"])
    past = [(day(on), float(amount)) for on, amount in given["history"]]
    result = run_deal(
        small_document(["A"], FEES, [], []),
        ["A", "SUB"],
        payments,
        given_flows([{col.INTEREST: cash} for _, cash in given["distributable"]]),
        lambda _day, _tenor: 0.0,
        accrual_start=max(on for on, _ in past),
        policy={
            "hurdle": hurdle,
            "manager_share": given["share"],
            "hurdle_value": sum(a * (1 + hurdle) ** ((closing - on).days / 365) for on, a in past),
            "hurdle_day": dates.serial(closing),
        },
    )
    rows = []
    flows = list(past)
    for i, on in enumerate(payments):
        paid = float(result.interest[i, 1] + result.principal[i, 1])
        needed = -sum(a * (1 + hurdle) ** ((on - before).days / 365) for before, a in flows)
        flows.append((on, paid))
        rows.append(
            {
                "date": on.isoformat(),
                "cash": float(result.cash[i, pk.INTEREST_PROCEEDS]),
                "threshold": needed,
                "incentive_fee": float(result.cash[i, pk.INCENTIVE_FEE]),
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

    def date(interest: list[Any], principal: list[Any], cash: tuple[float, float]) -> wf.Date:
        rest = {"pay_equity": {"equity": "SUB"}}
        notes = [{"pay_principal": {"classes": ["A"]}}, rest]
        data = {
            "wdl": 1,
            "name": "coverage",
            "classes": {"A": {}, "SUB": {"kind": "equity"}},
            "fees": FEES,
            "tests": {
                "OC": {"type": "oc", "classes": ["A"], "trigger": test[2]},
                "DIV": {"type": "diversion", "classes": ["A"], "trigger": test[2]},
            },
            "waterfalls": {
                "interest": [*interest, rest],
                "principal": [*principal, {"run": {"waterfall": "nps"}}],
                "nps": notes,
                "acceleration": notes,
            },
        }
        state = {"interest": cash[0], "principal": cash[1], "balance": {"A": test[1]}, "due": {}, "fees": {}}
        return pay(data, ["A", "SUB"], state | {"tests": {"OC": test, "DIV": test}, "phases": set()})[1]

    def diverted(amount: str) -> float:
        step = {"divert": {"test": "DIV", "share": 1.0, "amount": amount}}
        return float(date([step], [], (plenty, 0.0)).registers[wf.DIVERTED])

    plenty = 10.0 * test[1]
    return {
        "ratio": coverage_ratio(test[0], test[1]),
        "interest_cure": float(date([cure], [], (plenty, 0.0)).log[0, wf.PAID]),
        "principal_cure": float(date([], [cure], (0.0, plenty)).log[1, wf.PAID]),
        "principal_cure_after_partial_interest": float(date([cure], [cure], (partial, plenty)).log[2, wf.PAID]),
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
