"""Deals of one or two classes run through the deal's kernel over given flows, and the curve of case YC-1."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from engine import collateral as col
from engine import dates, pack, projection
from engine import projection_kernel as pk
from engine.waterfall import compile_waterfall, read_document
from tests.engine.builders import Rate, day, fixing_table

FEES = {"trustee": "Trustee Fee", "base": "Base Manager Fee", "junior": "Junior Manager Fee"}


def small_document(classes: Sequence[str], interest: list[Any], principal: list[Any], **more: Any) -> Any:
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
            "fees": FEES,
            "tests": more.get("tests", {}),
            "waterfalls": {
                "interest": [*interest, equity],
                "principal": [*principal, {"run": {"waterfall": "nps"}}],
                "nps": [*notes, rest],
                "acceleration": [
                    *more.get("before", []),
                    *(s for step in due for s in step),
                    *more.get("after", []),
                    rest,
                ],
            },
        }
    )


def run_deal(
    document: Any, ids: Sequence[str], payments: Sequence[dt.date], flows: np.ndarray, rate: Rate, **parts: Any
) -> pk.Result:
    """The deal's kernel over given flows of the pool; `parts` replace fields of its tuples."""
    n, k, n_fees = len(payments), len(ids), len(document.fees)
    compiled = compile_waterfall(document, ids)
    ends = parts.get("ends", payments)
    schedule = pk.Schedule(
        payment=dates.serials(payments),
        determination=dates.serials(parts.get("determination", payments)),
        end=dates.serials(ends),
        accrual_start=dates.serial(parts["accrual_start"]),
        redemption=parts.get("redemption", n - 1),
        reinvest_until=dates.serial(parts.get("reinvest_until", day("2000-01-01"))),
        tests_from=0,
        accelerated=False,
    )
    equity = np.array([i == "SUB" for i in ids])
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
    policy = {
        **{"pre_base": pk.NO_PRINCIPAL, "pre_share": 1.0, "post_base": pk.NO_PRINCIPAL, "post_share": 0.0},
        **{"price": 1.0, "spread": 0.0, "floor": 0.0, "index_row": 1, "periods": 4, "cpr": 0.0, "cdr": 0.0},
        **{"severity": 0.0, "lag": 0, "sale_price": 1.0, "hurdle": 0.12, "manager_share": 0.2},
        **{"hurdle_value": -1e12, "hurdle_day": dates.serial(payments[0])},
    }
    opening = {
        **{"interest": 0.0, "principal": 0.0, "performing": 0.0, "defaulted": 0.0, "carrying": 0.0},
        **{"current_index": 0.0, "ccc_limit": 1.0},
    }
    balance = np.array([parts.get("balance", {}).get(i, 0.0) for i in ids])
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
            balance=balance,
            deferred=np.zeros(k),
            margin=np.array([parts.get("margin", {}).get(i, 0.0) for i in ids]),
            is_fixed=np.zeros(k, dtype=bool),
            deferrable=np.array([i in parts.get("deferrable", ()) for i in ids]),
            is_equity=equity,
            day_count=np.zeros(k, dtype=np.int64),
            rank=np.array([-1 if i == "SUB" else r for r, i in enumerate(ids)], dtype=np.int64),
            scheduled=np.zeros(k),
        ),
        pk.Fees(**(fees | parts.get("fees", {}))),
        tests,
        pk.Policy(**(policy | parts.get("policy", {}))),
        pk.Opening(**(opening | parts.get("opening", {}))),
        pk.Bucket(np.full((2, 1), -1), np.ones((2, 1))),
        market,
        table.row(3),
        parts.get("loan_par", np.full(flows.shape[0], opening["performing"])),
        flows,
        result,
    )
    return result


def given_flows(rows: Sequence[dict[int, float]]) -> np.ndarray:
    flows = np.zeros((1, len(rows) + 1, col.N_FLOWS))
    for i, row in enumerate(rows):
        for f, amount in row.items():
            flows[0, i, f] = amount
    return flows


def yc_1(nodes: dict[int, float], as_of: dt.date) -> Rate:
    """The curve of case YC-1: chained one-month forwards, linear in days, averaged geometrically over the tenor."""
    months = sorted(nodes)

    def spot(m: int) -> float:
        for low, high in itertools.pairwise(months):
            if low <= m <= high:
                return nodes[low] + (nodes[high] - nodes[low]) * (m - low) / (high - low)
        raise ValueError(m)

    def moved(start: dt.date, m: int) -> dt.date:
        return dates.from_serial(dates.add_months(dates.serial(start), m, False))

    grid = [(as_of, spot(1))]
    grid += [(moved(as_of, i), (1 + spot(i + 1)) ** (i + 1) / (1 + spot(i)) ** i - 1) for i in range(1, 119)]

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
        return product ** (1 / tenor) - 1

    return rate
