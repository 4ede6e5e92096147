"""New notes for old ones in random deals: every figure is the plain reference's, and cash is conserved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine import cash
from engine.deal_inputs import Exchange
from tests.engine import reference_deal
from tests.engine.random_deals import RandomDeal, deals
from tests.engine.test_deal_against_reference import check, run_engine


@st.composite
def renewed(draw: st.DrawFn) -> RandomDeal:
    """A random deal with an exchange of some of its notes on one of its dates."""
    deal = draw(deals())
    inputs = deal.inputs
    kinds = {c.id: c.kind for c in deal.document.classes}
    debts = [kinds[c] == "debt" for c in inputs.class_ids]
    assume(any(debts))
    chosen = [is_debt and draw(st.booleans()) for is_debt in debts]
    sizes = [draw(st.sampled_from([float("nan"), 0.0, 0.5, 1.0, 1.3])) for _ in debts]
    exchange = Exchange(
        row=draw(st.integers(0, len(inputs.days) - 1)),
        classes=np.array(chosen),
        balance=np.array(sizes) * inputs.original,
        costs=draw(st.sampled_from([0.0, 1e5, 1e9])),
        by_holders=draw(st.booleans()),
    )
    return replace(deal, inputs=replace(inputs, exchange=exchange))


@given(renewed())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_that_an_exchange_of_notes_pays_what_the_reference_pays(deal: RandomDeal) -> None:
    machine, made = run_engine(deal)
    exchange = deal.inputs.exchange
    assert exchange is not None
    for result, s in zip(made, deal.scenarios, strict=True):
        expected = reference_deal.run(
            deal.document, deal.inputs, s.flows, s.watched, deal.bucket, s.lane, s.rates, s.ruled
        )
        check(deal, machine, result, expected)
        near = 1e-9 * deal.inputs.performing + 1e-6
        assert result.cash[:, cash.USES] == pytest.approx(result.cash[:, cash.SOURCES], abs=near, rel=1e-9)
        if exchange.row < len(result.balance) - 1:
            sized = exchange.classes & ~np.isnan(exchange.balance)
            assert result.balance[exchange.row, sized] == pytest.approx(exchange.balance[sized])
            assert not result.deferred[exchange.row, exchange.classes].any()
