"""The engine run on given terms: loans, one payment date, one deal. The one file of this package that knows how it is
called; cases and tests go through it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import cash, dates, pack
from engine.asset import Asset
from engine.curves import FixingTable
from engine.deal_inputs import DealInputs
from engine.lanes import Bucket, blank_pool, run_lanes
from engine.liabilities import write
from engine.loans import columns as col
from engine.loans.coupons import load
from engine.loans.lanes import collect
from engine.loans.layout import lay_out
from engine.loans.packing import pack_tape
from engine.pool import Pool
from engine.results import Result, read_result
from engine.terms import Book, Deal, Holding, Reference, Sink
from engine.waterfall import Document, read_document
from engine.waterfall.clauses import Clause
from engine.waterfall.expressions import Number
from engine.waterfall.steps import LOG_COLUMNS

Floats = NDArray[np.float64]
Rate = Callable[[dt.date, int], float]
"""(day, tenor in months) -> fixing."""
Vectors = tuple[Sequence[float], Sequence[float], Sequence[float]]
"""cpr, cdr and severity of a loan, one entry an interest date."""

NEVER_REACHED: Final = 1e12
START: Final = dt.date(2000, 1, 1)
TWO_DATES: Final = (dt.date(2000, 4, 1), dt.date(2000, 7, 1))
"""A single payment date, and one after it because the last of a run is a redemption."""


# --- market ------------------------------------------------------------------------------------------------------


def fixing_table(rate: Rate, first: dt.date, last: dt.date, tenors: Sequence[int] = (1, 3, 6, 12)) -> FixingTable:
    """Fixings of a function of day and tenor, from `first` to `last`."""
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    rates = np.array([[rate(d, tenor) for d in days] for tenor in tenors], dtype=np.float64)
    return FixingTable(dates.serial(first), tuple(tenors), rates)


def chained_forwards(nodes: Mapping[int, float], as_of: dt.date) -> Rate:
    """The workbook's curve (case YC-1): one-month forwards in a chain, linear in days, averaged over the tenor.

    nodes  months -> rate, from one month on. Not the engine's curve: cases of the workbook's rest on it.
    """
    months = sorted(nodes)

    def spot(m: int) -> float:
        for low, high in itertools.pairwise(months):
            if low <= m <= high:
                return nodes[low] + (nodes[high] - nodes[low]) * (m - low) / (high - low)
        raise ValueError(f"the curve has no rate at {m} months")

    def moved(start: dt.date, m: int) -> dt.date:
        return dates.from_serial(dates.add_months(dates.serial(start), m, False))

    grid = [(as_of, spot(1))]
    grid += [(moved(as_of, i), (1 + spot(i + 1)) ** (i + 1) / (1 + spot(i)) ** i - 1) for i in range(1, months[-1] - 1)]

    def forward(on: dt.date) -> float:
        if on <= as_of:
            return grid[0][1]
        for (a, fa), (b, fb) in itertools.pairwise(grid):
            if a <= on <= b:
                return fa + (fb - fa) * (on - a).days / (b - a).days
        return grid[-1][1]

    def rate(on: dt.date, tenor: int) -> float:
        product, at = 1.0, on
        for _ in range(tenor):
            product *= 1 + forward(at)
            at = moved(at, 1)  # month after month: a 31st becomes a 30th and stays it, as the case has it
        return float(product ** (1 / tenor) - 1)

    return rate


# --- loans -------------------------------------------------------------------------------------------------------


def run_loans(
    lots: Sequence[tuple[Asset, float]],
    analysis: dt.date,
    ends: Sequence[dt.date],
    *,
    rate: Rate = lambda _day, _tenor: 0.02,
    sinks: Sequence[Sink] = (),
    vectors: Sequence[Vectors] | None = None,
    lag_months: float = 6.0,
    recover_after_maturity: bool = True,
) -> Floats:
    """float64[n_periods + 1, N_FLOWS]: flows of the loans together by collection period; the last row comes after."""
    assets = {a.asset_id: a for a, _ in lots}
    deal = Deal("cases", holdings=tuple(Holding(a.asset_id, par) for a, par in lots))
    book = Book(deal, assets, Reference(sinks=tuple(sinks)))
    calendar = dates.Calendar(())
    terms: Any = SimpleNamespace(current_index=0.02, analysis=analysis, calendar=calendar, amortisation=0.01)
    table = fixing_table(rate, analysis, max(*ends, *(a.maturity or analysis for a, _ in lots)))
    given = vectors if vectors is not None else [((0.0,), (0.0,), (0.0,))] * len(lots)
    rows = [vector for triple in given for vector in triple]
    tape = pack_tape(Pool(lots), book, terms, table, lag_months)
    place = 3 * np.arange(len(lots), dtype=np.int64)
    tape = tape._replace(
        cpr=place,
        cdr=place + 1,
        severity=place + 2,
        vector_size=np.array([len(row) for row in rows], dtype=np.int64),
        vector_step=np.zeros(len(rows), dtype=np.int64),
        vector_from_age=np.zeros(len(rows), dtype=np.bool_),
        vector_absolute=np.zeros(len(rows), dtype=np.bool_),
    )
    layout = lay_out(
        tape,
        calendar,
        dates.serial(analysis),
        dates.serials(ends),
        recover_after_maturity=recover_after_maturity,
    )
    rates = np.zeros((len(rows), max(len(row) for row in rows), 1))
    for i, row in enumerate(rows):
        rates[i, : len(row), 0] = row
    flows = np.empty((len(ends) + 1, col.N_FLOWS, 1))
    collect(load(layout, tape, table, calendar), rates, flows, np.empty((len(ends), 0, 1)))
    return np.ascontiguousarray(flows[:, :, 0])


# --- deals -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A deal run: its steps in the order of the log, and the figures of each date up to redemption."""

    document: Document
    class_ids: tuple[str, ...]
    clauses: tuple[Clause, ...]
    result: Result

    def shown(self, column: int, date: int = 0) -> float:
        return float(self.result.cash[date, column])

    def log(self, step: int, column: str, date: int = 0) -> float:
        """due, paid, short or cash_after of a step, counted over all waterfalls; NaN where it did not run."""
        return float(self.result.log[date, step, LOG_COLUMNS.index(column)])

    def fee(self, fee_id: str, date: int = 0) -> float:
        return float(self.result.fee_paid[date, self.document.fee_ids.index(fee_id)])


