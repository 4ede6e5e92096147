"""A workbook -> a `Book` with every fault in it: the one verb of importing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clo_desktop.faults import Fault, Severity
from clo_desktop.progress import Progress, silent
from clo_desktop.sheets import assets, reference
from clo_desktop.sheets.assets import AssetRow, read_assets
from clo_desktop.sheets.consistent import check_consistent
from clo_desktop.sheets.findings import Findings
from clo_desktop.sheets.grid import Grids, sheet_key
from clo_desktop.sheets.inputs import Inputs, read_inputs
from clo_desktop.sheets.known import check_known
from clo_desktop.sheets.layout import COLLATERAL
from clo_desktop.sheets.plausible import check_plausible
from clo_desktop.sheets.reference import read_reference
from engine.asset import Asset
from engine.terms import Book, Deal, Holding, Reference

INPUTS_SUFFIX: Final = "Inputs"
_KEY: Final = sheet_key(INPUTS_SUFFIX)
DEFAULT_CURRENCY: Final = "USD"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an import found. `book` is None exactly when a fault is an error."""

    book: Book | None
    faults: tuple[Fault, ...]
    file_name: str
    sha256: str

    @property
    def errors(self) -> tuple[Fault, ...]:
        return tuple(f for f in self.faults if f.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        return tuple(f for f in self.faults if f.severity is Severity.WARNING)


def read_book(path: Path, deal_name: str, *, report: Progress | None = None) -> Reading:
    """The deal `deal_name` and the asset master of the workbook at `path`, with all faults in sheet and cell order.

    Raises `Refused` where the file is no workbook, is damaged or passes a limit, and whatever `report` raises.
    """
    tell = report or silent
    tell(0.0, "Checking the file")
    grids = Grids(path)
    findings = Findings(grids.sheet_names)
    tell(0.2, "Reading the deal's sheet")
    deal_sheet = _deal_sheet(grids.sheet_names, deal_name, findings)
    inputs = Inputs()
    if deal_sheet is not None:
        inputs = read_inputs(grids.sheet(deal_sheet), grids.areas(deal_sheet), grids.date1904, findings)
    tell(0.4, "Reading the assets")
    rows = _read_assets(grids, inputs, findings)
    if rows and deal_sheet is not None:
        _check_held(inputs, rows, deal_sheet, findings)
    tell(0.8, "Reading the reference data")
    known = _named(grids.sheet_names, reference.SHEET)
    data = Reference()
    if known is not None:
        data = read_reference(grids.sheet(known), grids.areas(known), grids.date1904, findings)
    faults = findings.faults
    tell(1.0, "Done")
    book = None
    if not any(f.severity is Severity.ERROR for f in faults):
        book = _book(deal_name, inputs, {key: row.asset for key, row in rows.items()}, data)
    return Reading(book, faults, grids.file_name, grids.sha256)


def _named(sheet_names: Collection[str], wanted: str) -> str | None:
    return next((n for n in sheet_names if sheet_key(n) == sheet_key(wanted)), None)


def _deal_sheet(sheet_names: Collection[str], deal_name: str, findings: Findings) -> str | None:
    wanted = f"{deal_name} {INPUTS_SUFFIX}"
    named = _named(sheet_names, wanted)
    if named is not None:
        return named
    candidates = [n for n in sheet_names if sheet_key(n).endswith(_KEY)]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        there = ", ".join(f"“{n}”" for n in candidates)
        message = f"No sheet “{wanted}” was found, and several deals are there ({there}): name the deal as one of them."
    else:
        there = ", ".join(f"“{n}”" for n in sheet_names) or "none"
        message = f"The sheet “{wanted}” is missing (sheets: {there}): add it or name the deal's sheet so."
    findings.error(wanted, -1, -1, "", None, message)
    return None


def _read_assets(grids: Grids, inputs: Inputs, findings: Findings) -> dict[str, AssetRow]:
    name = _named(grids.sheet_names, assets.SHEET)
    if name is None:
        findings.error(
            assets.SHEET, -1, -1, "", None,
            f"The sheet “{assets.SHEET}” is missing: add it, with one row per asset below a row of headers.",
        )  # fmt: skip
        return {}
    rows = read_assets(grids.sheet(name), inputs.lots, grids.date1904, findings)
    check_plausible(rows, inputs.lots, name, findings)
    check_known(rows, name, findings)
    currency = inputs.currency or _currency_of(rows[key].asset for key in inputs.lots if key in rows)
    check_consistent(rows, inputs.lots, currency, inputs.analysis_date, name, findings)
    return rows


def _check_held(inputs: Inputs, rows: Mapping[str, AssetRow], sheet: str, findings: Findings) -> None:
    """An error for each lot of an asset that the master lacks."""
    for asset_id, lots in inputs.lots.items():
        if asset_id not in rows:
            for lot in lots:
                findings.error(
                    sheet, lot.row, lot.id_column, COLLATERAL.headings[0].header, asset_id,
                    f"{asset_id} is held but not on the sheet “{assets.SHEET}”: add the asset or correct the id.",
                )  # fmt: skip


def held_currency(holdings: Collection[Holding], master: Mapping[str, Asset]) -> str:
    """The one currency of the held assets; US dollars where there are several or none. A deal's sheet may say else."""
    return _currency_of(master[h.asset_id] for h in holdings if h.asset_id in master)


def _currency_of(held: Iterable[Asset]) -> str:
    currencies = {asset.currency.upper() for asset in held if asset.currency}
    return currencies.pop() if len(currencies) == 1 else DEFAULT_CURRENCY


def _book(deal_name: str, inputs: Inputs, master: dict[str, Asset], data: Reference) -> Book:
    holdings = tuple(Holding(key, sum(lot.par for lot in lots)) for key, lots in inputs.lots.items())
    currency = inputs.currency or held_currency(holdings, master)
    deal = Deal(name=deal_name, currency=currency, holdings=holdings, **inputs.fields)
    return Book(deal, master, data)
