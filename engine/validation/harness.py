"""The engine's kernels run on given terms: loans, one payment date, one deal. The one file of this package that knows
how the kernels are called; cases and tests go through it.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import collateral as col
from engine import dates, pack, projection
from engine import projection_kernel as pk
from engine.asset import Asset
from engine.curves import FixingTable
from engine.pool import Pool
from engine.terms import Book, Deal, Holding, Reference, Sink
from engine.waterfall import Document, compile_waterfall, read_document
from engine.waterfall import kernel as wf

Floats = NDArray[np.float64]
Rate = Callable[[dt.date, int], float]
"""(day, tenor in months) -> fixing."""

TEST_TYPES: Final = {"oc": wf.OC, "ic": wf.IC, "diversion": wf.DIVERSION, "eod": wf.EOD}


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
    holidays: Sequence[dt.date] = (),
    sinks: Sequence[Sink] = (),
    vectors: Sequence[tuple[Sequence[float], Sequence[float], Sequence[float]]] | None = None,
    lag_months: float = 6.0,
    amortisation: float = 0.01,
    recover_after_maturity: bool = True,
    cuts: Sequence[int] = (),
) -> Floats:
    """float64[n_loans, n_periods + 1, N_FLOWS] of the kernel, through the packer.

    vectors  (cpr, cdr, severity) of each loan, one entry an interest date;  cuts  where the loans are sliced
    """
    assets = {a.asset_id: a for a, _ in lots}
    deal = Deal("cases", holdings=tuple(Holding(a.asset_id, par) for a, par in lots))
    book = Book(deal, assets, Reference(sinks=tuple(sinks)))
    pool = Pool((asset, par) for asset, par in lots)
    calendar = dates.Calendar(holidays)
    structure: Any = SimpleNamespace(
        current_index=0.02, analysis=analysis, calendar=calendar, amortisation=amortisation
    )
    table = fixing_table(rate, analysis, max(*ends, *(a.maturity or analysis for a, _ in lots)))
    given = vectors if vectors is not None else [((0.0,), (0.0,), (0.0,))] * len(lots)
    width = max((len(v) for triple in given for v in triple), default=1)
    rows = np.zeros((3 * len(lots), width))
    size = np.ones(3 * len(lots), dtype=np.int64)
    for i, triple in enumerate(given):
        for j, vector in enumerate(triple):
            rows[3 * i + j, : len(vector)] = vector
            size[3 * i + j] = len(vector)
    market = col.Market(rows, size, table.rates, table.first_day, calendar.closed, calendar.closed_from)
    tape = pack.pack_tape(pool, book, structure, table, lag_months)
    place = 3 * np.arange(len(lots), dtype=np.int64)
    tape = tape._replace(cpr=place, cdr=place + 1, severity=place + 2)
    flows = np.zeros((len(lots), len(ends) + 1, col.N_FLOWS))
    bounds = [0, *cuts, len(lots)]
    for lo, hi in itertools.pairwise(bounds):
        col.project_loans(
            lo, hi, tape, market, dates.serial(analysis), dates.serials(ends), recover_after_maturity, flows
        )
    return flows


def excess_of_ccc(collateral: float, limit: float, loans: Sequence[tuple[str, float, float]]) -> tuple[Floats, float]:
    """What of each loan is excess over the CCC limit, and the haircut of all.

    limit  share of `collateral`;  loans  (id, balance, price in % of par), all rated CCC
    The excess of a loan is what the haircut grows by when its price alone is nought.
    """
    assets = [
        (Asset(asset_id=i, issuer_id=i, sp_issuer_rating="CCC", moodys_rating="Caa2", market_value=price), balance)
        for i, balance, price in loans
    ]
    bucket = pack.pack_bucket(Pool(assets))
    balances = np.array([balance for _, balance, _ in loans], dtype=np.float64)
    room = limit * collateral
    excess = np.zeros(len(loans))
    for i in range(len(loans)):
        alone = bucket._replace(prices=np.where(bucket.loans == i, 0.0, 1.0))
        excess[i] = pk.ccc_haircut(room, balances, alone)
    return excess, float(pk.ccc_haircut(room, balances, bucket))


# --- one payment date --------------------------------------------------------------------------------------------


def _of(given: Mapping[str, float], ids: Sequence[str]) -> Floats:
    return np.array([given.get(i, 0.0) for i in ids], dtype=np.float64)


def coverage_ratio(numerator: float, denominator: float) -> float:
    return float(wf.ratio_of(float(numerator), float(denominator)))


def pay(
    data: Mapping[str, Any], class_ids: Sequence[str], state: Mapping[str, Any]
) -> tuple[float, wf.Date, tuple[str, ...]]:
    """Runs one payment date through the kernel; returns cash left, the date and the labels of the steps.

    data   a document of the waterfall language
    state  interest, principal, balance, deferred, due, on_deferred, scheduled, accrual (by class), fees (due, by fee),
           tests (id -> numerator, denominator, trigger), active (tests), phases (set), policy, diverted_share, cap,
           hurdle, manager_share
    """
    document = read_document(data)
    compiled = compile_waterfall(document, class_ids)
    ids, fees, tests = compiled.class_ids, compiled.fee_ids, compiled.test_ids
    kinds = {c.id: c.kind for c in document.classes}
    order = [step.ids("classes") for step in document.sections["nps"] if step.type == "pay_principal"]
    rank = {name: place for place, group in enumerate(order) for name in group}
    given = state["tests"]
    n = len(ids)
    phases = ("reinvestment", "redemption", "acceleration", "first_period")
    d = wf.Date(
        phase=np.array([p in state["phases"] for p in phases], dtype=np.bool_),
        rank=np.array([-1 if kinds[i] != "debt" else rank.get(i, -1) for i in ids], dtype=np.int64),
        balance=_of(state["balance"], ids),
        deferred=_of(state.get("deferred", {}), ids),
        due=_of(state["due"], ids),
        on_deferred=_of(state.get("on_deferred", {}), ids),
        scheduled=_of(state.get("scheduled", {}), ids),
        accrual=_of(state.get("accrual", {}), ids),
        paid_interest=np.zeros(n),
        paid_on_deferred=np.zeros(n),
        paid_deferred=np.zeros(n),
        paid_principal=np.zeros(n),
        fee_due=_of(state["fees"], fees),
        fee_paid=np.zeros(len(fees)),
        test_type=np.array([TEST_TYPES[t.type] for t in document.tests], dtype=np.int64),
        numerator=np.array([given[t][0] for t in tests], dtype=np.float64),
        denominator=np.array([given[t][1] for t in tests], dtype=np.float64),
        trigger=np.array([given[t][2] for t in tests], dtype=np.float64),
        covered=np.array([[i in t.classes for i in ids] for t in document.tests], dtype=np.bool_).reshape(-1, n),
        active=np.array([t in state.get("active", tests) for t in tests], dtype=np.bool_),
        registers=np.zeros(wf.N_REGISTERS),
        log=np.full((len(compiled.labels), 4), np.nan),
        to_class=np.zeros((len(compiled.labels), n)),
    )
    d.registers[wf.POLICY_AMOUNT] = state.get("policy", 0.0)
    d.registers[wf.DIVERTED_SHARE] = state.get("diverted_share", 0.0)
    d.registers[wf.CAP_LEFT] = state.get("cap", math.inf)
    d.registers[wf.HURDLE_LEFT] = state.get("hurdle", 0.0)
    d.registers[wf.MANAGER_SHARE] = state.get("manager_share", 0.2)
    left = wf.run_date(compiled.program, d, float(state["interest"]), float(state["principal"]))
    return float(left), d, compiled.labels


# --- whole deals -------------------------------------------------------------------------------------------------


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

    before, after  steps of the acceleration waterfall around the classes
    """
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
            "classes": dict.fromkeys(classes) | {"SUB": {"kind": "equity"}},
            "fees": fees,
            "tests": tests or {},
            "waterfalls": {
                "interest": [*interest, equity],
                "principal": [*principal, {"run": {"waterfall": "nps"}}],
                "nps": [*notes, rest],
                "acceleration": [*before, *(s for step in due for s in step), *after, rest],
            },
        }
    )


