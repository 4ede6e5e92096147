"""What a list of trades does: every test before and after, the pool's figures, the objective, the cash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from engine.asset import Asset
from engine.compliance.standing import AT_THE_LIMIT, Outcome, Standing
from engine.trades.ledger import Filled, Rung
from engine.trades.trade import Side, Trade


@dataclass(frozen=True, slots=True)
class TestChange:
    """One test of the deal's table before and after; None on the side where it has no figure (never on both)."""

    __test__ = False

    before: Standing | None
    after: Standing | None

    @property
    def known(self) -> Standing:
        """The side that there is, before if both: for what trades do not change, such as name and direction."""
        found = self.before or self.after
        assert found is not None
        return found

    @property
    def number(self) -> int:
        return self.known.definition.number

    @property
    def name(self) -> str:
        return self.known.definition.name

    @property
    def kind(self) -> str:
        return self.known.definition.kind

    @property
    def change(self) -> float | None:
        """Result after less result before."""
        return None if self.after is None or self.before is None else self.after.result - self.before.result

    @property
    def cushion_change(self) -> float | None:
        return None if self.after is None or self.before is None else self.after.cushion - self.before.cushion

    @property
    def still_fails(self) -> bool:
        """It fails after the trades as it did before."""
        if self.before is None or self.after is None:
            return False
        return self.before.outcome is Outcome.FAIL and self.after.outcome is Outcome.FAIL

    @property
    def worsens(self) -> bool:
        """It failed before and is worse after: not broken by the trades, and no reason to make them either."""
        return self.still_fails and self.breaks

    @property
    def breaks(self) -> bool:
        """What stops trades: it fails after them, and did not fail before or is worse than before (`worsens`)."""
        after, before = self.after, self.before
        if after is None or before is None or after.outcome is not Outcome.FAIL:
            return False
        slack = AT_THE_LIMIT * max(1.0, abs(before.result))
        return before.outcome is not Outcome.FAIL or after.sign * (after.result - before.result) < -slack

    @property
    def cures(self) -> bool:
        """It failed before and does not after."""
        if self.before is None or self.after is None:
            return False
        return self.before.outcome is Outcome.FAIL and self.after.outcome is not Outcome.FAIL

    @property
    def improves(self) -> bool | None:
        """Whether the cushion grows; None where it stays or cannot be compared."""
        change = self.cushion_change
        return None if not change else change > 0.0


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """Figures of a pool; None where there is none.

    par, performing_par, principal_amount, cash  money: all par, par not defaulted, that and principal cash, cash
    spread, recovery  fractions; factor; wal years; diversity score; price  average, percent of par of what has a price
    quality, objective  see engine.trades.objective; None without weights
    """

    par: float
    performing_par: float
    principal_amount: float
    cash: float
    spread: float | None
    factor: float | None
    recovery: float | None
    wal: float | None
    diversity: float | None
    price: float | None
    quality: float | None
    objective: float | None

    def less(self, before: PoolFigures) -> dict[str, float | None]:
        """The change of every figure, by name."""
        made: dict[str, float | None] = {}
        for f in fields(self):
            mine, other = getattr(self, f.name), getattr(before, f.name)
            made[f.name] = None if mine is None or other is None else mine - other
        return made


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is bought (or sold) together: par, cash, and averages by par of what has the figure.

    spread and recovery are fractions, price and mark percent of par
    """

    side: Side
    count: int
    par: float
    cash: float
    price: float
    mark: float | None
    spread: float | None
    factor: float | None
    recovery: float | None
    wal: float | None


@dataclass(frozen=True, slots=True)
class Effect:
    """All of it. `notes` say what a reader should look at twice; the same trades give the same effect."""

    trades: tuple[Trade, ...]
    fills: tuple[Filled, ...]
    tests: tuple[TestChange, ...]
    before: PoolFigures
    after: PoolFigures
    bundles: tuple[Bundle, ...]
    ladder: tuple[Rung, ...]
    notes: tuple[str, ...]

    @property
    def breaks(self) -> tuple[int, ...]:
        """Tests that stop the trades: those that they break, and those that fail already and worsen (`worsens`)."""
        return tuple(t.number for t in self.tests if t.breaks)

    @property
    def worsens(self) -> tuple[int, ...]:
        return tuple(t.number for t in self.tests if t.worsens)

    @property
    def cures(self) -> tuple[int, ...]:
        return tuple(t.number for t in self.tests if t.cures)

    def test(self, number: int) -> TestChange:
        """Raises KeyError for a test that the deal does not have."""
        for found in self.tests:
            if found.number == number:
                return found
        raise KeyError(number)


def bundle(side: Side, fills: tuple[Filled, ...], figures: Mapping[str, Mapping[str, float]]) -> Bundle | None:
    """The trades of one side together; figures: by name ("spread", "factor", "recovery", "wal") and asset id."""
    mine = [f for f in fills if f.trade.side is side]
    par = sum(f.par for f in mine)
    if not par:
        return None

    def average(name: str) -> float | None:
        return _average([(figures[name].get(f.asset.asset_id), f.par) for f in mine])

    return Bundle(
        side,
        len(mine),
        par,
        sum(f.cash for f in mine),
        sum(f.par * f.price for f in mine) / par,
        _average([(f.asset.market_value, f.par) for f in mine]),
        average("spread"),
        average("factor"),
        average("recovery"),
        average("wal"),
    )


def _average(values: list[tuple[float | None, float]]) -> float | None:
    """By par, of what has a value (NaN is none)."""
    known = [(v, p) for v, p in values if v is not None and v == v]
    total = sum(p for _, p in known)
    return sum(v * p for v, p in known) / total if total else None


def notes_of(fills: tuple[Filled, ...], cash: float, ladder: tuple[Rung, ...]) -> tuple[str, ...]:
    """What to look at twice."""
    made = []
    marked = [f.asset.asset_id for f in fills if f.at_mark]
    if marked:
        made.append(f"Sold at the price of the asset master: {_named(marked)}.")
    if cash < 0.0:
        made.append(f"Principal cash is {cash:,.2f} after the trades: purchases exceed what is in hand.")
    elif any(rung.balance < 0.0 for rung in ladder):
        first = next(rung for rung in ladder if rung.balance < 0.0)
        when = f"on {first.day:%Y-%m-%d}" if first.day else "at once"
        made.append(f"Principal cash is {first.balance:,.2f} {when}: sales settle after purchases.")
    dead = [f.asset.asset_id for f in fills if f.asset.defaulted and f.trade.side is Side.BUY]
    if dead:
        made.append(f"Defaulted assets are bought: {_named(dead)}.")
    far = [f.asset.asset_id for f in fills if _far(f.asset, f.price)]
    if far:
        made.append(f"More than 25 points from the price of the asset master: {_named(far)}.")
    return tuple(made)


def notes_of_tests(tests: Iterable[TestChange]) -> list[str]:
    """Tests that have a figure only before, or only after, the trades."""
    made = []
    for t in tests:
        if t.after is None:
            made.append(f"Test {t.number} ({t.name}) has no result after the trades.")
        elif t.before is None:
            made.append(f"Test {t.number} ({t.name}) has a result only after the trades: {t.after.outcome.value}.")
    return made


def _far(asset: Asset, price: float) -> bool:
    return asset.market_value is not None and abs(price - asset.market_value) > 25.0


def _named(ids: list[str]) -> str:
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
