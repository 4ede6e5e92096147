"""The deal's own choices among readings: labels of its inputs, read over a preset.

They stand in the blocks "CLO Inputs" and "Quality Test Inputs", so they are stored, exported and imported with the
deal. Affiliates are labels too: "Affiliate ZAYOGR" beside "ZAYO".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.compliance.readings import Readings, ranges
from engine.pool import fold
from engine.ratings.recovery import LIABILITIES
from engine.terms import Deal, Value

AFFILIATE: Final = "Affiliate "


@dataclass(frozen=True, slots=True)
class Parameter:
    """One label: the field of the readings (or "rules.field", "rules.watch.field") and the words it may hold.

    choices  word -> value; empty: a number between `low` and `high`
    """

    label: str
    field: str
    choices: Mapping[str, Any]
    low: float = 0.0
    high: float = 0.0
    whole: bool = False


def _notches(label: str, field: str) -> Parameter:
    return Parameter(label, field, {}, -6.0, 6.0, True)


PARAMETERS: Final = (
    Parameter("Floating Spread", "floating_spread", {w: w for w in ("coupon", "floor", "margin")}),
    Parameter("Credit Spread Adjustment", "spread_adjustment", {"counted": "counted", "left out": "left_out"}),
    Parameter("Defaulted Assets", "defaulted", {"as listed": "as_listed", "excluded": "excluded"}),
    Parameter("Defaulted Value", "defaulted_value", {"price": "price", "lower": "lower"}),
    Parameter("Defaulted Years to Nothing", "defaulted_years", {"never": None}, 1.0, 30.0, True),
    Parameter("WAL Decimals", "wal_decimals", {"none": None, **{str(i): i for i in range(7)}}),
    Parameter(
        "Diversity Units",
        "diversity_units",
        {"half even": "half_even", "band": "band", "interpolated": "interpolated"},
    ),
    Parameter("Diversity Industry", "diversity_industry", {"first": "first", "largest": "largest"}),
    Parameter(
        "Caa Rating",
        "caa_rating",
        {"facility": "moodys_rating", "default probability": "moodys_dpr", "warf": "moodys_rating_warf"},
    ),
    Parameter("First Lien Last Out", "last_out", {"senior": "senior", "junior": "junior"}),
    Parameter("Recovery Share to WARF", "recovery_share", {"both": None}, 0.0, 1.0),
    Parameter("Recovery Cap", "recovery_cap", {}, 0.0, 1.0),
    Parameter("S&P Liability Rating", "sp_liability", {r.casefold(): r for r in LIABILITIES}),
    _notches("DPR Review Downgrade Notches", "rules.default_probability.review_downgrade"),
    _notches("DPR Review Upgrade Notches", "rules.default_probability.review_upgrade"),
    _notches("DPR Negative Outlook Notches", "rules.default_probability.negative_outlook"),
    _notches("WARF Review Downgrade Notches", "rules.warf.review_downgrade"),
    _notches("WARF Review Upgrade Notches", "rules.warf.review_upgrade"),
    _notches("WARF Negative Outlook Notches", "rules.warf.negative_outlook"),
    Parameter("Watch Adjusts", "rules.watch_on", {"all": "all", "issuer": "issuer"}),
    Parameter("Credit Estimate Fresh Months", "rules.estimate_fresh", {}, 0.0, 60.0, True),
    Parameter("Credit Estimate Valid Months", "rules.estimate_valid", {}, 0.0, 60.0, True),
    _notches("Credit Estimate Stale Notches", "rules.estimate_stale"),
    _notches("S&P Secured Notches", "rules.sp_secured"),
    Parameter("First Lien Last Out Recovery", "rules.last_out", {"category": "category", "second lien": "second lien"}),
    Parameter("Unrated Assets", "rules.unrated", {"missing": "missing", "deemed": "deemed"}),
)
MAINTAIN: Final = "Maintain or Improve"
_BY_LABEL: Final = {p.label.casefold(): p for p in PARAMETERS}


def of_deal(readings: Readings, deal: Deal) -> Readings:
    """The readings with the deal's own choices. Raises ValueError that names the label and what it may hold."""
    affiliates: dict[str, str] = {}
    for label, value in (*deal.clo_inputs, *deal.quality_inputs):
        key = label.strip().casefold()
        if value is None:
            continue
        if key in _BY_LABEL:
            readings = _with(readings, _BY_LABEL[key].field.split("."), _value(_BY_LABEL[key], value))
        elif key == MAINTAIN.casefold():
            readings = replace(readings, maintain=_maintain(value))
        elif key.startswith(AFFILIATE.casefold()):
            affiliates[fold(label[len(AFFILIATE) :])] = fold(text_of(value))
    if affiliates:
        readings = replace(readings, affiliates=tuple(sorted(families(affiliates).items())))
    return readings


def text_of(value: Value) -> str:
    """A cell as text: 14 for the number 14.0, which a workbook makes of a text that spells one."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def families(affiliates: Mapping[str, str]) -> dict[str, str]:
    """Each issuer with the head of its family: A -> B -> C is A -> C. Raises ValueError for a loop."""
    heads: dict[str, str] = {}
    for issuer in affiliates:
        seen, head = [issuer], affiliates[issuer]
        while head in affiliates:
            if head in seen:
                chain = " → ".join([*seen, head])
                raise ValueError(f"The affiliates go round in a loop ({chain}); let one of them be the head.")
            seen.append(head)
            head = affiliates[head]
        heads[issuer] = head
    return heads


def _value(parameter: Parameter, value: Value) -> Any:
    text = " ".join(text_of(value).casefold().split())
    if text in parameter.choices:
        return parameter.choices[text]
    if isinstance(value, int | float) and not isinstance(value, bool) and parameter.low < parameter.high:
        figure = float(value)
        if parameter.low <= figure <= parameter.high and (not parameter.whole or figure.is_integer()):
            return int(figure) if parameter.whole else figure
    allowed = list(parameter.choices)
    if parameter.low < parameter.high:
        allowed.append(f"{'a whole' if parameter.whole else 'a'} number from {parameter.low:g} to {parameter.high:g}")
    raise ValueError(f"“{parameter.label}” cannot be {value!r}; it may be {', '.join(allowed)}.")


def _maintain(value: Value) -> str:
    text = " ".join(text_of(value).casefold().split())
    if text in ("all", "none", "all but coverage"):
        return text
    try:
        ranges(text)
    except ValueError as error:
        raise ValueError(
            f"“{MAINTAIN}” cannot be {value!r}; it may be all, none, all but coverage, or numbers such as 1-31, 35."
        ) from error
    return text


def _with(record: Any, path: list[str], value: Any) -> Any:
    """The record with one field, maybe of an inner record, changed."""
    name, *further = path
    return replace(record, **{name: _with(getattr(record, name), further, value) if further else value})
