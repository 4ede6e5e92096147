"""The validation inbox: what is doubtful in a pool, with the decisions a manager may take about it, as data.

A decision is a label of the deal ("Decision price BRS1") beside what was decided and for which value; it holds while
the value is the same. An affiliate is a label of its own ("Affiliate ZAYOGR" beside "ZAYO"). Both are stored, exported
and imported with the deal; the asset master, which deals share, is not changed.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine import filter as filters
from engine.asset import COLUMN_BY_NAME, Asset
from engine.compliance.affiliates import alike
from engine.compliance.completed import complete
from engine.compliance.decisions import DECISION, decision, kept, said
from engine.compliance.parameters import AFFILIATE, text_of
from engine.compliance.readings import Readings
from engine.compliance.tables import Tables
from engine.filter import Filter
from engine.pool import Pool, fold
from engine.ratings import NOT_RATED
from engine.ratings.rules import Rules, months_between
from engine.terms import Deal, Value

LOWEST_PRICE: Final = 5.0  # percent of par; at or below it is implausible
HIGHEST_PRICE: Final = 150.0
FARTHEST_FROM_PEERS: Final = 25.0  # points
FEWEST_PEERS: Final = 5
FEWEST_TWINS: Final = 20
"""Assets from which on two columns that are always the same are no coincidence."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What may be decided: a word, what it means, and the label with its value that keeps it."""

    word: str
    means: str
    label: str
    value: Value


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubt. `key` names it: the same doubt has the same key tomorrow.

    decided  the word that was decided for this very value; "" while it is open
    """

    key: str
    kind: str
    asset_ids: tuple[str, ...]
    fields: tuple[str, ...]
    value: str
    says: str
    choices: tuple[Choice, ...]
    decided: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A contradiction as data: a filter and what is said of the asset it finds."""

    id: str
    where: Filter
    says: str
    fields: tuple[str, ...]


def read_doubts(data: Mapping[str, Any]) -> tuple[Doubt, ...]:
    """The contradictions from parsed YAML. Raises ValueError that names the one and what is wrong with it."""
    made = []
    for row in data["doubts"]:
        try:
            made.append(Doubt(row["id"], filters.parse(row["where"]), row["says"], tuple(row["fields"])))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Doubt {row.get('id')}: {error}") from error
    return tuple(made)


def inbox(
    deal: Deal, pool: Pool, readings: Readings, tables: Tables, doubts: Sequence[Doubt], sets: filters.Sets
) -> tuple[Finding, ...]:
    """Everything doubtful, open doubts first. `readings` are those of the deal (parameters.of_deal)."""
    as_of = deal.analysis_date
    found = [
        *_prices(pool),
        *_estimates(pool, readings.rules, as_of),
        *_contradictions(pool, doubts, sets, as_of),
        *_derivations(pool, readings.rules, as_of, tables),
        *_lives(pool, as_of),
        *_industries(pool),
        *_twins(pool),
        *_affiliates(pool, readings),
    ]
    judged = [replace(f, decided=kept(deal, f.key, f.value)) for f in found]
    return tuple(sorted(judged, key=lambda f: bool(f.decided)))


def decide(deal: Deal, finding: Finding, word: str) -> Deal:
    """The deal with the decision among its inputs, in the place of an earlier one. Raises ValueError."""
    choice = next((c for c in finding.choices if c.word == word.strip().casefold()), None)
    if choice is None:
        words = ", ".join(c.word for c in finding.choices)
        raise ValueError(f"{finding.key}: {word!r} is no decision about it; it may be {words}.")
    dropped = {fold(choice.label), fold(f"{DECISION}{finding.key}")}
    others = tuple(pair for pair in deal.clo_inputs if fold(pair[0]) not in dropped)
    return replace(deal, clo_inputs=(*others, (choice.label, choice.value)))


def withdraw(deal: Deal, finding: Finding) -> Deal:
    """The deal without a decision about the finding: the doubt is open again."""
    labels = {fold(f"{DECISION}{finding.key}")}
    labels |= {fold(c.label) for c in finding.choices if c.word == finding.decided}
    return replace(deal, clo_inputs=tuple(pair for pair in deal.clo_inputs if fold(pair[0]) not in labels))


def joined(deal: Deal, pool: Pool) -> tuple[Finding, ...]:
    """Issuers that were decided to be one obligor, as decided findings: `inbox` no longer asks about them."""
    found = []
    for label, value in deal.clo_inputs:
        if not label.strip().casefold().startswith(AFFILIATE.casefold()) or value is None:
            continue
        second, first = label.strip()[len(AFFILIATE) :].strip(), text_of(value)
        both = {fold(first), fold(second)}
        ids = tuple(a.asset_id for a in pool.assets if fold(a.issuer_id or "") in both)
        if ids:
            says = f"{second} counts with {first} as one obligor."
            found.append(_pair(first, second, ids, says, decided="one"))
    return tuple(found)


