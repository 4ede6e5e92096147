"""Effective and key-rate durations: the zero curve is moved, the deal projected anew, the z-spread held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.valuation.classes import curve_of, note_of, quote_of
from engine.valuation.note import BASIS_POINT, Note, Quote, Style
from engine.waterfall.document import class_id

if TYPE_CHECKING:
    import datetime as dt

    from engine.assumptions import Assumptions
    from engine.model import Model

Shifts = tuple[tuple[float, float], ...]
"""(months, shift) of zero rates: in a straight line between, held outside."""

KEY_TENORS: Final = (3.0, 12.0, 24.0, 36.0, 60.0, 84.0, 120.0)
"""Months."""

BUMP: Final = 0.0025
"""25 bp: a deal's tests and calls make smaller moves jumpy."""


@dataclass(frozen=True, slots=True)
class RateRisk:
    """Units and conventions: `engine.valuation.conventions.MEASURES`. None: the class has no price or spread.

    key_rates  (months, years) of each tenor; they add up to the effective duration
    """

    class_id: str
    effective_duration: float | None
    effective_convexity: float | None
    rate_dv01: float | None
    key_rates: tuple[tuple[float, float], ...]


def _silent(_fraction: float, _what: str) -> None:
    pass


def rate_risk(
    model: Model,
    assumptions: Assumptions,
    quotes: Mapping[str, Quote] | None = None,
    *,
    tenors: tuple[float, ...] = KEY_TENORS,
    settlement: dt.date | None = None,
    report: Callable[[float, str], None] = _silent,
) -> tuple[RateRisk, ...]:
    """Every class, in the deal's order. The index of the running period is fixed and does not move.

    tenors  months, rising; those beyond the curve's last node are left out, since nothing there could be moved. ()
            leaves the key rates out. report may raise to stop. Raises ValueError as a projection does.
    """
    curve, tranches = curve_of(model, assumptions), model.book.deal.tranches
    reach = curve.days[-1] / 365.0 * 12.0
    keys = tuple(t for t in tenors if t <= reach + 0.5)
    found, given = _notes(model, assumptions, settlement), dict(quotes or {})
    spreads: list[float | None] = []
    for note, terms in zip(found, tranches, strict=True):
        quote = given.get(class_id(terms.name), quote_of(terms))
        clean = None if quote is None or note.claim <= 0.0 else note.price(quote)
        spreads.append(None if clean is None else note.rate(Style.SPREAD, clean))
    moves = [((1.0, 1.0),), *(tuple((t, float(t == key)) for t in keys) for key in keys)]
    differences = []
    for j, move in enumerate(moves):
        report(j / len(moves), "Moving the curve")
        sides = []
        for sign in (-BUMP, BUMP):
            added = tuple((months, sign * weight) for months, weight in move)
            path = replace(assumptions.rates, key_shifts=together(assumptions.rates.key_shifts, added))
            sides.append(_worths(_notes(model, replace(assumptions, rates=path), settlement), spreads))
        differences.append(sides)
    report(1.0, "Done")
    here = _worths(found, spreads)
    return tuple(
        _risk(class_id(terms.name), here[k], [(low[k], high[k]) for low, high in differences], keys)
        for k, terms in enumerate(tranches)
    )


def together(one: Shifts, other: Shifts) -> Shifts:
    """Both shifts at once: a node wherever either has one."""
    if not one or not other:
        return one or other
    months = sorted({m for m, _ in (*one, *other)})
    moved = sum(np.interp(months, [m for m, _ in s], [x for _, x in s]) for s in (sorted(one), sorted(other)))
    return tuple(zip(months, np.asarray(moved).tolist(), strict=True))


def _risk(
    name: str, worth: float | None, sides: list[tuple[float | None, float | None]], keys: tuple[float, ...]
) -> RateRisk:
    low, high = sides[0]
    if worth is None or low is None or high is None or worth <= 0.0:
        return RateRisk(name, None, None, None, ())
    duration = (low - high) / (2.0 * BUMP * worth)
    keyed = tuple(
        (tenor, (below - above) / (2.0 * BUMP * worth))
        for tenor, (below, above) in zip(keys, sides[1:], strict=True)
        if below is not None and above is not None
    )
    convexity = (low + high - 2.0 * worth) / (BUMP**2 * worth)
    return RateRisk(name, duration, convexity, duration * worth * BASIS_POINT, keyed)


def _notes(model: Model, assumptions: Assumptions, settlement: dt.date | None) -> list[Note]:
    projection, curve = model.run(assumptions), curve_of(model, assumptions)
    return [note_of(projection, k, curve, settlement) for k in range(len(projection.tranches))]


def _worths(notes: list[Note], spreads: list[float | None]) -> list[float | None]:
    """Money each class is worth at its spread."""
    worths: list[float | None] = []
    for note, spread in zip(notes, spreads, strict=True):
        if spread is None:
            worths.append(None)
        else:
            worths.append(float(note.discounting(Style.SPREAD).worth(note.amounts, np.array([[spread]]))[0, 0]))
    return worths
