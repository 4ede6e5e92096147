"""Every test against plain Python on random pools: results, computed limits, contributions, cushions."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.asset import Asset
from engine.compliance import WORKBOOK, Compliance, evaluate
from engine.pool import Pool
from engine.terms import Account, Deal, TestLimit
from resources import library
from tests.engine import plain_compliance as plain

AS_OF, STATED = dt.date(2026, 3, 31), dt.date(2033, 1, 20)
INPUTS: dict[str, float] = {
    "Current LIBOR": 0.0075,
    "Weighted Average Spread": 0.038,
    "WARF Factor": 60.0,
    "WARF Threshold": 2700.0,
    "JR OC Denominator": 2e7,
    "WAS Factor": 0.0006,
    "WARR Threshold": 0.44,
    "S&P C0": 0.1928,
    "S&P C1": 2.673,
    "S&P C2": 1.272,
    "Reinvestment Target Balance": 2.1e7,
}
CHOICES: dict[str, list[Any]] = {
    "issuer_id": [f"N{i}" for i in range(12)],
    "country": [
        "USA",
        "USA",
        "USA",
        "Canada",
        "Netherlands",
        "Germany",
        "Luxembourg",
        "Cayman Islands",
        "Ireland",
        "Brazil",
    ],
    "moodys_industry": ["Retail", "Banking", "Chemicals", "Media", "Mining"],
    "sp_industry": ["Retailers", "Banks", "Chemicals", "Media", "Mining"],
    "moodys_rating": ["Ba3", "B3", "Caa1", "Ca"],
    "moodys_rating_warf": ["Ba3", "B3", "Caa1"],
    "sp_issuer_rating": ["BB", "B-", "B", "CCC+", "CCC", "CC"],
    "moodys_recovery_rate": [0.45, 0.3, 0.6],
    "coupon_type": ["FLOAT", "FLOAT", "FIXED"],
    "coupon_spread": [0.03, 0.0425, None],
    "coupon": [0.05, 0.061, 0.0, None],
    "index_floor": [None, 0.0, 0.01],
    "index_name": ["3M Libor", "SOFR", None],
    "payment_frequency": [1, 2, 4, None],
    "maturity": [dt.date(2026, 1, 1), dt.date(2030, 6, 30), dt.date(2033, 1, 20), dt.date(2034, 1, 1)],
    "seniority": ["Senior Secured", "Senior Secured", "Second Lien", None],
    "bond_loan": ["LOAN", "LOAN", "BOND"],
    "moodys_category": ["Moody's Senior Secured Loan", "Moody's Non-Senior Secured Loan", "Senior Secured Bond"],
    "sp_priority_category": ["Senior Secured Loan", plain.SECOND, None],
    "facility_size": [1e8, 1.8e8, 2.2e8, 1e9, None],
    "market_value": [None, 55.0, 79.99, 80.0, 98.5, 102.0],
    "wal": [None, 3.0, 6.5],
    "unfunded_amount": [None, 10.0],
    "sp_facility_rating": [None, "BB", "B"],
    "moodys_issuer_rating": [None, "B2", "Caa2"],
    "moodys_dpr": ["B2"],
    "currency": [None, "USD", "EUR"],
    **{
        flag: [None, None, True]
        for flag in (
            *("defaulted", "dip", "cov_lite", "piking", "deferrable", "participation", "letter_of_credit"),
            *("bridge_loan", "current_pay", "delayed_draw", "revolver", "structured_finance", "convertible"),
        )
    },
}
INDUSTRY = {f"N{i}": CHOICES["moodys_industry"][i % 5] for i in range(12)}  # one industry an obligor


@st.composite
def pools(draw: st.DrawFn) -> list[tuple[Asset, float]]:
    lots = []
    for i in range(draw(st.integers(1, 14))):
        values = {name: draw(st.sampled_from(options)) for name, options in CHOICES.items()}
        values["moodys_industry"] = INDUSTRY[values["issuer_id"]]
        lots.append((Asset(asset_id=f"A{i}", **values), float(draw(st.integers(1, 4000))) * 1000.0))
    return lots


NUMBERS = sorted({*plain.TESTS, 152, 153, 154, 156, 146})


def judged(lots: list[tuple[Asset, float]], cash: float, numbers: Any = NUMBERS, **deal: Any) -> Compliance:
    catalogue = library.catalogue()
    made = Deal(
        "random",
        current_dates=(("Analysis date", AS_OF),),
        dates=(("Stated Maturity", STATED),),
        accounts=(Account(2, "Collection", 0.0, cash),),
        limits=tuple(TestLimit(n, "", catalogue.definitions[n].direction, 0.5) for n in numbers),
        quality_inputs=tuple(INPUTS.items()),
    )
    return evaluate(replace(made, **deal), Pool(lots), catalogue, WORKBOOK)


@given(pools(), st.sampled_from([0.0, 1e6, -2e5]))
@settings(max_examples=120)
def test_that_every_result_is_that_of_a_plain_calculation(lots: Any, cash: float) -> None:
    done = judged(lots, cash)
    x = plain.Plain(lots, cash, INPUTS, STATED, AS_OF)
    results = {r.number: r.result for r in done.results}
    for number, expected in plain.TESTS.items():
        if number == 133 and x.floaters() == 0.0:
            assert number not in results  # it divides by the floaters
            continue
        assert results[number] == pytest.approx(expected(x), rel=1e-9, abs=1e-12), number
    for number, limit in plain.thresholds(x).items():
        assert done.result(number).threshold == pytest.approx(limit, rel=1e-12), number
    if 154 in results:
        assert results[154] == pytest.approx(plain.scenario_default_rate(x), rel=1e-9)
    if 153 in results and 0 < results[146] < 1:
        even = INPUTS["S&P C0"] + INPUTS["S&P C1"] * results[46] + INPUTS["S&P C2"] * results[146]
        target, amount = INPUTS["Reinvestment Target Balance"], x.amount
        adjusted = even * target / amount + (amount - target) / (amount * (1 - results[146]))
        assert results[153] == pytest.approx(adjusted, rel=1e-9)
        assert done.result(156).threshold == results[154]


@given(pools())
@settings(max_examples=25)
def test_that_what_a_position_moves_a_result_by_is_the_result_without_it(lots: Any) -> None:
    numbers = [n for n in NUMBERS if n not in (153, 156)]
    done = judged(lots, 1e6, numbers)
    without = [judged([*lots[:i], *lots[i + 1 :]], 1e6, numbers) for i in range(len(lots))]
    for r in done.results:
        moved = done.moves(r.number)
        for i, fewer in enumerate(without):
            found = {x.number: x.result for x in fewer.results}
            if r.number not in found:
                assert math.isnan(moved[i])
            elif math.isfinite(found[r.number]) and r.number != 35:
                scale = max(abs(r.result), abs(found[r.number]), 1e-6)
                assert moved[i] == pytest.approx(r.result - found[r.number], abs=1e-9 * scale), (r.number, i)


@given(pools())
@settings(max_examples=60)
def test_that_the_cushion_in_par_of_an_average_brings_it_to_the_limit_when_bought_at_the_worst_figure(
    lots: Any,
) -> None:
    limits = tuple(TestLimit(n, "", d, t) for n, d, t in ((33, "MIN", 0.40), (46, "MIN", 0.035), (36, "MAX", 6000.0)))
    done = judged(lots, 1e6, limits=limits)
    for r in done.results:
        room = r.cushion_par
        if room is None or abs(room) > 1e12 or r.denominator + room < 1.0:  # nothing of it may stay
            continue
        row = done.plan.rows[r.number]
        counted = row.members & ~row.missing
        worst = row.values[counted].min() if r.direction == "MIN" else row.values[counted].max()
        assert (r.numerator + room * worst) / (r.denominator + room) == pytest.approx(r.threshold, rel=1e-6)
        assert (room >= 0) == (r.cushion >= 0)


@given(pools(), st.integers(0, 13))
@settings(max_examples=60)
def test_that_the_cushion_in_par_of_a_share_is_what_may_be_bought_before_it_fails(lots: Any, which: int) -> None:
    done = judged(lots, 5e7, (14,), limits=(TestLimit(14, "", "MAX", 0.3),))
    room = done.result(14).cushion_par
    assert room is not None
    if room <= 1.0:
        return
    foreign = replace(lots[which % len(lots)][0], asset_id="new", country="Brazil", defaulted=None)
    for par, passes in ((room - 1.0, True), (room + 1.0, False)):
        after = judged([*lots, (foreign, par)], 5e7 - par, (14,), limits=(TestLimit(14, "", "MAX", 0.3),))
        assert (after.result(14).outcome.value == "pass") is passes
    names = len({a.issuer_id for a, _ in lots if not a.defaulted})
    if names:
        assert done.result(14).cushion_names == pytest.approx(room / (done.performing_par / names))


EVERY = [n for n in library.catalogue().definitions if n not in (35,)]


@pytest.mark.parametrize("lots", [[], [(Asset(asset_id="bare"), 1e6)], [(Asset(asset_id="nil", issuer_id="N"), 0.0)]])
@pytest.mark.parametrize("cash", [0.0, 1e6, -1e6, -5e6])
def test_that_every_test_of_the_catalogue_stands_an_empty_or_bare_pool_and_any_cash(lots: Any, cash: float) -> None:
    done = judged(lots, cash, EVERY)
    told = {r.number for r in done.results}
    refused = {int(note.split()[1]) for note in done.notes if note.startswith("Test ") and "not evaluated" in note}
    assert told | refused == set(EVERY)
    assert all(not math.isnan(r.result) for r in done.results)
    for r in done.results:
        assert done.moves(r.number).shape == (len(lots),)


@given(pools(), st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_that_the_order_of_positions_changes_no_test_of_the_catalogue(lots: Any, random: Any) -> None:
    shuffled = list(lots)
    random.shuffle(shuffled)
    one, two = ({r.number: r.result for r in judged(x, 1e6, EVERY).results} for x in (lots, shuffled))
    assert two == pytest.approx(one, rel=1e-9, abs=1e-12)


@given(pools(), st.floats(1e-2, 1e2))
@settings(max_examples=25)
def test_that_the_size_of_the_deal_changes_only_what_is_in_money(lots: Any, scale: float) -> None:
    one = judged(lots, 1e6, EVERY)
    two = judged([(a, par * scale) for a, par in lots], 1e6 * scale, EVERY)
    over_money = {12, 37, 38, 133, 134, 135, 132, 153, 156, 157}  # inputs in money, amounts not of par, rounded units
    for r in one.results:
        if r.number not in over_money:
            assert two.result(r.number).result == pytest.approx(r.result, rel=1e-9, abs=1e-12), r.number
