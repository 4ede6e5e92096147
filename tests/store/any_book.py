"""Books as hypothesis draws them: any text, any finite number, any date, and missing everywhere it may be."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from hypothesis import strategies as st

from clo_desktop.store.rows import BLOCKS
from engine.asset import COLUMNS, Asset, Kind
from engine.terms import (
    Account,
    Book,
    CashFlowAssumption,
    CurveNode,
    Deal,
    Fee,
    Fixing,
    Holding,
    ObjectiveWeight,
    PaymentDate,
    Reference,
    Sink,
    TestLimit,
    Tranche,
)

AWKWARD = (0.0, -0.0, 0.1 + 0.2, 1e308, -1e308, 5e-324, 2.0**53, 2.0**53 + 2, 1 / 3, 99.99999999999999, 1e-17)

TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "  padded  ", "0", "None", "NULL", "'; DROP TABLE deals; --", "Ä€\u2009–\n\t", "🏦", "1e5"]
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)
NUMBERS = st.one_of(
    st.sampled_from(AWKWARD), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(10**9), 10**9)
)
FLAGS = st.booleans()
DATES = st.dates()
COUNTS = st.integers(-(2**31) + 1, 2**31 - 1)
VALUES = st.one_of(st.none(), TEXTS, NUMBERS, FLAGS, DATES)

_BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "float": NUMBERS,
    "bool": FLAGS,
    "int": COUNTS,
    "dt.date": DATES,
    "Value": VALUES,
    "Labelled": st.lists(st.tuples(TEXTS, VALUES), max_size=4).map(tuple),
}


def records(kind: type[Any], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records of a dataclass of scalars, by the types it declares."""
    drawn: dict[str, st.SearchStrategy[Any]] = {}
    for field in dataclasses.fields(kind):
        plain = str(field.type).removesuffix(" | None")
        strategy = _BY_TYPE[plain]
        drawn[field.name] = strategy if plain == field.type else st.none() | strategy
    return st.builds(kind, **(drawn | fixed))


def rows(kind: type[Any], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(records(kind, **fixed), max_size=3).map(tuple)


def _master(ids: list[str]) -> st.SearchStrategy[dict[str, Asset]]:
    return st.tuples(*(records(Asset, asset_id=st.just(key)) for key in ids)).map(
        lambda assets: {a.asset_id: a for a in assets}
    )


@st.composite
def books(draw: st.DrawFn, name: st.SearchStrategy[str] = TEXTS) -> Book:
    ids = draw(st.lists(TEXTS, max_size=4, unique=True))
    held = rows(Holding, asset_id=st.sampled_from(ids)) if ids else st.just(())
    deal = draw(
        st.builds(
            Deal,
            name=name,
            currency=TEXTS,
            **dict.fromkeys(BLOCKS, _BY_TYPE["Labelled"]),
            holdings=held,
            accounts=rows(Account),
            original_index=st.none() | NUMBERS,
            current_index=st.none() | NUMBERS,
            limits=rows(TestLimit),
            weights=rows(ObjectiveWeight),
            subordinated_payments=st.lists(st.tuples(DATES, st.none() | NUMBERS), max_size=3).map(tuple),
            schedule=rows(PaymentDate),
            tranches=rows(Tranche),
            fees=rows(Fee),
        )
    )
    reference = draw(
        st.builds(
            Reference,
            holidays=st.lists(DATES, max_size=3).map(tuple),
            fixings=rows(Fixing),
            vectors=st.lists(st.tuples(TEXTS, st.lists(st.none() | NUMBERS, max_size=3).map(tuple)), max_size=3).map(
                tuple
            ),
            sinks=rows(Sink),
            curve=rows(CurveNode),
            assumptions=rows(CashFlowAssumption),
        )
    )
    return Book(deal, draw(_master(ids)), reference)


def large_book(name: str, size: int) -> Book:
    """A book of `size` assets, all of them held, with every column filled."""
    filled: dict[Kind, Any] = {
        Kind.FLAG: True,
        Kind.DATE: dt.date(2030, 6, 15),
        Kind.COUNT: 4,
        Kind.MONEY: 1_234_567.89,
        Kind.PRICE: 99.125,
        Kind.RATE: 0.0375,
        Kind.SHARE: 0.45,
        Kind.YEARS: 4.25,
    }
    values = {c.name: filled.get(c.kind, f"a {c.title}") for c in COLUMNS}
    assets = {f"LX{i:06}": Asset(**(values | {"asset_id": f"LX{i:06}"})) for i in range(size)}
    deal = Deal(
        name,
        current_dates=(("Analysis date", dt.date(2016, 3, 24)),),
        holdings=tuple(Holding(key, 1_000_000.0 + i) for i, key in enumerate(assets)),
        accounts=(Account(2, "Collection", 1.0, 250_000.0),),
        tranches=tuple(Tranche(c, 1e8, 1e8) for c in "ABCDEF"),
        schedule=tuple(PaymentDate(dt.date(2016 + i // 4, 1 + 3 * (i % 4), 15)) for i in range(50)),
    )
    return Book(deal, assets)