def deal_inputs(
    document: Document, class_ids: Sequence[str], payments: Sequence[dt.date], before: dt.date, **given: Any
) -> DealInputs:
    """Terms in which nothing happens unless it is given: no balances, fees, tests or reinvestment.

    before  start of the first accrual
    given   fields of DealInputs; by class (balance, original: else the balance, deferred, coupon, accrual, scheduled,
            deferrable), by fee (fee_percent, ..) or by test (triggers), as a number, word or float64[n_dates]
    """
    days = dates.serials(payments)
    fractions = np.diff(days, prepend=dates.serial(before)) / 360.0
    tests = [t.id for t in document.tests]
    inputs = {i.id: i.default for i in document.inputs}
    plain: dict[str, Any] = {
        **{"days": days, "before": dates.serial(before), "index": np.zeros(days.size)},
        **{"opening_basis": 0.0, "cap_fraction": fractions, "tests_from": 0, "ic_from": 0},
        **{"reinvesting": np.zeros(days.size, dtype=np.bool_), "callable": np.zeros(days.size, dtype=np.bool_)},
        **{"policy_base": ("none", "none"), "policy_share": (0.0, 0.0), "strategies": (), "recovery_lag": 0},
        **{"hurdle": 0.0, "manager_share": 0.2, "hurdle_value": -NEVER_REACHED},
        **{"equity_invested": 0.0, "equity_received": 0.0, "accelerated": False},
        **{"interest": 0.0, "principal": 0.0, "purchased_interest": 0.0, "funding": 0.0},
        **{"performing": 0.0, "defaulted": 0.0, "carrying": 0.0, "marked": 0.0, "haircut": 0.0},
        **{"ccc_limit": 1.0, "idle_yield": np.zeros(days.size), "dates": {}, "inputs": inputs},
        **{"accounts": {}, "contributed": {}},
    }

    def named(name: str, ids: Sequence[str], usual: Any) -> list[Any]:
        found = given.pop(name, {})
        return [found.get(i, usual) for i in ids]

    def single(name: str, ids: Sequence[str]) -> Floats:
        return np.array(named(name, ids, 0.0), dtype=np.float64)

    def dated(name: str, ids: Sequence[str], usual: Any = 0.0) -> Floats:
        """float64[n_dates, n] of numbers or arrays over the dates."""
        made = np.empty((days.size, len(ids)))
        for place, value in enumerate(named(name, ids, usual)):
            made[:, place] = value
        return made

    balance, fees = single("balance", class_ids), document.fee_ids
    plain |= {
        "class_ids": tuple(class_ids),
        "original": single("original", class_ids) if "original" in given else balance,
        "balance": balance,
        "deferred": single("deferred", class_ids),
        "coupon": dated("coupon", class_ids),
        "accrual": dated("accrual", class_ids),
        "deferrable": tuple(named("deferrable", class_ids, "never")),
        "scheduled": single("scheduled", class_ids),
        "fee_percent": single("fee_percent", fees),
        "fee_fixed": single("fee_fixed", fees),
        "fee_basis": tuple(named("fee_basis", fees, "begin")),
        "fee_fraction": dated("fee_fraction", fees, fractions),
        "fee_interest": dated("fee_interest", fees),
        "fee_unpaid": single("fee_unpaid", fees),
        "fee_senior": np.array(named("fee_senior", fees, False), dtype=np.bool_),
        "triggers": dated("triggers", tests, 1.0),
    }
    return DealInputs(**(plain | given))


