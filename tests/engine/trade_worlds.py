"""Random deals for the tests of trades: a master of assets of which some are held, and a table of every test."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from engine.asset import Asset
from engine.terms import Account, Book, Deal, Holding, ObjectiveWeight, TestLimit, Tranche
from engine.trades import Side, Trade
from resources import library

AS_OF = dt.date(2026, 3, 31)
INPUTS: dict[str, Any] = {
    "Current LIBOR": 0.0075,
    "Weighted Average Spread": 0.038,
    "WARF Factor": 60.0,
    "WARF Threshold": 2700.0,
    "WAS Factor": 0.0006,
    "WARR Threshold": 0.44,
    "S&P C0": 0.1928,
    "S&P C1": 2.673,
    "S&P C2": 1.272,
    "S&P EPDR": 0.25,
    "S&P DRD": 0.1,
    "Quality Matrix": "moodys_matrix_example",
    "Matrix Spread": 0.035,
    "Matrix Diversity": 42.0,
    "Matrix Base Recovery": 0.43,
    "Matrix Factor per Recovery Point": 55.0,
    "Matrix Spread per Recovery Point": 0.0006,
    "WAL Test Date": dt.date(2032, 1, 20),
}
CHOICES: dict[str, list[Any]] = {
    "issuer_id": [f"N{i}" for i in range(14)],
    "country": "USA USA USA Canada Netherlands Germany Luxembourg Ireland Brazil".split(),
    "moodys_industry": "Retail Banking Chemicals Media Mining".split(),
    "sp_industry": "Retailers Banks Chemicals Media Mining".split(),
    "moodys_rating": ["Ba3", "B3", "Caa1", "Ca", None],
    "moodys_rating_warf": ["Ba3", "B3", "Caa1", None],
    "moodys_facility_rating": ["B1", "B3"],
    "sp_issuer_rating": ["BB", "B-", "B", "CCC+", "CCC"],
    "sp_recovery_rating": ["2H", "3L", "5", None],
    "moodys_recovery_rate": [0.45, 0.3, 0.6, None],
    "coupon_type": ["FLOAT", "FLOAT", "FIXED"],
    "coupon_spread": [0.03, 0.0425, None],
    "coupon": [0.05, 0.061, None],
    "index_floor": [None, 0.0, 0.01],
    "index_name": ["3M Libor", "SOFR", None],
    "payment_frequency": [1, 2, 4],
    "maturity": [dt.date(2030, 6, 30), dt.date(2033, 1, 20), dt.date(2034, 1, 1)],
    "seniority": ["Senior Secured", "Senior Secured", "Second Lien"],
    "bond_loan": ["LOAN", "LOAN", "BOND"],
    "moodys_category": ["Moody's Senior Secured Loan", "Moody's Non-Senior Secured Loan"],
    "sp_priority_category": ["Senior Secured Loan", "Senior Unsecured Loan/Second Lien Loan"],
    "facility_size": [1e8, 1.8e8, 2.2e8, 1e9, None],
    "market_value": [55.0, 79.99, 80.0, 98.5, 102.0, None],
    "wal": [None, 3.0, 6.5, 4.1234],
    "unfunded_amount": [None, 1e5],
    "currency": ["USD", "EUR"],
    **{
        flag: [None, None, None, True]
        for flag in "defaulted dip cov_lite piking deferrable participation bridge_loan current_pay revolver".split()
    },
}


def asset(rng: np.random.Generator, name: str) -> Asset:
    values = {field: options[rng.integers(len(options))] for field, options in CHOICES.items()}
    return Asset(asset_id=name, **values)


def book(rng: np.random.Generator, *, market: bool = False, size: int = 24, deal_par: str = "cents") -> Book:
    """A deal that holds about two thirds of its master, in round thousands or in cents."""
    assets = [asset(rng, f"A{i}") for i in range(size)]
    catalogue = library.catalogue()
    numbers = sorted(catalogue.definitions)
    held = [a for a in assets if rng.random() < 0.65]
    pars = rng.uniform(1e5, 4e6, len(held)) if deal_par == "cents" else rng.integers(1, 4000, len(held)) * 1000.0
    target = float(pars.sum()) * rng.uniform(0.9, 1.1)
    limits = tuple(
        TestLimit(n, "", d.direction, _limit(rng, d.kind), previous=_limit(rng, d.kind) if rng.random() < 0.3 else None)
        for n in numbers
        for d in [catalogue.definitions[n]]
    )
    inputs = INPUTS | {"Reinvestment Target Balance": target, "JR OC Denominator": target * 0.9}
    clo: list[tuple[str, Any]] = [("Compliance Readings", "market" if market else "workbook")]
    if market:
        clo.append(("Recovery Share to WARF", float(rng.choice([0.0, 0.4, 1.0]))))
        clo.append(("Diversity Units", str(rng.choice(["half even", "band", "interpolated"]))))
        clo.append(("Affiliate N3", "N4"))
    deal = Deal(
        "Random",
        current_dates=(("Analysis date", AS_OF),),
        dates=(("Stated Maturity", dt.date(2033, 1, 20)),),
        holdings=tuple(Holding(a.asset_id, round(float(p), 2)) for a, p in zip(held, pars, strict=True)),
        accounts=(Account(2, "Collection", 0.0, float(rng.choice([0.0, 5e6, -2e5]))),),
        limits=limits,
        quality_inputs=tuple(inputs.items()),
        clo_inputs=tuple(clo),
        weights=(ObjectiveWeight(36, "", None, 0.3), ObjectiveWeight(38, "", None, 0.7)),
        tranches=(Tranche("A", target * 0.7, target * 0.7),),
    )
    return Book(deal, {a.asset_id: a for a in assets})


def _limit(rng: np.random.Generator, kind: str) -> float:
    scale = {"share": 0.2, "ratio": 1.05, "years": 5.0, "factor": 3000.0, "score": 6.0}[kind]
    return float(scale * rng.uniform(0.5, 1.5))


def trades(rng: np.random.Generator, of: Book, most: int = 5) -> list[Trade]:
    """A list that can be made: sales of parts or of all that is held by then, purchases of anything."""
    par = {h.asset_id: h.par for h in of.deal.holdings}
    made: list[Trade] = []
    for _ in range(int(rng.integers(1, most + 1))):
        price = float(rng.choice([54.25, 80.0, 97.125, 99.5, 101.0]))
        have = [i for i, p in par.items() if p > 0.0]
        if have and rng.random() < 0.5:
            sold = have[int(rng.integers(len(have)))]
            part = par[sold] if rng.random() < 0.4 else round(par[sold] * float(rng.random()), 2)
            if part > 0.0:
                made.append(Trade(Side.SELL, sold, part, price))
                par[sold] = par[sold] - part if par[sold] - part > 0.005 else 0.0
            continue
        bought = list(of.assets)[int(rng.integers(len(of.assets)))]
        amount = float(rng.integers(1, 3000)) * 1000.0
        made.append(Trade(Side.BUY, bought, amount, price))
        par[bought] = par.get(bought, 0.0) + amount
    return made
