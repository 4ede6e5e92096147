"""Which facilities the borrowers of the demo deal owe: how many, of what kind, and which of them are special."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from resources.demo.draw import Draw
from resources.demo.obligors import Obligor


class Lien(StrEnum):
    """What a facility is."""

    FIRST = "first"
    TERM_A = "term A"
    SECOND = "second"
    REVOLVER = "revolver"
    DELAYED = "delayed draw"
    BOND = "bond"


@dataclass(frozen=True, slots=True)
class Facility:
    """One facility before it has terms.

    weight  par held of it, relative to the others; 0: it is in the market list only
    fixed   par held of it whatever the others, deal currency
    over_second  a first lien with a second lien behind it that is held too
    """

    obligor: Obligor
    tranche: str
    lien: Lien
    weight: float
    fixed: float | None = None
    over_second: bool = False
    defaulted: bool = False
    piking: bool = False
    deferrable: bool = False
    current_pay: bool = False
    participation: bool = False
    small: bool = False
    semi_annual: bool = False


Change = Callable[[Facility], Facility]

_PAIRS: Final = 38  # borrowers of two facilities
_TRIPLES: Final = 6  # of three
_TRANCHES: Final = (("TL-B", 0.55), ("TL", 0.3), ("TL-B1", 0.15))
_DOUBTFUL: Final = frozenset({"Caa1", "Caa2", "Ca", "NR"})


def make_facilities(seed: int, held: Sequence[Obligor], offered: Sequence[Obligor]) -> list[Facility]:
    """All facilities: 250 that are held, then 15 that are only offered."""
    draw = Draw(seed, 2)
    plain = [o for o in held if o.moodys not in _DOUBTFUL]
    several = draw.shuffled(plain)[: _PAIRS + _TRIPLES]
    alone = draw.shuffled([o for o in plain if o not in several])
    weak = [o for o in alone if o.moodys in ("B2", "B3")]
    strong = [o for o in alone if o.moodys in ("Ba1", "Ba2", "Ba3")]
    second_only, bond_only, term_a = weak[:4], strong[:1], strong[1:3]
    facilities: list[Facility] = []
    for obligor in held:
        if obligor in second_only:
            facilities.append(Facility(obligor, "2nd Lien TL", Lien.SECOND, obligor.weight * 0.55))
        elif obligor in bond_only:
            facilities.append(Facility(obligor, "Sr Sec Notes", Lien.BOND, obligor.weight * 0.8))
        elif obligor in term_a:
            facilities.append(Facility(obligor, "TL-A", Lien.TERM_A, obligor.weight))
        elif obligor in several:
            facilities.extend(_several(draw, obligor, several.index(obligor)))
        else:
            facilities.append(Facility(obligor, draw.pick(_TRANCHES), Lien.FIRST, obligor.weight))
    facilities = _special(draw, facilities)
    again = [f.obligor for f in facilities if f.tranche == "TL-B" and f.obligor in several][:5]
    return (
        facilities
        + [Facility(o, "TL-B", Lien.FIRST, 0.0) for o in offered]
        + [Facility(o, "TL-B4", Lien.FIRST, 0.0) for o in again]
    )


def _several(draw: Draw, obligor: Obligor, place: int) -> list[Facility]:
    """The facilities of a borrower that owes more than one; the first few of them owe something unusual too."""
    whole = obligor.weight * 1.25
    share = draw.between(0.45, 0.7)
    first = Facility(obligor, "TL-B", Lien.FIRST, whole * share)
    rest = whole * (1 - share)
    if place < 2:
        return [replace(first, over_second=True), Facility(obligor, "2nd Lien TL", Lien.SECOND, rest)]
    if place == 2:
        return [first, Facility(obligor, "RC", Lien.REVOLVER, 1.0, fixed=750_000.0)]
    if place == 3:
        return [first, Facility(obligor, "DDTL", Lien.DELAYED, 1.0, fixed=1_000_000.0)]
    if place == 4:
        return [first, Facility(obligor, "Sr Sec Notes", Lien.BOND, rest)]
    if place < 5 + _TRIPLES:
        return [first, *(Facility(obligor, t, Lien.FIRST, rest * 0.7) for t in ("TL-B2", "TL-B3"))]
    return [first, Facility(obligor, "TL-B2", Lien.FIRST, rest)]


def _special(draw: Draw, facilities: list[Facility]) -> list[Facility]:
    """The same facilities, some of them marked: in default, deferring, current pay, participations, small ones."""
    out = list(facilities)

    def mark(count: int, moodys: tuple[str, ...], change: Change, country: tuple[str, ...] = ()) -> None:
        places = [
            i
            for i, f in enumerate(out)
            if f.lien is Lien.FIRST
            and f.obligor.moodys in moodys
            and (not country or f.obligor.country in country)
            and f == facilities[i]  # one mark each
        ]
        for i in draw.shuffled(places)[:count]:
            out[i] = change(out[i])

    mark(1, ("Ca",), lambda f: replace(f, defaulted=True))
    mark(1, ("Caa2",), lambda f: replace(f, piking=True, deferrable=True))
    mark(2, ("B3", "Caa1"), lambda f: replace(f, deferrable=True))
    mark(2, ("Caa1",), lambda f: replace(f, current_pay=True))
    mark(3, ("B1", "B2"), lambda f: replace(f, participation=True))
    mark(4, ("B2", "B3"), lambda f: replace(f, small=True), ("USA",))
    mark(1, ("B1", "B2"), lambda f: replace(f, small=True), ("Canada", "United Kingdom", "Luxembourg"))
    mark(3, ("Ba3", "B1"), lambda f: replace(f, semi_annual=True))
    return out
