"""Small worlds for the tests of the engine: loans, documents, deals. The engine is run by engine.validation.harness."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from engine.asset import Asset
from engine.terms import Account, Book, CurveNode
from engine.waterfall import Document, read_document

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ("us-2014-pari-passu-b", "us-2024-class-x")


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def template(name: str) -> dict[str, Any]:
    """A shipped waterfall as plain data."""
    return yaml.safe_load((ROOT / "resources" / "waterfalls" / f"{name}.yaml").read_text(encoding="utf-8"))


def document(name: str) -> Document:
    return read_document(template(name))


def assumed_terms() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "resources" / "assumed_terms.yaml").read_text(encoding="utf-8"))


# --- loans -------------------------------------------------------------------------------------------------------


def loan(asset_id: str = "L1", **changes: Any) -> Asset:
    """A quarterly floating loan of 2014 to 2017, as in cases AST-1 and AST-4."""
    plain: dict[str, Any] = {
        "asset_id": asset_id,
        "issuer_id": asset_id,
        "maturity": day("2017-09-29"),
        "coupon_type": "FLOAT",
        "payment_frequency": 4,
        "coupon_spread": 0.0375,
        "index_floor": 0.01,
        "coupon": 0.0475,
        "dated_date": day("2014-09-17"),
        "first_payment_date": day("2014-12-31"),
        "day_count": "ACTUAL/360",
        "business_day_convention": "Mod Following",
        "payment_eom": True,
        "market_value": 100.0,
    }
    return Asset(**(plain | changes))


# --- whole deals -------------------------------------------------------------------------------------------------


def harbor() -> Book:
    from resources.demo.generate import make_book

    return make_book()


def mag17(shared: Path) -> Book:
    """The real deal's workbook with the published curve; terms it lacks are assumed (they stand in the result)."""
    from clo_desktop.sheets.read import read_book

    folder = shared / "data" / "mag17"
    book = read_book(folder / "mag17_workbook.xlsx", "MAG17").book
    assert book is not None
    lines = (folder / "market_curve_2016-03-23.csv").read_text(encoding="utf-8").splitlines()[1:]
    cells = [line.split(",") for line in lines]
    nodes = [CurveNode(float(c[1]), float(c[2])) for c in cells if c[0] == "USD LIBOR"]
    # beyond a year only Treasury yields are published: carried with the one-year gap to LIBOR
    treasury = {float(c[1]): float(c[2]) for c in cells if c[0] == "US Treasury par"}
    gap = nodes[-1].rate - treasury[nodes[-1].months]
    nodes += [CurveNode(months, rate + gap) for months, rate in treasury.items() if months > nodes[-1].months]
    return replace(book, reference=replace(book.reference, curve=tuple(nodes)))


def with_cash(book: Book, *, interest: float, principal: float) -> Book:
    """The deal with other collections in hand and nothing in other accounts."""
    accounts = (Account(2, "Collection", interest, principal),)
    return replace(book, deal=replace(book.deal, accounts=accounts))


def with_input(book: Book, label: str, value: Any, block: str = "clo_inputs") -> Book:
    """The deal with one label of a block changed (None: taken out)."""
    kept = tuple(pair for pair in getattr(book.deal, block) if pair[0] != label)
    changed = kept if value is None else (*kept, (label, value))
    return replace(book, deal=replace(book.deal, **{block: changed}))
