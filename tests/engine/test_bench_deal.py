"""The benchmark's deal: its plain Python run meets another's reference figures, and its inputs say the same deal."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import bench_deal, bench_inputs, plain_bench
from benchmarks.bench_deal import BenchClass, BenchDeal, BenchLoan, BenchTest, Scenario
from benchmarks.bench_engine import Runner, Totals, yearly_irr
from benchmarks.plain_bench import Period
from engine import dates
from engine.loans import columns as col
from tests.engine import reference_deal

CASES = ("base", "zero_default")
EXACT = 1e-6  # relative
CENT = 1e-5  # figures by period are given with six decimals


@pytest.fixture(scope="module")
def given_case(shared: Path) -> dict[str, Any]:
    path = shared / "data" / "cases" / "bench_deal.json"
    if not path.exists():
        pytest.skip(f"{path.name} is absent from ../shared")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def scenario(case: dict[str, Any], name: str) -> Scenario:
    rates = {**case["assumptions"], **case["reference_results"][name]["assumption_overrides"]}
    assert rates["recovery_lag_periods"] == 0
    assert rates["reinvestment"] == "none"
    return Scenario(rates["cdr"], rates["cpr"], rates["recovery_rate"])


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if expected is None:
        return found is None
    return math.isclose(found, expected, rel_tol=EXACT, abs_tol=CENT)


@pytest.mark.parametrize("name", CASES)
def test_that_plain_python_meets_every_total_of_the_reference(given_case: dict[str, Any], name: str) -> None:
    reference = given_case["reference_results"][name]
    deal = bench_deal.deal_of(given_case)
    periods = plain_bench.run(deal, scenario(given_case, name))
    found = plain_bench.outcome(deal, periods)
    told = {
        "tranche_interest": found.interest,
        "tranche_principal": found.principal,
        "tranche_final_balance": found.final_balance,
        "equity_total": found.equity,
        "pool_interest": sum(p.interest for p in periods),
        "pool_principal": sum(p.principal for p in periods),
        "pool_defaults": sum(p.defaults for p in periods),
        "first_test_failure": found.first_failure,
    }
    wrong = {key: (value, reference[key]) for key, value in told.items() if not same(value, reference[key])}
    assert not wrong
    assert found.irr == pytest.approx(reference["equity_irr_at_par_annual_eff"], rel=EXACT)
    assert found.wal == pytest.approx(tuple(reference["tranche_wal_years"]), rel=EXACT)
    unmet = set(reference) - set(told) - {"equity_irr_at_par_annual_eff", "tranche_wal_years"}
    assert unmet == {"assumption_overrides", "periods", "oc_note"}


@pytest.mark.parametrize("name", CASES)
def test_that_plain_python_meets_every_period_of_the_reference(given_case: dict[str, Any], name: str) -> None:
    rows = given_case["reference_results"][name]["periods"]
    periods = plain_bench.run(bench_deal.deal_of(given_case), scenario(given_case, name))
    assert len(periods) == len(rows) == given_case["n_periods"]
    wrong = [
        (row["t"], key, getattr(period, key), value)
        for period, row in zip(periods, rows, strict=True)
        for key, value in row.items()
        if key != "t" and not same(getattr(period, key), value)
    ]
    assert not wrong


def test_that_the_grid_of_the_benchmark_is_the_one_described(given_case: dict[str, Any]) -> None:
    assert "1,000 deal runs" in given_case["benchmarks"]["W2"]
    grid = bench_deal.grid()
    assert len(set(grid)) == len(grid) == 1000
    assert grid[0] == Scenario(0.0, 0.05, 0.40)
    assert grid[-1] == Scenario(0.09, 0.50, 0.85)


def test_that_our_deal_is_the_same_from_the_same_seed_and_another_from_another() -> None:
    deal = bench_deal.made()
    assert deal == bench_deal.made()
    assert deal.loans != bench_deal.made(bench_deal.SEED + 1).loans


def test_that_our_deal_has_the_shape_of_the_benchmark() -> None:
    deal = bench_deal.made()
    assert (len(deal.loans), deal.n_periods, len(deal.classes) + 1, len(deal.tests)) == (200, 40, 7, 5)
    assert max(loan.maturity_period for loan in deal.loans) == deal.n_periods
    assert deal.equity > 0.0
    assert math.isclose(sum(c.balance for c in deal.classes) + deal.equity, deal.par)
    for test in deal.tests:  # at closing all tests pass
        assert deal.par / sum(c.balance for c in deal.classes[: test.covers]) > test.oc


rates = st.builds(Scenario, st.floats(0.0, 0.6), st.floats(0.0, 0.6), st.floats(0.0, 1.0))


@given(rates)
def test_that_what_comes_in_on_a_date_goes_out_on_it(scenario: Scenario) -> None:
    for period in plain_bench.run(SMALL, scenario):
        paid = period.fees + sum(period.int_paid) + sum(period.prin_paid) + period.equity
        assert paid == pytest.approx(period.interest + period.principal, rel=1e-12, abs=1e-6)


@given(rates)
def test_that_interest_a_class_misses_is_added_to_it_or_stays_owed(scenario: Scenario) -> None:
    balances = [c.balance for c in SMALL.classes]
    for period, index in zip(plain_bench.run(SMALL, scenario), SMALL.index, strict=True):
        for c, terms in enumerate(SMALL.classes):
            rolled = balances[c] - period.prin_paid[c]
            if terms.deferrable:
                rolled += balances[c] * (index + terms.spread) * 0.25 - period.int_paid[c]
            assert period.balances[c] == pytest.approx(rolled, rel=1e-12, abs=1e-6)
        balances = list(period.balances)


def one_loan(oc: float, ic: float | None, spread: float = 0.04) -> BenchDeal:
    """100 of one loan, notes of 80 and 10, one test of both after the second."""
    loan = BenchLoan("L", 100.0, spread, 0.0, 4, 0.0, "B", 0.99)
    classes = (BenchClass("A", 80.0, 0.01, False), BenchClass("B", 10.0, 0.02, True))
    return dataclasses.replace(
        SMALL, index=(0.04,) * 4, loans=(loan,), classes=classes, equity=10.0, tests=(BenchTest("B", 2, oc, ic),)
    )


CALM = Scenario(0.0, 0.0, 0.5)


def test_that_a_failing_par_test_repays_the_senior_notes_until_it_passes() -> None:
    deal = dataclasses.replace(one_loan(1.115, None), trustee=0.0, senior=0.0, sub=0.0)
    first = plain_bench.run(deal, CALM)[0]
    assert first.failed == "B"
    assert first.diverted == pytest.approx(90.0 - 100.0 / 1.115)
    assert first.prin_paid == pytest.approx((first.diverted, 0.0))
    assert 100.0 / sum(first.balances) == pytest.approx(1.115)
    assert first.equity == pytest.approx(2.0 - 80 * 0.0125 - 10 * 0.015 - first.diverted)


def test_that_a_failing_interest_test_repays_the_senior_notes_until_it_passes() -> None:
    deal = dataclasses.replace(one_loan(1.0, 1.75), trustee=0.0, senior=0.0, sub=0.0)
    first = plain_bench.run(deal, CALM)[0]
    due = 80 * 0.0125 + 10 * 0.015
    assert first.diverted == pytest.approx((due - 2.0 / 1.75) / 0.0125)
    assert 2.0 / (due - first.diverted * 0.0125) == pytest.approx(1.75)


def test_that_a_test_takes_no_more_than_the_interest_at_hand() -> None:
    deal = dataclasses.replace(one_loan(1.5, None), sub=0.0)
    first = plain_bench.run(deal, CALM)[0]
    assert first.equity == 0.0
    assert first.diverted == pytest.approx(first.interest - first.fees - sum(first.int_paid))


def test_that_the_return_of_the_equity_is_that_of_a_period_compounded_to_a_year() -> None:
    assert plain_bench.periodic_irr([-100.0, 10.0, 110.0]) == pytest.approx(0.10, abs=1e-14)
    assert plain_bench.periodic_irr([-100.0, 0.0, 25.0]) == pytest.approx(-0.5, abs=1e-14)
    assert plain_bench.periodic_irr([-100.0, 0.0]) is None
    deal = one_loan(1.0, None)
    periods = plain_bench.run(deal, CALM)
    rate = plain_bench.periodic_irr([-deal.equity, *(p.equity for p in periods)])
    assert rate is not None
    assert plain_bench.outcome(deal, periods).irr == pytest.approx((1.0 + rate) ** 4 - 1.0)


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=40), st.floats(1.0, 1e7))
def test_that_the_equity_is_worth_its_price_at_its_return(paid: list[float], price: float) -> None:
    rate = plain_bench.periodic_irr([-price, *paid])
    if rate is None:
        assert sum(paid) < price
        return
    v = 1.0 / (1.0 + rate)
    worth = sum(flow * v**t for t, flow in enumerate(paid, start=1))
    assert worth == pytest.approx(price, rel=1e-9)


# the same deal for the engine


def test_that_every_accrual_period_of_the_inputs_is_a_quarter_of_a_year() -> None:
    inputs = bench_inputs.inputs_of(bench_deal.made())
    days = [inputs.before, *inputs.days.tolist()]
    assert {dates.year_fraction(a, b, dates.THIRTY_360) for a, b in itertools.pairwise(days)} == {0.25}
    assert {dates.period_rate(0.02, a, b) for a, b in itertools.pairwise(days)} == {1.0 - 0.98**0.25}


def test_that_the_loans_of_the_inputs_are_those_of_the_deal() -> None:
    deal = bench_deal.made()
    tape = bench_inputs.tape_of(deal)
    assert tape.par.tolist() == [loan.par for loan in deal.loans]
    assert tape.maturity.tolist() == [dates.serial(deal.date(loan.maturity_period)) for loan in deal.loans]
    assert tape.coupon.tolist() == [max(deal.index[0], loan.floor) + loan.spread for loan in deal.loans]
    assert set(tape.dated) == {dates.serial(deal.closing)}
    assert set(tape.lag) == {0}
    assert not tape.in_arrears.any()
    assert not tape.haircut.any()


def test_that_a_sink_table_repays_the_same_share_of_what_is_left_on_every_date() -> None:
    deal = bench_deal.made()
    amounts: dict[str, list[float]] = {}
    for sink in bench_inputs.sinks_of(deal):
        amounts.setdefault(sink.asset_id, []).append(sink.amount)
    amortising = [loan for loan in deal.loans if loan.amortisation > 0.0]
    assert set(amounts) == {loan.id for loan in amortising}
    for loan in amortising:
        rows, left = amounts[loan.id], loan.par
        assert len(rows) == loan.maturity_period
        for amount in rows[:-1]:
            assert amount / left == pytest.approx(loan.amortisation / 4.0, rel=1e-12)
            left -= amount
        assert rows[-1] == pytest.approx(left)


def test_that_the_index_of_a_period_is_fixed_on_its_first_day() -> None:
    deal = bench_deal.made()
    table = bench_inputs.fixings_of(deal)
    for t, index in enumerate(deal.index):
        assert table.rates[0, dates.serial(deal.date(t)) - table.first_day] == index
        assert table.rates[0, dates.serial(deal.date(t + 1)) - 1 - table.first_day] == index
        assert index == round(index, 5)  # loans reset on five decimals


def test_that_the_inputs_fit_the_document() -> None:
    deal = bench_deal.made()
    inputs = bench_inputs.inputs_of(deal)
    document = bench_inputs.document()
    assert document.class_ids == inputs.class_ids
    assert tuple(test.id for test in document.tests) == bench_inputs.ids_of_tests(deal)
    assert len(document.fees) == len(inputs.fee_percent)
    assert inputs.triggers.shape == (deal.n_periods, len(document.tests))
    assert inputs.coupon.shape == inputs.accrual.shape == (deal.n_periods, len(inputs.class_ids))


# the same deal through our language


def collections(periods: list[Period], recovery: float) -> np.ndarray:
    """float64[n_dates, N_FLOWS]: what the loans of a plain run brought."""
    flows = np.zeros((len(periods), col.N_FLOWS))
    for row, period in zip(flows, periods, strict=True):
        recovered = period.defaults * recovery
        row[col.INTEREST], row[col.DEFAULTED] = period.interest, period.defaults
        row[col.SCHEDULED] = period.principal - recovered
        row[col.RECOVERIES] = row[col.CLAIM] = recovered
        row[col.LOSS] = period.defaults - recovered
    return flows


@given(rates, st.floats(1.0, 1.3), st.floats(1.0, 1.6))
def test_that_cures_through_the_pot_pay_what_diversion_at_once_pays(rates: Scenario, oc: float, ic: float) -> None:
    """The document on the oracle of the language, against the deal's own wording, with tests that fail often."""
    tests = tuple(BenchTest(t.id, t.covers, t.oc * oc, None if t.ic is None else t.ic * ic) for t in SMALL.tests)
    deal = dataclasses.replace(SMALL, tests=tests)
    periods = plain_bench.run(deal, rates)
    flows = collections(periods, rates.recovery)
    watched = np.zeros((len(periods), 0))
    inputs = bench_inputs.inputs_of(deal)
    rows = reference_deal.run(bench_inputs.document(), inputs, flows, watched, [], {"sale_price": 1.0}, (0.0, 0.0)).rows
    for row, period in zip(rows, periods, strict=True):
        for c, terms in enumerate(deal.classes):
            paid = row.interest[terms.id] + row.deferred_paid[terms.id] + row.principal[terms.id]
            assert paid == pytest.approx(period.int_paid[c] + period.prin_paid[c], rel=1e-9, abs=1e-3)
            left = row.balance[terms.id] + row.deferred[terms.id]
            assert left == pytest.approx(period.balances[c], rel=1e-9, abs=1e-3)
        assert row.interest["SUB"] + row.principal["SUB"] == pytest.approx(period.equity, rel=1e-9, abs=1e-3)
        assert sum(row.fee_paid.values()) == pytest.approx(period.fees, rel=1e-9, abs=1e-3)


