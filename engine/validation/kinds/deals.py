"""A whole deal: loans, classes, fees, tests, reinvestment, sale, incentive fee, date by date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine import cash, dates
from engine.deal_inputs import Strategy
from engine.validation.cases import Case, CaseError, Library
from engine.validation.compare import Answer, Departure
from engine.validation.harness import Floats, deal_inputs, run_deal, run_loans, small_document
from engine.validation.kinds.liabilities import FEES, fee_day_count, split_interest
from engine.validation.kinds.loans import WRITTEN_OFF, asset_of, vectors_of
from engine.validation.kinds.plain import business_days, day, index_of
from engine.validation.registry import kind
from engine.valuation import xirr
from engine.waterfall import Document

_FEE_NAMES: Final = ("Trustee", "Base", "Junior")
_MOST_PERIODS: Final = 400
_REINVEST_UNTIL: Final = "2017-04-18"  # of case DEAL-1, which says it in its title only
_AT_SALE: Final = (
    "the case's pool reads as empty on the day it is sold; the engine measures its tests at the end of the collection "
    "period, before the sale"
)


def _document(given: Mapping[str, Any], classes: list[str]) -> Document:
    """Fees, each class with its deferred interest and tests, diversion, junior fee, rest (the order of the notes)."""
    tests: dict[str, Any] = {}
    for place, c in enumerate(classes):
        covered = classes[: place + 1]
        tests[f"OC_{c}"] = {"type": "oc", "of": c, "classes": covered}
        tests[f"IC_{c}"] = {"type": "ic", "of": c, "classes": covered}
    tests["DIV"] = {"type": "diversion", "classes": classes, "trigger": given["diversion_trigger"]}
    tests["EOD"] = {"type": "eod", "classes": classes[:1], "trigger": given["eod_trigger"]}
    senior = [{"pay_fee": {"fees": ["trustee"]}}, {"pay_fee": {"fees": ["base"]}}]
    junior = {"pay_fee": {"fees": ["junior"]}}
    interest: list[Any] = list(senior)
    cures = []
    for place, c in enumerate(classes):
        interest.append({"pay_interest": {"classes": [c]}})
        if place:
            interest.append({"pay_deferred": {"classes": [c]}})
        cures.append({"cure": {"tests": [f"OC_{c}", f"IC_{c}"]}})
        interest.append(cures[-1])
    divert = {"divert": {"test": "DIV", "share": 0.5, "amount": "par_cure"}, "when": "phase.reinvestment"}
    principal = [*senior, {"pay_interest": {"classes": classes[:1]}}, *cures, {"reinvest": {"amount": "policy"}}]
    return small_document(
        classes, FEES, [*interest, divert, junior], principal, tests=tests, before=senior, after=[junior]
    )


def _fractions(starts: Sequence[dt.date], ends: Sequence[dt.date], code: int) -> Floats:
    pairs = zip(starts, ends, strict=True)
    return np.array([dates.year_fraction(dates.serial(a), dates.serial(b), code) for a, b in pairs])


class _Deal:
    """A case's deal run: dates, result, and the equity's past."""

    def __init__(self, given: Mapping[str, Any], library: Library) -> None:
        self.given = given
        self.classes = list(given["classes"])
        self.n = int(given["periods"])
        if not 1 <= self.n <= _MOST_PERIODS:
            raise CaseError(f"has {self.n} periods; 1 to {_MOST_PERIODS} are run")
        as_of, rate = day(given["asof"]), index_of(given, library)
        listed = given["holidays"] if "holidays" in given else library.inputs("CAL-1")["holidays_2016"]
        calendar = dates.Calendar(day(on) for on in (*listed, *given.get("holidays_added", ())))
        if str(given["convention"]).upper() not in dates.CONVENTIONS:
            raise CaseError(f"names the business-day convention {given['convention']!r}, which is unknown")
        first = dates.serial(day(given["first_unadjusted"]))
        self.payments = [
            calendar.roll(dates.from_serial(dates.add_months(first, 3 * i, False)), given["convention"])
            for i in range(self.n + 1)  # a date more than is run: what is bought does not mature on the last
        ]
        self.ends = [calendar.business_days_before(d, business_days(given["determination_bd"])) for d in self.payments]
        self.previous = day(given["prev_payment"])
        starts = [self.previous, *self.payments[:-1]]
        lots = [(asset_of(a, f"L{i}"), float(a["par"])) for i, a in enumerate(given["assets"])]
        flows = run_loans(
            lots,
            as_of,
            self.ends,
            rate=rate,
            vectors=[vectors_of(a) for a in given["assets"]],
            lag_months=given["assets"][0]["lag"],
            recover_after_maturity=False,
        )[:-1]
        document = _document(given, self.classes)
        self.tests = [t.id for t in document.tests]
        incentive = given["incentive"]
        self.past = [(day(on), float(amount)) for on, amount in incentive["history"]]
        self.hurdle = float(incentive["hurdle"])
        terms, fees = given["reinvest"], given["fees"]
        if not 0 <= int(terms["lag"]) // 3 <= self.n or int(terms["maturity"]) < 3:
            raise CaseError("reinvests with a lag beyond its last date, or in loans of less than a period")
        index = np.array([rate(calendar.business_days_before(d, 2), 3) for d in starts])
        index[0] = float(given["current_index"])
        fixed = dict(zip(FEES, _FEE_NAMES, strict=True))
        margins = {c: float(of[1]) for c, of in given["classes"].items()}
        self.coupons = {c: np.maximum(index, 0.0) + margin for c, margin in margins.items()}
        self.fractions = _fractions(starts, self.payments, dates.ACT_360)
        thirty = _fractions(starts, self.payments, dates.THIRTY_360)
        triggers = {f"{k.upper()}_{c}": given[f"{k}_triggers"][c] for c in self.classes for k in ("oc", "ic")}
        until = day(given.get("reinvest_until", _REINVEST_UNTIL))
        bought = np.maximum([rate(d, 3) for d in starts], float(terms["floor"])) + float(terms["spread"])
        inputs = deal_inputs(
            document,
            [*self.classes, "SUB"],
            self.payments,
            self.previous,
            index=index,
            balance={c: float(of[0]) for c, of in given["classes"].items()},
            accrual={c: coupon * self.fractions for c, coupon in self.coupons.items()},
            deferrable=dict.fromkeys(self.classes[1:], "always"),
            triggers=triggers | {"DIV": given["diversion_trigger"], "EOD": given["eod_trigger"]},
            fee_percent={f: fees[name] for f, name in fixed.items()},
            fee_basis=dict.fromkeys(fixed, "average" if fees["type"] == "average" else "begin"),
            fee_fraction=dict.fromkeys(fixed, _fractions(starts, self.payments, fee_day_count(fees["basis"]))),
            fee_senior={"trustee": True, "base": True},
            opening_basis=float(fees["beg_basis"]),
            reinvesting=np.array([d <= until for d in self.payments]),
            policy_base=("all", "none"),
            policy_share=(1.0, 0.0),
            strategies=(Strategy(1.0, bought, thirty, int(terms["maturity"]) // 3),),
            recovery_lag=int(terms["lag"]) // 3,
            hurdle=self.hurdle,
            manager_share=float(incentive["share"]),
            hurdle_value=sum(a * (1 + self.hurdle) ** ((self.previous - on).days / 365) for on, a in self.past),
            interest=float(given["collection_cash"]["interest"]),
            principal=float(given["collection_cash"]["principal"]),
            performing=sum(par for _, par in lots),
        )
        cdr, cpr = (1.0 - (1.0 - float(terms[name])) ** thirty for name in ("cdr", "cpr"))
        self.run = run_deal(
            document,
            inputs,
            flows,
            (cdr, cpr),
            redemption=self.n - 1,
            price=terms["price"],
            severity=terms["sev"],
            sale_price=given["liquidation_price"],
        )

    def period(self, i: int) -> dict[str, Any]:
        run, r = self.run, self.run.result
        sold = run.shown(cash.SALE_PROCEEDS, i)
        ratio = dict(zip(self.tests, (float(x) for x in r.ratio[i]), strict=True))
        top = f"OC_{self.classes[0]}"
        row: dict[str, Any] = {
            "period": i + 1,
            "payment_date": self.payments[i].isoformat(),
            "det": self.ends[i].isoformat(),
            "index": run.shown(cash.INDEX, i),
            "interest_proceeds": run.shown(cash.INTEREST_PROCEEDS, i),
            "principal_proceeds_before_diversion": run.shown(cash.PRINCIPAL_PROCEEDS, i) + sold,
            "diverted": run.shown(cash.DIVERTED, i),
            "sold": sold,
            "oc_num": float(r.numerator[i, self.tests.index(top)]),
            "oc": {c: ratio[f"OC_{c}"] for c in self.classes},
            "ic": {c: ratio[f"IC_{c}"] for c in self.classes},
            "eod": bool(r.phase[i, cash.PHASES.index("acceleration")]),
            "to_notes": run.shown(cash.NOTES_POT, i),
            "fees_paid": {name: float(r.fee_paid[i, f]) for f, name in enumerate(_FEE_NAMES)},
            "incentive": run.shown(cash.INCENTIVE_FEE, i),
            "reinvested": run.shown(cash.REINVESTED, i),
        }
        for k, c in enumerate(self.classes):
            row[c] = self._class(i, k)
        sub = len(self.classes)
        interest, principal = float(r.interest[i, sub]), float(r.principal[i, sub])
        share = (interest + principal) / self.given["sub_original"]
        row["sub"] = {"int": interest, "prin": principal, "pct": share}
        paid = [*self.past, *((self.payments[j], self._to_sub(j)) for j in range(i))]
        on = self.payments[i]
        row["threshold"] = -sum(a * (1 + self.hurdle) ** ((on - d).days / 365) for d, a in paid)
        paid.append((on, self._to_sub(i)))
        row["irr"] = xirr([d for d, _ in paid], [a for _, a in paid])
        return row

    def _to_sub(self, i: int) -> float:
        sub = len(self.classes)
        return float(self.run.result.interest[i, sub] + self.run.result.principal[i, sub])

    def _class(self, i: int, k: int) -> dict[str, float]:
        r = self.run.result
        balance = self.given["classes"][self.classes[k]][0] if i == 0 else r.balance[i - 1, k]
        deferred = 0.0 if i == 0 else r.deferred[i - 1, k]
        due = float(balance * self.coupons[self.classes[k]][i] * self.fractions[i])
        current, late = split_interest(float(r.interest[i, k]), due)
        return {
            "beg": float(balance),
            "int": current,
            "prin": float(r.principal[i, k]),
            "def_beg": float(deferred),
            "def_int": late,
            "def_prin": float(r.deferred_paid[i, k]),
        }


@kind("DEAL")
def whole_deal(case: Case, library: Library) -> Answer:
    """A deal of loans and sequential classes through all its dates, with reinvestment and a sale on the last."""
    deal = _Deal(case.inputs, library)
    periods = [deal.period(i) for i in range(deal.n)]
    totals: dict[str, float] = {}
    for c in deal.classes:
        totals[f"{c}_int"] = sum(p[c]["int"] + p[c]["def_int"] + p[c]["def_prin"] for p in periods)
        totals[f"{c}_prin"] = sum(p[c]["prin"] for p in periods)
    totals["sub"] = sum(p["sub"]["int"] + p["sub"]["prin"] for p in periods)
    totals["incentive"] = sum(p["incentive"] for p in periods)
    departures = {}
    if case.mode.startswith("legacy"):
        last, at = periods[-1], f"periods[{deal.n - 1}]"
        for path, value in (
            ("oc_num", last["oc_num"]),
            ("eod", last["eod"]),
            *((f"oc.{c}", last["oc"][c]) for c in deal.classes),
        ):
            departures[f"{at}.{path}"] = Departure(_AT_SALE, value)
    return Answer({"periods": periods, "totals": totals}, departures, (WRITTEN_OFF,))
