"""The tests of a deal in plain Python: dicts, loops and floats, by number. The oracle of the compliance engine.

Written from the definitions (spec compliance-risk 2, 3 and 11), not from the engine: slow, without arrays, and without
the catalogue. Readings: the workbook's.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from engine.asset import Asset

Lot = tuple[Asset, float]

G1 = {"Netherlands", "Australia", "New Zealand", "United Kingdom", "UK"}
G2 = {"Germany", "Sweden", "Switzerland"}
G3 = {"Austria", "Belgium", "Denmark", "Finland", "France", "Iceland", "Liechtenstein", "Luxembourg", "Norway", "Spain"}
TAX = {"Bahamas", "Bermuda", "British Virgin Islands", "Cayman Islands", "Channel Islands", "Netherlands Antilles"}
CAA = {"Caa1", "Caa2", "Caa3", "Ca", "C"}
CCC = {"CCC+", "CCC", "CCC-", "CC", "C"}
SECOND = "Senior Unsecured Loan/Second Lien Loan"
MOODYS = "Aaa Aa1 Aa2 Aa3 A1 A2 A3 Baa1 Baa2 Baa3 Ba1 Ba2 Ba3 B1 B2 B3 Caa1 Caa2 Caa3 Ca C".split()
FACTORS = [
    1,
    10,
    20,
    40,
    70,
    120,
    180,
    260,
    360,
    610,
    940,
    1350,
    1766,
    2220,
    2720,
    3490,
    4770,
    6500,
    8070,
    10000,
    10000,
]
SP_FACTORS = {
    **{"AAA": 13.51, "BB+": 784.92, "BB": 1233.63, "BB-": 1565.44, "B+": 1982.0, "B": 2859.5, "B-": 3610.11},
    **{"CCC+": 4641.4, "CCC": 5293.0, "CCC-": 5751.1, "CC": 10000.0, "C": 10000.0},
}


class Plain:
    """The tests of one pool. inputs: the deal's labels; stated: its stated maturity; as_of: the analysis date."""

    def __init__(self, lots: list[Lot], cash: float, inputs: dict[str, float], stated: Any, as_of: Any) -> None:
        self.lots, self.cash, self.inputs, self.stated, self.as_of = lots, cash, inputs, stated, as_of
        self.alive = [(a, p) for a, p in lots if not a.defaulted]
        self.performing = sum(p for _, p in self.alive)
        self.amount = self.performing + cash

    def share(self, counts: Callable[[Asset], Any], *, defaulted: bool = False, cash: float = 0.0) -> float:
        total = sum(p for a, p in (self.lots if defaulted else self.alive) if counts(a))
        return self.over(total + cash)

    def over(self, numerator: float, denominator: float | None = None) -> float:
        below = self.amount if denominator is None else denominator
        if below > 0:
            return numerator / below
        return 0.0 if numerator == 0 else float("inf") * (1 if numerator > 0 else -1)

    def names(self, key: str, counts: Callable[[Asset], Any], *, defaulted: bool = False) -> list[float]:
        by: dict[str, float] = defaultdict(float)
        for a, p in self.lots if defaulted else self.alive:
            if counts(a):
                by[(getattr(a, key) or "").upper()] += p
        return sorted(by.values(), reverse=True)

    def ranked(self, key: str, rank: int, counts: Callable[[Asset], Any], *, defaulted: bool = False) -> float:
        found = self.names(key, counts, defaulted=defaulted)
        return self.over(found[rank - 1]) if len(found) >= rank else 0.0

    def top(self, key: str, rank: int) -> float:
        return self.over(sum(self.names(key, lambda a: True)[:rank]))

    def average(
        self, lots: Iterable[Lot], measure: Callable[[Asset], float | None], over: Iterable[Lot] | None = None
    ) -> float:
        counted = [(a, p) for a, p in lots]
        missing = {id(a) for a, _ in counted if measure(a) is None}
        top = sum(p * (measure(a) or 0.0) for a, p in counted if id(a) not in missing)
        below = sum(p for a, p in (counted if over is None else list(over)) if id(a) not in missing)
        return self.over(top, below)

    def spread(self, a: Asset) -> float | None:
        index = self.inputs["Current LIBOR"]
        if "LIBOR" not in (a.index_name or "").upper() or (a.index_floor or 0.0) > index:
            return None if a.coupon is None else a.coupon - index
        return a.coupon_spread

    def floaters(self) -> float:
        """Par of the floaters that have a spread."""
        return sum(p for a, p in self.alive if a.coupon_type == "FLOAT" and self.spread(a) is not None)

    def recovery(self) -> float:
        return self.average(self.alive, _recovery_of, self.alive)

    def factor(self) -> float:
        def one(a: Asset) -> float:
            return FACTORS[MOODYS.index(a.moodys_rating_warf)] if a.moodys_rating_warf in MOODYS else 10000.0

        return self.average(self.alive, one)

    def diversity(self, alive_only: bool = False) -> float:
        by: dict[str, float] = {}
        industry: dict[str, str] = {}
        for a, p in self.alive if alive_only else self.lots:
            key = a.issuer_id or ""
            by[key] = by.get(key, 0.0) + p
            industry.setdefault(key, a.moodys_industry or "")
        if not by or sum(by.values()) <= 0:
            return 0.0
        mean = sum(by.values()) / len(by)
        units: dict[str, float] = defaultdict(float)
        for key, par in by.items():
            units[industry[key]] += min(1.0, par / mean)
        return sum(_points(round(u * 10) / 10) for u in units.values())

    def coverage(self) -> float:
        total = self.cash
        for a, p in self.lots:
            if a.defaulted:
                total += p * (a.market_value or 0.0) / 100
            elif a.piking:
                total += p * (_recovery_of(a) or 0.0)
            else:
                total += p
        return self.over(total, self.inputs["JR OC Denominator"])

    def excess(self, counts: Callable[[Asset], Any]) -> float:
        return self.over(self.haircut(counts))

    def larger_haircut(self) -> float:
        caa, ccc = (self.haircut(f) for f in (lambda a: a.moodys_rating in CAA, lambda a: a.sp_issuer_rating in CCC))
        return max(caa, ccc)

    def haircut(self, counts: Callable[[Asset], Any], beyond: float = 0.075) -> float:
        members = sorted(((_priced(a), p) for a, p in self.alive if counts(a)), key=lambda pair: pair[0])
        left = sum(p for _, p in members) - beyond * max(self.amount, 0.0)
        haircut = 0.0
        for price, par in members:
            cut = min(par, max(left, 0.0))
            haircut += cut * max(1.0 - price, 0.0)
            left -= cut
        return haircut

    def sp_alive(self) -> list[Lot]:
        good = SP_FACTORS.keys() - {"CC", "C"}
        return [(a, p) for a, p in self.alive if a.sp_issuer_rating in good]

    def sp_factor(self) -> float:
        return self.average(self.sp_alive(), lambda a: SP_FACTORS[_sp_rating(a)])

    def dispersion(self) -> float:
        mean = self.sp_factor()
        return self.average(self.sp_alive(), lambda a: abs(SP_FACTORS[_sp_rating(a)] - mean))

    def effective(self, key: Callable[[Asset], str]) -> float:
        by: dict[str, float] = defaultdict(float)
        for a, p in self.sp_alive():
            by[key(a)] += p
        total = sum(by.values())
        return 1 / sum((p / total) ** 2 for p in by.values()) if total > 0 else 0.0

    def years(self) -> float:
        def one(a: Asset) -> float | None:
            return None if a.maturity is None else max((a.maturity - self.as_of).days, 0) / 365.25

        return self.average(self.sp_alive(), one)


