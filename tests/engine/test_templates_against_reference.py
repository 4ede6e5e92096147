"""Every shipped priority of payments over the demo deal's pool, in all phases: the engine's log is the reference's."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.assumptions import Assumptions
from engine.model import Model
from engine.projection import choose_document
from engine.waterfall.language import read_document
from resources import library
from tests.engine import reference_deal
from tests.engine.builders import harbor
from tests.engine.language_documents import TEMPLATES, shipped
from tests.engine.random_deals import RandomDeal, Scenario
from tests.engine.test_deal_against_reference import check, run_engine
from tests.engine.test_language_fuzz import answer, damaged
from tests.engine.test_templates_pay import terms_of

RATES = {"quiet": (0.02, 0.20), "stressed": (0.12, 0.05)}


@cache
def demo_pool(case: str) -> tuple[list[int], Scenario]:
    """Payment dates of the demo deal, and the flows of its pool under default and prepayment rates."""
    book = harbor()
    model = Model(book, choose_document(book, library.waterfalls()), library.assumed_terms())
    cdr, cpr = RATES[case]
    run = model.run(Assumptions(cdr=cdr, cpr=cpr, severity=0.5))
    watched = np.zeros((run.collateral.shape[0], 0))
    return run.inputs.days.tolist(), Scenario(run.collateral.copy(), watched, {"redemption": 1e9}, (cdr, cpr))


PHASES: dict[str, dict[str, Any]] = {
    "reinvestment": {},
    "post": {"reinvesting": False},
    "redemption": {"redemption": 5},
    "acceleration": {"accelerated": True},
    "call": {"callable": True, "call_below": 0.04},
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.stem)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("case", RATES)
def test_that_the_log_of_every_step_is_the_reference_s(path: Path, phase: str, case: str) -> None:
    made = read_document(shipped(path))
    days, scenario = demo_pool(case)
    more = dict(PHASES[phase])
    lane = scenario.lane | {k: float(more.pop(k)) for k in ("redemption", "call_below") if k in more}
    for name in ("reinvesting", "callable"):
        if name in more:
            more[name] = np.full(len(days), more[name])
    given = {i.id: min(i.default, 1e15) or 0.1 for i in made.inputs}
    inputs = terms_of(made, days, given, interest=6e6, principal=3e6, **more)
    alone = Scenario(scenario.flows, scenario.watched, lane, scenario.rates)
    deal = RandomDeal(made, inputs, ((), ()), (alone,))
    machine, results = run_engine(deal)
    expected = reference_deal.run(made, inputs, alone.flows, alone.watched, ((), ()), lane, alone.rates)
    check(deal, machine, results[0], expected)


@given(damaged(), st.sampled_from(list(RATES)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_that_a_damaged_document_that_is_read_pays_what_the_reference_pays(data: Any, case: str) -> None:
    made = answer(data)
    if made is None:
        return
    days, scenario = demo_pool(case)
    inputs = terms_of(made, days, {i.id: min(i.default, 1e15) for i in made.inputs}, interest=6e6, principal=3e6)
    deal = RandomDeal(made, inputs, ((), ()), (scenario,))
    machine, results = run_engine(deal)
    expected = reference_deal.run(
        made, inputs, scenario.flows, scenario.watched, ((), ()), scenario.lane, scenario.rates
    )
    check(deal, machine, results[0], expected)
    cash = results[0].cash
    assert cash[:, -1] == pytest.approx(cash[:, -2], abs=0.01)
