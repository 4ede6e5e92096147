"""The deal at its coming collection ends: par against the flows of single assets, cash conserved, lives run down."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache

import pytest

from engine import dates, study
from engine.assumptions import Assumptions
from engine.model import Model
from engine.projection import choose_document
from engine.studies.forward import MOST, as_due
from engine.terms import Book
from resources import library
from tests.engine.builders import harbor


@cache
def model() -> Model:
    return model_of(harbor())


def model_of(book: Book) -> Model:
    return Model(book, choose_document(book, library.waterfalls()), library.assumed_terms())


@cache
def coming() -> tuple[Book, ...]:
    return as_due(model())


def test_that_the_dates_are_the_next_collection_ends() -> None:
    ends = [row.collection_end for row in model().structure.schedule if row.collection_end]
    after = [end for end in ends if end > model().structure.analysis][:MOST]
    assert [then.deal.analysis_date for then in coming()] == after


def test_that_every_par_is_what_the_scheduled_flows_of_the_asset_leave() -> None:
    flows = model().asset_flows(Assumptions(cpr=0.0, cdr=0.0))
    for then in coming():
        day = then.deal.analysis_date
        assert day is not None
        held = {h.asset_id: h.par for h in then.deal.holdings}
        for i, holding in enumerate(model().book.deal.holdings):
            paid = sum(
                float(flows.flows[row, 1] - flows.flows[row, 7])  # scheduled less capitalised
                for row in (flows.loan == i).nonzero()[0]
                if dates.from_serial(int(flows.payment[row])) <= day
            )
            assert held.get(holding.asset_id, 0.0) == pytest.approx(holding.par - paid, abs=1e-6)


def test_that_what_leaves_the_par_is_principal_cash_but_for_what_is_capitalised() -> None:
    flows, _ = model().loan_flows(Assumptions(cpr=0.0, cdr=0.0))
    added = flows[:, :, 7].sum(axis=0).cumsum()
    now = model().book.deal
    for row, then in enumerate(coming()):
        assert then.deal.par + then.deal.principal_cash == pytest.approx(
            now.par + now.principal_cash + added[row], abs=1e-3
        )


def test_that_the_life_of_a_bullet_runs_down_by_the_days_and_the_deal_is_not_touched() -> None:
    before = harbor()
    start = model().structure.analysis
    for then in coming():
        day = then.deal.analysis_date
        assert day is not None
        pars = {h.asset_id: h.par for h in before.deal.holdings}
        whole = [h.asset_id for h in then.deal.holdings if h.par == pars[h.asset_id]]
        assert whole
        for key in whole:
            was, now = before.assets[key].wal, then.assets[key].wal
            if was is not None:
                assert now == pytest.approx(max(was - (day - start).days / 365.0, 0.0))
    assert model().book == before


def test_that_a_loan_that_falls_due_is_cash_and_in_no_test_any_more() -> None:
    book = harbor()
    first = book.deal.holdings[0].asset_id
    asset = replace(book.assets[first], maturity=dt.date(2025, 6, 1))
    then = as_due(model_of(replace(book, assets={**book.assets, first: asset})))[1]
    assert first not in {h.asset_id for h in then.deal.holdings}
    done = study.comply(then, library.catalogue())
    assert done.as_of == then.deal.analysis_date
    assert first not in {a.asset_id for a in done.pool.assets}
