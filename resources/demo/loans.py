"""The terms of a facility of the demo deal, consistent with its ratings: spread, floor, dates, price, and the asset."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from engine import ratings
from engine.asset import Asset
from engine.ratings import NOT_RATED
from resources.demo import calendar as days
from resources.demo.draw import Draw
from resources.demo.facilities import Facility, Lien
from resources.demo.rated import Rated

_BULLETS: Final = frozenset({Lien.SECOND, Lien.BOND, Lien.REVOLVER})
_SPREAD: Final = {  # of a first lien, by the borrower's rating
    **{"Baa3": 0.0150, "Ba1": 0.0175, "Ba2": 0.0200, "Ba3": 0.0235, "B1": 0.0300, "B2": 0.0365, "B3": 0.0420},
    **{"Caa1": 0.0465, "Caa2": 0.0495, "Ca": 0.0500},
}
_PRICE: Final = {  # mean and deviation, percent of par
    **{"Baa3": (100.1, 0.15), "Ba1": (100.05, 0.2), "Ba2": (99.95, 0.25), "Ba3": (99.95, 0.3), "B1": (99.45, 0.5)},
    **{"B2": (98.9, 1.1), "B3": (96.6, 2.4), "Caa1": (88.0, 3.5), "Caa2": (77.0, 5.0), "Ca": (38.25, 0.0)},
}
_CALL_PRICE: Final = 100.2
_DOWN: Final = frozenset({"Negative", "Downgrade"})
_YEARS: Final = ((2026, 1.0), (2027, 6.0), (2028, 24.0), (2029, 17.0), (2030, 17.0), (2031, 27.0), (2032, 8.0))
_LAST_ISSUE: Final = dt.date(2025, 3, 21)
_FLOORS: Final = ((0.0, 0.46), (0.005, 0.30), (0.0075, 0.16), (0.01, 0.08))
_ADJUSTMENTS: Final = {
    12: ((0.001, 0.5), (0.0011448, 0.5)),
    4: ((0.001, 0.35), (0.0026161, 0.65)),
    2: ((0.0042826, 1.0),),
}
# New loans came without an adjustment about a year after LIBOR's end was settled.
_ADJUSTED_BEFORE: Final = dt.date(2023, 7, 1)
_BOND_COUPONS: Final = {
    "Baa3": 0.0525,
    "Ba1": 0.0575,
    "Ba2": 0.06,
    "Ba3": 0.0625,
    "B1": 0.0675,
    "B2": 0.07125,
    "B3": 0.08,
}
_DEFAULTED_ON: Final = dt.date(2025, 1, 28)
_PIK_BALANCE: Final = 61_437.5
_UNFUNDED: Final = {Lien.REVOLVER: (500_000.0, 0.005), Lien.DELAYED: (400_000.0, 0.01)}
_FAMILY: Final = "Moody's Senior Secured Loan"
_OTHER_FAMILY: Final = "Moody's Non-Senior Secured Loan"
SP_SENIOR: Final = "Senior Secured Loan"
SP_COV_LITE: Final = "Senior Secured Loan (Cov-Lite)/Senior Secured Bond"
_SP_SECOND: Final = "Senior Unsecured Loan/Second Lien Loan"


def quarterly_amortisation(lien: Lien) -> float:
    """Scheduled principal a quarter, as a share of the original balance."""
    if lien in _BULLETS:
        return 0.0
    return 0.0125 if lien is Lien.TERM_A else 0.0025


def can_be_cov_lite(facility: Facility) -> bool:
    """Term loans B are; revolvers, term loans A and second liens of the deal keep covenants."""
    return facility.lien is Lien.FIRST and not facility.defaulted


def make_asset(asset_id: str, facility: Facility, rated: Rated, draw: Draw) -> Asset:
    """The asset master's record of `facility`. Cov-lite flags are set later, when the par of the pool is known."""
    obligor, lien = facility.obligor, facility.lien
    bond = lien is Lien.BOND
    frequency = _frequency(facility, draw)
    maturity, issued = _dates(facility, draw)
    month_end = not bond and draw.share() < 0.7
    first = _first_payment(issued, frequency, month_end)
    spread = None if bond else _spread(facility, draw)
    floor = None if bond else draw.pick(_FLOORS)
    adjustment = None if bond else _adjustment(issued, frequency, draw)
    index, level = days.INDEX[frequency]
    if spread is None or floor is None or adjustment is None:
        coupon = _BOND_COUPONS[obligor.moodys]
    else:
        coupon = round(max(level, floor) + adjustment + spread, 7)
    size = _size(facility, draw)
    unfunded, fee = _UNFUNDED.get(lien, (0.0, None))
    senior = lien not in (Lien.SECOND, Lien.BOND)
    price = _price(facility, spread, draw)
    tranche = f"{coupon:.3%} {maturity.year} Notes" if bond else facility.tranche
    return Asset(
        asset_id=asset_id,
        issue_name=f"{obligor.name} {tranche}",
        issuer_name=obligor.name,
        issuer_id=obligor.ticker,
        tranche=facility.tranche,
        bond_loan="BOND" if bond else "LOAN",
        maturity=maturity,
        coupon_type="FIXED" if bond else "FLOAT",
        payment_frequency=frequency,
        coupon_spread=spread,
        index_floor=floor,
        index_name=None if bond else index,
        coupon=coupon,
        commitment_fee=fee,
        unfunded_amount=unfunded,
        facility_size=size,
        moodys_industry=obligor.industry,
        sp_industry=obligor.sp_industry,
        moodys_category=_FAMILY if senior else _OTHER_FAMILY,
        sp_priority_category=_SP_SECOND if lien is Lien.SECOND else SP_COV_LITE if bond else SP_SENIOR,
        country=obligor.country,
        seniority="Senior Secured",
        deferrable=facility.deferrable,
        piking=facility.piking,
        pik_amount=_PIK_BALANCE if facility.piking else 0.0,
        defaulted=facility.defaulted,
        date_of_default=_DEFAULTED_ON if facility.defaulted else None,
        delayed_draw=lien is Lien.DELAYED,
        revolver=lien is Lien.REVOLVER,
        letter_of_credit=False,
        participation=facility.participation,
        dip=False,
        convertible=False,
        structured_finance=False,
        bridge_loan=False,
        current_pay=facility.current_pay,
        cov_lite=False,
        currency="USD",
        wal=average_life(maturity, quarterly_amortisation(lien)),
        market_value=price,
        first_lien_last_out=False,
        **asdict(rated),
        moodys_issuer_rating=obligor.moodys,
        moodys_issuer_outlook=obligor.outlook,
        moodys_senior_unsecured_rating=obligor.unsecured,
        moodys_subordinate_rating=NOT_RATED,
        moodys_credit_estimate=obligor.estimate,
        moodys_credit_estimate_date=dt.date(2024, 9, 18) if obligor.estimate else None,
        sp_issuer_rating=obligor.sp,
        sp_subordinated_rating=NOT_RATED,
        dated_date=issued,
        issue_date=issued,
        first_payment_date=first,
        amortization_type="Bullet" if lien in _BULLETS else "Scheduled",
        day_count="30/360" if bond else "ACTUAL/360",
        business_day_convention="Following" if bond else "Mod Following",
        payment_eom=month_end,
        amount_issued=size,
        credit_opinion=_opinion(facility, price, draw),
        credit_spread_adjustment=adjustment,
    )


