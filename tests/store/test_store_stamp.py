"""Whether a deal was changed is told without reading it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import Store
from engine.asset import Asset
from engine.terms import Book, Deal, Holding


def book(name: str, price: float, par: float = 1.0) -> Book:
    return Book(Deal(name, holdings=(Holding("A", par),)), {"A": Asset(asset_id="A", market_value=price)})


def test_that_a_change_of_the_deal_or_of_its_assets_by_any_deal_stamps_it_anew(store: Store) -> None:
    store.save(book("One", 99.0))
    stamps = [store.stamp("One")]
    for changed in (book("One", 98.0), book("One", 98.0, 2.0), book("Two", 97.0)):
        store.save(changed)
        stamps.append(store.stamp("One"))
    assert len(set(stamps)) == 4
    store.save(replace(book("Three", 1.0), deal=Deal("Three"), assets={"B": Asset(asset_id="B")}))
    assert store.stamp("One") == stamps[-1]
    with pytest.raises(Refused, match="One, Three, Two"):
        store.stamp("Nowhere")
