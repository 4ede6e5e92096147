"""What every figure of a valuation is counted in, and by which convention; conversions of rates.

A figure's name is the attribute it has in `ClassValue`, `EquityValue` or `Marks`; a result is read together with its
`Measure`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure's title, unit and convention.

    unit  per 100 (of the claim), rate (a year, fraction), years, money (deal currency), share (fraction), multiple,
          date, text
    """

    name: str
    title: str
    unit: str
    convention: str


_CLAIM: Final = "of current balance with deferred interest"
_QUARTERLY: Final = "quarterly compounding, time actual/365 from settlement"
_HELD: Final = "projected flows held"
_DATED: Final = "dated flows, yearly compounding, actual/365"

_ALL: Final = (
    Measure("claim", "Claim", "money", "current balance with deferred interest, at settlement"),
    Measure("factor", "Factor", "share", "current balance without deferred interest over original balance"),
    Measure("accrued", "Accrued", "per 100", f"current coupon from the last payment date to settlement, {_CLAIM}"),
    Measure("clean", "Clean price", "per 100", f"dirty price less accrued, {_CLAIM}"),
    Measure("dirty", "Dirty price", "per 100", f"paid at settlement, {_CLAIM}"),
    Measure("quoted", "Quoted as", "text", "what the price was given as; everything else follows from it"),
    Measure(
        "yield_street",
        "Yield (street)",
        "rate",
        "compounded on each payment period; whole periods and actual days over actual days of a broken one, counted "
        "back from the next payment",
    ),
    Measure("yield_quarterly", "Yield (quarterly)", "rate", _QUARTERLY),
    Measure("yield_semi", "Yield (semi-annual)", "rate", "bond equivalent: semi-annual compounding, time actual/365"),
    Measure(
        "discount_margin",
        "Discount margin",
        "rate",
        "over the projected index: each period discounts at simple actual/360 (forward + margin), the first from "
        "settlement; forwards as the deal's own index was projected",
    ),
    Measure("z_spread", "Z-spread", "rate", f"added to the zero rate of each payment, {_QUARTERLY}"),
    Measure(
        "wal",
        "WAL",
        "years",
        f"principal and deferred interest repaid, {_CLAIM}, actual/365 from settlement; "
        "what stays unpaid counts to the last date",
    ),
    Measure("macaulay", "Macaulay duration", "years", f"{_HELD}, at the quarterly yield, of the dirty price"),
    Measure("modified", "Modified duration", "years", "Macaulay over (1 + quarterly yield / 4)"),
    Measure("convexity", "Convexity", "years²", f"second derivative to the quarterly yield over price, {_HELD}"),
    Measure(
        "spread_duration",
        "Spread duration",
        "years",
        f"derivative to the discount margin over dirty price, {_HELD}",
    ),
    Measure(
        "dv01", "DV01", "money", f"half of the claim's worth at a quarterly yield 1 bp lower less 1 bp higher; {_HELD}"
    ),
    Measure("cs01", "CS01", "money", f"half of the claim's worth at a margin 1 bp lower less 1 bp higher; {_HELD}"),
    Measure("window_first", "Principal from", "date", "first payment date that repays principal or deferred interest"),
    Measure("window_last", "Principal to", "date", "last payment date that repays principal or deferred interest"),
    Measure("first_loss", "First loss", "date", "last date of the run, where more than 1 of the claim stays unpaid"),
    Measure("write_down", "Write-down", "money", "balance, deferred and unpaid interest that stay unpaid at the end"),
    Measure("write_down_share", "Write-down share", "share", "write-down over claim"),
    Measure(
        "uncovered",
        "Uncovered from",
        "date",
        "first payment date on which performing par, carrying value of defaulted assets and principal cash are less "
        "than the notes down to this class, after the date's payments",
    ),
    Measure("deferred_peak", "Most deferred", "money", "largest balance of deferred interest after a payment date"),
    Measure(
        "deferred_total",
        "Interest deferred",
        "money",
        "all interest that was added to the deferred balance over the run, interest on it included",
    ),
    Measure("shortfall_peak", "Most unpaid interest", "money", "largest unpaid interest of a class that may not defer"),
    Measure("shortfall_dates", "Dates with a shortfall", "count", "payment dates after which interest stayed unpaid"),
    Measure("total_interest", "Interest", "money", "interest paid after settlement"),
    Measure("total_principal", "Principal", "money", "principal and deferred interest repaid after settlement"),
    # to worst
    Measure("called", "Called", "date", "from which the deal is called; none: never"),
    Measure("redeemed", "Redeemed", "date", "payment date on which the pool is sold, or the last of the run"),
    Measure("in_full", "Repaid in full", "text", "whether every note is repaid, after the costs of the call"),
    Measure(
        "costs",
        "Costs of the call",
        "money",
        "out of the equity's distribution of the date, then the notes from the most junior up; incentive fee as before",
    ),
    Measure("equity_irr", "Equity IRR", "rate", f"from settlement at the equity's price, {_DATED}"),
    Measure("yields", "Yield by redemption", "rate", _QUARTERLY),
    Measure("margins", "Discount margin by redemption", "rate", "as discount margin"),
    Measure("wals", "WAL by redemption", "years", "as WAL"),
    Measure("worst_yield", "Yield to worst", "rate", f"lowest over maturity and the calls in full; {_QUARTERLY}"),
    Measure("worst_yield_on", "Yield to worst at", "date", "redemption of the lowest yield; calls in full only"),
    Measure("worst_margin", "Margin to worst", "rate", "lowest discount margin over maturity and the calls in full"),
    Measure("worst_margin_on", "Margin to worst at", "date", "redemption of the lowest margin; calls in full only"),
    # curve moved
    Measure(
        "effective_duration",
        "Effective duration",
        "years",
        "zero curve moved by 25 bp up and down, deal projected anew, worth at the same z-spread; of dirty price. The "
        "index of the running period is fixed and does not move",
    ),
    Measure("effective_convexity", "Effective convexity", "years²", "as effective duration, second difference"),
    Measure("rate_dv01", "Rate DV01", "money", "effective duration x dirty worth of the claim x 1 bp"),
    Measure(
        "key_rates",
        "Key-rate durations",
        "years",
        "as effective duration, the zero curve moved by a triangle around each tenor (months); together they are "
        "the effective duration but for what does not move in line",
    ),
    # equity
    Measure("price", "Price", "per 100", "of original balance"),
    Measure("irr_at_price", "IRR at price", "rate", f"from settlement at the price, {_DATED}"),
    Measure("irr_at_cost", "IRR at cost", "rate", f"from settlement at the purchase price of closing, {_DATED}"),
    Measure("irr_at_par", "IRR at par", "rate", f"from settlement at 100, {_DATED}"),
    Measure("irr_at_book", "IRR at book value", "rate", f"from settlement at book value, {_DATED}"),
    Measure("irr_at_nav", "IRR at fair value", "rate", f"from settlement at net asset value, {_DATED}"),
    Measure("irr_since_closing", "IRR since closing", "rate", f"past and projected distributions at cost, {_DATED}"),
    Measure("irr_to_date", "IRR to date", "rate", f"past distributions at cost, sold today at the price, {_DATED}"),
    Measure("moic_at_price", "MOIC at price", "multiple", "projected distributions over price paid"),
    Measure("moic_since_closing", "MOIC since closing", "multiple", "past and projected distributions over cost"),
    Measure("payback_at_price", "Payback at price", "date", "date on which projected distributions reach the price"),
    Measure("payback_since_closing", "Payback since closing", "date", "date on which all distributions reach the cost"),
    Measure("distributions", "Distributions", "money", "paid to the equity on each date after settlement"),
    Measure("by_date", "Cash-on-cash by date", "share", "distribution over original balance"),
    Measure(
        "by_year",
        "Cash-on-cash by year",
        "share",
        "distributions of the calendar year, past ones included, over original balance",
    ),
    Measure("incentive_fee", "Incentive fee", "money", "paid to the manager over the run"),
    Measure(
        "irr_at_price_before_fee",
        "IRR at price before the fee",
        "rate",
        f"as IRR at price, the incentive fee of each date given to the equity, {_DATED}",
    ),
    Measure(
        "irr_since_closing_before_fee",
        "IRR since closing before the fee",
        "rate",
        f"as IRR since closing, the incentive fee of each projected date given to the equity, {_DATED}",
    ),
    Measure(
        "incentive_fee_effect",
        "Effect of the incentive fee",
        "rate",
        "IRR since closing before the fee less IRR since closing; fees of the past are in neither",
    ),
    # marks
    Measure("marked_on", "Marks of", "date", "as given; the analysis date where it is not"),
    Measure("market_value", "Market value", "money", "par x mark; assets without a mark at the average of the others"),
    Measure("unmarked_par", "Par without a mark", "money", "held par of assets that have no price"),
    Measure("principal_cash", "Principal cash", "money", "collection and ramp-up account at the analysis date"),
    Measure("notes", "Notes", "money", "current balances with deferred interest, without the equity"),
    Measure("nav", "NAV", "money", "market value and principal cash less notes; accrued interest on neither side"),
    Measure("nav_price", "NAV per 100", "per 100", "NAV over the equity's original balance"),
    Measure("book", "Book value", "money", "par of the assets and principal cash less notes"),
    Measure("book_price", "Book value per 100", "per 100", "book value over the equity's original balance"),
    Measure("mvoc", "MVOC", "share", "market value and principal cash over notes down to the class"),
    # assets by price
    Measure("assets", "Assets", "count", "held, with a price in the bucket"),
    Measure("par", "Par", "money", "held"),
    Measure("share", "Share of par", "share", "of the par of the pool"),
    Measure("discount", "Discount to par", "money", "par less market value"),
    Measure("average_spread", "Average spread", "rate", "by par, of the assets that have one"),
    # alternatives
    Measure("irr", "Equity IRR", "rate", f"from settlement at the price, with the alternative, {_DATED}"),
    Measure("irr_gain", "IRR gained", "rate", "IRR with the alternative less IRR of holding"),
    Measure(
        "present_gain", "Present value gained", "money", "flows with the alternative less those of holding, at its IRR"
    ),
    Measure("cash_gain", "Cash gained", "money", "all flows with the alternative less those of holding, undiscounted"),
    Measure("paid_on_date", "Equity on the date", "money", "to the equity on the date; below nothing: it puts in"),
    Measure(
        "recovered_on",
        "Recovered on",
        "date",
        "first date, from the action on, from which it stays ahead of holding, all flows added up",
    ),
    Measure(
        "break_even_shift",
        "Break-even of all margins",
        "rate",
        "by how much all offered margins may be higher until the equity's IRR is that of holding",
    ),
    Measure(
        "break_even_senior",
        "Break-even margin of the senior class",
        "rate",
        "of its new notes, the others as offered, at which the equity's IRR is that of holding",
    ),
    Measure("average_price", "Average mark", "per 100", "market value over par"),
)

MEASURES: Final[Mapping[str, Measure]] = MappingProxyType({m.name: m for m in _ALL})


def growth(rate: float, frequency: float, years: float) -> float:
    """What one unit grows to; frequency 0: continuous, infinite: simple."""
    if frequency == 0.0:
        return math.exp(rate * years)
    if math.isinf(frequency):
        return 1.0 + rate * years
    return float((1.0 + rate / frequency) ** (frequency * years))


def rate_of_growth(grown: float, frequency: float, years: float) -> float:
    """The rate that grows one unit to `grown`. Raises ValueError without time or growth."""
    if years <= 0.0 or grown <= 0.0:
        raise ValueError("A rate needs some time, and money that does not vanish.")
    if frequency == 0.0:
        return math.log(grown) / years
    if math.isinf(frequency):
        return (grown - 1.0) / years
    return float(frequency * (grown ** (1.0 / (frequency * years)) - 1.0))


def convert(rate: float, frequency: float, years: float, to_frequency: float, to_years: float) -> float:
    """The same growth by another compounding and day count (case CMP-1).

    years, to_years  the same span of time by either day count
    """
    return rate_of_growth(growth(rate, frequency, years), to_frequency, to_years)