def _recovery_of(a: Asset) -> float | None:
    """What is stored; a blank of a DIP loan is 50 % (spec 5.5)."""
    return 0.5 if a.moodys_recovery_rate is None and a.dip else a.moodys_recovery_rate


def _priced(a: Asset) -> float:
    return 1.0 if a.market_value is None else a.market_value / 100


def _points(units: float) -> float:
    """Moody's table: a straight line between the points (0, 0), (1, 1), (3, 2), (6, 3), (10, 4), (20, 5)."""
    for (low, score), (high, _) in itertools.pairwise(_LINE):
        if units <= high:
            return round(score + (units - low) / (high - low), 4)
    return 5.0


_LINE = ((0, 0), (1, 1), (3, 2), (6, 3), (10, 4), (20, 5))


def _sp_rating(a: Asset) -> str:
    """A DIP loan goes by its facility rating (spec 5.4)."""
    return (a.sp_facility_rating if a.dip else None) or a.sp_issuer_rating or ""


def _fitch_factor(a: Asset) -> float | None:
    """The factor of the lower of both issuer ratings; the pools have those of S&P only, or B2 and Caa2 of Moody's."""
    order = {"BB": 11.844, "B": 23.671, "B-": 32.221, "CCC+": 41.111, "CCC": 50.0, "CC": 100.0}
    moodys = {"B2": 23.671, "Caa2": 50.0}
    found = [f for f in (order.get(a.sp_issuer_rating or ""), moodys.get(a.moodys_issuer_rating or "")) if f]
    return max(found) if found else None


