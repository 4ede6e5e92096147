"""The deal without each of its assets: what each one earns for the equity, all runs in lanes of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.assumptions import Assumptions
from engine.lanes import Pool
from engine.loans import columns as col
from engine.loans.tape import left_out
from engine.model import Model
from engine.projection import Totals
from engine.studies.grid import Report, silent

Floats = NDArray[np.float64]

_LANES: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """What the deal comes to without each asset.

    asset_ids  of the pool, in its order;  par float64[n_assets];  price float64[n_assets] at which each was sold, share
               of par
    whole      the deal as it is, one scenario;  without: a scenario an asset
    """

    asset_ids: tuple[str, ...]
    par: Floats
    price: Floats
    whole: Totals
    without: Totals

    @property
    def irr(self) -> Floats:
        """float64[n_assets]: the equity's IRR without each asset, since purchase; NaN: none."""
        return self.without.equity_irr()

    @property
    def base_irr(self) -> float | None:
        found = float(self.whole.equity_irr()[0])
        return None if found != found else found

    @property
    def earned(self) -> Floats:
        """float64[n_assets]: by how much the IRR is lower without the asset: what it earns."""
        return float(self.whole.equity_irr()[0]) - self.irr


def leave_out(model: Model, base: Assumptions, *, report: Report = silent) -> LeftOut:
    """Sells each asset alone at once, at its price (par where it has none), and runs the deal.

    What it brings goes into the first collection as principal and is used as the deal says: reinvested, or paid to
    the notes. Later cash flows are those of the others. An asset in default is resolved at its price.
    """
    report(0.0, "Projecting loans")
    model = model.under(base)
    by_asset, tape = model.loan_flows(base)
    alone = model.collateral(base)
    n_dates, n = alone.flows.shape[0], tape.par.size
    prices = model.pool.numbers("market_value") / 100.0
    prices = np.where(np.isnan(prices), np.where(tape.defaulted, tape.mark, 1.0), prices)
    place_of = {int(asset): place for place, asset in enumerate(model.watched_assets.tolist())}
    haircut = left_out(tape)
    brings = (col.SOLD, col.PROCEEDS)
    parts: list[Totals] = []
    for at in range(0, n, _LANES):
        chosen = range(at, min(at + _LANES, n))
        flows = alone.flows - np.moveaxis(by_asset[at : at + _LANES, :n_dates], 0, 2)
        watched = np.repeat(alone.watched, len(chosen), axis=2)
        for lane, i in enumerate(chosen):
            _sell(flows[0, :, lane], tape.par[i], float(prices[i]), bool(tape.defaulted[i]))
            if not tape.defaulted[i]:
                flows[0, col.MARKED, lane] -= tape.par[i] * tape.liquidation[i]
                flows[0, col.HAIRCUT, lane] -= tape.par[i] * haircut[i]
            if i in place_of:
                watched[:, place_of[i], lane] = 0.0
        rates = (alone.re_cdr, alone.re_cpr, alone.re_severity)
        pool = Pool(flows, watched, *(np.repeat(rate, len(chosen), axis=2) for rate in rates))
        parts.append(model.totals_of(base, pool, brings))
        report((at + len(chosen)) / n, f"{at + len(chosen)} of {n} assets")
    first = model.totals_of(base, alone, brings)
    ids = tuple(asset.asset_id for asset in model.pool.assets)
    return LeftOut(ids, tape.par.copy(), prices, first, _joined(parts) if parts else first)


def _sell(row: Floats, par: float, price: float, defaulted: bool) -> None:
    if defaulted:
        row[col.RECOVERIES] += par * price
        row[col.LOSS] += par - par * price
    else:
        row[col.SOLD] += par
        row[col.PROCEEDS] += par * price


def _joined(parts: list[Totals]) -> Totals:
    one = parts[0]
    arrays = (np.concatenate(column) for column in zip(*(part.arrays for part in parts), strict=True))
    return Totals(one.class_ids, one.test_ids, one.payment_dates, one.equity_history, *arrays)