# the same deal through the engine


@pytest.fixture(scope="module")
def runner() -> Runner:
    return Runner(bench_deal.made())


def assert_same(deal: BenchDeal, totals: Totals, lane: int, scenario: Scenario) -> None:
    plain = plain_bench.simulate(deal, scenario)
    # what is called interest or principal may differ where interest on deferred interest was missed, the sum may not
    paid = [a + b for a, b in zip(plain.interest, plain.principal, strict=True)]
    assert (totals.interest + totals.principal)[lane] == pytest.approx(paid, rel=1e-9, abs=1e-2)
    assert totals.final_balance[lane] == pytest.approx(plain.final_balance, rel=1e-9, abs=1e-2)
    assert totals.equity[lane] == pytest.approx(plain.equity, rel=1e-9, abs=1e-2)
    assert totals.irr[lane] == pytest.approx(math.nan if plain.irr is None else plain.irr, rel=1e-9, nan_ok=True)


def test_that_the_engine_agrees_with_plain_python_over_the_grid(runner: Runner) -> None:
    scenarios = bench_deal.grid()
    totals = runner.totals(scenarios)
    for lane in range(0, len(scenarios), 31):
        assert_same(runner.deal, totals, lane, scenarios[lane])


@pytest.mark.parametrize("name", CASES)
def test_that_the_engine_meets_the_totals_of_the_reference(given_case: dict[str, Any], name: str) -> None:
    reference = given_case["reference_results"][name]
    totals = Runner(bench_deal.deal_of(given_case)).totals([scenario(given_case, name)])
    assert totals.interest[0] == pytest.approx(reference["tranche_interest"], rel=EXACT)
    assert totals.principal[0] == pytest.approx(reference["tranche_principal"], rel=EXACT)
    assert totals.final_balance[0] == pytest.approx(reference["tranche_final_balance"], abs=CENT)
    assert totals.equity[0] == pytest.approx(reference["equity_total"], rel=EXACT)
    assert totals.irr[0] == pytest.approx(reference["equity_irr_at_par_annual_eff"], rel=EXACT)
    assert totals.wal[0] == pytest.approx(reference["tranche_wal_years"], abs=0.01)  # days over 365, not quarters


def test_that_a_scenario_comes_to_the_same_alone_and_in_a_grid(runner: Runner) -> None:
    scenarios = bench_deal.grid()[::9]
    together = runner.totals(scenarios)
    for lane in (0, 63, 64, len(scenarios) - 1):
        alone = runner.totals([scenarios[lane]])
        for field in dataclasses.fields(Totals):
            np.testing.assert_array_equal(getattr(alone, field.name)[0], getattr(together, field.name)[lane])


@given(
    st.lists(st.lists(st.just(0.0) | st.floats(1.0, 1e6), min_size=8, max_size=8), min_size=1, max_size=4),
    st.floats(1e3, 1e7),
)
def test_that_returns_of_many_lanes_are_those_of_each(paid: list[list[float]], price: float) -> None:
    found = yearly_irr(price, np.array(paid).T.copy())
    for value, flows in zip(found.tolist(), paid, strict=True):
        if 0.0 < sum(flows) < 1e-3 * price:
            continue  # all but everything is lost: the plain search ends at -99.99 % a quarter
        rate = plain_bench.periodic_irr([-price, *flows])
        expected = math.nan if rate is None else (1.0 + rate) ** 4 - 1.0
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


SMALL = bench_deal.made(n_loans=6, n_periods=12)
