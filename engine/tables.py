"""Which columns of a result are worth showing: those that the deal's priority of payments, or its loans, can fill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from engine import cash
from engine.loans import columns as col
from engine.waterfall.clauses import clauses
from engine.waterfall.document import Document

if TYPE_CHECKING:
    from engine.projection import Projection

_BY_STEP: Final[Mapping[int, str]] = {
    cash.EXPENSES: "pay_expense",
    cash.HEDGES_PAID: "pay_hedge",
    cash.HEDGES_RECEIVED: "pay_hedge",
    cash.REPAID: "repay_contribution",
}
"""Columns of the cash table that only a step of this type fills."""

_ALWAYS: Final = (
    col.INTEREST,
    col.SCHEDULED,
    col.UNSCHEDULED,
    col.RECOVERIES,
    col.LOSS,
    col.DEFAULTED,
    col.CLAIM,
    col.CAPITALISED,
)
"""Columns of the collateral that every pool has."""


def cash_columns(document: Document) -> tuple[int, ...]:
    """Columns of the cash table, in its order, without those that no step, account or contribution can fill."""
    types = {clause.step.type for clause in clauses(document)}
    barred = {column for column, kind in _BY_STEP.items() if kind not in types}
    if not document.contributions:
        barred.add(cash.CONTRIBUTED)
    if not document.accounts:
        barred.add(cash.ACCOUNTS)
    return tuple(column for column in range(len(cash.CASH_NAMES)) if column not in barred)


def flow_columns(flows: Projection) -> tuple[int, ...]:
    """Columns of the collateral's cash flows: the usual ones, and what the present pool or reinvestment moved."""
    moved = (flows.collateral != 0.0).any(axis=0) | (flows.result.reinvested_flows != 0.0).any(axis=0)
    return tuple(column for column in range(col.N_FLOWS) if column in _ALWAYS or moved[column])
