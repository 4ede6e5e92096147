"""Values of the asset master that do not go together with the deal or with each other: warned about, and imported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Final

from clo_desktop.figures import percent
from clo_desktop.sheets.assets import AssetRow
from clo_desktop.sheets.findings import Findings
from clo_desktop.sheets.known import cells_of, is_known, known_values
from engine.asset import COLUMN_BY_NAME

_FEWEST_TO_COMPARE: Final = 3  # floating assets with coupon and spread
_LOWEST_RATE: Final = -0.01  # a coupon or spread below it is no rate of a loan


def check_consistent(
    rows: Mapping[str, AssetRow],
    held: Collection[str],
    currency: str,
    as_of: dt.date | None,
    sheet: str,
    findings: Findings,
) -> None:
    """Warn about held assets of another currency than the deal's or matured by `as_of`, about negative coupons and
    spreads, and about coupons that look like spreads."""
    entries = [rows[key] for key in held if key in rows]
    _check_currency(entries, currency, sheet, findings)
    if as_of is not None:
        for entry in entries:
            _check_maturity(entry, as_of, sheet, findings)
    for entry in rows.values():
        _check_rates(entry, sheet, findings)
    _check_coupons(rows, sheet, findings)


def _check_currency(entries: Collection[AssetRow], currency: str, sheet: str, findings: Findings) -> None:
    others: dict[str, list[AssetRow]] = {}
    for entry in entries:
        value = entry.asset.currency
        if value is not None and value.upper() != currency.upper():
            others.setdefault(value, []).append(entry)
    for value, found in others.items():
        many = len(found) > 1
        remedy = f"correct the currency, or give the par in {currency}"
        if not is_known("currency", value):
            remedy = known_values("currency").proposal(value) or remedy
        message = (
            f"{f'{len(found)} held assets' if many else 'A held asset'} ({cells_of(found, 'currency')}) "
            f"{'are' if many else 'is'} in {value}, the deal is in {currency}; the par is added up as {currency}: "
            f"{remedy}"
        )
        row, at = found[0].row, found[0].columns["currency"]
        header = COLUMN_BY_NAME["currency"].header
        findings.warn(sheet, row, at, header, value, message if message.endswith("?") else f"{message}.")


def _check_maturity(entry: AssetRow, as_of: dt.date, sheet: str, findings: Findings) -> None:
    maturity = entry.asset.maturity
    if maturity is None or maturity > as_of or entry.asset.defaulted:
        return
    findings.warn(
        sheet, entry.row, entry.columns["maturity"], COLUMN_BY_NAME["maturity"].header, maturity,
        f"{entry.asset.asset_id} is held and matured on {maturity.isoformat()}, by the analysis date "
        f"{as_of.isoformat()}: correct the date, mark it as defaulted or take it out of the collateral.",
    )  # fmt: skip


def _check_rates(entry: AssetRow, sheet: str, findings: Findings) -> None:
    for name in ("coupon", "coupon_spread"):
        value = getattr(entry.asset, name)
        if value is None or value >= 0:
            continue
        header = COLUMN_BY_NAME[name].header
        doubt = "is no rate of a loan or bond" if value < _LOWEST_RATE else "is negative"
        findings.warn(
            sheet, entry.row, entry.columns[name], header, value,
            f"A {header.lower()} of {percent(value, 4)} {doubt}: correct it or clear the cell.",
        )  # fmt: skip


def _check_coupons(rows: Mapping[str, AssetRow], sheet: str, findings: Findings) -> None:
    """The coupon of a floating asset is its index and its spread: it is hardly ever below the spread."""
    both = below = 0
    first: AssetRow | None = None
    for entry in rows.values():
        coupon, spread = entry.asset.coupon, entry.asset.coupon_spread
        if entry.asset.coupon_type != "FLOAT" or coupon is None or spread is None:
            continue
        both += 1
        if coupon < spread:
            below += 1
            first = first or entry
    if first is None or both < _FEWEST_TO_COMPARE or 2 * below <= both:
        return
    findings.warn(
        sheet, first.row, first.columns["coupon"], COLUMN_BY_NAME["coupon"].header, first.asset.coupon,
        f"{below} of {both} floating assets have a coupon below their spread, though it is index and spread together: "
        "look whether the columns Coupon and Coupon Spread are swapped.",
    )  # fmt: skip
