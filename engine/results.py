"""The outcome of one scenario as named arrays, every table of the output a view on them (spec: engine 10).

Shapes: n_dates (up to redemption), n_classes, n_fees, n_tests, n_steps. Money in the deal's currency.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.cash import CASH_NAMES, PHASES
from engine.deal_inputs import DealInputs
from engine.lanes import Outcome
from engine.liabilities import Machine
from engine.loans.columns import N_FLOWS
from engine.waterfall.steps import LOG_COLUMNS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Result(NamedTuple):
    """All out; nothing can be written to.

    cash         float64[n_dates, len(CASH_NAMES)]
    balance, deferred, unpaid, interest, deferred_paid, principal, coupon  float64[n_dates, n_classes]
    fee_accrued, fee_paid, fee_unpaid  float64[n_dates, n_fees]
    numerator, denominator, ratio, trigger  float64[n_dates, n_tests];  active bool[n_dates, n_tests]: a test that is
                 not active needs no cure
    reinvested_flows  float64[n_dates, N_FLOWS]
    accounts     float64[n_dates, n_accounts]  balances after the date
    log          float64[n_dates, n_steps, 4]  due, paid, short, cash after; NaN: the step did not run
    to_class     float64[n_dates, n_steps, n_classes]
    phase        bool[n_dates, 4]
    """

    cash: Floats
    balance: Floats
    deferred: Floats
    unpaid: Floats
    interest: Floats
    deferred_paid: Floats
    principal: Floats
    coupon: Floats
    fee_accrued: Floats
    fee_paid: Floats
    fee_unpaid: Floats
    numerator: Floats
    denominator: Floats
    ratio: Floats
    trigger: Floats
    active: Flags
    reinvested_flows: Floats
    accounts: Floats
    log: Floats
    to_class: Floats
    phase: Flags


class _Places(NamedTuple):
    """Where each table of a result stands in a machine's outputs; the place after the last for what never is."""

    of_classes: Ints  # int64[6, n_classes]
    of_fees: Ints  # int64[3, n_fees]
    of_tests: Ints  # int64[4, n_tests]
    cash: Ints
    bought: Ints
    accounts: Ints
    log: Ints  # int64[n_steps, 4]
    to_class: Ints  # int64[n_steps, n_classes]
    phases: Ints


@lru_cache(maxsize=32)
def _places(machine: Machine, classes: tuple[str, ...]) -> _Places:
    outputs = {name: place for place, name in enumerate(machine.program.outputs)}
    document, steps = machine.document, [clause.number for clause in machine.clauses]

    def table(names: Sequence[Hashable], *shape: int) -> Ints:
        return np.array([outputs.get(name, len(outputs)) for name in names], dtype=np.int64).reshape(shape or -1)

    def by_kind(of: str, ids: Sequence[str], kinds: Sequence[str]) -> Ints:
        return table([(of, name, kind) for kind in kinds for name in ids], len(kinds), len(ids))

    return _Places(
        of_classes=by_kind(
            "class", classes, ("balance", "deferred", "unpaid", "interest", "deferred_paid", "principal")
        ),
        of_fees=by_kind("fee", document.fee_ids, ("accrued", "paid", "unpaid")),
        of_tests=by_kind("test", [t.id for t in document.tests], ("numerator", "denominator", "ratio", "active")),
        cash=table([("cash", k) for k in range(len(CASH_NAMES))]),
        bought=table([("bought", k) for k in range(N_FLOWS)]),
        accounts=table([("account", a.id) for a in document.accounts]),
        log=table([("log", s, column) for s in steps for column in LOG_COLUMNS], len(steps), len(LOG_COLUMNS)),
        to_class=table([("to_class", s, c) for s in steps for c in classes], len(steps), len(classes)),
        phases=table([("phase", name) for name in PHASES]),
    )


def read_result(outcome: Outcome, inputs: DealInputs, lane: int = 0) -> Result:
    """The result of one lane of a machine written in full, cut at the date of redemption."""
    machine, classes = outcome.machine, inputs.class_ids
    places = _places(machine, classes)
    output = outcome.output[:, :, lane]
    redeemed = output[:, places.phases[PHASES.index("redemption")]] != 0.0
    n = int(np.argmax(redeemed)) + 1 if redeemed.any() else redeemed.size
    padded = np.hstack([output[:n], np.zeros((n, 1))])
    equity = classes.index(machine.document.equity)
    balance, *of_classes = (padded[:, row] for row in places.of_classes)
    balance[:, equity] = inputs.balance[equity]
    numerator, denominator, ratio, active = (padded[:, row] for row in places.of_tests)
    tables = (
        padded[:, places.cash],
        balance,
        *of_classes,
        np.where(np.arange(len(classes)) == equity, 0.0, inputs.coupon[:n]),
        *(padded[:, row] for row in places.of_fees),
        numerator,
        denominator,
        ratio,
        inputs.triggers[:n],
        active != 0.0,
        padded[:, places.bought],
        padded[:, places.accounts],
        padded[:, places.log],
        padded[:, places.to_class],
        padded[:, places.phases] != 0.0,
    )
    return Result(*map(_frozen, tables))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array
