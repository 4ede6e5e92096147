"""A priority of payments as data: what a checked document consists of (spec: engine 7A).

The document says the order and the conditions; the figures (balances, spreads, fees, triggers) are the deal's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.waterfall.expressions import Expression
from engine.waterfall.expressions import WaterfallError as WaterfallError


@dataclass(frozen=True, slots=True)
class ClassTerms:
    """A class of the deal.

    kind        debt, class_x (principal by schedule from interest) or equity
    optional    the deal may lack it; its steps fall away
    deferrable  never, if_not_controlling or always; None: as the deal's class says (yes: always)
    interest_on_deferred, interest_on_unpaid  whether these bear the coupon
    index_floor, index_cap   on the notes' index; None: none
    step_ups    (date, margin) from which on another margin holds
    """

    id: str
    kind: str = "debt"
    optional: bool = False
    deferrable: str | None = None
    interest_on_deferred: bool = True
    interest_on_unpaid: bool = True
    index_floor: float | None = 0.0
    index_cap: float | None = None
    step_ups: tuple[tuple[dt.date, float], ...] = ()


@dataclass(frozen=True, slots=True)
class FeeClause:
    """A fee of the deal: the name it has there, the cap it stands under, and the basis where it is not the deal's.

    basis  None (the deal's BEGINNING or AVERAGE of the fee basis), end, performing (opening performing par) or none
    """

    id: str
    name: str
    cap: str | None = None
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """A cap on expenses: (fixed + percent x opening fee basis) x year fraction (actual/360).

    What a date leaves unused is carried forward for `carry_forward` dates. Fixed and percent are amounts a year.
    """

    id: str
    fixed: Expression
    percent: Expression
    carry_forward: int = 0


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """An account the steps use. It opens with the deal's account of that number (interest + principal), or nothing."""

    id: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class InputTerms:
    """A figure of the deal's CLO Inputs under `label`; `default` where the deal leaves it blank."""

    id: str
    label: str
    default: float = 0.0


@dataclass(frozen=True, slots=True)
class Contribution:
    """Cash the manager or a holder puts into `account`; repaid by a step, with interest at `rate` a year."""

    id: str
    account: str
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class TestTerms:
    """A coverage test.

    type         oc, ic, diversion or eod
    trigger      a number, an input's label, or a schedule of (date from which it holds, number), rising; `of` is the
                 class whose trigger in the deal it takes instead
    numerator, denominator, active  expressions that replace the usual ones
    pass_on_equal  a ratio equal to the trigger passes
    """

    __test__ = False

    id: str
    type: str
    classes: tuple[str, ...]
    of: str | None = None
    trigger: float | str | tuple[tuple[dt.date, float], ...] | None = None
    numerator: Expression | None = None
    denominator: Expression | None = None
    active: Expression | None = None
    pass_on_equal: bool = True


@dataclass(frozen=True, slots=True)
class Tier:
    """A hurdle of the incentive fee. None: the deal's own hurdle or share.

    kind       irr (annual, dated, actual/365) or moic (cash received over cash invested)
    catch_up   share of what comes after the hurdle that goes to the manager until he has `manager_share` of all
               distributions above the equity's invested cash; 0: no catch-up
    """

    kind: str = "irr"
    hurdle: float | None = None
    manager_share: float | None = None
    catch_up: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `terms` by type (all ids checked, groups expanded to classes, expressions parsed):

    pay_fee            fees (ids), part (all, capped, excess_of_cap, current, unpaid), alloc
    pay_expense        name, amount (Expression)
    pay_hedge          amount (Expression), part (periodic, termination, defaulted_termination)
    pay_interest       classes, include (subset of current, on_deferred), alloc, weights
    pay_deferred       classes, alloc, weights
    pay_principal      classes, alloc, weights, amount (all, scheduled, or Expression), stop_at (Expression or absent)
    cure               tests, limit (Expression or absent)
    divert             test (absent only with share_only), share (Expression), amount (par_cure, paydown_cure,
                       share_only), to (principal, nps, or account:<id>)
    reinvest           amount (policy, all, or Expression)
    to_account         account, amount (all or Expression), target (Expression or absent: fill up to this balance)
    from_account       account, amount (all or Expression)
    transfer           to (interest, principal, nps), amount (all or Expression)
    run                waterfall, amount (all or Expression)
    hurdle_split       equity, book_as, tiers (tuple of Tier)
    pay_equity         equity, book_as
    repay_contribution contribution
    branch             condition (Expression), then (tuple of Step), otherwise (tuple of Step)
    retain             amount (all or Expression)
    assert             that (Expression), says (text)

    alloc      sequential, reverse, pro_rata (by amount due), pro_rata_balance, weights
    when       runs only where it holds;  cap: at most this on a date;  cap_life: at most this over the deal's life
    share      of the cash in hand that the step may use (Expression, from 0 to 1)
    id, label  the clause's own name and heading ("" where the document gives none)
    """

    type: str
    terms: Mapping[str, Any]
    when: Expression | None = None
    cap: Expression | None = None
    cap_life: Expression | None = None
    share: Expression | None = None
    id: str = ""
    label: str = ""

    def ids(self, key: str) -> tuple[str, ...]:
        found = self.terms.get(key, ())
        return (found,) if isinstance(found, str) else tuple(found)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """An ordered list of steps. source: interest, principal, both, or notes (the pot of the note payment sequence)."""

    id: str
    source: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """When `when` holds, the waterfalls of `run` are run in their order; the first rule that holds counts."""

    when: Expression
    run: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A checked priority of payments.

    event_of_default  what declares one (None: an active test of type eod fails); it stays declared
    call              what redeems the deal on the next payment date after the non-call date (None: nothing)
    """

    name: str
    title: str
    classes: tuple[ClassTerms, ...]
    fees: tuple[FeeClause, ...]
    tests: tuple[TestTerms, ...]
    waterfalls: Mapping[str, Waterfall]
    dispatch: tuple[Rule, ...]
    version: int = 1
    effective: dt.date | None = None
    caps: tuple[Cap, ...] = ()
    accounts: tuple[AccountTerms, ...] = ()
    inputs: tuple[InputTerms, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    values: Mapping[str, Expression] = field(default_factory=dict)
    phases: Mapping[str, Expression] = field(default_factory=dict)
    event_of_default: Expression | None = None
    call: Expression | None = None

    @property
    def class_ids(self) -> tuple[str, ...]:
        return tuple(c.id for c in self.classes)

    @property
    def fee_ids(self) -> tuple[str, ...]:
        return tuple(f.id for f in self.fees)

    @property
    def equity(self) -> str:
        """The class that takes the residual."""
        return next(c.id for c in self.classes if c.kind == "equity")


def class_id(tranche_name: str) -> str:
    """The id of a tranche in the language: "Class B-1" is B-1; subordinated notes are SUB."""
    name = tranche_name.strip()
    if re.match(r"(?i)^(sub|subordinated|equity|income)\b", name) or re.match(r"(?i)^preference", name):
        return "SUB"
    return re.sub(r"(?i)^class\s+", "", name).strip()
