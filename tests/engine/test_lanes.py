"""Many scenarios at once: the same figures as one by one, whatever the chunks and threads."""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.assumptions import Assumptions
from engine.model import Model
from engine.projection import choose_document
from resources import library
from tests.engine.builders import harbor


@cache
def model() -> Model:
    book = harbor()
    return Model(book, choose_document(book, library.waterfalls()), library.assumed_terms())


rates = st.floats(0.0, 0.4)
scenarios = st.builds(
    Assumptions,
    cpr=rates | st.none(),
    cdr=rates | st.none(),
    severity=st.floats(0.0, 1.0) | st.none(),
    lag=st.sampled_from([None, 0.0, 6.0, 12.0]),
    sale_price=st.floats(50.0, 110.0) | st.none(),
    rate_shift=st.sampled_from([0.0, 0.01, -0.005]),
    call_date=st.sampled_from([None, dt.date(2027, 7, 15), dt.date(2031, 1, 20)]),
    call_below=st.sampled_from([None, 0.005, 0.02]),
    clean_up=st.sampled_from([None, 0.1, 0.3]),
    reinvest=st.booleans(),
    recover_after_maturity=st.booleans(),
)


@given(st.lists(scenarios, min_size=1, max_size=7), st.integers(1, 3), st.integers(1, 4))
@settings(max_examples=25)
def test_that_totals_do_not_depend_on_chunks_and_threads(cases: list[Assumptions], chunk: int, threads: int) -> None:
    one = model().totals(cases)
    other = model().totals(cases, chunk=chunk, threads=threads)
    for mine, theirs in zip(one.arrays, other.arrays, strict=True):
        assert np.array_equal(mine, theirs, equal_nan=True)


@given(scenarios)
@settings(max_examples=25)
def test_that_totals_are_the_sums_of_a_full_run(case: Assumptions) -> None:
    totals = model().totals([case])
    full = model().run(case)
    r = full.result
    assert totals.interest[0] == pytest.approx(r.interest.sum(axis=0), rel=1e-12, abs=1e-6)
    assert totals.deferred[0] == pytest.approx(r.deferred_paid.sum(axis=0), rel=1e-12, abs=1e-6)
    assert totals.principal[0] == pytest.approx(r.principal.sum(axis=0), rel=1e-12, abs=1e-6)
    paid = full.paid(full.equity)
    assert totals.equity[0, : paid.size] == pytest.approx(paid, rel=1e-12, abs=1e-6)
    assert not totals.equity[0, paid.size :].any()
    irr = totals.equity_irr()[0]
    if full.equity_irr is None:
        assert np.isnan(irr)
    else:
        assert irr == pytest.approx(full.equity_irr, abs=1e-9)


@given(scenarios)
@settings(max_examples=25)
def test_that_sources_are_uses_on_every_date_of_the_demo_deal(case: Assumptions) -> None:
    run = model().run(case)
    assert run.sources == pytest.approx(run.uses, abs=0.01)


def test_that_a_grid_tells_its_progress_and_can_be_stopped() -> None:
    told: list[float] = []

    def stop(fraction: float, _what: str) -> None:
        told.append(fraction)
        if len(told) == 2:
            raise KeyboardInterrupt

    cases = [Assumptions(cdr=0.01 * k) for k in range(8)]
    with pytest.raises(KeyboardInterrupt):
        model().totals(cases, chunk=2, report=stop)
    assert told == [0.25, 0.5]


def test_that_no_scenario_gives_no_totals() -> None:
    assert model().totals([]).interest.shape == (0, len(model().book.deal.tranches))
