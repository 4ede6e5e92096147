"""What is read from the outcome of each scenario: returns, losses, average lives, coverage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.model import Model
from engine.projection import Totals
from engine.waterfall.document import class_id

Floats = NDArray[np.float64]


class Shown(StrEnum):
    """Unit of a measure: money, a share, a rate a year, a multiple, years, a serial day."""

    MONEY = "money"
    SHARE = "share"
    RATE = "rate"
    MULTIPLE = "multiple"
    YEARS = "years"
    DATE = "date"


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """One figure of every scenario.

    name      kind:of, such as irr:SUB, loss:B or cushion:OC_D
    coverage  it needs the coverage tests
    of        float64[n_scenarios] of the totals; NaN where there is none
    """

    name: str
    title: str
    unit: Shown
    coverage: bool
    of: Callable[[Totals], Floats]


def claims(model: Model) -> Floats:
    """float64[n_classes]: what each class is owed at the start, balance with deferred interest; the equity: balance."""
    return np.array([t.current_balance + t.deferred_balance for t in model.book.deal.tranches])


def paid(totals: Totals) -> Floats:
    """float64[n_scenarios, n_classes]: everything paid over the run."""
    return totals.interest + totals.deferred + totals.principal


def moic(totals: Totals) -> Floats:
    """float64[n_scenarios]: what the equity gets since its purchase over what was paid for it."""
    cost = -sum(amount for _, amount in totals.equity_history if amount < 0.0)
    received = sum(amount for _, amount in totals.equity_history if amount > 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(cost > 0.0, (received + totals.equity.sum(axis=1)) / cost, np.nan)


def _first_failure(totals: Totals, k: int) -> Floats:
    days = dates.serials(totals.payment_dates).astype(np.float64)
    rows = totals.failed[:, k]
    return np.where(np.isnan(rows), np.nan, days[np.nan_to_num(rows).astype(np.int64)])


_CLASS: Final[Mapping[str, tuple[str, Shown]]] = {
    "paid": ("total paid", Shown.MONEY),
    "interest": ("interest paid", Shown.MONEY),
    "deferred": ("deferred interest paid", Shown.MONEY),
    "principal": ("principal paid", Shown.MONEY),
    "loss": ("left unpaid", Shown.MONEY),
    "loss_share": ("share left unpaid", Shown.SHARE),
    "wal": ("average life", Shown.YEARS),
    "irr": ("IRR since purchase", Shown.RATE),
    "moic": ("multiple of cost", Shown.MULTIPLE),
}
_TEST: Final[Mapping[str, tuple[str, Shown]]] = {
    "cushion": ("least cushion", Shown.SHARE),
    "fails": ("first date it fails", Shown.DATE),
}

KINDS: Final = (*_CLASS, *_TEST)


def measure(model: Model, text: str) -> Measure:
    """A measure by its name: irr:SUB, loss:B, wal:A-1, cushion:OC_D. Raises ValueError with what is known."""
    kind, _, of = (part.strip() for part in text.partition(":"))
    kind = kind.lower()
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise ValueError(f"{text.strip()!r} is no measure; write one of {known} with a class or test: irr:SUB.")
    return _of_test(model, kind, of) if kind in _TEST else _of_class(model, kind, of)


def _of_test(model: Model, kind: str, of: str) -> Measure:
    ids = [test.id for test in model.document.tests]
    # "OC D" and "OC_D" are the same
    found = next((k for k, name in enumerate(ids) if _bare(name) == _bare(of)), None)
    if found is None:
        raise ValueError(f"The deal has no coverage test {of!r}; it has {', '.join(ids)}.")
    words, unit = _TEST[kind]
    reads: Mapping[str, Callable[[Totals], Floats]] = {
        "fails": lambda totals: _first_failure(totals, found),
        "cushion": lambda totals: _or_missing(totals.cushion[:, found]),
    }
    return Measure(f"{kind}:{ids[found]}", f"{ids[found].replace('_', ' ')} {words}", unit, True, reads[kind])


def _bare(name: str) -> str:
    return "".join(c for c in name.upper() if c.isalnum())


def _or_missing(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _of_class(model: Model, kind: str, of: str) -> Measure:
    tranches = model.book.deal.tranches
    ids = [class_id(t.name) for t in tranches]
    equity = model.document.equity
    name = class_id(of) if of else equity
    if name not in ids:
        raise ValueError(f"The deal has no class {of!r}; it has {', '.join(ids)}.")
    k = ids.index(name)
    if kind in ("irr", "moic") and name != equity:
        raise ValueError(f"The {kind.upper()} is of the equity; write {kind}:{equity}.")
    if kind in ("loss", "loss_share") and name == equity:
        raise ValueError(f"{tranches[k].name} is owed nothing that could stay unpaid; ask for irr or moic.")
    claim = float(claims(model)[k])
    reads: Mapping[str, Callable[[Totals], Floats]] = {
        "paid": lambda t: paid(t)[:, k],
        "interest": lambda t: t.interest[:, k],
        "deferred": lambda t: t.deferred[:, k],
        "principal": lambda t: t.principal[:, k],
        "loss": lambda t: t.unpaid[:, k],
        "loss_share": lambda t: t.unpaid[:, k] / claim if claim > 0.0 else np.full(len(t.unpaid), np.nan),
        "wal": lambda t: t.wal[:, k],
        "irr": lambda t: t.equity_irr(),
        "moic": moic,
    }
    words, unit = _CLASS[kind]
    return Measure(f"{kind}:{name}", f"{tranches[k].name} {words}", unit, False, reads[kind])