def average_life(maturity: dt.date, quarterly: float) -> float:
    """Weighted average life in years from the analysis date, to two decimals (ACT/365).

    quarterly  share of the balance of today that is paid each quarter before maturity
    """
    left, total, day = 1.0, 0.0, days.add_months(maturity, -3)
    while quarterly and day > days.ANALYSIS and left > quarterly:
        total += quarterly * (day - days.ANALYSIS).days
        left -= quarterly
        day = days.add_months(day, -3)
    return round((total + left * (maturity - days.ANALYSIS).days) / 365, 2)


def _frequency(facility: Facility, draw: Draw) -> int:
    if facility.lien is Lien.BOND or facility.semi_annual:
        return 2
    if facility.lien is not Lien.FIRST:
        return 4
    return draw.pick(((4, 0.78), (12, 0.22)))


def _dates(facility: Facility, draw: Draw) -> tuple[dt.date, dt.date]:
    """Maturity (a business day, at most seven years from the analysis date) and the day the facility was made."""
    years: Sequence[tuple[int, float]] = _YEARS
    tenor = draw.pick(((7, 0.8), (6, 0.08), (5, 0.12)))
    if facility.lien in (Lien.REVOLVER, Lien.TERM_A, Lien.DELAYED):
        years, tenor = ((2028, 1.0), (2029, 1.0)), 5
    elif facility.lien is Lien.SECOND:
        years, tenor = ((2030, 1.0), (2031, 1.0)), 8
    elif facility.over_second:
        years, tenor = ((2028, 1.0), (2029, 1.0)), 7
    elif facility.lien is Lien.BOND:
        years, tenor = ((2029, 1.0), (2030, 1.0)), 7
    if facility.defaulted:
        years, tenor = ((2027, 1.0),), 7
    if facility.weight == 0 and facility.fixed is None:
        years, tenor = ((2032, 1.0),), 7
    year = draw.pick(years)
    day = dt.date(year, 1, 1) + dt.timedelta(days=draw.whole(5, 70 if year == 2032 else 355))
    if year == 2026:
        day = day.replace(month=draw.whole(7, 11), day=draw.whole(1, 28))
    maturity = days.following(day)
    issued = days.following(days.add_months(maturity, -12 * tenor))
    while issued > _LAST_ISSUE:
        issued = days.following(days.add_months(issued, -12))
    return maturity, issued