def run_deal(
    document: Document,
    inputs: DealInputs,
    flows: Floats | None = None,
    bought: tuple[Floats | float, Floats | float] = (0.0, 0.0),
    **lane: float,
) -> Run:
    """The deal over given flows of the pool, float64[n_dates, N_FLOWS]; its last date is a redemption.

    bought  default and prepayment rates of what is bought, for a period: numbers or float64[n_dates]
    lane    of deal_inputs.LANE_PARAMETERS
    """
    n = inputs.days.size
    pool = blank_pool(n)
    if flows is not None:
        pool.flows[:, :, 0] = flows
    pool.re_cdr[0, :, 0], pool.re_cpr[0, :, 0] = bought
    nobody = Bucket(np.full((2, 1), -1, dtype=np.int64), np.ones((2, 1)))
    machine = write(document, inputs, full=True)
    parameters = {name: np.array([float(value)]) for name, value in lane.items()}
    outcome = run_lanes(machine, inputs, machine.dated(inputs), pool, nobody, parameters)
    return Run(document, inputs.class_ids, machine.clauses, read_result(outcome, inputs))


def given_flows(rows: Sequence[Mapping[int, float]]) -> Floats:
    """float64[n_dates, N_FLOWS]: a mapping of flow column to amount for each date."""
    flows = np.zeros((len(rows), col.N_FLOWS))
    for i, row in enumerate(rows):
        for column, amount in row.items():
            flows[i, column] = amount
    return flows


def small_document(
    classes: Sequence[str],
    fees: Mapping[str, str],
    interest: Sequence[Any],
    principal: Sequence[Any],
    *,
    tests: Mapping[str, Any] | None = None,
    before: Sequence[Any] = (),
    after: Sequence[Any] = (),
) -> Document:
    """A sequential deal with subordinated notes SUB: given interest and principal steps, then the notes in order.

    fees           names by id; those that no step pays are left out
    before, after  steps of the acceleration waterfall around the classes
    """
    paid = {f for step in (*interest, *principal, *before, *after) for f in step.get("pay_fee", {}).get("fees", ())}
    equity = {"hurdle_split": {"equity": "SUB", "book_as": "interest"}}
    rest = {"hurdle_split": {"equity": "SUB", "book_as": "principal"}}
    notes = [
        step for c in classes for step in ({"pay_deferred": {"classes": [c]}}, {"pay_principal": {"classes": [c]}})
    ]
    due = [[{"pay_interest": {"classes": [c]}}, *notes[2 * i : 2 * i + 2]] for i, c in enumerate(classes)]
    return read_document(
        {
            "wdl": 1,
            "name": "small",
            "classes": {c: {} for c in classes} | {"SUB": {"kind": "equity"}},
            "fees": {f: name for f, name in fees.items() if f in paid},
            "tests": tests or {},
            "waterfalls": {
                "interest": [*interest, equity],
                "principal": [*principal, {"run": {"waterfall": "nps"}}],
                "nps": [*notes, rest],
                "acceleration": [*before, *(s for step in due for s in step), *after, rest],
            },
        }
    )


