"""The shipped priorities of payments on a made-up deal: what each feature of the templates does, date by date."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.deal_inputs import DealInputs
from engine.loans import columns as col
from engine.waterfall.document import Document
from engine.waterfall.language import read_document
from tests.engine import reference_deal
from tests.engine.language_documents import ROOT, TEMPLATES, shipped
from tests.engine.plain_inputs import plain_inputs, serial
from tests.engine.reference_deal import Row

PAR = 500e6
DAYS = [serial(f"{year}-{month:02d}-20") for year in range(2021, 2026) for month in (1, 4, 7, 10)]
N = len(DAYS)
REINVESTING = 10
"""Dates of the reinvestment period."""


def document(name: str) -> Document:
    return read_document(shipped(ROOT / "resources" / "waterfalls" / f"{name}.yaml"))


def terms_of(made: Document, days: list[int], inputs: Mapping[str, float] | None = None, **more: Any) -> DealInputs:
    """Terms of a deal of 500 million under a document."""
    n = len(days)
    debt = [c.id for c in made.classes if c.kind == "debt"]
    shares = np.linspace(6, 1, len(debt))
    balance = {c: 0.9 * PAR * w / shares.sum() for c, w in zip(debt, shares, strict=True)}
    balance |= {c.id: 2e6 for c in made.classes if c.kind == "class_x"} | {made.equity: 0.1 * PAR}
    ids = list(made.class_ids)
    spreads = dict(zip(ids, np.linspace(0.01, 0.02, len(ids)), strict=True))
    terms: dict[str, Any] = {
        "balance": balance,
        "original": balance,
        "scheduled": {c: 0.25e6 for c in ids if c == "X"},
        "accrual": {c: spreads[c] / 2 for c in ids if c != made.equity},
        "deferrable": {c: "if_not_controlling" if c in "CDEF" else "never" for c in ids},
        "fee_percent": dict.fromkeys(made.fee_ids, 0.0005),
        "triggers": {t.id: 1.02 for t in made.tests},
        "reinvesting": np.arange(n) < REINVESTING,
        "policy_base": ("all", "none"),
        "policy_share": (1.0, 0.0),
        "opening_basis": PAR,
        "performing": PAR,
        "marked": PAR,
        "dates": dict.fromkeys("closing effective no_call reinvestment_end stated_maturity".split(), days[-1]),
        "inputs": {i.id: (inputs or {}).get(i.id, min(i.default, 1e15)) for i in made.inputs},
        "accounts": {a.id: 0.0 for a in made.accounts},
        "contributed": {c.id: np.zeros(n) for c in made.contributions},
    }
    return plain_inputs(made, ids, days, **(terms | more))


def pay(made: Document, defaults: float = 0.0, inputs: Mapping[str, float] | None = None, **more: Any) -> list[Row]:
    """The rows of a deal of 500 million that earns 8 million a date; `defaults` of par a date without recovery."""
    flows = np.zeros((N, col.N_FLOWS))
    flows[:, col.INTEREST] = 8e6
    flows[:, col.UNSCHEDULED] = 5e6
    flows[:, col.DEFAULTED] = flows[:, col.LOSS] = defaults
    deal = terms_of(made, DAYS, inputs, **more)
    return reference_deal.run(made, deal, flows, np.zeros((N, 0)), ((), ()), {"redemption": N - 1}, (0.0, 0.0)).rows


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.stem)
@pytest.mark.parametrize("defaults", [0.0, 6e6], ids=["sound", "losing"])
def test_that_every_shipped_priority_pays_out_what_comes_in(path: Path, defaults: float) -> None:
    made = read_document(shipped(path))
    rows = pay(made, defaults=defaults)
    for row in rows:
        assert row.cash["Uses"] == pytest.approx(row.cash["Sources"], abs=0.01)
    last = rows[-1]
    assert last.phases["redemption"]
    assert all(held == pytest.approx(0.0, abs=0.01) for held in last.accounts.values())
    if not defaults:
        assert all(b == pytest.approx(0.0, abs=0.01) for c, b in last.balance.items() if c != made.equity)
        assert all(d == pytest.approx(0.0, abs=0.01) for row in rows for d in row.deferred.values())


def test_that_the_expense_reserve_fills_to_its_target_in_steps() -> None:
    rows = pay(document("us-clo-2.0"), inputs={"expense_reserve_target": 60_000.0})
    held = [row.accounts["expense_reserve"] for row in rows]
    assert held[:4] == pytest.approx([25_000, 50_000, 60_000, 60_000])
    assert held[-1] == 0.0


def test_that_residual_interest_set_aside_is_principal_on_the_same_date() -> None:
    plain, rows = (pay(document("us-clo-2.0"), inputs={"supplemental_share": s}) for s in (0.0, 0.5))
    more = rows[0].cash["Reinvested"] - plain[0].cash["Reinvested"]
    assert more > 0.5e6
    assert plain[0].interest["SUB"] - rows[0].interest["SUB"] == pytest.approx(more)
    assert all(row.accounts["supplemental_reserve"] == pytest.approx(0.0) for row in rows)
    assert rows[REINVESTING].cash["Reinvested"] == 0.0


def test_that_class_x_is_paid_off_from_interest() -> None:
    rows = pay(document("us-clo-3.0"))
    assert [row.balance["X"] for row in rows[:8]] == pytest.approx([2e6 - 0.25e6 * (i + 1) for i in range(8)])


def test_that_the_turbo_repays_the_lowest_class_only_after_the_reinvestment_period() -> None:
    rows = pay(document("us-clo-3.0"), inputs={"turbo_share": 0.5})
    paid = [row.principal["E"] for row in rows[:-1]]
    assert all(p == 0.0 for p in paid[:REINVESTING])
    assert all(p > 0.3e6 for p in paid[REINVESTING : REINVESTING + 4])


def test_that_refinancing_expenses_are_paid_on_the_refinancing_date_alone() -> None:
    given = {"refinancing_date": DAYS[3] - 2.0, "refinancing_expenses": 400_000.0}  # rolled over a weekend
    rows = pay(document("us-clo-3.0"), inputs=given)
    paid = [sum(row.expenses.values()) for row in rows]
    assert [i for i, p in enumerate(paid) if p] == [3]
    assert paid[3] == pytest.approx(400_000.0)


def test_that_contributions_buy_collateral_and_are_repaid_from_residual_interest() -> None:
    contributed = {"holders": np.array([0.0, 1e6, *[0.0] * (N - 2)]), "reset_proceeds": np.zeros(N)}
    rows = pay(document("us-clo-3.0"), contributed=contributed)
    plain = pay(document("us-clo-3.0"))
    assert rows[1].cash["Reinvested"] - plain[1].cash["Reinvested"] == pytest.approx(1e6)
    assert sum(sum(row.repaid.values()) for row in rows) == pytest.approx(1e6)


def test_that_a_reset_repays_every_class_from_the_proceeds_of_the_new_notes() -> None:
    proceeds = np.zeros(N)
    proceeds[6] = 470e6
    rows = pay(
        document("us-clo-3.0"),
        inputs={"reset_date": float(DAYS[6])},
        contributed={"holders": np.zeros(N), "reset_proceeds": proceeds},
    )
    assert min(rows[5].balance[c] for c in ("A-1", "A-2", "B", "C", "D", "E")) > 0.0
    assert all(b == pytest.approx(0.0, abs=0.01) for c, b in rows[6].balance.items() if c != "SUB")
    assert rows[6].principal["SUB"] == 0.0
    assert rows[6].carried_principal > 0.0


def test_that_part_of_the_interest_waits_for_the_next_date_until_the_frequency_switch() -> None:
    rows = pay(document("european-clo"), inputs={"smoothing_share": 0.2})
    assert [row.accounts["interest_smoothing"] for row in rows[:3]] == pytest.approx([1.6e6] * 3)
    assert rows[-1].accounts["interest_smoothing"] == 0.0


def test_that_hedge_payments_stand_above_interest_and_receipts_add_to_it() -> None:
    given = {"hedge_periodic": 300_000.0}
    plain = pay(document("european-clo"))[0].interest["SUB"]
    paying = pay(document("european-clo"), inputs=given)[0]
    assert paying.hedges["periodic"] == pytest.approx(300_000.0)
    assert plain - paying.interest["SUB"] == pytest.approx(300_000.0)
    receiving = pay(document("european-clo"), inputs={"hedge_periodic": -300_000.0})[0]
    assert receiving.interest["SUB"] - plain == pytest.approx(300_000.0)


def test_that_collateral_enhancement_stops_at_its_maximum_over_life() -> None:
    rows = pay(document("european-clo"), inputs={"enhancement_share": 0.5, "enhancement_most": 3e6})
    saved = [sum(line.paid for line in row.log if line.type == "to_account") for row in rows]
    assert saved[0] > 1e6
    assert sum(saved) == pytest.approx(3e6)
