"""Results as plain data: what the command line prints as JSON. Numbers are finite or null, dates ISO."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from clo_desktop.store import DealSummary
from clo_desktop.work.desk import Imported
from engine import projection_kernel as pk
from engine.compliance import Compliance
from engine.projection import Projection
from engine.waterfall import Document
from engine.waterfall import kernel as wf
from engine.waterfall.listing import clauses
from engine.waterfall.trace import Trace

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


def waterfall(deal: str, document: Document) -> Plain:
    rows = [{"section": c.section, "letter": c.letter, "text": c.text, "when": c.when} for c in clauses(document)]
    return {"deal": deal, "waterfall": document.name, "title": document.title, "clauses": rows}


def imported(outcome: Imported) -> Plain:
    return {
        "deal": outcome.deal,
        "assets": outcome.assets,
        "holdings": outcome.holdings,
        "par": outcome.par,
        "principal_cash": outcome.principal_cash,
        "imported": outcome.imported,
        "faults": [f.as_json() for f in outcome.faults],
    }


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
                "cushion": finite(r.cushion),
                "comment": r.comment,
                "limit_source": r.limit_source,
                "kind": r.kind,
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
        "incentive_fee": _column(r.cash[:, pk.INCENTIVE_FEE]),
        "tests": [
            {
                "name": test.id,
                "type": test.type,
                "trigger": done.structure.triggers[k],
                "ratio": _column(r.ratio[:, k]),
                "numerator": _column(r.numerator[:, k]),
                "denominator": _column(r.denominator[:, k]),
                "pass": [bool(x) for x in r.ratio[:, k] >= done.structure.triggers[k]],
            }
            for k, test in enumerate(done.document.tests)
        ],
        "interest_proceeds": _column(r.cash[:, pk.INTEREST_PROCEEDS]),
        "principal_proceeds": _column(r.cash[:, pk.PRINCIPAL_PROCEEDS]),
        "sale_proceeds": _column(r.cash[:, pk.SALE_PROCEEDS]),
        "reinvested": _column(r.cash[:, pk.REINVESTED]),
        "diverted": _column(r.cash[:, pk.DIVERTED]),
        "carried_forward": _column(r.cash[:, pk.CARRIED]),
        "index": _column(r.cash[:, pk.INDEX]),
        "performing_balance": _column(r.cash[:, pk.PERFORMING]),
        "accelerated": [bool(x) for x in r.phase[:, wf.ACCELERATED]],
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
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "cash_in": section.cash_in,
                "steps": [
                    {
                        "step": step.number,
                        "letter": step.letter,
                        "label": step.label,
                        "due": step.due,
                        "paid": step.paid,
                        "short": step.short,
                        "cash_before": step.cash_before,
                        "cash_after": step.cash_after,
                        "to_class": step.to_class,
                        "tests": [
                            {
                                "name": test.id,
                                "ratio": finite(test.ratio),
                                "trigger": test.trigger,
                                "numerator": test.numerator,
                                "denominator": test.denominator,
                                "pass": test.passed,
                            }
                            for test in step.tests
                        ],
                    }
                    for step in section.steps
                ],
            }
            for section in done.sections
        ],
    }