def excess_of_ccc(collateral: float, limit: float, loans: Sequence[tuple[str, float, float]]) -> tuple[Floats, float]:
    """What of each loan is excess over the CCC limit, and the haircut of all.

    limit  share of `collateral`;  loans  (id, balance, price in % of par), all rated CCC
    The excess of a loan is what the haircut grows by when its price alone is nought.
    """
    assets = [
        (Asset(asset_id=i, issuer_id=i, sp_issuer_rating="CCC", moodys_rating="Caa2", market_value=price), balance)
        for i, balance, price in loans
    ]
    watched, bucket = pack.pack_bucket(Pool(assets))
    document = small_document(["A"], {}, [], [])
    inputs = deal_inputs(document, ["A", "SUB"], TWO_DATES, START, performing=collateral, ccc_limit=limit)
    machine = write(document, inputs, full=True)
    pool = blank_pool(len(TWO_DATES), n_watched=watched.size)
    pool.watched[:, :, 0] = [loans[i][1] for i in watched]

    def haircut(prices: Floats) -> float:
        outcome = run_lanes(machine, inputs, machine.dated(inputs), pool, Bucket(bucket.loans, prices), {})
        return float(outcome.series(("cash", cash.CCC_EXCESS))[0])

    excess = [haircut(np.where(bucket.loans == i, 0.0, 1.0)) for i in range(len(loans))]
    return np.array(excess), haircut(bucket.prices)


# --- one payment date --------------------------------------------------------------------------------------------


def pay(data: Mapping[str, Any], class_ids: Sequence[str], state: Mapping[str, Any]) -> Run:
    """One payment date; what it pays is the first row of the result. Deferred interest bears none.

    data   a document of the waterfall language
    state  interest, principal, balance, deferred, due, scheduled (by class), fees (due, by fee), tests (id ->
           numerator, denominator, trigger), phases (of reinvestment, acceleration, redemption), hurdle (what the
           equity must get before the manager shares), manager_share, reinvest_share (of principal and what is diverted)
    """
    document = read_document(data)
    figures = state["tests"]
    document = replace(
        document,
        classes=tuple(replace(c, interest_on_deferred=False) for c in document.classes),
        tests=tuple(
            replace(t, numerator=Number(float(figures[t.id][0])), denominator=Number(float(figures[t.id][1])))
            for t in document.tests
        ),
    )
    balance, share = state["balance"], float(state.get("reinvest_share", 0.0))
    inputs = deal_inputs(
        document,
        class_ids,
        TWO_DATES,
        START,
        interest=float(state["interest"]),
        principal=float(state["principal"]),
        balance=balance,
        deferred=state.get("deferred", {}),
        accrual={c: due / balance[c] for c, due in state["due"].items() if due},
        scheduled=state.get("scheduled", {}),
        fee_unpaid=state["fees"],
        triggers={t: figures[t][2] for t in figures},
        reinvesting=np.array(["reinvestment" in state["phases"]] * 2),
        accelerated="acceleration" in state["phases"],
        policy_base=("all", "all"),
        policy_share=(share, share),
        hurdle_value=-float(state.get("hurdle", 0.0)),
        manager_share=float(state.get("manager_share", 0.2)),
    )
    return run_deal(document, inputs, redemption=0.0 if "redemption" in state["phases"] else 1.0)


def coverage_ratio(numerator: float, denominator: float) -> float:
    """The ratio of a coverage test as a payment date measures it."""
    rest: list[Any] = [{"pay_equity": {"equity": "SUB"}}]
    notes: list[Any] = [{"pay_interest": {"classes": ["A"]}}, {"pay_principal": {"classes": ["A"]}}, *rest]
    data = {
        "wdl": 1,
        "name": "ratio",
        "classes": {"A": {}, "SUB": {"kind": "equity"}},
        "tests": {"OC": {"type": "oc", "classes": ["A"], "trigger": 1.0}},
        "waterfalls": {"interest": rest, "principal": rest, "nps": rest, "acceleration": notes},
    }
    state = {"interest": 0.0, "principal": 0.0, "balance": {"A": float(denominator)}, "due": {}, "fees": {}}
    state |= {"tests": {"OC": (numerator, denominator, 1.0)}, "phases": set()}
    return float(pay(data, ["A", "SUB"], state).result.ratio[0, 0])
