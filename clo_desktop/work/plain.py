"""Results as plain data: what the command line prints as JSON. Numbers are finite or null, dates ISO."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from clo_desktop.store import DealSummary
from clo_desktop.work import scenario_told
from clo_desktop.work.desk import Imported
from clo_desktop.work.history import Taken
from engine import cash
from engine.compliance import Compliance
from engine.projection import Projection
from engine.waterfall import Document
from engine.waterfall.listing import definitions, lines, rules
from engine.waterfall.trace import StepTrace, Trace, failing

Plain = dict[str, Any]


def finite(value: float) -> float | None:
    """The number, or None where it is infinite or no number (JSON has neither)."""
    return float(value) if math.isfinite(value) else None


def _column(values: Iterable[float]) -> list[float | None]:
    return [finite(v) for v in values]


def deals(found: Iterable[DealSummary]) -> list[Plain]:
    return [
        {
            "deal": d.name,
            "as_of": d.as_of.isoformat() if d.as_of else None,
            "currency": d.currency,
            "holdings": d.assets,
            "par": d.par,
            "principal_cash": d.principal_cash,
        }
        for d in found
    ]


def waterfall(document: Document) -> Plain:
    rows = [
        {
            "section": line.clause.waterfall,
            "letter": line.clause.letter,
            "depth": line.clause.depth,
            "text": line.text,
            "when": line.when,
        }
        for line in lines(document)
    ]
    return {
        "waterfall": document.name,
        "title": document.title,
        "definitions": list(definitions(document)),
        "rules": list(rules(document)),
        "clauses": rows,
    }


def imported(outcome: Imported) -> Plain:
    return {
        "deal": outcome.deal,
        "assets": outcome.assets,
        "holdings": outcome.holdings,
        "par": outcome.par,
        "principal_cash": outcome.principal_cash,
        "imported": outcome.imported,
        "snapshot": None if outcome.snapshot is None else snapshot_note(outcome.snapshot),
        "faults": [f.as_json() for f in outcome.faults],
    }


def snapshot_note(taken: Taken) -> Plain:
    """That a snapshot was stored, without its tests."""
    replaced = None if taken.replaced is None else taken.replaced.isoformat()
    return {"as_of": taken.snapshot.as_of.isoformat(), "tests": len(taken.snapshot.tests), "replaced": replaced}


def compliance(done: Compliance) -> Plain:
    return {
        "deal": done.deal,
        "as_of": done.as_of.isoformat() if done.as_of else None,
        "readings": done.readings.name,
        "collateral_principal_amount": done.collateral_principal_amount,
        "tests": [
            {
                "number": r.number,
                "name": r.name,
                "direction": r.direction,
                "result": finite(r.result),
                "threshold": finite(r.threshold),
                "outcome": r.outcome.value,
                "numerator": finite(r.numerator),
                "denominator": finite(r.denominator),
                "cushion": None if r.empty else finite(r.cushion),
                "applicable": not r.empty,
                "comment": r.comment,
                "limit_source": r.limit_source,
                "kind": r.kind,
                "aggregate": r.aggregate,
                "wording": r.wording,
                "reading": r.reading,
                "previous": r.previous,
                "cushion_par": r.cushion_par,
                "cushion_names": r.cushion_names,
            }
            for r in done.results
        ],
        "notes": list(done.notes),
    }


def projection(done: Projection) -> Plain:
    r = done.result
    return {
        "deal": done.deal,
        "as_of": done.as_of.isoformat(),
        "waterfall": done.document.name,
        "assumptions": {
            **done.rates,
            "sale_price": done.sale_price,
            "rate_shift": done.assumptions.rate_shift,
            "call_date": done.assumptions.call_date.isoformat() if done.assumptions.call_date else None,
            "reinvest": done.assumptions.reinvest,
            **scenario_told.plain(done.assumptions),
        },
        "assumed_terms": list(done.assumed),
        "notes": list(done.structure.notes),
        "payment_dates": [d.isoformat() for d in done.payment_dates],
        "classes": [
            {
                "name": tranche.name,
                "interest": _column(r.interest[:, k]),
                "principal": _column(r.principal[:, k]),
                "deferred_paid": _column(r.deferred_paid[:, k]),
                "deferred": _column(r.deferred[:, k]),
                "unpaid_interest": _column(r.unpaid[:, k]),
                "balance": _column(r.balance[:, k]),
                "coupon": _column(r.coupon[:, k]),
            }
            for k, tranche in enumerate(done.tranches)
        ],
        "fees": [
            {
                "name": fee.name,
                "accrued": _column(r.fee_accrued[:, k]),
                "paid": _column(r.fee_paid[:, k]),
                "unpaid": _column(r.fee_unpaid[:, k]),
            }
            for k, fee in enumerate(done.structure.fees)
        ],
        "incentive_fee": _column(r.cash[:, cash.INCENTIVE_FEE]),
        "tests": [
            {
                "name": test.id,
                "type": test.type,
                "trigger": _column(r.trigger[:, k]),
                "ratio": _column(r.ratio[:, k]),
                "numerator": _column(r.numerator[:, k]),
                "denominator": _column(r.denominator[:, k]),
                "pass": [not fails for fails in failing(done, k).tolist()],
                "active": r.active[:, k].tolist(),
            }
            for k, test in enumerate(done.document.tests)
        ],
        "interest_proceeds": _column(r.cash[:, cash.INTEREST_PROCEEDS]),
        "principal_proceeds": _column(r.cash[:, cash.PRINCIPAL_PROCEEDS]),
        "sale_proceeds": _column(r.cash[:, cash.SALE_PROCEEDS]),
        "reinvested": _column(r.cash[:, cash.REINVESTED]),
        "diverted": _column(r.cash[:, cash.DIVERTED]),
        "carried_forward": _column(r.cash[:, cash.CARRIED]),
        "index": _column(r.cash[:, cash.INDEX]),
        "performing_balance": _column(r.cash[:, cash.PERFORMING]),
        "expenses": _column(r.cash[:, cash.EXPENSES]),
        "hedges_paid": _column(r.cash[:, cash.HEDGES_PAID]),
        "hedges_received": _column(r.cash[:, cash.HEDGES_RECEIVED]),
        "contributed": _column(r.cash[:, cash.CONTRIBUTED]),
        "contributions_repaid": _column(r.cash[:, cash.REPAID]),
        "change_of_accounts": _column(r.cash[:, cash.ACCOUNTS]),
        "accounts": [
            {"name": account.id, "balance": _column(r.accounts[:, k])}
            for k, account in enumerate(done.document.accounts)
        ],
        "accelerated": r.phase[:, cash.PHASES.index("acceleration")].tolist(),
        "sources": _column(done.sources),
        "uses": _column(done.uses),
        "equity_total": float(np.sum(done.paid(done.equity))),
        "equity_irr": done.equity_irr,
    }


def trace(done: Trace) -> Plain:
    return {
        "deal": done.deal,
        "date": done.date.isoformat(),
        "class": done.class_name,
        "phase": done.phase,
        "interest": done.interest,
        "deferred": done.deferred,
        "principal": done.principal,
        "total": done.total,
        "fee": done.fee,
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "cash_in": section.cash_in,
                "steps": [_step(step) for step in section.steps],
            }
            for section in done.sections
        ],
    }


def _step(step: StepTrace) -> Plain:
    return {
        "step": step.number,
        "letter": step.letter,
        "depth": step.depth,
        "type": step.kind,
        "label": step.label,
        "when": step.when,
        "due": step.due,
        "paid": step.paid,
        "short": step.short,
        "cash_before": step.cash_before,
        "cash_after": step.cash_after,
        "to_class": step.to_class,
        "of_class": step.of_class,
        "tests": [
            {
                "name": test.id,
                "ratio": finite(test.ratio),
                "trigger": test.trigger,
                "numerator": test.numerator,
                "denominator": test.denominator,
                "pass": test.passed,
                "active": test.active,
            }
            for test in step.tests
        ],
    }
