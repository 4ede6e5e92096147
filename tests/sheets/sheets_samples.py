"""Made-up deals for the tests of the sheets, and strategies that generate them."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from clo_desktop.faults import Fault
from clo_desktop.sheets import parse
from clo_desktop.sheets.grid import same
from clo_desktop.sheets.read import Reading
from clo_desktop.sheets.write import write_book
from engine.asset import COLUMNS, Asset, Column, Kind
from engine.ratings import MOODYS, SP
from engine.terms import (
    ACCOUNT_NAMES,
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

DEAL = "Sample 1"
INPUTS = "Sample 1 Inputs"


def errors(reading: Reading) -> list[tuple[str, str]]:
    """Sheet and cell of each error."""
    return [(f.sheet, f.cell) for f in reading.errors]


def only(reading: Reading) -> Fault:
    """The one fault there is."""
    assert len(reading.faults) == 1, reading.faults
    return reading.faults[0]


def asset(asset_id: str = "LX000001", **changes: object) -> Asset:
    values: dict[str, object] = {
        "asset_id": asset_id,
        "issue_name": "Oak Foods",
        "issuer_name": "Oak Foods",
        "issuer_id": "OAK",
        "bond_loan": "LOAN",
        "maturity": dt.date(2029, 6, 30),
        "coupon_type": "FLOAT",
        "payment_frequency": 4,
        "coupon_spread": 0.0375,
        "moodys_industry": "Retail",
        "sp_industry": "Retailers",
        "country": "USA",
        "currency": "USD",
        "market_value": 99.25,
        "moodys_rating": "B2",
    }
    return Asset(**{**values, **changes})


def book(assets: int = 8) -> Book:
    """A small deal that imports without any fault."""
    master = {f"LX{i:06}": asset(f"LX{i:06}", issuer_id=f"OBL{i}") for i in range(1, assets + 1)}
    deal = Deal(
        name=DEAL,
        current_dates=(("Analysis date", dt.date(2026, 3, 31)), ("Next Payment Date", dt.date(2026, 4, 20))),
        dates=(
            ("Closing Date", dt.date(2024, 3, 31)),
            ("Stated Maturity", dt.date(2037, 4, 20)),
            ("Payment Day", 20.0),
        ),
        holdings=tuple(Holding(key, 1_000_000.5 + i) for i, key in enumerate(master)),
        accounts=(Account(1, "Payment"), Account(2, "Collection", 1234.5, -67.89)),
        original_index=0.0431,
        current_index=0.0432,
        limits=(TestLimit(1, "Senior secured", "MIN", 0.9, None, 0.97), TestLimit(36, "Rating factor", "MAX", 2900.0)),
        quality_inputs=(("WARF Factor", 67.0), ("Weighted Average Spread", 0.044)),
        weights=(ObjectiveWeight(33, "Recovery", 0.45, 0.6),),
        cash_flow_inputs=(("A Liquidation Price", 0.96), ("Reinvestment CDR", "QTR_CDR_1")),
        subordinated_payments=((dt.date(2026, 1, 20), None), (dt.date(2026, 4, 20), 5.5)),
        clo_inputs=(("Current LIBOR", 0.0432), ("Waterfall", "mag17"), ("Incentive Management Fee", None)),
        schedule=(PaymentDate(dt.date(2026, 4, 20), dt.date(2026, 1, 18)), PaymentDate(dt.date(2026, 7, 20))),
        tranches=(
            Tranche("Class A", 6e6, 6e6, 0.0, 1.0, 0.0155, 0.0155, False, 1.2, 1.1, "Actual/360", False, "Floating"),
            Tranche("Sub Notes", 2e6, 2e6, 0.0, 0.5, is_equity=True),
        ),
        fees=(Fee("Trustee Fee", "BEGINNING", 0.0, 1e5, "30/360", 0.0003, False, None), Fee("Admin Fee")),
    )
    data = Reference(
        holidays=(dt.date(2026, 1, 1), dt.date(2026, 12, 25)),
        fixings=(Fixing(dt.date(2026, 3, 30), "3 MONTH LIBOR", 0.002426),),
        vectors=(("QTR_CPR_1", (0.2, 0.21, 0.22)), ("QTR_CDR_1", (None, 0.02))),
        sinks=(Sink("LX000001", dt.date(2026, 6, 30), 2500.0),),
        curve=(CurveNode(1.0, 0.0431), CurveNode(3.0, 0.0433)),
        assumptions=(CashFlowAssumption("ALL", "QTR_CPR_1", 0.02, 0.3, 6.0), CashFlowAssumption("REINVEST")),
    )
    return Book(deal, master, data)


def written(folder: Path, change: Callable[[Workbook], None] | None = None, content: Book | None = None) -> Path:
    """A workbook of the sample deal, changed by `change`."""
    path = folder / "deal.xlsx"
    write_book(content or book(), path)
    if change is not None:
        workbook = load_workbook(path)
        change(workbook)
        workbook.save(path)
    return path


def repacked(source: Path, target: Path, change: dict[str, bytes | None]) -> Path:
    """The package with some parts replaced, added, or (None) left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = change.pop(name) if name in change else old.read(name)
            if content is not None:
                new.writestr(name, content)
        for name, content in change.items():
            if content is not None:
                new.writestr(name, content)
    return target