# --- what is found -----------------------------------------------------------------------------------------------


def _kept_choice(key: str, value: str, word: str, means: str) -> Choice:
    return Choice(word, means, f"{DECISION}{key}", decision(word, value))


def _prices(pool: Pool) -> Iterator[Finding]:
    """Prices that are impossible or far from the median of held assets of like rating (spec D18)."""
    medians = _medians(pool.assets)
    for asset in pool.assets:
        price = asset.market_value
        if price is None:
            continue
        group = _letters(asset.moodys_rating)
        median = medians.get(group)
        if not LOWEST_PRICE < price <= HIGHEST_PRICE:
            why = f"{LOWEST_PRICE:g} to {HIGHEST_PRICE:g} is usual"
        elif median is not None and abs(price - median) > FARTHEST_FROM_PEERS:
            why = f"held assets rated {group} have a median of {median:g}"
        else:
            continue
        key, value = f"price {asset.asset_id}", f"{price:g}"
        yield Finding(
            key=key,
            kind="price",
            asset_ids=(asset.asset_id,),
            fields=("market_value",),
            value=value,
            says=f"{asset.asset_id} is priced {price:g}: {why}.",
            choices=(
                _kept_choice(key, value, "missing", "the price counts as missing until it changes"),
                _kept_choice(key, value, "as it is", "the price is right"),
            ),
        )


def _letters(rating: str | None) -> str:
    return "" if rating is None or rating == NOT_RATED else rating.rstrip("123")


def _medians(assets: Iterable[Asset]) -> dict[str, float]:
    peers: dict[str, list[float]] = {}
    for asset in assets:
        group, price = _letters(asset.moodys_rating), asset.market_value
        if group and price is not None and LOWEST_PRICE < price <= HIGHEST_PRICE:
            peers.setdefault(group, []).append(price)
    return {group: statistics.median(prices) for group, prices in peers.items() if len(prices) >= FEWEST_PEERS}


def _settled(key: str, value: str) -> tuple[Choice, ...]:
    return (_kept_choice(key, value, "as it is", "the fields are right as they are"),)


def _estimates(pool: Pool, rules: Rules, as_of: dt.date | None) -> Iterator[Finding]:
    """Credit estimates that are stale, expired or without a date."""
    for asset in pool.assets:
        estimate, day = asset.moodys_credit_estimate, asset.moodys_credit_estimate_date
        if estimate is None or estimate == NOT_RATED:
            continue
        if day is None or as_of is None:
            says = f"{asset.asset_id} has a credit estimate {estimate} without a date: it does not count."
        else:
            age = months_between(day, as_of)
            if age >= rules.estimate_valid:
                says = f"{asset.asset_id} has a credit estimate {estimate} of {age} months: it no longer counts."
            elif age >= rules.estimate_fresh:
                says = f"{asset.asset_id} has a credit estimate {estimate} of {age} months: it counts moved by notches."
            else:
                continue
        key, value = f"estimate {asset.asset_id}", f"{estimate} {day.isoformat() if day else 'undated'}"
        fields = ("moodys_credit_estimate", "moodys_credit_estimate_date")
        yield Finding(key, "estimate", (asset.asset_id,), fields, value, says, _settled(key, value))


def _contradictions(
    pool: Pool, doubts: Sequence[Doubt], sets: filters.Sets, as_of: dt.date | None
) -> Iterator[Finding]:
    for doubt in doubts:
        mask = doubt.where.mask(pool, sets, {"as_of": as_of})
        for asset in (pool.assets[i] for i in mask.nonzero()[0]):
            key = f"{doubt.id} {asset.asset_id}"
            value = ", ".join(said(getattr(asset, name)) for name in doubt.fields)
            says = f"{asset.asset_id} {doubt.says}."
            yield Finding(key, "contradiction", (asset.asset_id,), doubt.fields, value, says, _settled(key, value))


