"""Decisions about doubtful values: labels of the deal that hold while the value is the one that was decided about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from engine.asset import Asset
from engine.compliance.completed import FILLED
from engine.pool import Pool, fold
from engine.terms import Deal

DECISION: Final = "Decision "


def decision(word: str, value: str) -> str:
    """What stands beside the label: the word and the value it was decided for."""
    return f"{word} at {value}"


def kept(deal: Deal, key: str, value: str) -> str:
    """The word that was decided for this very value of `key`; "" where there is none."""
    wanted = fold(f"{DECISION}{key}")
    for label, text in deal.clo_inputs:
        if fold(label) == wanted:
            word, _, about = str(text).partition(" at ")
            if about == value:
                return word
    return ""


def decided(pool: Pool, deal: Deal) -> Pool:
    """The pool as decided: prices that count as missing are blank, and so are stored ratings that are to be derived
    (the rules fill them)."""
    prices: dict[str, str] = {}
    blanks: dict[str, list[tuple[str, str]]] = {}
    for label, text in deal.clo_inputs:
        if not fold(label).startswith(fold(DECISION)):
            continue
        parts = label[len(DECISION) :].split()
        word, _, about = str(text).partition(" at ")
        if len(parts) == 2 and parts[0].casefold() == "price" and word == "missing":
            prices[fold(parts[1])] = about
        if len(parts) == 3 and parts[0].casefold() == "derived" and word == "derived":
            blanks.setdefault(fold(parts[2]), []).append((parts[1], about.split(", ")[0]))
    if not prices and not blanks:
        return pool
    assets = [_changed(a, prices.get(fold(a.asset_id)), blanks.get(fold(a.asset_id), [])) for a in pool.assets]
    return Pool(zip(assets, pool.par.tolist(), strict=True))


def said(value: object) -> str:
    """A value as findings and decisions write it."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _changed(asset: Asset, price: str | None, columns: list[tuple[str, str]]) -> Asset:
    values: dict[str, Any] = {
        name: None for name, stored in columns if name in FILLED and said(getattr(asset, name)) == stored
    }
    if price is not None and asset.market_value is not None and f"{asset.market_value:g}" == price:
        values["market_value"] = None
    return replace(asset, **values) if values else asset
