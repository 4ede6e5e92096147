"""The worked cases of single loans, row by row, and their mapping to collection periods."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine import dates
from engine.loans import columns as col
from engine.loans import detail
from engine.loans.coupons import load
from engine.loans.lanes import period_rates
from engine.loans.layout import Layout, lay_out
from engine.loans.packing import pack_tape
from engine.loans.tape import Tape
from engine.loans.walk import rate_code
from engine.pool import Pool
from engine.terms import Book, Deal, Reference, Sink
from engine.validation.harness import Rate, chained_forwards, fixing_table
from engine.validation.kinds.loans import asset_of, vectors_of
from tests.engine.builders import day
from tests.engine.loan_worlds import run

ANALYSIS = day("2016-03-23")
NO_HOLIDAYS = dates.Calendar(())


def laid_out(terms: dict[str, Any], rate: Rate, ends: list[str]) -> tuple[Layout, Tape, Any, np.ndarray]:
    """The case's loan: layout, tape, fixings and rates of one lane."""
    asset = asset_of(terms)
    shares = sorted((day(d), share) for d, share in terms.get("sink", {}).items())
    left, sinks = 1.0, []
    for on, share in shares:  # the case gives shares of what is left; the book has amounts
        sinks.append(Sink(asset.asset_id, on, left * share))
        left -= left * share
    fixings = fixing_table(rate, ANALYSIS, day(terms["maturity"]))
    book = Book(Deal("case"), reference=Reference(sinks=tuple(sinks)))
    structure: Any = SimpleNamespace(current_index=0.02, analysis=ANALYSIS, calendar=NO_HOLIDAYS, amortisation=0.0)
    tape = pack_tape(Pool([(asset, terms["par"])]), book, structure, fixings, terms["lag"])
    vectors = vectors_of(terms)
    tape = tape._replace(vector_size=np.array([len(v) for v in vectors], dtype=np.int64))
    rates = np.full((3, max(len(v) for v in vectors), 1), np.nan)
    for row, vector in enumerate(vectors):
        rates[row, : len(vector), 0] = vector
    serials = dates.serials(day(e) for e in ends)
    layout = lay_out(tape, NO_HOLIDAYS, dates.serial(ANALYSIS), serials, recover_after_maturity=False)
    return layout, tape, fixings, rates


def curve_of(cases: dict[str, Any], name: str | None) -> Rate:
    if name is None:
        return lambda _day, _tenor: 0.01
    return chained_forwards({int(m): r for m, r in cases[name]["inputs"]["nodes_months_rate"].items()}, ANALYSIS)


@pytest.mark.parametrize("case", ["AST-1", "AST-2", "AST-3", "AST-4"])
def test_that_the_record_of_the_loan_is_the_case_s(cases: dict[str, Any], case: str) -> None:
    inputs, rows = cases[case]["inputs"], cases[case]["expected"]["rows"]
    layout, tape, fixings, rates = laid_out(inputs["asset"], curve_of(cases, inputs.get("curve")), ["2020-12-31"])
    record = detail.asset_flows(layout, tape, fixings, rates)
    rows = [row for row in rows if any(row[name] for name in ("total", "default", "beg", "loss"))]
    assert [dates.from_serial(d).isoformat() for d in record.payment] == [row["date"] for row in rows]
    columns = {
        "beg": record.opening,
        "end": record.closing,
        "total": record.total,
        "default_bal": record.default_balance,
        "default": record.flows[:, col.DEFAULTED],
        "mv_default": record.flows[:, col.CLAIM],
        "interest": record.flows[:, col.INTEREST],
        "sched": record.flows[:, col.SCHEDULED],
        "unsched": record.flows[:, col.UNSCHEDULED],
        "recov": record.flows[:, col.RECOVERIES],
        "loss": record.flows[:, col.LOSS],
    }
    for name, found in columns.items():
        assert found == pytest.approx([row[name] for row in rows], abs=1e-6), name
    for place, row in enumerate(rows):
        if row["interest"] > 0:
            assert dates.from_serial(record.begin[place]).isoformat() == row["acc_beg"]
            assert record.coupon[place] == pytest.approx(row.get("coupon", record.coupon[place]), abs=1e-12)


def test_that_flows_fall_into_the_collection_periods_of_the_case(cases: dict[str, Any]) -> None:
    case = cases["POOL-1"]
    inputs = cases[case["inputs"]["asset_case"]]["inputs"]
    ends = [end for _, end in case["inputs"]["collection_periods"]]
    layout, tape, fixings, rates = laid_out(inputs["asset"], curve_of(cases, inputs["curve"]), ends)
    flows, _ = run(load(layout, tape, fixings), rates)
    for row, expected in zip(flows[:, :, 0], case["expected"]["rows"], strict=False):
        names = {
            "default": col.DEFAULTED,
            "mv_default": col.CLAIM,
            "interest": col.INTEREST,
            "sched": col.SCHEDULED,
            "unsched": col.UNSCHEDULED,
            "recov": col.RECOVERIES,
            "loss": col.LOSS,
        }
        for name, column in names.items():
            assert row[column] == pytest.approx(expected[name], abs=1e-6), name


def test_that_period_rates_are_the_case_s(cases: dict[str, Any]) -> None:
    case = cases["RATE-1"]
    layout, _, _, _ = laid_out(cases["AST-4"]["inputs"]["asset"], curve_of(cases, None), ["2016-12-31"])
    for (annual, a, b), expected in zip(case["inputs"]["items"], case["expected"]["values"], strict=True):
        days = int(dates.days_360(dates.serial(day(a)), dates.serial(day(b))))
        one = np.zeros(1, dtype=np.int64)
        key = layout.lanes.keys._replace(
            row=one, entry=one, first=np.array([days]), days=np.array([days]), size=one + 1
        )
        chance = np.full((1, 1), np.nan)
        period_rates(key, np.full((3, 1, 1), annual), chance)
        assert chance[0, 0] == pytest.approx(expected, abs=1e-15)


def test_that_codes_of_rates_are_apart() -> None:
    codes = {rate_code(*key) for key in [(0, 0, 30, 30), (0, 0, 30, 90), (0, 1, 30, 30), (1, 0, 30, 30), (0, 0, 0, 90)]}
    assert len(codes) == 5
