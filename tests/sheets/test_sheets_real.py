"""The real deal and its damaged copies, against their lists of faults."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from openpyxl.utils.cell import coordinate_from_string

from clo_desktop.faults import Fault, Refused, Severity
from clo_desktop.sheets.read import Reading, read_book

DAMAGED = "02_text_in_numeric 03_duplicate_id 05_formula_injection 08_missing_sheet 11_empty".split()


@pytest.fixture(scope="module")
def real(shared: Path) -> Reading:
    return read_book(shared / "data/mag17/mag17_workbook.xlsx", "MAG17")


def test_that_the_real_deal_imports_with_its_known_figures(real: Reading) -> None:
    assert real.book is not None
    deal = real.book.deal
    assert len(real.book.assets) == 195
    assert len(deal.holdings) == 195
    assert deal.par == pytest.approx(431_157_604.92, abs=0.01)
    assert deal.principal_cash == 68_842_395.08471006
    assert deal.name == "MAG17"
    assert deal.currency == "USD"
    assert len(deal.limits) == 37
    assert [t.name for t in deal.tranches][-1] == "Sub Notes"
    assert deal.tranches[-1].is_equity
    assert deal.tranches[3].oc_trigger == 1.243
    assert deal.tranches[0].oc_trigger is None
    assert len(deal.schedule) == 48
    assert len(deal.subordinated_payments) == 48
    assert [f.name for f in deal.fees] == ["Trustee Fee", "Admin Fee", "Base Manager Fee", "Junior Manager Fee"]


def test_that_the_real_deal_has_four_implausible_prices_and_no_other_fault(real: Reading) -> None:
    assert [(f.severity, f.cell, f.value) for f in real.faults] == [
        (Severity.WARNING, "AO26", "48"),
        (Severity.WARNING, "AO78", "0.01"),
        (Severity.WARNING, "AO97", "0.01"),
        (Severity.WARNING, "AO159", "0"),
    ]


def test_that_an_implausible_price_is_kept_as_it_is(real: Reading) -> None:
    assert real.book is not None
    assert sorted(a.market_value or 0.0 for a in real.book.assets.values())[:4] == [0.0, 0.01, 0.01, 48.0]


def test_that_a_zero_in_a_date_or_choice_cell_is_missing(real: Reading) -> None:
    assert real.book is not None
    assert {a.date_of_default for a in real.book.assets.values()} == {None}
    assert {a.moodys_facility_outlook for a in real.book.assets.values()} == {None, "Upgrade", "Downgrade"}
    assert dict(real.book.deal.current_dates)["Beg Collection Period"] is None


def test_that_the_real_deal_is_read_within_seconds(shared: Path) -> None:
    begin = time.perf_counter()
    read_book(shared / "data/mag17/mag17_workbook.xlsx", "MAG17")
    assert time.perf_counter() - begin < 3  # about 0.15 s on an idle machine


def _manifest(shared: Path) -> dict[str, dict[str, list[dict[str, object]]]]:
    text = (shared / "data/mag17/damaged/manifest.json").read_text(encoding="utf-8")
    manifest: dict[str, dict[str, list[dict[str, object]]]] = json.loads(text)
    return manifest


def _row(fault: Fault) -> int:
    return coordinate_from_string(fault.cell)[1] if fault.cell else 0


@pytest.mark.parametrize("name", DAMAGED)
def test_that_every_listed_fault_of_a_damaged_workbook_is_reported(shared: Path, real: Reading, name: str) -> None:
    reading = read_book(shared / f"data/mag17/damaged/{name}.xlsx", "MAG17")
    listed = _manifest(shared)[f"{name}.xlsx"]["faults"]
    cells = {(f.sheet, f.cell) for f in reading.faults}
    rows = {(f.sheet, _row(f)) for f in reading.faults}
    for entry in listed:
        if "cell" in entry:
            assert (entry["sheet"], entry["cell"]) in cells, entry
        else:
            assert (entry["sheet"], entry["row"]) in rows, entry
    if listed:
        known = {(e["sheet"], e.get("cell")) for e in listed} | {(e["sheet"], e.get("row")) for e in listed}
        own = {(f.sheet, f.cell) for f in real.faults}
        extra = [
            f for f in reading.faults
            if (f.sheet, f.cell) not in known | own and (f.sheet, _row(f)) not in known
        ]  # fmt: skip
        assert extra == []
    assert reading.book is None


def test_that_ambiguous_text_is_an_error_and_clear_text_a_warning(shared: Path) -> None:
    faults = read_book(shared / "data/mag17/damaged/02_text_in_numeric.xlsx", "MAG17").faults
    severity = {f.value: f.severity for f in faults}
    for value in ("#N/A", "par", "1,00", "50", "6.98mm", "68,842,395.08 USD"):
        assert severity[value] is Severity.ERROR, value
    for value in ("L+375", "4.50%", "2,054,675,000.50", "n/a", "Quarterly", "none", "1,500,000"):
        assert severity[value] is Severity.WARNING, value


def test_that_a_missing_sheet_is_named_with_the_remedy(shared: Path) -> None:
    reading = read_book(shared / "data/mag17/damaged/08_missing_sheet.xlsx", "MAG17")
    assert [f.sheet for f in reading.faults] == ["All Assets"]
    assert "is missing: add it" in reading.faults[0].message


def test_that_csv_is_refused_with_advice(shared: Path) -> None:
    with pytest.raises(Refused, match=r"save it in Excel as an \.xlsx workbook"):
        read_book(shared / "data/mag17/damaged/05_formula_injection.csv", "MAG17")