# ---- generated books ----

TEXT = (
    st.text(st.characters(exclude_categories=("Cs", "Cn")), min_size=1, max_size=30)
    .map(str.strip)
    .filter(lambda t: bool(t) and t.casefold() not in parse.ERROR_VALUES)
)
FREE_TEXT = TEXT.filter(lambda t: parse.text_number(t, parse.ANY) is None)
DATE = st.dates(dt.date(1901, 1, 1), dt.date(2199, 12, 31))
MONEY = st.floats(0, 1e12, allow_nan=False)
BALANCE = st.floats(-1e12, 1e12, allow_nan=False)
RATE = st.floats(-1, 1, allow_nan=False)
SHARE = st.floats(0, 1, allow_nan=False)
ANY = st.floats(-1e15, 1e15, allow_nan=False)
IDS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=2, max_size=12).filter(lambda t: t.casefold() != "na")


def values_of(column: Column) -> st.SearchStrategy[object]:
    kinds: dict[Kind, st.SearchStrategy[object]] = {
        Kind.TEXT: TEXT.filter(lambda t: column.name != "country" or len(t) > 4),
        Kind.FLAG: st.booleans(),
        Kind.DATE: DATE,
        Kind.MONEY: MONEY,
        Kind.RATE: RATE,
        Kind.SHARE: SHARE,
        Kind.PRICE: st.floats(0, 1000),
        Kind.YEARS: st.floats(0, 100),
        Kind.MOODYS: st.sampled_from([*MOODYS, "NR"]),
        Kind.SP: st.sampled_from([*SP, "NR"]),
    }
    if column.kind is Kind.COUNT:
        return st.sampled_from([int(c) for c, _ in column.choices])
    if column.kind is Kind.CHOICE:
        return st.sampled_from([c for c, _ in column.choices])
    return kinds[column.kind]


def assets_of(asset_id: str) -> st.SearchStrategy[Asset]:
    columns = {c.name: values_of(c) if c.required else st.none() | values_of(c) for c in COLUMNS[1:]}
    return st.fixed_dictionaries(columns).map(lambda values: Asset(asset_id=asset_id, **values))


def _labelled(*known: tuple[str, st.SearchStrategy[object]]) -> st.SearchStrategy[tuple[tuple[str, object], ...]]:
    label = FREE_TEXT.map(lambda t: f"Own {t}")
    free = st.tuples(label, st.none() | FREE_TEXT | ANY | st.booleans() | DATE)
    named = [st.tuples(st.just(name), st.none() | values) for name, values in known]
    return st.lists(st.one_of(free, *named), max_size=5, unique_by=lambda pair: same(pair[0])).map(tuple)


