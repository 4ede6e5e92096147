"""The risk block of the classes (spec: engine 4.4, 4.5, 10): what each is worth by its own price and margin."""

from __future__ import annotations

from dataclasses import dataclass

from engine.model import Model
from engine.outputs.run import run_tables
from engine.outputs.table import Table, Unit, field
from engine.projection import Projection
from engine.valuation.classes import ClassValue, curve_of, note_of, value_classes
from engine.valuation.note import Quote, Style


@dataclass(frozen=True, slots=True)
class _Line:
    """A class with the price that its own discount margin gives, percent of par."""

    value: ClassValue
    price: float | None
    margin: float | None
    price_of_margin: float | None


def risk_table(model: Model, flows: Projection) -> Table:
    """Prices, yields, margins and lives of the classes; missing where the deal gives no price or margin."""
    curve = curve_of(model, flows.assumptions)
    values = value_classes(flows, curve)
    lines = []
    for k, (tranche, value) in enumerate(zip(flows.tranches, values.classes, strict=True)):
        price = None if tranche.price is None else tranche.price * 100.0
        margin, of_margin = tranche.discount_margin, None
        if margin is not None and value.claim > 0.0:
            of_margin = note_of(flows, k, curve).price(Quote(Style.MARGIN, margin))
        lines.append(_Line(value, price, margin, of_margin))
    by_price = [line.value if line.price is not None else None for line in lines]
    columns = (
        field("Class", Unit.TEXT, [line.value.name for line in lines]),
        field("Price", Unit.PRICE, [line.price for line in lines]),
        field("Discount margin", Unit.RATE, [line.margin for line in lines]),
        field("Yield at the price", Unit.RATE, [v and v.yield_quarterly for v in by_price]),
        field("Discount margin at the price", Unit.RATE, [v and v.discount_margin for v in by_price]),
        field("Price at the discount margin", Unit.PRICE, [line.price_of_margin for line in lines]),
        field("WAL", Unit.YEARS, [line.value.wal for line in lines]),
        field("Macaulay duration", Unit.YEARS, [line.value.macaulay for line in lines]),
        field("Modified duration", Unit.YEARS, [line.value.modified for line in lines]),
    )
    title = f"Prices and risk of the classes of {flows.deal}, settled on {values.settlement}"
    return Table("risk", "Deal CF-Risk", title, flows.currency, columns)


def deal_tables(model: Model, flows: Projection) -> tuple[Table, ...]:
    """Every table of a run of the model, in the order of the report."""
    return (*run_tables(flows), risk_table(model, flows))
