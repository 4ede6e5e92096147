"""Small worlds for the tests of the engine: loans, markets, documents, payment dates of a deal."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from engine import collateral as col
from engine import dates, pack
from engine.asset import Asset
from engine.curves import FixingTable
from engine.pool import Pool
from engine.terms import Account, Book, CurveNode, Deal, Holding, Reference, Sink
from engine.waterfall import Document, compile_waterfall, read_document
from engine.waterfall import kernel as wf

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ("us-2014-pari-passu-b", "us-2024-class-x")
Rate = Callable[[dt.date, int], float]
"""(day, tenor in months) -> fixing."""


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def template(name: str) -> dict[str, Any]:
    """A shipped waterfall as plain data."""
    return yaml.safe_load((ROOT / "resources" / "waterfalls" / f"{name}.yaml").read_text(encoding="utf-8"))


def document(name: str) -> Document:
    return read_document(template(name))


def assumed_terms() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "resources" / "assumed_terms.yaml").read_text(encoding="utf-8"))


# --- loans -------------------------------------------------------------------------------------------------------


def loan(asset_id: str = "L1", **changes: Any) -> Asset:
    """A quarterly floating loan of 2014 to 2017, as in cases AST-1 and AST-4."""
    plain: dict[str, Any] = {
        "asset_id": asset_id,
        "issuer_id": asset_id,
        "maturity": day("2017-09-29"),
        "coupon_type": "FLOAT",
        "payment_frequency": 4,
        "coupon_spread": 0.0375,
        "index_floor": 0.01,
        "coupon": 0.0475,
        "dated_date": day("2014-09-17"),
        "first_payment_date": day("2014-12-31"),
        "day_count": "ACTUAL/360",
        "business_day_convention": "Mod Following",
        "payment_eom": True,
        "market_value": 100.0,
    }
    return Asset(**(plain | changes))


def fixing_table(rate: Rate, first: dt.date, last: dt.date, tenors: Sequence[int] = (1, 3, 6, 12)) -> FixingTable:
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    rates = np.array([[rate(d, tenor) for d in days] for tenor in tenors], dtype=np.float64)
    return FixingTable(dates.serial(first), tuple(tenors), rates)


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
    capitalises: Sequence[bool] | None = None,
) -> NDArray[np.float64]:
    """float64[n_loans, n_periods + 1, N_FLOWS] of the kernel, through the packer.

    vectors  (cpr, cdr, severity) of each loan, one entry an interest date;  cuts  where the loans are sliced
    """
    assets = {a.asset_id: a for a, _ in lots}
    deal = Deal("test", holdings=tuple(Holding(a.asset_id, par) for a, par in lots))
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


# --- one payment date --------------------------------------------------------------------------------------------


def _of(given: Mapping[str, float], ids: Sequence[str], default: float = 0.0) -> NDArray[np.float64]:
    return np.array([given.get(i, default) for i in ids], dtype=np.float64)


def pay(
    data: Mapping[str, Any], class_ids: Sequence[str], state: Mapping[str, Any]
) -> tuple[float, wf.Date, tuple[str, ...]]:
    """Runs one payment date through the kernel; returns cash left, the date and the labels of the steps.

    state  see reference_waterfall.Reference: the same mapping is given to both.
    """
    document_ = read_document(data)
    compiled = compile_waterfall(document_, class_ids)
    ids, fees, tests = compiled.class_ids, compiled.fee_ids, compiled.test_ids
    kinds = {c.id: c.kind for c in document_.classes}
    order = [step.ids("classes") for step in document_.sections["nps"] if step.type == "pay_principal"]
    rank = {name: place for place, group in enumerate(order) for name in group}
    types = {"oc": wf.OC, "ic": wf.IC, "diversion": wf.DIVERSION, "eod": wf.EOD}
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
        test_type=np.array([types[t.type] for t in document_.tests], dtype=np.int64),
        numerator=np.array([given[t][0] for t in tests], dtype=np.float64),
        denominator=np.array([given[t][1] for t in tests], dtype=np.float64),
        trigger=np.array([given[t][2] for t in tests], dtype=np.float64),
        covered=np.array([[i in t.classes for i in ids] for t in document_.tests], dtype=np.bool_).reshape(-1, n),
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
    left = wf.run_date(compiled.program, d, state["interest"], state["principal"])
    return left, d, compiled.labels


# --- whole deals -------------------------------------------------------------------------------------------------


def harbor() -> Book:
    from resources.demo.generate import make_book

    return make_book()


def mag17(shared: Path) -> Book:
    """The real deal's workbook with the published curve; terms it lacks are assumed (they stand in the result)."""
    from clo_desktop.sheets.read import read_book

    folder = shared / "data" / "mag17"
    book = read_book(folder / "mag17_workbook.xlsx", "MAG17").book
    assert book is not None
    lines = (folder / "market_curve_2016-03-23.csv").read_text(encoding="utf-8").splitlines()[1:]
    cells = [line.split(",") for line in lines]
    nodes = [CurveNode(float(c[1]), float(c[2])) for c in cells if c[0] == "USD LIBOR"]
    # beyond a year only Treasury yields are published: carried with the one-year gap to LIBOR
    treasury = {float(c[1]): float(c[2]) for c in cells if c[0] == "US Treasury par"}
    gap = nodes[-1].rate - treasury[nodes[-1].months]
    nodes += [CurveNode(months, rate + gap) for months, rate in treasury.items() if months > nodes[-1].months]
    return replace(book, reference=replace(book.reference, curve=tuple(nodes)))


def with_cash(book: Book, *, interest: float, principal: float) -> Book:
    """The deal with other collections in hand and nothing in other accounts."""
    accounts = (Account(2, "Collection", interest, principal),)
    return replace(book, deal=replace(book.deal, accounts=accounts))


def with_input(book: Book, label: str, value: Any, block: str = "clo_inputs") -> Book:
    """The deal with one label of a block changed (None: taken out)."""
    kept = tuple(pair for pair in getattr(book.deal, block) if pair[0] != label)
    changed = kept if value is None else (*kept, (label, value))
    return replace(book, deal=replace(book.deal, **{block: changed}))
