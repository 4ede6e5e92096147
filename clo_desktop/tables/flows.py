"""The tables of a projection: what each payment date brought to classes, tests, fees and the pool. No Qt.

A table more is a builder more: `TABLES` is what the Cash flows pane has tabs for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clo_desktop.look.formats import Show
from clo_desktop.look.outcome import spelled
from clo_desktop.tables.frame import Column, Frame, Total
from engine import cash
from engine.asset import Kind
from engine.loans.columns import FLOW_NAMES
from engine.projection import Projection
from engine.tables import cash_columns, flow_columns

_DATE: Final = Column("date", "Payment date", Kind.DATE.value)
_CLASS_ROWS: Final = (
    ("interest", "interest"),
    ("deferred_paid", "deferred interest paid"),
    ("principal", "principal"),
    ("deferred", "deferred balance"),
    ("unpaid", "unpaid interest"),
    ("balance", "balance"),
)
_BALANCES: Final = frozenset({"deferred", "unpaid", "balance"})
Data = dict[str, NDArray[Any]]


def _by_date(flows: Projection | None) -> tuple[list[Column], Data]:
    """Columns and data of a table with a row a payment date, so far only the date."""
    days = () if flows is None else flows.payment_dates
    return [_DATE], {"date": np.array(days, dtype="datetime64[D]")}


def classes_frame(flows: Projection | None) -> tuple[Frame, dict[str, tuple[str, ...]]]:
    """Flows and balances of every class by date, and a column set for each class."""
    columns, data = _by_date(flows)
    if flows is None:
        return Frame(columns, data, key="date"), {}
    sets: dict[str, tuple[str, ...]] = {}
    for k, tranche in enumerate(flows.tranches):
        names = []
        for attribute, word in _CLASS_ROWS:
            values = getattr(flows.result, attribute)[:, k]
            if attribute == "unpaid" and not values.any():
                continue
            name = f"{attribute}_{k}"
            total = Total.NONE if attribute in _BALANCES else Total.SUM
            columns.append(Column(name, f"{tranche.name} {word}", Kind.MONEY.value, total=total))
            data[name] = values
            names.append(name)
        sets[tranche.name] = ("date", *names)
    paid = [n for n in data if n.split("_")[0] in ("interest", "principal")]
    frame = Frame(columns, data, key="date")
    return frame, {"Payments": ("date", *paid), **sets, "All": tuple(data)}


def payee(flows: Projection, table: str, column: str) -> str | None:
    """Name of the class or fee that a column of a table is about; None where it is about neither.

    table  "Classes" or a title of `TABLES`
    """
    kind, _, place = column.rpartition("_")
    if column == "incentive" or (table == "Sources and uses" and column == f"cash_{cash.INCENTIVE_FEE}"):
        return cash.CASH_NAMES[cash.INCENTIVE_FEE]
    if not place.isdigit():
        return None
    if table == "Classes":
        return flows.tranches[int(place)].name
    if table == "Fees" or kind == "fee":
        return flows.document.fees[int(place)].name
    return None


def coverage_frame(flows: Projection | None) -> Frame:
    """Ratio, trigger, numerator and denominator of every coverage test by date."""
    columns, data = _by_date(flows)
    for k, test in enumerate(() if flows is None else flows.document.tests):
        assert flows is not None
        r = flows.result
        parts = (
            ("ratio", Show.RATIO.value, r.ratio[:, k]),
            ("trigger", Show.RATIO.value, r.trigger[:, k]),
            ("numerator", Kind.MONEY.value, r.numerator[:, k]),
            ("denominator", Kind.MONEY.value, r.denominator[:, k]),
        )
        for word, kind, values in parts:
            columns.append(Column(f"{word}_{k}", f"{spelled(test.id)} {word}", kind, total=Total.NONE))
            data[f"{word}_{k}"] = np.where(np.isfinite(values), values, np.nan)
    return Frame(columns, data, key="date")


_FLOWING: Final = frozenset(range(cash.INDEX)) | frozenset(range(cash.EXPENSES, len(cash.CASH_NAMES)))
"""Columns of the cash table that add up over dates; the others are rates and balances."""


def cash_frame(flows: Projection | None) -> Frame:
    """Proceeds, fees and uses by date; sources equal uses on every row."""
    columns, data = _by_date(flows)
    if flows is None:
        return Frame(columns, data, key="date")
    for k in cash_columns(flows.document):
        kind = Kind.RATE.value if k == cash.INDEX else Kind.MONEY.value
        total = Total.SUM if k in _FLOWING else Total.NONE
        columns.append(Column(f"cash_{k}", cash.CASH_NAMES[k], kind, total=total))
        data[f"cash_{k}"] = flows.result.cash[:, k]
    for k, fee in enumerate(flows.structure.fees):
        columns.append(Column(f"fee_{k}", f"{fee.name} paid", Kind.MONEY.value))
        data[f"fee_{k}"] = flows.result.fee_paid[:, k]
    for k, account in enumerate(flows.document.accounts):
        title = f"Account {account.id.replace('_', ' ')}"
        columns.append(Column(f"account_{k}", title, Kind.MONEY.value, total=Total.NONE, tip="Balance after the date"))
        data[f"account_{k}"] = flows.result.accounts[:, k]
    return Frame(columns, data, key="date")


def fees_frame(flows: Projection | None) -> Frame:
    """What each fee accrued, was paid and is owed, by date."""
    columns, data = _by_date(flows)
    for k, fee in enumerate(() if flows is None else flows.structure.fees):
        assert flows is not None
        r = flows.result
        for word, values in (("accrued", r.fee_accrued), ("paid", r.fee_paid), ("unpaid", r.fee_unpaid)):
            total = Total.NONE if word == "unpaid" else Total.SUM
            columns.append(Column(f"{word}_{k}", f"{fee.name} {word}", Kind.MONEY.value, total=total))
            data[f"{word}_{k}"] = values[:, k]
    if flows is not None:
        columns.append(Column("incentive", cash.CASH_NAMES[cash.INCENTIVE_FEE], Kind.MONEY.value))
        data["incentive"] = flows.result.cash[:, cash.INCENTIVE_FEE]
    return Frame(columns, data, key="date")


def collections_frame(flows: Projection | None) -> Frame:
    """What the present pool and what was reinvested brought, by collection period."""
    columns, data = _by_date(flows)
    if flows is None:
        return Frame(columns, data, key="date")
    for source, word, values in (
        ("pool", "", flows.collateral),
        ("bought", "Reinvested: ", flows.result.reinvested_flows),
    ):
        for k in flow_columns(flows):
            name = FLOW_NAMES[k].lower() if word else FLOW_NAMES[k]
            columns.append(Column(f"{source}_{k}", f"{word}{name}", Kind.MONEY.value))
            data[f"{source}_{k}"] = values[:, k]
    return Frame(columns, data, key="date")


TABLES: Final[Mapping[str, Callable[[Projection | None], Frame]]] = {
    "Coverage tests": coverage_frame,
    "Sources and uses": cash_frame,
    "Fees": fees_frame,
    "Collections": collections_frame,
}
"""Tabs of the Cash flows pane beside the classes: title, and what makes the table."""
