"""The cash flows of one asset below the table of positions."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtWidgets import QWidget

from clo_desktop.look import formats
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.outputs import frame_of
from clo_desktop.tables.panel import Panel
from clo_desktop.tables.view import FrameTable
from engine.asset import Kind
from engine.outputs import Table

_IN_HEAD: Final = frozenset({"Asset", "Moody's rating", "S&P rating"})
_RARE: Final = ("Capitalised interest", "Drawn", "Sold", "Sale proceeds")
"""Columns that are left out where the asset has nothing of them."""


class AssetPanel(Panel):
    """What an asset pays by payment date in the scenario of the last run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        table = FrameTable(_BLANK, name="Asset cash flows", frozen=1, filters=False)
        super().__init__("The asset", table, parent=parent)
        self.table = table
        self.table.grid.escaped.connect(self.closed)

    def show_table(self, table: Table, scenario: str) -> None:
        """The flows of an asset; `scenario` says under which assumptions."""
        nothing = [name for name in _RARE if not np.any(table[name])]
        self.head.setText(head_text(table, scenario))
        frame = frame_of(table, key="Payment date", without=[*_IN_HEAD, *nothing])
        self.table.set_frame(frame)
        self.table.show_columns([c.name for c in frame.columns])
        self.table.fit_columns()


def head_text(table: Table, scenario: str) -> str:
    """Which asset, how it is rated, what it brings in all, and under which assumptions."""
    if len(table) == 0:
        return f"{table.title}: nothing is paid after the analysis date."
    ratings = [
        f"{agency} {table[name][0] or formats.MISSING}"
        for agency, name in (("Moody's", "Moody's rating"), ("S&P", "S&P rating"))
    ]
    total = formats.with_unit("money", float(np.sum(table["Total cash"])), table.currency)
    under = f" under {scenario}" if scenario else ""
    return f"{table.title} ({', '.join(ratings)}): {total} in all{under}."


_DATE: Final = Column("Payment date", "Payment date", Kind.DATE.value)
_BLANK: Final = Frame([_DATE], {"Payment date": []}, key="Payment date")
