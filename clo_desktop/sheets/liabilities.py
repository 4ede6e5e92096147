"""The block of liabilities: one column per class of notes, the fields found by the labels down the left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from clo_desktop.sheets import parse
from clo_desktop.sheets.blocks import Block
from clo_desktop.sheets.findings import Findings
from clo_desktop.sheets.grid import Cell, Sheet, address, same
from clo_desktop.sheets.parse import MISSING, Number, Parsed
from engine.terms import Tranche

COUPON_TYPES: Final = (("Floating", ("float", "floater", "floating rate")), ("Fixed", ("fix", "fixed rate")))
_NONE: Final = frozenset({"na", "n/a", "n.a."})
_PRICE: Final = Number(0.0, 2.0, percent=True, unit="a price of notes is a fraction of par, such as 0.985")


def _money(cell: Cell) -> Parsed:
    return parse.number(cell, parse.MONEY)


def _rate(cell: Cell) -> Parsed:
    return parse.number(cell, parse.SPREAD)


def _ratio(cell: Cell) -> Parsed:
    return parse.number(cell, parse.RATIO)


def _yes_no(cell: Cell) -> Parsed:
    # this block writes its flags as 0 and 1
    if isinstance(cell, float) and cell in (0.0, 1.0):
        return Parsed(cell == 1.0)
    return parse.flag(cell)


_READ: Final[dict[str, Callable[[Cell], Parsed]]] = {
    "name": parse.text,
    "original_balance": _money,
    "price": lambda cell: parse.number(cell, _PRICE),
    "current_balance": _money,
    "deferred_balance": _money,
    "spread": _rate,
    "discount_margin": _rate,
    "deferrable": _yes_no,
    "oc_trigger": _ratio,
    "ic_trigger": _ratio,
    "day_count": parse.text,
    "is_equity": _yes_no,
    "coupon_type": lambda cell: parse.choice(cell, COUPON_TYPES),
    "original_coupon": _rate,
}
_NEEDED: Final = ("name", "original_balance", "current_balance")


def read_tranches(sheet: Sheet, block: Block, findings: Findings) -> tuple[Tranche, ...]:
    """The classes in the order of their columns; "NA" is none."""
    rows = _field_rows(sheet, block)
    for heading in block.form.headings:
        if heading.key in _NEEDED and heading.key not in rows:
            findings.error(
                sheet.name, block.first, block.columns["label"], heading.header, None,
                f"The block “Liabilities” has no row “{heading.header}”: add it.",
            )  # fmt: skip
    tranches: list[Tranche] = []
    names: dict[str, int] = {}
    for at in range(block.columns["label"] + 1, block.right):
        # a number alone makes no class: the layout numbers empty columns too
        if all(sheet.at(row, at) is None for key, row in rows.items() if key != "number"):
            continue
        tranche = _read_tranche(sheet, block, rows, at, findings)
        if tranche is None:
            continue
        if same(tranche.name) in names:
            findings.error(
                sheet.name, rows["name"], at, "Name", tranche.name,
                f"The class is already in {address(rows['name'], names[same(tranche.name)])}: rename one of them.",
            )  # fmt: skip
        names.setdefault(same(tranche.name), at)
        tranches.append(tranche)
    return tuple(tranches)


def _field_rows(sheet: Sheet, block: Block) -> dict[str, int]:
    keys = {same(name): h.key for h in block.form.headings for name in (h.header, *h.aliases)}
    rows: dict[str, int] = {}
    for row in range(block.first, block.end):
        key = keys.get(same(sheet.at(row, block.columns["label"])))
        if key is not None:
            rows.setdefault(key, row)
    return rows


def _read_tranche(sheet: Sheet, block: Block, rows: dict[str, int], at: int, findings: Findings) -> Tranche | None:
    headers = {h.key: h.header for h in block.form.headings}
    values: dict[str, Any] = {}
    for key, read in _READ.items():
        row = rows.get(key)
        if row is None:
            continue
        cell = sheet.at(row, at)
        parsed = MISSING if same(cell) in _NONE else read(cell)
        value = findings.take(parsed, sheet.name, row, at, headers[key], cell)
        if value is not None:
            values[key] = value
        elif key in _NEEDED and not parsed.failed:
            findings.error(
                sheet.name, row, at, headers[key], cell, f"“{headers[key]}” of the class is missing: fill it in."
            )
        elif key == "deferred_balance" and not parsed.failed:
            findings.warn(
                sheet.name, row, at, headers[key], cell, "The deferred balance is blank and was read as zero: type it."
            )
    return Tranche(**values) if all(key in values for key in _NEEDED) else None
