"""Cells onto the clipboard: tab-separated and HTML, at full precision."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QMimeData

from clo_desktop.look import formats
from clo_desktop.tables.frame import Frame
from engine.asset import Kind

HTML_CELLS: Final = 200_000
"""Beyond so many cells only tab-separated text is put on the clipboard; HTML would hold up the window."""


def grid(
    frame: Frame, rows: NDArray[np.int32], columns: Sequence[int], mask: NDArray[np.bool_] | None = None
) -> list[list[str]]:
    """Plain texts of cells, by row. `mask` (rows x columns) blanks what lies between several selected blocks."""
    by_column = []
    for place, column in enumerate(columns):
        texts = [formats.plain(frame.kind(int(row), column), frame.value(int(row), column)) for row in rows]
        if mask is not None:
            texts = [text if kept else "" for text, kept in zip(texts, mask[:, place], strict=True)]
        by_column.append(texts)
    return [list(cells) for cells in zip(*by_column, strict=True)]


def mime(
    frame: Frame,
    rows: NDArray[np.int32],
    columns: Sequence[int],
    *,
    headers: bool,
    mask: NDArray[np.bool_] | None = None,
) -> QMimeData:
    """The cells as text/plain (tab-separated) and text/html (numbers with their value, whatever the locale)."""
    cells = grid(frame, rows, columns, mask)
    titles = [frame.columns[c].header(frame.currency) for c in columns] if headers else []
    lines = ([titles] if titles else []) + cells
    data = QMimeData()
    data.setText("\n".join("\t".join(_flat(cell) for cell in line) for line in lines))
    if len(rows) * len(columns) <= HTML_CELLS:
        data.setHtml(_html(titles, cells, [frame.columns[c].kind for c in columns]))
    return data


def _flat(cell: str) -> str:
    """A cell may hold neither tab nor line break."""
    return " ".join(cell.split()) if any(c in cell for c in "\t\r\n") else cell


def _html(titles: Sequence[str], cells: Sequence[Sequence[str]], kinds: Sequence[str]) -> str:
    parts = ['<html xmlns:x="urn:schemas-microsoft-com:office:excel"><body><table>']
    if titles:
        parts.append("<tr>" + "".join(f"<th>{html.escape(t)}</th>" for t in titles) + "</tr>")
    for line in cells:
        parts.append("<tr>")
        for cell, kind in zip(line, kinds, strict=True):
            if not cell or kind == Kind.DATE:
                parts.append(f"<td>{cell}</td>")
            elif formats.is_number(kind):
                parts.append(f'<td x:num="{cell}">{cell}</td>')
            else:
                parts.append(f"<td x:str style=\"mso-number-format:'\\@'\">{html.escape(cell)}</td>")
        parts.append("</tr>")
    parts.append("</table></body></html>")
    return "".join(parts)
