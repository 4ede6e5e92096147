"""What a deal looked like: a hash to tell whether it changed, and in words what did. No Qt."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from clo_desktop.store import PoolState
from engine.asset import Asset
from engine.terms import Book

_NAMED: Final = 3  # assets that are named of many
_CENT: Final = 0.005


def state_of(book: Book) -> PoolState:
    """The pool of a book as it is kept beside an idea. Assets of the book that are not held do not bear on it."""
    pars: dict[str, float] = {}
    for holding in book.deal.holdings:
        pars[holding.asset_id] = pars.get(holding.asset_id, 0.0) + holding.par
    positions = {asset: (par, _terms(book.assets[asset])) for asset, par in sorted(pars.items())}
    inputs = _hash(_said(replace(book.deal, holdings=(), accounts=())), _said(book.reference))
    cash = book.deal.principal_cash
    as_of = book.deal.analysis_date
    whole = _hash(inputs, _said(book.deal.accounts), _said(tuple(positions.items())))
    return PoolState(whole, as_of, cash, inputs, positions)


def _terms(asset: Asset) -> str:
    return _hash(_said(asset))[:16]


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def _said(value: Any) -> str:
    """A value as text that is the same before and after it was stored, which makes whole numbers floats."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return repr(float(value))
    if is_dataclass(value):
        return "(" + ",".join(f"{f.name}={_said(getattr(value, f.name))}" for f in fields(value)) + ")"
    if isinstance(value, tuple):
        return "[" + ",".join(map(_said, value)) + "]"
    return repr(value)


def differences(then: PoolState, now: PoolState) -> tuple[str, ...]:
    """What changed from one state of a pool to another, a phrase each; empty where nothing did."""
    if then.book_hash == now.book_hash:
        return ()
    told = []
    if then.as_of != now.as_of:
        told.append(f"as of {_day(now.as_of)} instead of {_day(then.as_of)}")
    came = [a for a in now.positions if a not in then.positions]
    went = [a for a in then.positions if a not in now.positions]
    both = [a for a in now.positions if a in then.positions]
    other_par = [a for a in both if abs(now.positions[a][0] - then.positions[a][0]) > _CENT]
    other_terms = [a for a in both if now.positions[a][1] != then.positions[a][1]]
    for assets, words in (
        (came, "new in the pool"),
        (went, "no longer in the pool"),
        (other_par, "with another par"),
        (other_terms, "with other terms (price, rating or the like)"),
    ):
        if assets:
            told.append(f"{len(assets)} {'asset' if len(assets) == 1 else 'assets'} {words}: {_named(assets)}")
    if abs(now.principal_cash - then.principal_cash) > _CENT:
        told.append(f"principal cash {now.principal_cash:,.2f} instead of {then.principal_cash:,.2f}")
    if now.inputs != then.inputs and then.as_of == now.as_of:
        told.append("other limits, notes or inputs of the deal")
    return tuple(told) or ("other inputs of the deal",)


def _named(assets: Iterable[str]) -> str:
    listed = list(assets)
    return ", ".join(listed[:_NAMED]) + (f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else "")


def _day(day: dt.date | None) -> str:
    return "no date" if day is None else day.isoformat()
