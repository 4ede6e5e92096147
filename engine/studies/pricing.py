"""Class x price x scenario: yields or margins at prices, or prices at yields or margins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.assumptions import Assumptions
from engine.model import Model
from engine.prepared import path_of
from engine.studies.grid import Report, scenarios, silent
from engine.studies.parameters import Axis
from engine.valuation.calls import stacked
from engine.valuation.classes import curve_of, note_of, settlement_of
from engine.valuation.note import Style
from engine.waterfall.document import class_id

Floats = NDArray[np.float64]

MOST: Final = 2_000
"""Scenarios of one grid: each is a run in full."""


@dataclass(frozen=True, slots=True, eq=False)
class Pricing:
    """Figures of every class; units and conventions of a style: `conventions.MEASURES`.

    style    of what is found: a rate at prices, or, where `of_rates`, of the rates that prices are found at
    values   float64[n_values]  clean prices per 100, or rates as fractions
    figures  float64[n_classes, n_values, n_scenarios]  rates as fractions, or clean prices; NaN: there is none
    """

    class_ids: tuple[str, ...]
    style: Style
    of_rates: bool
    values: tuple[float, ...]
    axis: Axis
    figures: Floats


def price_grid(
    model: Model,
    base: Assumptions,
    axis: Axis,
    style: Style,
    values: Sequence[float],
    *,
    of_rates: bool = False,
    report: Report = silent,
) -> Pricing:
    """Every class at every value in every scenario of the axis: one run a scenario, one call a class and rate path.

    style  of the rates that are found at prices (`values`), or, `of_rates`, at which prices are found
    Raises ValueError for a price that is none, and as a run.
    """
    if style is Style.PRICE:
        raise ValueError("Prices are held against yields, margins or spreads; choose one of them.")
    if not of_rates and not all(0.0 < v <= 1000.0 for v in values):
        raise ValueError("Prices are per 100, above 0 and up to 1,000.")
    cases = scenarios(model, base, (axis,))
    if len(cases) > MOST:
        raise ValueError(f"A price grid has at most {MOST:,} scenarios; these are {len(cases):,}. Take fewer values.")
    runs = []
    for k, case in enumerate(cases):
        report(k / len(cases), f"Scenario {k + 1} of {len(cases)}")
        runs.append(model.run(case))
    ids = tuple(class_id(t.name) for t in model.book.deal.tranches)
    figures = np.full((len(ids), len(values), len(cases)), np.nan)
    for path in dict.fromkeys(map(path_of, cases)):
        places = [k for k, case in enumerate(cases) if path_of(case) == path]
        alike = [runs[k] for k in places]
        longest = max(alike, key=lambda run: len(run.payment_dates))
        curve, at = curve_of(model, cases[places[0]]), settlement_of(longest, None)
        asked = np.repeat(np.array(values, dtype=np.float64)[:, None], len(places), axis=1)
        for k in range(len(ids)):
            note = stacked(note_of(longest, k, curve, at), alike, k)
            if note.claim > 0.0:
                figures[k][:, places] = note.prices(style, asked) if of_rates else note.rates(style, asked)
    report(1.0, "Done")
    return Pricing(ids, style, of_rates, tuple(map(float, values)), axis, figures)
