"""Register programs: what the flat table computes is what the formulas say, whatever is fused, skipped or reused."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.waterfall import interpreter
from engine.waterfall import operations as op
from engine.waterfall.flatten import Program
from engine.waterfall.registers import Builder, Row

Floats = NDArray[np.float64]


def run(program: Program, dated: Mapping[str, Floats], lane: Mapping[str, Floats], width: int) -> interpreter.Feed:
    """dated float64[n_dates] and lane float64[n_dates, W] by name."""
    n_dates = len(next(iter(dated.values())))

    def rows(names: Mapping[object, int]) -> NDArray[np.int64]:
        return np.array(list(names.values()), dtype=np.int64)

    feed = interpreter.Feed(
        initial=program.initial,
        parameter_rows=rows(program.parameters),
        parameters=np.zeros((len(program.parameters), width)),
        dated_rows=rows(program.dated),
        dated=np.array([dated[str(name)] for name in program.dated]).reshape(len(program.dated), n_dates).T.copy(),
        lane_rows=rows(program.lanes),
        lane=np.array([lane[str(name)] for name in program.lanes])
        .reshape(len(program.lanes), n_dates, width)
        .transpose(1, 0, 2)
        .copy(),
        output_rows=rows(program.outputs),
        output=np.empty((n_dates, len(program.outputs), width)),
        state_rows=rows(program.states),
        states=np.empty((len(program.states), width)),
        watched=np.zeros((n_dates, 1, width)),
        loans=np.full((2, 1), -1, dtype=np.int64),
        prices=np.ones((2, 1)),
        n_cohorts=program.n_cohorts,
        n_lines=program.n_lines,
        lag=program.lag,
    )
    interpreter.run(program.code, feed)
    return feed


PLAIN: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: np.where(b != 0.0, a / np.where(b != 0.0, b, 1.0), 0.0),
    "min": np.minimum,
    "max": np.maximum,
    "over": lambda a, b: np.maximum(a - b, 0.0),
    "<": lambda a, b: (a < b).astype(float),
    "<=": lambda a, b: (a <= b).astype(float),
    "==": lambda a, b: (a == b).astype(float),
}
WRITTEN: dict[str, Callable[[Row, Row], Row]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "min": lambda a, b: a.least(b),
    "max": lambda a, b: a.most(b),
    "over": lambda a, b: a.over(b),
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a.equals(b),
}


class World:
    """The same random formulas, written for the builder and computed at once with numpy, date by date."""

    def __init__(self, seed: int, width: int, n_dates: int) -> None:
        self.draw = random.Random(seed)
        self.width = width
        numbers = np.random.default_rng(seed)
        self.dated = {"d": np.round(numbers.normal(size=n_dates), 1)}
        self.lane = {name: np.round(numbers.normal(size=(n_dates, width)), 1) for name in ("x", "y")}
        self.recipe: list[tuple[str, int, int, int]] = []
        for k in range(self.draw.randint(1, 40)):
            kind = self.draw.choice([*PLAIN, "select", "region"])
            places = range(6 + k)
            self.recipe.append((kind, *(self.draw.choice(places) for _ in range(3))))
        self.kept = [self.draw.randrange(6 + len(self.recipe)) for _ in range(2)]
        self.shown = [self.draw.randrange(6 + len(self.recipe)) for _ in range(3)]

    def write(self) -> Program:
        b = Builder()
        made = [b.dated("d"), b.lane("x"), b.lane("y"), b.state("s", 1.0), b.state("t", -2.0), b.constant(0.5)]
        for kind, i, j, k in self.recipe:
            if kind == "select":
                made.append(b.truth(made[i]).then(made[j], made[k]))
            elif kind == "region":
                mask = made[i] > made[j]
                with b.region(mask) as region:
                    inside = mask.then(made[j] * made[k] + made[i], made[k])
                made.append(b.settle(region, made[k], inside))
            else:
                made.append(WRITTEN[kind](made[i], made[j]))
        for name, place in zip(("s", "t"), self.kept, strict=True):
            b.keep(name, made[place].least(1e6).most(-1e6))
        for name, place in enumerate(self.shown):
            b.output(name, made[place])
        return b.build()

    def compute(self) -> tuple[Floats, Floats]:
        """Outputs float64[n_dates, 3, W] and the states after the last date."""
        n_dates = len(self.dated["d"])
        s, t = np.full(self.width, 1.0), np.full(self.width, -2.0)
        out = np.empty((n_dates, 3, self.width))
        for date in range(n_dates):
            made = [np.full(self.width, self.dated["d"][date]), self.lane["x"][date], self.lane["y"][date], s, t]
            made.append(np.full(self.width, 0.5))
            for kind, i, j, k in self.recipe:
                if kind == "select":
                    made.append(np.where(made[i] != 0.0, made[j], made[k]))
                elif kind == "region":
                    made.append(np.where(made[i] > made[j], made[j] * made[k] + made[i], made[k]))
                else:
                    made.append(PLAIN[kind](made[i], made[j]))
            out[date] = [made[place] for place in self.shown]
            s, t = (np.clip(made[place], -1e6, 1e6) for place in self.kept)
        return out, np.array([s, t])


@given(st.integers(0, 10**9), st.integers(1, 9), st.integers(1, 4))
def test_that_a_program_computes_what_its_formulas_say(seed: int, width: int, n_dates: int) -> None:
    world = World(seed, width, n_dates)
    with np.errstate(all="ignore"):
        out, states = world.compute()
    feed = run(world.write(), world.dated, world.lane, width)
    assert np.array_equal(feed.output, out, equal_nan=True)
    assert np.array_equal(feed.states, states, equal_nan=True)


@given(st.integers(0, 10**9))
def test_that_a_lane_has_the_same_bits_alone_and_beside_others(seed: int) -> None:
    world = World(seed, 70, 3)  # more lanes than a block holds
    program = world.write()
    together = run(program, world.dated, world.lane, 70)
    for lane in (0, 31, 63, 64, 69):
        alone = run(program, world.dated, {k: v[:, lane : lane + 1].copy() for k, v in world.lane.items()}, 1)
        assert np.array_equal(alone.output[:, :, 0], together.output[:, :, lane], equal_nan=True)
        assert np.array_equal(alone.states[:, 0], together.states[:, lane], equal_nan=True)


def test_that_what_nothing_asks_for_is_not_in_the_table() -> None:
    b = Builder()
    x = b.lane("x")
    _ = (x * 3.0 + 1.0) / 7.0
    b.output("x", x + 1.0)
    assert b.build().n_operations == 1


def test_that_the_same_formula_is_computed_once() -> None:
    b = Builder()
    x, y = b.lane("x"), b.lane("y")
    b.output("one", (x + y) * 2.0)
    b.output("two", (y + x) * 2.0)
    assert b.build().n_operations == 2


def test_that_a_payment_and_what_it_leaves_are_one_operation() -> None:
    b = Builder()
    cash, claim = b.lane("cash"), b.lane("claim")
    paid = cash.least(claim)
    b.output("paid", paid)
    b.output("left", cash.over(paid))
    program = b.build()
    assert program.code[:, 0].tolist() == [op.PAY]
    feed = run(program, {"d": np.zeros(1)}, {"cash": np.array([[3.0, 9.0]]), "claim": np.array([[5.0, 5.0]])}, 2)
    assert feed.output[0].tolist() == [[3.0, 5.0], [0.0, 4.0]]


def test_that_a_state_without_a_next_value_is_refused_by_name() -> None:
    b = Builder()
    b.output("x", b.state("balance") + 1.0)
    with pytest.raises(ValueError, match="balance"):
        b.build()


def test_that_states_that_change_places_do_so() -> None:
    b = Builder()
    one, two = b.state("one", 1.0), b.state("two", 2.0)
    b.keep("one", two)
    b.keep("two", one)
    b.output("one", one)
    feed = run(b.build(), {"d": np.zeros(3)}, {}, 1)
    assert feed.output[:, 0, 0].tolist() == [1.0, 2.0, 1.0]


def test_that_cohorts_mature_on_their_dates_and_shrink_until_then() -> None:
    b = Builder()
    cohort = b.cohort()
    b.output("due", b.due(cohort))
    b.shrink(cohort, b.constant(0.5))
    b.buy(cohort, b.lane("bought"), 2)
    bought = np.array([[8.0], [4.0], [0.0], [0.0], [0.0]])
    feed = run(b.build(), {"d": np.zeros(5)}, {"bought": bought}, 1)
    # bought on date 0, it shrinks on dates 1 and 2 after what was due was read; the last date takes what is over
    assert feed.output[:, 0, 0].tolist() == [0.0, 0.0, 4.0, 2.0, 0.0]


def test_that_a_delay_line_gives_back_what_went_in_some_dates_ago() -> None:
    b = Builder()
    b.output("late", b.delay(b.lane("in"), b.line(), 2))
    b.output("now", b.delay(b.lane("in"), b.line(), 0))
    feed = run(b.build(), {"d": np.zeros(4)}, {"in": np.array([[1.0], [2.0], [3.0], [4.0]])}, 1)
    assert feed.output[:, 0, 0].tolist() == [0.0, 0.0, 1.0, 2.0]
    assert feed.output[:, 1, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