def given_flows(rows: Sequence[Mapping[int, float]]) -> Floats:
    """Flows of one loan: a mapping of flow column to amount for each period."""
    flows = np.zeros((1, len(rows) + 1, col.N_FLOWS))
    for i, row in enumerate(rows):
        for f, amount in row.items():
            flows[0, i, f] = amount
    return flows


def _of_one_type(plain: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults with what is given; whole numbers become floats where the default is one, or kernels compile anew."""
    return plain | {k: float(v) if isinstance(plain.get(k), float) else v for k, v in given.items()}


def run_deal(
    document: Document, ids: Sequence[str], payments: Sequence[dt.date], flows: Floats, rate: Rate, **parts: Any
) -> pk.Result:
    """The deal's kernel over given flows of the pool; sequential classes, the last of `ids` the equity.

    parts  ends, determination (dates), accrual_start, reinvest_until, redemption (row), balance, margin (by class),
           deferrable (classes), triggers (in the order of the tests), loan_par, and fees, policy, opening: mappings
           that replace fields of the kernel's tuples
    """
    n, k, n_fees = len(payments), len(ids), len(document.fees)
    compiled = compile_waterfall(document, ids)
    ends = parts.get("ends", payments)
    schedule = pk.Schedule(
        payment=dates.serials(payments),
        determination=dates.serials(parts.get("determination", payments)),
        end=dates.serials(ends),
        accrual_start=dates.serial(parts["accrual_start"]),
        redemption=parts.get("redemption", n - 1),
        reinvest_until=dates.serial(parts.get("reinvest_until", dt.date(2000, 1, 1))),
        tests_from=0,
        accelerated=False,
    )
    fees = {
        "percent": np.zeros(n_fees),
        "fixed": np.zeros(n_fees),
        "average": np.zeros(n_fees, dtype=bool),
        "day_count": np.zeros(n_fees, dtype=np.int64),
        "unpaid": np.zeros(n_fees),
        "bears_interest": np.zeros(n_fees, dtype=bool),
        "interest_spread": np.zeros(n_fees),
        "senior": np.zeros(n_fees, dtype=bool),
        "capped": np.zeros(n_fees, dtype=bool),
        "cap_fixed": math.inf,
        "cap_percent": 0.0,
        "opening_basis": 0.0,
    }
    policy: dict[str, Any] = {
        **{"pre_base": pk.NO_PRINCIPAL, "pre_share": 1.0, "post_base": pk.NO_PRINCIPAL, "post_share": 0.0},
        **{"price": 1.0, "spread": 0.0, "floor": 0.0, "index_row": 1, "periods": 4, "cpr": 0.0, "cdr": 0.0},
        **{"severity": 0.0, "lag": 0, "sale_price": 1.0, "hurdle": 0.12, "manager_share": 0.2},
        **{"hurdle_value": -1e12, "hurdle_day": dates.serial(payments[0])},
    }
    opening: dict[str, Any] = {
        **{"interest": 0.0, "principal": 0.0, "performing": 0.0, "defaulted": 0.0, "carrying": 0.0},
        **{"current_index": 0.0, "ccc_limit": 1.0},
    }
    policy = _of_one_type(policy, parts.get("policy", {}))
    opening = _of_one_type(opening, parts.get("opening", {}))
    table = fixing_table(rate, parts["accrual_start"] - dt.timedelta(days=200), payments[-1])
    market = col.Market(
        np.zeros((1, 1)), np.ones(1, dtype=np.int64), table.rates, table.first_day, np.zeros(0, dtype=bool), 0
    )
    structure: Any = SimpleNamespace(triggers=parts.get("triggers", ()))
    tests = pack.pack_tests(document, structure, tuple(ids))
    result = projection._blank(n, k, n_fees, len(document.tests), len(compiled.labels))
    pk.project_deal(
        compiled.program,
        schedule,
        pk.Notes(
            balance=_of(parts.get("balance", {}), ids),
            deferred=np.zeros(k),
            margin=_of(parts.get("margin", {}), ids),
            is_fixed=np.zeros(k, dtype=bool),
            deferrable=np.array([i in parts.get("deferrable", ()) for i in ids]),
            is_equity=np.array([i == "SUB" for i in ids]),
            day_count=np.zeros(k, dtype=np.int64),
            rank=np.array([-1 if i == "SUB" else r for r, i in enumerate(ids)], dtype=np.int64),
            scheduled=np.zeros(k),
        ),
        pk.Fees(**(fees | parts.get("fees", {}))),
        tests,
        pk.Policy(**policy),
        pk.Opening(**opening),
        pk.Bucket(np.full((2, 1), -1), np.ones((2, 1))),
        market,
        table.row(3),
        parts.get("loan_par", np.full(flows.shape[0], opening["performing"])),
        flows,
        result,
    )
    return result
