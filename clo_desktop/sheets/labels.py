"""Blocks of labels and values: kept as they are, in their order, with the values that are known to be dates checked."""

from __future__ import annotations

import datetime as dt

from clo_desktop.sheets import parse
from clo_desktop.sheets.blocks import Block
from clo_desktop.sheets.findings import Findings
from clo_desktop.sheets.grid import Cell, Sheet, same
from clo_desktop.sheets.layout import CLO_INPUTS, DATE_LABELS, NUMBER_LABELS, RATE_LABELS, UNLABELLED
from clo_desktop.sheets.parse import Parsed
from engine.terms import Labelled, Value


def read_labels(sheet: Sheet, block: Block, date1904: bool, findings: Findings) -> Labelled:
    """The block's labels (trimmed) with their values; a label without a value has None."""
    found: list[tuple[str, Value]] = []
    seen: dict[str, int] = {}
    label_at, value_at = block.columns["label"], block.columns["value"]
    for row in block.rows(sheet):
        cell = sheet.at(row, value_at)
        label = _label(sheet, block, row, label_at, findings)
        if label is None:
            findings.warn(
                sheet.name, row, value_at, "", cell, "The value has no label and is not imported: type its label."
            )
            continue
        if same(label) in seen:
            findings.warn(
                sheet.name, row, label_at, label, label,
                f"“{label}” is already in row {seen[same(label)] + 1}; the first one counts: delete one of them.",
            )  # fmt: skip
        seen.setdefault(same(label), row)
        parsed = parse_labelled(label, cell, date1904=date1904)
        value = findings.take(parsed, sheet.name, row, value_at, label, cell)
        found.append((label, value if isinstance(value, str | float | bool | dt.date) else None))
    return tuple(found)


def _label(sheet: Sheet, block: Block, row: int, at: int, findings: Findings) -> str | None:
    cell = sheet.at(row, at)
    if cell is None:
        place = row - block.first
        return UNLABELLED[place] if block.form is CLO_INPUTS and place < len(UNLABELLED) else None
    label = findings.take(parse.text(cell), sheet.name, row, at, "", cell)
    return label if isinstance(label, str) else None


def parse_labelled(label: str, cell: Cell, *, date1904: bool = False) -> Parsed:
    """The value beside `label`: a date or a number where the label says so, else what the cell holds."""
    key = same(label)
    if key in DATE_LABELS:
        return parse.date(cell, date1904=date1904)
    if key in RATE_LABELS:
        return parse.number(cell, parse.RATE)
    if key in NUMBER_LABELS:
        return parse.number(cell, parse.ANY)
    return free(cell)


def free(cell: Cell) -> Parsed:
    """Whatever the cell holds; text that spells one number is read as that number, with a warning."""
    early = parse.usable(cell)
    if early is not None:
        return early
    if isinstance(cell, str):
        if parse.text_number(cell, parse.ANY) is not None:
            return parse.number(cell, parse.ANY)
        return parse.text(cell)
    if isinstance(cell, dt.datetime):
        return parse.date(cell)
    if isinstance(cell, bool | float | dt.date):
        return parse.number(cell, parse.ANY) if isinstance(cell, float) else Parsed(cell)
    return parse.text(cell)
