"""Documents of the waterfall language for tests: one that says everything there is to say, and small changes of it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]

EVERYTHING: dict[str, Any] = yaml.safe_load(
    """
wdl: 1
name: everything
title: All keys, all steps
version: 2
effective: 2021-03-15
classes:
  X: {kind: class_x, optional: true}
  A-1:
    deferrable: never
    index_floor: none
    step_ups: [{from: 2023-04-20, margin: 1.5%}, {from: 2025-04-20, margin: 0.02}]
  A-2: {deferrable: never, interest_on_unpaid: false, index_cap: 8%}
  B: {deferrable: if_not_controlling, interest_on_deferred: false}
  C: {deferrable: always}
  SUB: {kind: equity}
groups:
  A: [A-1, A-2]
  rated: [A-1, A-2, B, C]
fees:
  trustee: {name: Trustee Fee, cap: expenses}
  admin: {name: Admin Fee, cap: expenses, basis: none}
  base: {name: Base Manager Fee, basis: performing}
  junior: Junior Manager Fee
caps:
  expenses: {fixed: input.cap_fixed, percent: 0.02%, carry_forward: 3}
accounts:
  reserve: {number: 5}
  extra:
inputs:
  cap_fixed: {label: Senior Expense Cap Fixed, default: 200_000}
  taxes: Taxes
  turbo: {label: Turbo Share}
contributions:
  holders: {account: extra, rate: 8%}
tests:
  OC_A: {type: oc, of: A-1, classes: A}
  IC_A: {type: ic, classes: [X, A], trigger: 120%, pass_on_equal: false}
  OC_C:
    type: oc
    classes: rated
    trigger: [{from: 2021-01-20, trigger: 1.05}, {from: 2023-01-20, trigger: 106%}]
    numerator: adjusted
    denominator: classes(rated).total
    active: period > 1
  DIV: {type: diversion, classes: rated, trigger: {input: Interest diversion trigger}, active: phase.reinvestment}
  EOD: {type: eod, classes: A, trigger: 1.025}
values:
  adjusted: pool.performing + pool.carrying + pool.principal_cash - pool.haircut
  senior_unpaid: classes(A).unpaid
phases:
  late: date > dates.reinvestment_end + 365 and not phase.reinvestment
event_of_default: test.EOD.fail or senior_unpaid > 1
call: equity.nav > 1.1 and not phase.non_call
dispatch:
  - {when: phase.acceleration or phase.redemption, run: acceleration}
  - run: [interest, principal, nps]
waterfalls:
  senior:
    source: interest
    steps:
      - pay_expense: {name: taxes, amount: input.taxes}
      - pay_fee: {fees: [trustee, admin], part: capped, alloc: pro_rata}
      - pay_fee: {fees: [base], part: current}
      - pay_fee: {fees: [base], part: unpaid}
  interest:
    - run: {waterfall: senior}
    - to_account: {account: reserve, amount: cash * 10%, target: 50_000}
      cap: 25_000
      cap_life: 200_000
    - pay_hedge: {amount: -10_000, part: periodic}
    - pay_hedge: {amount: 0.1% * basis, part: termination}
      when: period == 3
    - pay_interest: {classes: [X, A], alloc: pro_rata}
    - pay_principal: {classes: [X], amount: scheduled}
    - cure: {tests: [OC_A, IC_A], combine: max, via: nps}
    - pay_interest: {classes: B, include: [current]}
    - pay_interest: {classes: B, include: [on_deferred]}
    - pay_deferred: {classes: [B, C], alloc: weights, weights: [0.6, 0.4]}
    - pay_interest: {classes: [C]}
    - cure: {tests: [OC_C], limit: 1_000_000}
      share: 80%
    - divert: {test: DIV, share: 50%}
    - divert: {share: 1%, amount: share_only, to: "account:reserve"}
    - branch:
        if: phase.late and class.C.factor < 0.5
        then:
          - pay_principal: {classes: [C], amount: input.turbo * cash, stop_at: 1_000}
            label: Turbo
          - transfer: {to: principal, amount: "min(cash, 5_000)"}
        else:
          - retain: {amount: "max(0, 1_000 - account.reserve.balance)"}
    - pay_fee: {fees: [junior]}
    - pay_fee: {fees: [trustee, admin], part: excess_of_cap, alloc: reverse}
    - repay_contribution: {contribution: holders}
    - pay_hedge: {amount: 5_000, part: defaulted_termination}
    - assert: {that: cash >= 0, says: cash is never negative}
    - hurdle_split:
        equity: SUB
        tiers: [{irr: 12%, manager_share: 20%, catch_up: 50%}, {irr: 15%, manager_share: 30%}, {moic: 2.5}]
      id: residual
  principal:
    - run: {waterfall: senior}
    - cure: {tests: [OC_A, IC_A]}
    - pay_interest: {classes: [B]}
      when: controlling == B
    - from_account: {account: reserve, amount: 10_000}
    - from_account: {account: extra}
    - reinvest: {amount: policy}
    - reinvest: {amount: "max(0, cash - contribution.holders.owed)"}
      when: phase.reinvestment
    - run: {waterfall: nps, amount: all}
  nps:
    - pay_principal: {classes: A, alloc: pro_rata_balance}
    - pay_deferred: {classes: [B]}
    - pay_principal: {classes: [B]}
    - pay_principal: {classes: [C], alloc: reverse}
    - pay_equity: {equity: SUB, book_as: principal}
  acceleration:
    source: both
    steps:
      - pay_interest: {classes: rated}
      - pay_principal: {classes: [X, rated]}
      - pay_equity: {equity: SUB}
"""
)
TEMPLATES = sorted((ROOT / "resources").glob("waterfalls*/*.yaml"))


def shipped(path: Path) -> dict[str, Any]:
    """A shipped document as plain data."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """EVERYTHING with the value at the path set; `...` takes the key away."""
    data = copy.deepcopy(EVERYTHING)
    at: Any = data
    for key in path[:-1]:
        at = at[key]
    if to is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return data


def with_step(waterfall: str, place: int, step: Any) -> dict[str, Any]:
    """EVERYTHING with a step before that of the place (from 0)."""
    data = copy.deepcopy(EVERYTHING)
    found = data["waterfalls"][waterfall]
    (found["steps"] if isinstance(found, dict) else found).insert(place, step)
    return data
