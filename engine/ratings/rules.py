"""What deals agree on differently when a rating is derived: notches, ages of estimates, what is not rated."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Watch:
    """Notches for the state of a Moody's rating (negative: worse)."""

    review_downgrade: int
    review_upgrade: int
    negative_outlook: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one deal; the defaults are those that its workbook's stored ratings follow (spec 5.2 to 5.4).

    default_probability  adjustment of the default probability rating
    warf            adjustment of the rating that the WARF counts
    facility        adjustment of a facility rating on review (outlooks do not move it)
    watch_on        "all": any rule that uses a Moody's rating is adjusted; "issuer": only the issuer rating
    estimate_fresh  months for which a credit estimate counts as it is
    estimate_valid  months after which it does not count; between the two it is moved by `estimate_stale` notches
    sp_secured      notches from an S&P senior secured rating to the S&P rating
    sp_subordinated  notches from an S&P subordinated rating: (BBB- or better, below)
    last_out        a first-lien-last-out loan recovers by its "category" (the workbook) or as a "second lien"
    unrated         "missing": what no rating speaks for stays missing; "deemed": Caa3 and CCC-, as indentures say
    """

    default_probability: Watch = Watch(-1, 1, 0)
    warf: Watch = Watch(-2, 1, -1)
    facility: Watch = Watch(-1, 1, 0)
    watch_on: Literal["all", "issuer"] = "all"
    estimate_fresh: int = 12
    estimate_valid: int = 15
    estimate_stale: int = -1
    sp_secured: int = 0
    sp_subordinated: tuple[int, int] = (1, 2)
    last_out: Literal["category", "second lien"] = "category"
    unrated: Literal["missing", "deemed"] = "missing"


DEFAULT: Final = Rules()


@dataclass(frozen=True, slots=True)
class Derived:
    """A rating or recovery rate and the rule path that produced it; `value` None: nothing speaks for one."""

    value: str | None
    path: str


@dataclass(frozen=True, slots=True)
class Rate:
    """A recovery rate (fraction of par) and its rule path; None where it cannot be told."""

    value: float | None
    path: str


def months_between(earlier: dt.date, later: dt.date) -> int:
    """Whole months from one day to another."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)


def signed(notches: int) -> str:
    """-1, +2: how a path writes notches."""
    return f"{notches:+d}"