def _region(a: Asset) -> str:
    if a.country in ("USA", "Canada", "Bermuda", "Cayman Islands"):
        return "north america"
    if a.country in G1 - {"Australia", "New Zealand"} | G2 | G3 | {"Ireland", "Italy", "Portugal"}:
        return "western europe"
    return (a.country or "").upper()


def _is_loan(a: Asset) -> bool:
    return a.bond_loan == "LOAN"


TESTS: dict[int, Callable[[Plain], float]] = {
    1: lambda x: x.share(lambda a: _is_loan(a) and a.moodys_category != "Moody's Non-Senior Secured Loan", cash=x.cash),
    2: lambda x: x.share(
        lambda a: not (a.seniority == "Senior Secured" and _is_loan(a)) or a.sp_priority_category == SECOND,
        defaulted=True,
    ),
    3: lambda x: x.ranked("issuer_id", 6, lambda a: not a.dip),
    4: lambda x: x.ranked("issuer_id", 1, lambda a: not a.dip),
    5: lambda x: x.ranked("issuer_id", 1, lambda a: a.dip),
    6: lambda x: x.ranked("issuer_id", 1, lambda a: a.sp_priority_category == SECOND),
    7: lambda x: x.share(lambda a: a.moodys_rating in CAA),
    8: lambda x: x.share(lambda a: a.payment_frequency is not None and a.payment_frequency < 4, defaulted=True),
    9: lambda x: x.share(lambda a: a.coupon_type == "FIXED"),
    10: lambda x: x.share(lambda a: a.current_pay),
    11: lambda x: x.share(lambda a: a.dip),
    12: lambda x: x.over(sum(a.unfunded_amount or 0.0 for a, p in x.alive if p)),
    13: lambda x: x.share(lambda a: a.participation),
    14: lambda x: x.share(lambda a: a.country != "USA"),
    15: lambda x: x.share(lambda a: a.country == "Canada" or a.country in TAX),
    16: lambda x: x.share(lambda a: a.country not in ("USA", "Canada", "UK", "United Kingdom")),
    17: lambda x: x.share(lambda a: a.country in G1 | G2 | G3),
    18: lambda x: x.share(lambda a: a.country in G1),
    19: lambda x: x.ranked("country", 1, lambda a: a.country in G1),
    20: lambda x: x.share(lambda a: a.country in G2),
    21: lambda x: x.ranked("country", 1, lambda a: a.country in G2),
    22: lambda x: x.share(lambda a: a.country in G3),
    23: lambda x: x.ranked("country", 1, lambda a: a.country in G3),
    24: lambda x: x.share(lambda a: a.country in TAX),
    25: lambda x: x.ranked("sp_industry", 4, lambda a: True, defaulted=True),
    26: lambda x: x.ranked("sp_industry", 2, lambda a: True, defaulted=True),
    27: lambda x: x.ranked("sp_industry", 1, lambda a: True, defaulted=True),
    28: lambda x: x.share(lambda a: a.bridge_loan),
    29: lambda x: x.share(lambda a: a.cov_lite, defaulted=True),
    30: lambda x: x.share(lambda a: a.deferrable),
    31: lambda x: x.share(
        lambda a: a.facility_size is not None and a.facility_size < (150e6 if a.country == "USA" else 250e6)
    ),
    32: lambda x: x.average([(a, p) for a, p in x.lots if a.coupon_type == "FLOAT"], x.spread),
    33: Plain.recovery,
    34: lambda x: x.average([(a, p) for a, p in x.lots if a.coupon_type == "FIXED"], lambda a: a.coupon),
    35: lambda x: round(x.average(x.lots, lambda a: a.wal, x.alive), 2),
    36: Plain.factor,
    37: Plain.diversity,
    38: Plain.coverage,
    39: lambda x: x.average([(a, p) for a, p in x.alive if a.coupon_type == "FLOAT"], x.spread),
    40: lambda x: x.share(lambda a: a.sp_issuer_rating in CCC),
    41: lambda x: x.share(lambda a: a.country == "Canada"),
    42: lambda x: x.share(lambda a: a.letter_of_credit),
    43: lambda x: x.share(lambda a: a.maturity is not None and a.maturity > x.stated),
    44: lambda x: x.share(lambda a: a.seniority != "Senior Secured"),
    46: lambda x: x.average([(a, p) for a, p in x.alive if a.coupon_type == "FLOAT"], x.spread),
    47: lambda x: x.share(lambda a: a.country in {"USA", "Canada", "Ireland"} | G1 | G2 | G3 | TAX, cash=x.cash),
    48: lambda x: x.share(lambda a: a.participation or a.letter_of_credit),
    49: lambda x: x.ranked("moodys_industry", 1, lambda a: True),
    50: lambda x: x.ranked("moodys_industry", 2, lambda a: True),
    51: lambda x: x.ranked("moodys_industry", 3, lambda a: True),
    52: lambda x: x.ranked("moodys_industry", 4, lambda a: True),
    53: lambda x: x.share(lambda a: a.facility_size is not None and a.facility_size < 200e6),
    54: Plain.factor,
    101: lambda x: x.top("issuer_id", 5),
    102: lambda x: x.top("issuer_id", 10),
    103: lambda x: x.share(
        lambda a: (
            a.seniority in ("Second Lien", "Senior Secured Second Lien")
            or (a.sp_priority_category == SECOND and a.seniority not in ("Unsecured", "Senior", "Senior Unsecured"))
        )
    ),
    104: lambda x: x.share(lambda a: a.seniority in ("Unsecured", "Senior Unsecured")),
    105: lambda x: x.share(lambda a: a.piking),
    106: lambda x: x.share(lambda a: a.delayed_draw or a.revolver),
    107: lambda x: x.share(lambda a: a.sp_issuer_rating == "B-"),
    108: lambda x: x.share(lambda a: not _is_loan(a)),
    109: lambda x: x.share(lambda a: a.currency not in (None, "USD")),
    110: lambda x: x.share(lambda a: a.structured_finance),
    111: lambda x: x.share(lambda a: a.convertible),
    112: lambda x: x.share(lambda a: a.coupon == 0),
    114: lambda x: x.share(lambda a: a.market_value is not None and a.market_value < 80),
    115: lambda x: x.share(lambda a: a.facility_size is not None and a.facility_size < 150e6),
    116: lambda x: x.share(lambda a: a.country == "Brazil"),
    117: lambda x: x.share(lambda a: a.country in ("Ireland", "Luxembourg")),
    120: lambda x: x.excess(lambda a: a.moodys_rating in CAA),
    121: lambda x: x.excess(lambda a: a.sp_issuer_rating in CCC),
    122: lambda x: max(x.excess(lambda a: a.moodys_rating in CAA), x.excess(lambda a: a.sp_issuer_rating in CCC)),
    123: lambda x: x.share(
        lambda a: a.sp_facility_rating is not None and a.moodys_facility_rating is None and not a.moodys_issuer_rating
    ),
    130: Plain.factor,
    131: lambda x: x.average([(a, p) for a, p in x.alive if a.coupon_type == "FLOAT"], x.spread),
    132: lambda x: x.diversity(alive_only=True),
    133: lambda x: (
        TESTS[46](x)
        + x.inputs["Current LIBOR"] * (x.floaters() - x.inputs["Reinvestment Target Balance"]) / x.floaters()
    ),
    134: lambda x: (
        (x.coverage() * x.inputs["JR OC Denominator"] - x.larger_haircut()) / x.inputs["Reinvestment Target Balance"]
    ),
    135: lambda x: x.coverage() - x.larger_haircut() / x.inputs["JR OC Denominator"],
    140: Plain.sp_factor,
    141: Plain.dispersion,
    142: lambda x: x.effective(lambda a: a.issuer_id or ""),
    143: lambda x: x.effective(lambda a: (a.sp_industry or "").upper()),
    144: lambda x: x.effective(_region),
    145: Plain.years,
    158: lambda x: TESTS[46](x),
    160: lambda x: x.average(x.alive, _fitch_factor),
    162: lambda x: x.share(lambda a: (_fitch_factor(a) or 0.0) > 41),
    163: lambda x: x.ranked("sp_industry", 1, lambda a: True),
    164: lambda x: x.top("sp_industry", 3),
}
"""The result of each test by its number."""


def thresholds(x: Plain) -> dict[int, float]:
    """The computed limits (spec 3.2, 3.3)."""
    recovery = TESTS[33](x)
    spread, factor = x.inputs["Weighted Average Spread"], x.inputs["WARF Threshold"]
    slope = 0.065 if spread >= 0.031 else 0.05
    return {
        32: spread - (recovery - 0.43) * slope,
        36: factor + (100 * recovery - 43) * x.inputs["WARF Factor"],
        39: spread - (recovery - x.inputs["WARR Threshold"]) * 100 * x.inputs["WAS Factor"],
        54: factor + (recovery - x.inputs["WARR Threshold"]) * 100 * x.inputs["WARF Factor"],
    }


def scenario_default_rate(x: Plain) -> float:
    """S&P's scenario default rate from 2019 (spec 11.2)."""
    t = {n: TESTS[n](x) for n in range(140, 146)}
    return (
        0.247621 + t[140] / 9162.65 - t[141] / 16757.2 - t[142] / 7677.8 - t[143] / 2177.56 - t[144] / 34.0948
        + t[145] / 27.3896
    )  # fmt: skip
