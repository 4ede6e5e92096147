"""The demo deal "Harbor 2024-1". ``python -m resources.demo.generate`` writes the workbook that ships."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.terms import Book, Deal, Reference
from resources.demo import calendar as days
from resources.demo import limits, notes
from resources.demo.pool import TARGET_PAR, make_pool

SEED: Final = 2024
WORKBOOK: Final = Path(__file__).resolve().parent / "harbor-2024-1.xlsx"
_FEE_BASIS: Final = 500_214_873.15  # par and principal cash at the end of the last collection period


def make_book(seed: int = SEED) -> Book:
    """The whole deal. Pure: the same seed gives the same records on every machine."""
    pool = make_pool(seed)
    par = {h.asset_id: h.par for h in pool.holdings}
    alive = [(a, par[a.asset_id]) for a in pool.assets if a.asset_id in par and not a.defaulted]
    recovery = sum((a.moodys_recovery_rate or 0.0) * p for a, p in alive) / sum(p for _, p in alive)
    deal = Deal(
        name=notes.NAME,
        current_dates=notes.current_dates(),
        dates=notes.DATES,
        holdings=pool.holdings,
        accounts=notes.accounts(pool.principal_cash, pool.interest_cash, pool.unfunded),
        original_index=days.ORIGINAL_INDEX,
        current_index=days.CURRENT_INDEX,
        limits=limits.limits(recovery),
        quality_inputs=limits.quality_inputs(notes.rated_notes(), TARGET_PAR),
        weights=limits.WEIGHTS,
        cash_flow_inputs=notes.CASH_FLOW_INPUTS,
        subordinated_payments=notes.SUBORDINATED_PAYMENTS,
        clo_inputs=notes.clo_inputs(_FEE_BASIS),
        schedule=days.schedule(),
        tranches=notes.TRANCHES,
        fees=notes.FEES,
    )
    reference = Reference(
        holidays=days.HOLIDAYS,
        fixings=days.FIXINGS,
        vectors=notes.VECTORS,
        sinks=pool.sinks,
        curve=days.CURVE,
        assumptions=notes.ASSUMPTIONS,
    )
    return Book(deal=deal, assets={a.asset_id: a for a in pool.assets}, reference=reference)


def main() -> None:
    """Write the workbook beside this module."""
    from clo_desktop.sheets.write import write_book

    write_book(make_book(), WORKBOOK)


if __name__ == "__main__":
    main()
