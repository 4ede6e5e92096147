"""Where the blocks of a deal's sheet are: by named range first, then by title, then by the headers themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from clo_desktop.sheets.grid import Area, Sheet, same
from clo_desktop.sheets.layout import FORMS, BlockForm

_HEADER_BELOW_TITLE: Final = 3  # rows


@dataclass(frozen=True, slots=True)
class Block:
    """A located block; rows and columns from 0.

    top        first row that belongs to it (title or header)
    first      first row of data
    end        row after the last that can belong to it
    columns    column by key of the heading; for labels and values: "label" and "value"
    right      column after the last that can belong to it
    range_end  row after its named range, where it has one
    """

    form: BlockForm
    top: int
    first: int
    end: int
    columns: Mapping[str, int]
    right: int
    range_end: int | None = None

    def rows(self, sheet: Sheet) -> Iterator[int]:
        """Rows that hold something in the block's columns."""
        for row in range(self.first, self.end):
            if any(sheet.at(row, at) is not None for at in self.columns.values()):
                yield row


@dataclass(slots=True)
class _Anchor:
    form: BlockForm
    top: int
    left: int
    first: int
    header: int | None
    range_end: int | None = None
    columns: dict[str, int] = field(default_factory=dict)


def locate(sheet: Sheet, areas: Mapping[str, Area]) -> dict[str, Block]:
    """The blocks that were found, by key."""
    titles = _Titles(sheet)
    anchors = [a for form in FORMS if (a := _anchor(sheet, form, areas, titles)) is not None]
    for anchor in anchors:
        _match_columns(sheet, anchor, anchors)
    return {a.form.key: _bounded(sheet, a, anchors) for a in anchors}


class _Titles:
    """The cells that spell a title of a block, but for lists of contents (titles right above each other)."""

    def __init__(self, sheet: Sheet) -> None:
        known = {same(t) for form in FORMS for t in form.titles}
        places = [
            (row, column, key)
            for row, cells in enumerate(sheet.rows)
            for column, cell in enumerate(cells)
            if (key := same(cell)) in known
        ]
        taken = {(row, column) for row, column, _ in places}
        self._places: dict[str, list[tuple[int, int]]] = {}
        for row, column, key in places:
            if not taken & {(row - 1, column), (row + 1, column)}:
                self._places.setdefault(key, []).append((row, column))

    def of(self, form: BlockForm) -> list[tuple[int, int]]:
        return [place for title in form.titles for place in self._places.get(same(title), [])]


def _accepted(form: BlockForm) -> dict[str, str]:
    """Key of the heading by each header it accepts."""
    return {same(name): h.key for h in form.headings for name in (h.header, *h.aliases)}


def _headers_at(sheet: Sheet, form: BlockForm, row: int, left: int) -> bool:
    """Whether the row of headers of `form` (or its first label) begins at this cell."""
    accepted = _accepted(form)
    if form.transposed:
        return accepted.get(same(sheet.at(row, left))) is not None
    found = {accepted.get(same(sheet.at(row, column))) for column in range(left, left + form.width)}
    return len(found - {None}) >= min(2, form.width)


def _anchor(sheet: Sheet, form: BlockForm, areas: Mapping[str, Area], titles: _Titles) -> _Anchor | None:
    area = next((areas[n.casefold()] for n in form.ranges if n.casefold() in areas), None)
    if area is not None:
        return _from_range(sheet, form, area)
    for row, column in titles.of(form):
        if not form.headings or form.transposed:
            return _Anchor(form, row, column, row + 1, None)
        for header in range(row + 1, row + 1 + _HEADER_BELOW_TITLE):
            if _headers_at(sheet, form, header, column):
                return _Anchor(form, row, column, header + 1, header)
    return _from_headers(sheet, form)


def _from_range(sheet: Sheet, form: BlockForm, area: Area) -> _Anchor:
    top = area.top
    if same(sheet.at(top, area.left)) in {same(t) for t in form.titles} and area.bottom > top:
        top += 1
    end = min(area.bottom + 1, max(sheet.height, top + 1))
    anchor = _Anchor(form, top, area.left, top, None, end)
    if form.headings and not form.transposed:
        # the range may begin with the row of headers or right below it
        if _headers_at(sheet, form, top, area.left):
            anchor.header, anchor.first = top, top + 1
        elif top > 0 and _headers_at(sheet, form, top - 1, area.left):
            anchor.header, anchor.top = top - 1, top - 1
    # a title above belongs to the block, so that a block above it ends before the title
    titles = {same(t) for t in form.titles}
    offset = form.range_left - form.left if form.range_left is not None else 0
    if (
        same(sheet.at(anchor.top - 1, area.left)) in titles
        or same(sheet.at(anchor.top - 1, area.left - offset)) in titles
    ):
        anchor.top -= 1
    return anchor


def _from_headers(sheet: Sheet, form: BlockForm) -> _Anchor | None:
    labels = {same(label) for label in form.labels}
    wanted = same(form.headings[0].header) if form.headings else ""
    for row, cells in enumerate(sheet.rows):
        for column, cell in enumerate(cells):
            key = same(cell)
            if not key:
                continue
            if key in labels and same(sheet.at(row + 1, column)) in labels:
                return _Anchor(form, row, column, row, None)
            if key == wanted and form.transposed and same(sheet.at(row + 1, column)) in _accepted(form):
                return _Anchor(form, row, column, row, None)
            if key == wanted and not form.transposed and _headers_at(sheet, form, row, column):
                return _Anchor(form, row, column, row + 1, row)
    return None


def _match_columns(sheet: Sheet, anchor: _Anchor, anchors: list[_Anchor]) -> None:
    form = anchor.form
    if not form.headings or form.transposed:
        anchor.columns = {"label": anchor.left, "value": anchor.left + 1}
        return
    if anchor.header is None:
        # a named range without a row of headers: its columns are taken in the order of the layout
        skipped = form.range_left - form.left if form.range_left is not None else 0
        anchor.columns = {h.key: anchor.left + i for i, h in enumerate(form.headings[skipped:])}
        return
    accepted = _accepted(form)
    others = [a.left for a in anchors if a is not anchor]
    limit = min((o for o in others if o > anchor.left), default=sheet.width)
    taken = {o + i for a in anchors if a is not anchor for o in (a.left,) for i in range(a.form.width)}
    left = anchor.left
    # ObjWeights names only the two right-hand columns of its block
    while form.range_left is not None and left - 1 not in taken and same(sheet.at(anchor.header, left - 1)) in accepted:
        left -= 1
    for column in range(left, max(limit, anchor.left + 1)):
        key = accepted.get(same(sheet.at(anchor.header, column)))
        if key is None and column > anchor.left + form.width:
            break
        if key is not None:
            anchor.columns.setdefault(key, column)


def _bounded(sheet: Sheet, anchor: _Anchor, anchors: list[_Anchor]) -> Block:
    columns = set(anchor.columns.values())
    right = sheet.width
    if anchor.form.transposed:
        beside = [a.left for a in anchors if a is not anchor and a.left > anchor.left + 1 and a.top <= anchor.first + 1]
        right = min(beside, default=right)
        columns = set(range(anchor.left, right))
    below = [
        a.top
        for a in anchors
        if a is not anchor and a.top > anchor.top and columns & (set(a.columns.values()) | {a.left})
    ]
    end = min([*below, max(sheet.height, anchor.first)])
    return Block(anchor.form, anchor.top, anchor.first, max(end, anchor.first), anchor.columns, right, anchor.range_end)