def _first_payment(issued: dt.date, frequency: int, month_end: bool) -> dt.date:
    """The first interest date: an anniversary of the issue, or the first end of a period at least 25 days away."""
    step = 12 // frequency
    if not month_end:
        return days.add_months(issued, step)
    day = issued + dt.timedelta(days=25)
    while day.month % step:
        day = days.add_months(day.replace(day=1), 1)
    return days.add_months(day, 0, month_end=True)


def _spread(facility: Facility, draw: Draw) -> float:
    """The margin over index and adjustment, in steps of 25 basis points."""
    base = _SPREAD[facility.obligor.grade]
    if facility.lien is Lien.SECOND:
        base += 0.0360
    elif facility.lien is Lien.TERM_A:
        base -= 0.0025
    elif facility.lien is Lien.REVOLVER:
        base -= 0.0050
    return round(round(draw.bell(base, 0.08 * base) / 0.0025) * 0.0025, 4)


def _adjustment(issued: dt.date, frequency: int, draw: Draw) -> float:
    chance = draw.share()
    picked = draw.pick(_ADJUSTMENTS[frequency])
    return picked if issued < _ADJUSTED_BEFORE and chance < 0.42 else 0.0


def _price(facility: Facility, spread: float | None, draw: Draw) -> float:
    """The mark, percent of par: the rating's level, more for a fat spread, less where the outlook points down."""
    obligor = facility.obligor
    mean, deviation = _PRICE[obligor.grade]
    mark = draw.bell(mean, deviation)
    if facility.defaulted:
        return mean
    if facility.current_pay:
        return round(draw.between(85.5, 91.0), 3)
    if obligor.outlook in _DOWN:
        mark -= draw.between(0.3, 1.8)
    if facility.lien is Lien.SECOND:
        mark -= draw.between(2.0, 6.0)
    elif facility.lien is Lien.BOND:
        mark -= draw.between(0.5, 2.5)
    elif spread is not None:
        mark += (spread - _SPREAD[obligor.grade]) * 120
    if mark > _CALL_PRICE:
        mark = _CALL_PRICE + 0.2 * (mark - _CALL_PRICE)  # who pays more is repaid at par
    return round(max(mark, 66.0), 3)


def _size(facility: Facility, draw: Draw) -> float:
    """Facility size in steps of five million, of one million for small ones."""
    if facility.small:
        low, high = (118.0, 146.0) if facility.obligor.country == "USA" else (205.0, 240.0)
    elif facility.lien is Lien.SECOND:
        low, high = 180.0, 420.0
    elif facility.lien in (Lien.REVOLVER, Lien.DELAYED):
        low, high = 155.0, 260.0
    else:
        middle = 1300.0 if facility.obligor.grade in ("Baa3", "Ba1", "Ba2", "Ba3") else 820.0
        low, high = 0.42 * middle, 2.6 * middle
    step = 1.0 if facility.small else 5.0
    size = low * math.exp(math.log(high / low) * draw.share())
    return round(size / step) * step * 1e6


def _opinion(facility: Facility, price: float, draw: Draw) -> str:
    """The analyst's view; what trades badly is for sale, what is offered is mostly liked."""
    if price < 90 or facility.defaulted:
        return draw.pick((("SALE", 0.7), ("HOLD", 0.3)))
    if facility.weight == 0:
        return draw.pick((("BUY", 0.7), ("HOLD", 0.3)))
    if facility.obligor.grade in ratings.MOODYS[:15] and price > 99:
        return draw.pick((("BUY", 0.2), ("HOLD", 0.8)))
    return draw.pick((("BUY", 0.05), ("HOLD", 0.9), ("SALE", 0.05)))
