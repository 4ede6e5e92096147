"""The lane engine against the plain reference over random deals: every figure of every date, all lanes at once."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from engine import lanes, liabilities, results
from engine.cash import CASH_NAMES
from engine.deal_inputs import LANE_PARAMETERS
from engine.liabilities import Machine
from engine.results import Result
from tests.engine import reference_deal
from tests.engine.random_deals import RandomDeal, deals
from tests.engine.reference_date import all_steps
from tests.engine.reference_deal import Outcome
from tests.engine.reference_proxies import period_rate, with_bought

CLASS_FIGURES = ("interest", "deferred_paid", "principal", "balance", "deferred", "unpaid")


def run_engine(deal: RandomDeal) -> tuple[Machine, list[Result]]:
    """All scenarios of the deal as lanes of one run."""
    inputs, scenarios = deal.inputs, deal.scenarios
    n_dates, width = len(inputs.days), max(1, *(len(side) for side in deal.bucket))
    loans, prices = np.full((2, width), -1, dtype=np.int64), np.ones((2, width))
    for side, entries in enumerate(deal.bucket):
        for j, (column, price) in enumerate(entries):
            loans[side, j], prices[side, j] = column, price
    bucket = lanes.Bucket(loans, prices)
    days = [inputs.before, *map(int, inputs.days)]
    rates = np.zeros((3, 3, n_dates, len(scenarios)))
    for lane, s in enumerate(scenarios):
        for row, (cdr, cpr, severity) in enumerate([(*s.rates, np.nan), *s.ruled]):
            rates[2, row, :, lane] = severity
            for k, annual in enumerate((cdr, cpr)):
                rates[k, row, 1:, lane] = [period_rate(annual, days[i], days[i + 1]) for i in range(1, n_dates)]
    watched = np.stack([s.watched for s in scenarios], axis=2)
    low = any(strategy.low for strategy in inputs.strategies)
    if low:
        bucket = _with_bought(deal, watched.shape[1])
    if low or watched.shape[1] == 0:  # a column that the program fills
        watched = np.concatenate([watched, np.full((n_dates, 1, len(scenarios)), 1e9 if low else 0.0)], axis=1)
    pool = lanes.Pool(np.stack([s.flows for s in scenarios], axis=2), watched, *rates)
    parameters = {k: np.array([s.lane.get(k, usual) for s in scenarios]) for k, usual in LANE_PARAMETERS.items()}
    machine = liabilities.write(deal.document, inputs, full=True)
    outcome = lanes.run_lanes(machine, inputs, machine.dated(inputs), pool, bucket, parameters)
    return machine, [results.read_result(outcome, inputs, lane) for lane in range(len(scenarios))]


def _with_bought(deal: RandomDeal, column: int) -> lanes.Bucket:
    price = deal.scenarios[0].lane["price"]
    sides = with_bought(deal.bucket, column, price)
    width = max(len(side) for side in sides)
    loans, prices = np.full((2, width), -1, dtype=np.int64), np.ones((2, width))
    for side, entries in enumerate(sides):
        loans[side, : len(entries)] = [entry[0] for entry in entries]
        prices[side, : len(entries)] = [entry[1] for entry in entries]
    return lanes.Bucket(loans, prices)


def check(deal: RandomDeal, machine: Machine, made: Result, expected: Outcome) -> None:
    document, inputs = deal.document, deal.inputs
    near = {"abs": 1e-9 * inputs.performing + 1e-6, "rel": 1e-9}
    assert made.balance.shape[0] == len(expected.rows)
    places = {id(s): (w.id, k) for w in document.waterfalls.values() for k, s in enumerate(all_steps(w.steps))}
    for i, row in enumerate(expected.rows):
        times = Counter((line.waterfall, line.place) for line in row.log)
        lines = {(line.waterfall, line.place): line for line in row.log}
        for k, clause in enumerate(machine.clauses):  # a step that ran twice on a date is logged for the last time
            line = lines.get(places[id(clause.step)])
            if line is not None and times[line.waterfall, line.place] == 1:
                logged = (line.due, line.paid, line.short, line.after)
                assert tuple(made.log[i, k]) == pytest.approx(logged, **near), (i, line)
        for k, c in enumerate(inputs.class_ids):
            for name in CLASS_FIGURES:
                assert getattr(made, name)[i, k] == pytest.approx(getattr(row, name)[c], **near), (i, name, c)
        for k, f in enumerate(document.fee_ids):
            fees = (made.fee_accrued[i, k], made.fee_paid[i, k], made.fee_unpaid[i, k])
            assert fees == pytest.approx((row.fee_accrued[f], row.fee_paid[f], row.fee_unpaid[f]), **near), (i, f)
        for k, terms in enumerate(document.tests):
            test = row.tests[terms.id]
            figures = (made.numerator[i, k], made.denominator[i, k])
            assert figures == pytest.approx((test.numerator, test.denominator), **near), (i, terms.id)
            assert made.ratio[i, k] == pytest.approx(test.ratio, rel=1e-9), (i, terms.id)
        for k, name in enumerate(CASH_NAMES):
            if name in row.cash:
                assert made.cash[i, k] == pytest.approx(row.cash[name], **near), (i, name)
        assert made.accounts[i] == pytest.approx(list(row.accounts.values()), **near), i
        assert made.reinvested_flows[i] == pytest.approx(row.reinvested_flows, **near), i


@given(deals())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_that_the_engine_pays_what_the_reference_pays(deal: RandomDeal) -> None:
    machine, made = run_engine(deal)
    for result, s in zip(made, deal.scenarios, strict=True):
        expected = reference_deal.run(
            deal.document, deal.inputs, s.flows, s.watched, deal.bucket, s.lane, s.rates, s.ruled
        )
        check(deal, machine, result, expected)