OPTIONAL_DATE = st.none() | DATE
TRANCHE = st.builds(
    Tranche,
    FREE_TEXT.filter(lambda t: t.casefold() not in ("na", "n/a", "n.a.")),
    MONEY,
    MONEY,
    MONEY,
    st.none() | st.floats(0, 2),
    st.none() | RATE,
    st.none() | RATE,
    st.none() | st.booleans(),
    st.none() | st.floats(0, 10),
    st.none() | st.floats(0, 10),
    st.none() | st.sampled_from(["Actual/360", "30/360"]),
    st.booleans(),
    st.none() | st.sampled_from(["Fixed", "Floating"]),
    st.none() | RATE,
)
FEE = st.builds(
    Fee,
    FREE_TEXT,
    st.none() | st.sampled_from(["BEGINNING", "AVERAGE"]),
    st.none() | MONEY,
    st.none() | MONEY,
    st.none() | FREE_TEXT,
    st.none() | RATE,
    st.none() | st.booleans(),
    st.none() | RATE,
)
VECTOR = st.lists(st.none() | ANY, max_size=5).map(
    lambda values: tuple(values[: max((i + 1 for i, v in enumerate(values) if v is not None), default=0)])
)
CELL = st.none() | ANY | FREE_TEXT | st.booleans() | DATE
REFERENCE = st.builds(
    Reference,
    st.lists(DATE, max_size=4).map(tuple),
    st.lists(st.builds(Fixing, DATE, FREE_TEXT, RATE), max_size=3).map(tuple),
    st.lists(st.tuples(FREE_TEXT, VECTOR), max_size=12, unique_by=lambda v: v[0]).map(tuple),
    st.lists(st.builds(Sink, IDS, DATE, BALANCE), max_size=3).map(tuple),
    st.lists(st.builds(CurveNode, st.floats(0, 1200), RATE), max_size=3).map(tuple),
    st.lists(st.builds(CashFlowAssumption, IDS, CELL, CELL, CELL, CELL), max_size=3).map(tuple),
)


def _numbered(
    make: Callable[[int], st.SearchStrategy[object]], numbers: range
) -> st.SearchStrategy[tuple[object, ...]]:
    chosen = st.lists(st.sampled_from(numbers), max_size=5, unique=True)
    return chosen.flatmap(lambda ns: st.tuples(*[make(n) for n in ns]))


def _limit(number: int) -> st.SearchStrategy[TestLimit]:
    value = st.none() | (SHARE if number < 35 else ANY)
    return st.builds(
        TestLimit, st.just(number), FREE_TEXT, st.sampled_from(["MIN", "MAX"]), value, value, st.none() | ANY
    )


@st.composite
def books(draw: st.DrawFn) -> Book:
    ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    master = {asset_id: draw(assets_of(asset_id)) for asset_id in ids}
    held = draw(st.lists(st.sampled_from(ids), unique=True))
    name = draw(st.text("ABCDEFG 0123456789", min_size=1, max_size=12).map(str.strip).filter(bool))
    deal = Deal(
        name=name,
        currency=draw(st.sampled_from(["USD", "EUR", "GBP"])),
        current_dates=draw(_labelled(("Analysis date", DATE), ("Next Payment Date", DATE))),
        dates=draw(_labelled(("Closing Date", DATE), ("Payment Day", st.floats(1, 31)))),
        holdings=tuple(Holding(asset_id, draw(MONEY)) for asset_id in held),
        accounts=draw(_numbered(lambda n: st.builds(Account, st.just(n), FREE_TEXT, BALANCE, BALANCE), range(1, 10))),
        original_index=draw(st.none() | RATE),
        current_index=draw(st.none() | RATE),
        limits=draw(_numbered(_limit, range(1, 55))),
        quality_inputs=draw(_labelled(("WARF Factor", ANY), ("Weighted Average Spread", RATE))),
        weights=draw(
            _numbered(
                lambda n: st.builds(ObjectiveWeight, st.just(n), FREE_TEXT, st.none() | ANY, st.none() | ANY),
                range(1, 55),
            )
        ),
        cash_flow_inputs=draw(_labelled(("Reinvestment CDR", FREE_TEXT))),
        subordinated_payments=tuple(draw(st.lists(st.tuples(DATE, st.none() | BALANCE), max_size=3))),
        clo_inputs=draw(_labelled(("Current LIBOR", RATE), ("Waterfall", FREE_TEXT))),
        schedule=tuple(
            draw(st.lists(st.builds(PaymentDate, DATE, OPTIONAL_DATE, OPTIONAL_DATE, OPTIONAL_DATE), max_size=3))
        ),
        tranches=tuple(draw(st.lists(TRANCHE, max_size=11, unique_by=lambda t: same(t.name)))),
        fees=tuple(draw(st.lists(FEE, max_size=3))),
    )
    return Book(deal, master, draw(st.just(Reference()) | REFERENCE))


assert set(ACCOUNT_NAMES) == set(range(1, 10))
