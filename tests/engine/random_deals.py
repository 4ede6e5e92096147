"""Random deals for hypothesis: a document of the waterfall language, inputs of the liabilities, flows of the pool.

What a deal has (classes, features) is drawn by hypothesis, so that it shrinks; the figures come from a drawn seed, so
that a deal is quick to draw. Documents are valid by construction, and no condition stands on a tie of computed figures.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.deal_inputs import DealInputs, Strategy
from engine.loans import columns as col
from engine.waterfall.document import Document
from tests.engine.random_documents import FEATURES, Writer

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scenario:
    """What differs between the lanes of one run. Shapes as `reference_deal.run` takes them."""

    flows: Floats
    watched: Floats
    lane: Mapping[str, float]
    rates: tuple[float, float]
    ruled: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class RandomDeal:
    document: Document
    inputs: DealInputs
    bucket: tuple[list[tuple[int, float]], list[tuple[int, float]]]
    scenarios: tuple[Scenario, ...]


@st.composite
def deals(draw: st.DrawFn, most_classes: int = 9, most_dates: int = 12, most_scenarios: int = 2) -> RandomDeal:
    """A document, inputs that fit it, and one scenario or more."""
    n_debt = draw(st.integers(1, most_classes - 1))
    n_dates = draw(st.integers(1, most_dates))
    features = draw(st.frozensets(st.sampled_from(FEATURES)))
    n_scenarios = draw(st.integers(1, most_scenarios))
    return random_deal(draw(st.integers(0, 2**32)), n_debt, n_dates, features, n_scenarios)


def random_deal(
    seed: int, n_debt: int, n_dates: int, features: frozenset[str] = frozenset(FEATURES), n_scenarios: int = 1
) -> RandomDeal:
    """The deal of a seed; without hypothesis, for long runs."""
    r = random.Random(seed)
    writer = Writer(r, n_debt, features)
    document = writer.document()
    n_watched = r.randint(0, 4)
    prices = [r.uniform(0.3, 1.05) for _ in range(n_watched)]
    sides = [r.sample(range(n_watched), r.randint(0, n_watched)) for _ in range(2)]
    first, second = (sorted(((c, prices[c]) for c in side), key=lambda entry: -entry[1]) for side in sides)
    par = 10.0 ** r.uniform(6, 8.7)
    inputs = random_inputs(r, document, writer.class_ids, n_dates, par, features)
    scenarios = tuple(random_scenario(r, inputs, n_watched, features) for _ in range(n_scenarios))
    if any(strategy.low for strategy in inputs.strategies):  # they share the order of prices in the CCC excess
        price = scenarios[0].lane["price"]
        scenarios = tuple(replace(s, lane={**s.lane, "price": price}) for s in scenarios)
    return RandomDeal(document, inputs, (first, second), scenarios)


def random_inputs(
    r: random.Random,
    document: Document,
    class_ids: Sequence[str],
    n_dates: int,
    par: float,
    features: frozenset[str],
) -> DealInputs:
    n, n_fees, n_tests = len(class_ids), len(document.fees), len(document.tests)
    kinds = {c.id: c.kind for c in document.classes}
    weights = np.array([0.05 if kinds[c] == "class_x" else r.uniform(0.1, 2.0) for c in class_ids])
    original = par * r.uniform(0.85, 1.1) * weights / weights.sum()
    left = np.array([1.0 if kinds[c] == "equity" else r.choice([1.0, 1.0, 1.0, 0.5, 0.0]) for c in class_ids])
    balance = original * left
    late = np.array([r.choice([0.0, 0.0, 0.02]) if kinds[c] == "debt" else 0.0 for c in class_ids])
    start = r.randint(16000, 20000)
    days = start + np.cumsum([r.randint(88, 95) for _ in range(n_dates)])
    fractions = np.diff([start, *days]) / 360.0
    index = np.array([r.uniform(-0.002, 0.06) for _ in range(n_dates)])
    margin = np.sort([r.uniform(0.005, 0.09) for _ in range(n)])
    coupon = np.maximum(index, 0.0)[:, None] + margin[None, :]
    until = r.choice([0, 2, n_dates // 2, n_dates])
    call_from = r.choice([0, 1, n_dates // 2, n_dates])
    rows = np.arange(n_dates)
    shares = [r.uniform(0.1, 1.0) for _ in range(r.randint(1, 3))]
    lags = [None, r.randint(0, 3), None]
    of = [r.choice([0, 0, 1, 2]) if "rated" in features else 0 for _ in shares]
    strategies = tuple(
        Strategy(
            share=share / sum(shares),
            coupon=index + r.uniform(0.02, 0.06),
            fraction=fractions,
            periods=r.randint(1, 8),
            rates=rates,
            lag=lags[rates],
            low="rated" in features and r.random() < 0.4,
        )
        for share, rates in zip(shares, of, strict=True)
    )
    contributed = {
        k.id: np.array([r.choice([0.0, 0.0, r.uniform(0.0, 0.01) * par]) for _ in range(n_dates)])
        for k in document.contributions
    }
    invested = float(original[class_ids.index(document.equity)]) * r.uniform(0.7, 1.0)
    return DealInputs(
        days=days.astype(np.int64),
        before=start,
        index=index,
        class_ids=tuple(class_ids),
        original=original,
        balance=balance,
        deferred=late * balance,
        coupon=coupon,
        accrual=coupon * fractions[:, None],
        deferrable=tuple(
            "never" if kinds[c] != "debt" else r.choice(["never", "if_not_controlling", "always"]) for c in class_ids
        ),
        scheduled=np.array(
            [
                b * r.uniform(0.05, 0.6) if kinds[c] == "class_x" else 0.0
                for c, b in zip(class_ids, balance, strict=True)
            ]
        ),
        fee_percent=np.array([r.choice([0.0, r.uniform(0.0, 0.006)]) for _ in range(n_fees)]),
        fee_fixed=np.array([r.choice([0.0, r.uniform(0.0, 0.001) * par]) for _ in range(n_fees)]),
        fee_basis=tuple(r.choice(["begin", "average", "end", "performing", "none"]) for _ in range(n_fees)),
        fee_fraction=np.repeat(fractions[:, None], n_fees, axis=1),
        fee_interest=np.array([[r.choice([0.0, 0.012])] * n_dates for _ in range(n_fees)]).T.reshape(n_dates, n_fees),
        fee_unpaid=np.array([r.choice([0.0, 0.0, 0.001 * par]) for _ in range(n_fees)]),
        fee_senior=np.array([r.random() < 0.5 for _ in range(n_fees)], dtype=np.bool_),
        opening_basis=par * r.uniform(0.9, 1.1),
        cap_fraction=fractions,
        triggers=np.array([[r.choice([0.99, 1.0, r.uniform(1.01, 1.4)])] * n_dates for _ in range(n_tests)])
        .T.reshape(n_dates, n_tests)
        .astype(np.float64),
        tests_from=r.choice([0, 0, 1, 3]),
        ic_from=r.choice([0, 1, 2]),
        reinvesting=rows < until,
        callable=rows >= call_from,
        policy_base=(r.choice(["none", "all", "all", "unscheduled"]), r.choice(["none", "all", "unscheduled"])),
        policy_share=(r.choice([1.0, 0.7]), r.choice([0.0, 0.5])),
        strategies=strategies,
        recovery_lag=r.randint(0, 3),
        hurdle=r.choice([0.08, 0.12]),
        manager_share=r.choice([0.0, 0.2, 1.0]),
        hurdle_value=-invested * r.choice([-0.2, 0.0, 0.001, 0.02, 1.0]),
        equity_invested=invested,
        equity_received=invested * r.choice([0.0, 0.9, 1.3, 2.2]),
        accelerated=r.random() < 0.06,
        interest=par * r.uniform(0.0, 0.01),
        principal=par * r.choice([0.0, r.uniform(-0.05, 0.05), -0.001]),
        funding=r.choice([0.0, 0.0, 0.004 * par]),
        purchased_interest=r.choice([0.0, 0.003 * par, 0.03 * par]) if "purchased" in features else 0.0,
        performing=par,
        defaulted=par * 0.02,
        carrying=par * 0.008,
        marked=par * r.uniform(0.7, 1.0),
        haircut=par * r.choice([0.0, 0.005]),
        ccc_limit=r.choice([0.0, 0.05, 1.0]),
        idle_yield=np.array([r.choice([0.0, 0.004]) for _ in range(n_dates)]),
        dates={
            "closing": start - 400,
            "effective": start,
            "no_call": start + 200,
            "reinvestment_end": start + 400,
            "stated_maturity": start + 4000,
        },
        inputs={i.id: r.uniform(0.0, 0.02) * par for i in document.inputs},
        accounts={a.id: r.uniform(0.0, 0.01) * par for a in document.accounts if r.random() < 0.7},
        contributed=contributed,
    )


def random_scenario(r: random.Random, inputs: DealInputs, n_watched: int, features: frozenset[str]) -> Scenario:
    """Flows that fit the opening balances, balances of watched loans, and the parameters of a lane."""
    n_dates = len(inputs.days)
    lane: dict[str, float] = {
        "price": r.choice([1.0, r.uniform(0.85, 1.0)]),
        "severity": r.choice([0.3, 0.6, 1.0]),
        "sale_price": r.choice([-1.0, 0.9, 1.0]),
        "sale_price_of_bought": r.uniform(0.8, 1.0),
        "reinvests": float(r.random() < 0.85),
    }
    if "redemption" in features:
        lane["redemption"] = float(r.randint(0, n_dates))
        lane |= r.choice([{}, {"call_below": r.uniform(0.0, 0.05)}, {"clean_up": 0.7}, {"call_above_nav": 0.8}])
    watched = np.zeros((n_dates, n_watched))
    for j in range(n_watched):
        watched[:, j] = inputs.performing * r.uniform(0.0, 0.08) * r.uniform(0.7, 1.0) ** np.arange(n_dates)
    rates = (r.choice([0.0, 0.02, 0.4, 1.0]), r.choice([0.0, 0.2, 1.0]))
    flows = random_flows(r, inputs, features)
    drawn = [(r.choice([0.0, 0.05, 0.5, 1.0]), r.choice([0.0, 0.1]), r.choice([0.0, 0.45, 1.0])) for _ in range(2)]
    return Scenario(flows, watched, lane, rates, tuple(drawn))


def random_flows(r: random.Random, inputs: DealInputs, features: frozenset[str]) -> Floats:
    """Defaults up to the whole pool; recoveries after a date; draws, sales and capitalised interest now and then."""
    flows = np.zeros((len(inputs.days), col.N_FLOWS))
    performing, claims, defaulted, haircut = inputs.performing, inputs.carrying, inputs.defaulted, inputs.haircut
    stress = r.choice([0.0, 0.0, 0.02, 0.2, 1.0])
    mark = inputs.marked / inputs.performing
    for row in flows:
        opening = performing
        if r.random() < 0.4:  # what is in default is worked out
            row[col.RECOVERIES], row[col.LOSS] = claims, defaulted - claims
            claims = defaulted = 0.0
        default = performing * min(stress * r.uniform(0.0, 1.3), 1.0)
        live = performing - default
        row[col.DEFAULTED], row[col.CLAIM] = default, default * r.uniform(0.0, 0.8)
        claims += row[col.CLAIM]
        defaulted += default
        row[col.INTEREST] = live * r.choice([0.002, r.uniform(0.005, 0.03)])
        row[col.SCHEDULED] = live * r.choice([0.0, r.uniform(0.0, 0.1), 0.5])
        row[col.UNSCHEDULED] = (live - row[col.SCHEDULED]) * r.uniform(0.0, 0.3)
        performing = live - row[col.SCHEDULED] - row[col.UNSCHEDULED]
        if "trading" in features:
            row[col.SOLD] = performing * r.choice([0.0, 0.1])
            row[col.PROCEEDS] = row[col.SOLD] * r.uniform(0.5, 1.0)
            row[col.DRAWN] = inputs.performing * r.choice([0.0, 0.0, 0.01])
            row[col.CAPITALISED] = live * r.choice([0.0, 0.002])
            performing += row[col.DRAWN] + row[col.CAPITALISED] - row[col.SOLD]
            after = haircut * r.uniform(0.5, 1.2)
            row[col.HAIRCUT], haircut = after - haircut, after
        row[col.MARKED] = mark * (performing - opening)
    return flows