def _derivations(pool: Pool, rules: Rules, as_of: dt.date | None, tables: Tables) -> Iterator[Finding]:
    """Stored ratings and recovery rates that are not those which the rules give."""
    for asset in pool.assets:
        bare = replace(asset, moodys_rating=None, moodys_dpr=None, moodys_rating_warf=None, moodys_recovery_rate=None)
        _, derived = complete(bare, rules, as_of, tables)
        for one in derived:
            stored = getattr(asset, one.column)
            if stored in (None, NOT_RATED, one.value):
                continue
            key, value = f"derived {one.column} {asset.asset_id}", f"{said(stored)}, {said(one.value)}"
            says = f"{asset.asset_id} has {said(stored)} stored, the rules give {said(one.value)} ({one.path})."
            choices = (
                _kept_choice(key, value, "as it is", "the stored one counts"),
                _kept_choice(key, value, "derived", "what the rules give counts"),
            )
            yield Finding(key, "derivation", (asset.asset_id,), (one.column,), value, says, choices)


def _lives(pool: Pool, as_of: dt.date | None) -> Iterator[Finding]:
    """Average lives that outlast the maturity."""
    for asset in pool.assets:
        if asset.wal is None or asset.maturity is None or as_of is None:
            continue
        left = max((asset.maturity - as_of).days / 365.0, 0.0)
        if asset.wal > left + 0.05:
            key, value = f"life {asset.asset_id}", f"{asset.wal:g}, {asset.maturity.isoformat()}"
            says = f"{asset.asset_id} has a WAL of {asset.wal:g} years and {left:.2f} years to maturity."
            fields = ("wal", "maturity")
            yield Finding(key, "contradiction", (asset.asset_id,), fields, value, says, _settled(key, value))


def _industries(pool: Pool) -> Iterator[Finding]:
    """Obligors whose positions stand in several industries: the diversity score takes one of them (spec D32)."""
    for column in ("moodys_industry", "sp_industry"):
        by: dict[str, dict[str, list[str]]] = {}
        for asset in pool.assets:
            industry = getattr(asset, column)
            if asset.issuer_id and industry:
                by.setdefault(asset.issuer_id, {}).setdefault(industry, []).append(asset.asset_id)
        for issuer, industries in by.items():
            if len({fold(i) for i in industries}) < 2:
                continue
            key, value = f"industries {column} {issuer}", ", ".join(sorted(industries))
            ids = tuple(i for ids in industries.values() for i in ids)
            title = COLUMN_BY_NAME[column].header
            says = f"{issuer} stands in several industries ({title}): {value}."
            yield Finding(key, "contradiction", ids, (column,), value, says, _settled(key, value))


def _twins(pool: Pool) -> Iterator[Finding]:
    """Columns that are the same in every row: then one of them was likely filled from the other (spec D40)."""
    for one, other in (("sp_facility_rating", "sp_issuer_rating"), ("moodys_facility_rating", "moodys_issuer_rating")):
        both = [(a, getattr(a, one), getattr(a, other)) for a in pool.assets]
        filled = [row for row in both if row[1] is not None and row[2] is not None]
        if len(filled) < FEWEST_TWINS or any(x != y for _, x, y in filled):
            continue
        key, value = f"same {one} {other}", f"{len(filled)} assets"
        titles = [COLUMN_BY_NAME[name].header for name in (one, other)]
        says = f"“{titles[0]}” and “{titles[1]}” are the same in all {len(filled)} assets: one may be a copy."
        ids = tuple(a.asset_id for a, _, _ in filled)
        yield Finding(key, "contradiction", ids, (one, other), value, says, _settled(key, value))


def _affiliates(pool: Pool, readings: Readings) -> Iterator[Finding]:
    """Issuers with different ids that look like one; pairs that are affiliates already are left out."""
    heads = dict(readings.affiliates)
    by_issuer: dict[str, list[Asset]] = {}
    for asset in pool.assets:
        if asset.issuer_id:
            by_issuer.setdefault(asset.issuer_id, []).append(asset)
    names = {issuer: {a.issuer_name or a.issue_name or "" for a in assets} for issuer, assets in by_issuer.items()}
    for first, second, why in alike(names):
        if heads.get(fold(first), fold(first)) == heads.get(fold(second), fold(second)):
            continue
        named = [next(iter(sorted(names[issuer]))) for issuer in (first, second)]
        ids = tuple(a.asset_id for issuer in (first, second) for a in by_issuer[issuer])
        yield _pair(first, second, ids, f"{first} ({named[0]}) and {second} ({named[1]}) may be one obligor: {why}.")


def _pair(first: str, second: str, ids: tuple[str, ...], says: str, decided: str = "") -> Finding:
    key, value = f"affiliates {first}+{second}", f"{first}, {second}"
    choices = (
        Choice("one", f"{second} counts with {first}", f"{AFFILIATE}{second}", first),
        _kept_choice(key, value, "two", "they are different obligors"),
    )
    return Finding(key, "affiliates", ids, ("issuer_id", "issuer_name"), value, says, choices, decided)
