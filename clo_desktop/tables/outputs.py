"""Tables of the engine's output as frames. No Qt."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from clo_desktop.tables.frame import Column, Frame, Total
from engine.outputs import Field, Table, Unit

_KINDS: Final = {Unit.FLAG: "flag", Unit.TEXT: "text"}


def frame_of(table: Table, *, key: str, without: Collection[str] = ()) -> Frame:
    """A frame of a table's columns, named as they are; only what adds up over the rows has a total.

    key      a column whose values are distinct
    without  columns that are left out
    """
    shown = [c for c in table.columns if c.name == key or c.name not in without]
    data = {c.name: c.values if c.unit is not Unit.FLAG else c.values.tolist() for c in shown}
    return Frame([_column(c) for c in shown], data, key=key, currency=table.currency)


def _column(field: Field) -> Column:
    total = Total.SUM if field.adds else Total.NONE
    return Column(field.name, field.name, _KINDS.get(field.unit, field.unit.value), total=total)
