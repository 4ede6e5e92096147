"""Studies over many scenarios, each beside the slow way: full runs one by one, and bisection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import dates
from engine.assumptions import Assumptions
from engine.model import Model
from engine.projection import Projection, choose_document
from engine.studies.breakeven import (
    Basis,
    BreakEven,
    Target,
    break_even,
    class_ids,
    cumulative_defaults,
    curve,
    watched,
)
from engine.studies.goal import frontier, goal_seek
from engine.studies.grid import grid, scenarios
from engine.studies.measures import claims, measure
from engine.studies.parameters import PARAMETERS, axis, parameter, steps
from engine.studies.surface import surface
from engine.studies.tornado import MOVES, tornado
from engine.valuation.classes import curve_of, value_classes
from engine.valuation.marks import marks
from resources import library
from tests.engine.builders import harbor

BASIS_POINT = 1e-4
PLAIN = Assumptions()


@cache
def model() -> Model:
    book = harbor()
    return Model(book, choose_document(book, library.waterfalls()), library.assumed_terms())


def failing(run: Projection, k: int) -> np.ndarray:
    """Dates on which a test is tested and below its trigger, read from the full result."""
    r, terms = run.result, run.document.tests[k]
    below = r.ratio[:, k] < r.trigger[:, k] if terms.pass_on_equal else r.ratio[:, k] <= r.trigger[:, k]
    return r.active[:, k] & below


# --- parameters ------------------------------------------------------------------------------------------------------


def test_that_an_axis_has_both_its_ends_and_equal_steps() -> None:
    found = axis("cdr=0:20%:5")
    assert found.values == pytest.approx((0.0, 0.05, 0.1, 0.15, 0.2))
    assert found.values[-1] == 0.2
    assert axis("lag = 0, 6,12").values == (0.0, 6.0, 12.0)
    days = axis("call=2027-01-15:2027-01-25:3").values
    assert [dates.from_serial(int(d)) for d in days] == [dt.date(2027, 1, d) for d in (15, 20, 25)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cdr", "'cdr' is no axis; write cdr=0:0.2:20"),
        ("cdx=0:1:5", "'cdx' is no parameter; take one of cdr, cpr"),
        ("cdr=0:120%:5", "Default rate is from 0 % to 100 %; 120 % is not"),
        ("cdr=0:nan:5", "'nan' is no value of it; write 0.02 or 2%"),
        ("cdr=0:0.2:x", "'x' values are no whole number"),
        ("cdr=0:0.2:1", "takes 2 to 200 values, not 1"),
        ("cdr=0:0.2", "is no range"),
        ("call=soon:later:3", "'soon' is no value of it; write 2027-04-15"),
        ("sale_price=1,97", "is from 2 to 200; 1 is not"),
    ],
)
def test_that_a_bad_axis_is_refused_with_the_remedy(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="(?s)" + sentence.replace("(", r"\(")):
        axis(text)


def test_that_every_parameter_reads_what_was_put() -> None:
    values = {"call": float(dates.serial(dt.date(2028, 7, 15))), "lag": 9.0, "sale_price": 95.0, "buy_price": 98.0}
    values["downgrade"] = 2.0
    for name, of in PARAMETERS.items():
        value = values.get(name, 0.015)
        assert of.read(model(), of.put(model(), PLAIN, value)) == pytest.approx(value, abs=1e-15), name


def test_that_reinvesting_at_the_deals_own_price_and_spread_changes_nothing() -> None:
    same = [parameter(n).put(model(), PLAIN, parameter(n).read(model(), PLAIN)) for n in ("buy_price", "buy_spread")]
    irr = model().totals([PLAIN, *same]).equity_irr()
    assert irr[1:] == pytest.approx(irr[0], abs=1e-12)
    dearer = model().totals([replace(PLAIN, buy_price=101.0)]).equity_irr()[0]
    assert dearer < irr[0]


# --- measures and grids ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("yield:B", "is no measure"),
        ("irr:B", "The IRR is of the equity; write irr:SUB"),
        ("loss:SUB", "is owed nothing that could stay unpaid"),
        ("wal:Q", "The deal has no class 'Q'; it has X, A-1"),
        ("fails:OC_Q", "The deal has no coverage test 'OC_Q'; it has "),
    ],
)
def test_that_an_unknown_measure_is_refused_with_what_there_is(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        measure(model(), text)


MEASURES = ("irr:SUB", "moic", "paid:B", "loss:E", "loss_share:E", "wal:A-1", "cushion:OC D", "fails:OC_D")


def test_that_a_grid_is_the_same_as_full_runs_one_by_one() -> None:
    axes, measures = (axis("cdr=0:0.15:3"), axis("severity=0.3,0.7")), [measure(model(), m) for m in MEASURES]
    done = grid(model(), PLAIN, axes, measures)
    assert done.values.shape == (len(MEASURES), 3, 2)
    b, e, a = (class_ids(model()).index(c) for c in ("B", "E", "A-1"))
    d = [t.id for t in model().document.tests].index("OC_D")
    for i, cdr in enumerate(axes[0].values):
        for j, severity in enumerate(axes[1].values):
            run = model().run(Assumptions(cdr=cdr, severity=severity))
            irr, moic, paid, loss, share, wal, cushion, fails = done.values[:, i, j]
            assert irr == pytest.approx(run.equity_irr, abs=1e-9)
            cost = -sum(x for _, x in run.equity_history if x < 0.0)
            got = sum(x for _, x in run.equity_history if x > 0.0) + run.paid(run.equity).sum()
            assert moic == pytest.approx(got / cost, rel=1e-12)
            assert paid == pytest.approx(run.paid(b).sum(), rel=1e-12)
            left = run.result.balance[-1, e] + run.result.deferred[-1, e]
            assert loss == pytest.approx(left, rel=1e-9, abs=1e-6)
            assert share == pytest.approx(left / claims(model())[e], rel=1e-9, abs=1e-12)
            repaid = run.result.principal[:, a] + run.result.deferred_paid[:, a]
            start = max(run.inputs.dates["analysis"], run.inputs.before)
            years = (run.inputs.days[: repaid.size] - start) / 365.0
            assert wal == pytest.approx((repaid * years).sum() / repaid.sum(), rel=1e-12)
            active = run.result.active[:, d]
            assert cushion == pytest.approx((run.result.ratio - run.result.trigger)[active, d].min(), abs=1e-12)
            first = [day for day, failed in zip(run.payment_dates, failing(run, d), strict=True) if failed][:1]
            assert (None if np.isnan(fails) else dates.from_serial(int(fails))) == (first[0] if first else None)


rates = st.floats(0.0, 0.5)


@given(st.builds(Assumptions, cdr=rates, cpr=rates, severity=st.floats(0.0, 1.0), reinvest=st.booleans()))
@settings(max_examples=15)
def test_that_coverage_of_the_lean_run_is_that_of_the_full_one(case: Assumptions) -> None:
    run, lean = model().run(case), model().totals([case], coverage=True)
    for k in range(len(lean.test_ids)):
        fails, r = np.flatnonzero(failing(run, k)), run.result
        assert lean.failed[0, k] == pytest.approx(fails[0] if fails.size else np.nan, nan_ok=True)
        tested = (r.ratio - r.trigger)[r.active[:, k], k]
        assert lean.cushion[0, k] == pytest.approx(tested.min(initial=np.inf), abs=1e-12)


def test_that_coverage_changes_no_other_figure_and_is_left_out_unasked() -> None:
    cases = scenarios(model(), PLAIN, [axis("cdr=0:0.3:9")])
    bare, covered = model().totals(cases), model().totals(cases, coverage=True, threads=2, chunk=4)
    assert bare.failed.shape == (9, 0)
    assert covered.failed.shape == (9, len(covered.test_ids))
    for one, other in zip(bare.arrays[:6], covered.arrays[:6], strict=True):
        assert np.array_equal(one, other, equal_nan=True)


def test_that_a_grid_has_the_same_bits_on_one_thread_and_on_two() -> None:
    axes = (axis("lag=0,6"), axis("cdr=0:0.2:5"), axis("cpr=0:0.3:4"))
    measures = [measure(model(), m) for m in MEASURES]
    one, two = (grid(model(), PLAIN, axes, measures, threads=n) for n in (1, 2))
    assert one.values.shape == (len(MEASURES), 2, 5, 4)
    assert np.array_equal(one.values, two.values, equal_nan=True)


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ((), "1 to 3 parameters, not 0"),
        (("cdr=0,1", "cdr=0,1"), "cdr stand for one and the same"),
        (("severity=0,1", "recovery=0,1"), "severity and recovery stand for one and the same"),
        (("cdr=0:1:200", "cpr=0:1:200", "severity=0:1:200"), "at most 250,000 scenarios; these are 8,000,000"),
    ],
)
def test_that_axes_that_do_not_go_together_are_refused(axes: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        grid(model(), PLAIN, [axis(a) for a in axes], [measure(model(), "irr")])


class Stopped(Exception):
    pass


@pytest.mark.parametrize("study", ["grid", "break-even", "surface"])
def test_that_a_study_tells_its_progress_and_can_be_stopped(study: str) -> None:
    told: list[float] = []

    def stop(fraction: float, _what: str) -> None:
        told.append(fraction)
        if len(told) == 3:
            raise Stopped

    x, y = axis("severity=0.2:0.8:8"), axis("cpr=0:0.3:40")
    acts: dict[str, Callable[[], object]] = {
        "grid": lambda: grid(model(), PLAIN, [x, y], [measure(model(), "irr")], report=stop),
        "break-even": lambda: break_even(model(), PLAIN, report=stop),
        "surface": lambda: surface(model(), PLAIN, x, y, report=stop),
    }
    with pytest.raises(Stopped):
        acts[study]()
    assert told == sorted(told)
    assert all(0.0 <= fraction <= 1.0 for fraction in told)


# --- break-even ------------------------------------------------------------------------------------------------------


def unpaid(cdr: float, k: int, base: Assumptions = PLAIN) -> float:
    """What a class is still owed at the end of a full run."""
    r = model().run(replace(base, cdr=cdr)).result
    return float(r.balance[-1, k] + r.deferred[-1, k])


def bisected(breaks: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    while high - low > 1e-7:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if breaks(middle) else (middle, high)
    return low


def test_that_a_break_even_loses_no_dollar_and_a_basis_point_more_does() -> None:
    done = break_even(model(), PLAIN)
    assert [f.name for f in done.found] == [c for c in class_ids(model()) if c != "SUB"]
    broken = [f for f in done.found if f.cdr is not None]
    assert len(broken) >= 4
    for f in broken:
        k = class_ids(model()).index(f.name)
        assert f.monotone
        assert f.cdr is not None
        assert unpaid(f.cdr, k) <= 1.0
        assert unpaid(f.cdr + BASIS_POINT, k) > 1.0
        assert f.cdr == pytest.approx(bisected(lambda cdr, k=k: unpaid(cdr, k) > 1.0), abs=2e-6)
        assert f.multiple == pytest.approx(f.cdr / 0.02)
    for f in done.found:
        if f.cdr is None:
            assert unpaid(1.0, class_ids(model()).index(f.name)) <= 1.0


def test_that_the_yield_is_zero_where_payments_come_to_what_was_paid() -> None:
    equity = class_ids(model()).index("SUB")
    values = value_classes(model().run(PLAIN), curve_of(model(), PLAIN)).classes
    received = sum(a for _, a in model().history if a > 0.0)
    nav = marks(model()).nav
    assert nav is not None
    by_price = [c.claim * (c.dirty or 0.0) / 100.0 for c in values]
    wanted = {
        Basis.PRICE: by_price,
        Basis.PAR: claims(model()).tolist(),
        Basis.COST: [*claims(model())[:equity], 45e6 * 0.95 - received],
        Basis.NAV: [*by_price[:equity], nav],
    }
    words = {
        Basis.PRICE: "price 82.00",
        Basis.PAR: "par",
        Basis.COST: "cost of closing 42,750,000",
        Basis.NAV: "net as",
    }
    for basis, owed in wanted.items():
        found = break_even(model(), PLAIN, Target.YIELD_ZERO, basis=basis, tolerance=1e-8).found[equity]
        assert found.basis.startswith(words[basis])
        assert found.cdr is not None
        assert model().run(replace(PLAIN, cdr=found.cdr)).paid(equity).sum() == pytest.approx(owed[equity], rel=1e-5)
        assert model().run(replace(PLAIN, cdr=found.cdr + BASIS_POINT)).paid(equity).sum() < owed[equity]


def test_that_the_yield_at_par_is_zero_where_all_payments_are_par() -> None:
    done = break_even(model(), PLAIN, Target.YIELD_ZERO, basis=Basis.PAR, tolerance=1e-8)
    assert [f.name for f in done.found] == class_ids(model())
    for f in done.found:
        if f.cdr is not None:
            k = class_ids(model()).index(f.name)
            paid = model().run(replace(PLAIN, cdr=f.cdr)).paid(k).sum()
            assert paid == pytest.approx(claims(model())[k], rel=1e-5)
            assert model().run(replace(PLAIN, cdr=f.cdr + BASIS_POINT)).paid(k).sum() < claims(model())[k]


def test_that_a_test_trips_above_its_break_even_and_every_crossing_is_told() -> None:
    done = break_even(model(), PLAIN, Target.TEST)
    ids = [t.id for t in model().document.tests]
    assert [f.name for f in done.found] == ids
    assert any(f.cdr is None for f in done.found)
    for f in done.found:
        k = ids.index(f.name)
        for c in f.crossings:
            below, above = (bool(failing(model().run(replace(PLAIN, cdr=at)), k).any()) for at in (c.low, c.high))
            assert (below, above) == ((False, True) if c.breaks else (True, False))
            assert 0.0 < c.high - c.low <= done.tolerance
        assert f.cdr == next((c.low for c in f.crossings if c.breaks), None)


def test_that_what_holds_again_above_is_called_not_monotone() -> None:
    found = {f.name: f for f in break_even(model(), PLAIN, Target.TEST).found}
    several = [f for f in found.values() if len(f.crossings) > 1]
    assert several, "the demo deal has a test that stops failing when the deal is called an event of default earlier"
    for f in several:
        assert not f.monotone
        assert [c.breaks for c in f.crossings] == [i % 2 == 0 for i in range(len(f.crossings))]
    assert BreakEven("B", 0.0, True, None, ()).monotone


def test_that_a_class_that_loses_without_any_default_breaks_at_once() -> None:
    ruin = replace(PLAIN, sale_price=30.0, call_date=model().structure.schedule[3].payment)
    found = {f.name: f for f in break_even(model(), ruin).found}
    assert found["E"].at_once
    assert found["E"].cdr == 0.0
    assert unpaid(0.0, class_ids(model()).index("E"), ruin) > 1.0


def test_that_break_evens_do_not_depend_on_threads() -> None:
    assert break_even(model(), PLAIN, threads=1).found == break_even(model(), PLAIN, threads=2).found


def test_that_cumulative_defaults_grow_with_the_rate_and_start_at_nothing() -> None:
    found = cumulative_defaults(model(), PLAIN, [0.0, 0.02, 0.1, None])
    assert found[0] == 0.0
    assert found[3] is None
    assert 0.0 < found[1] < found[2] < 1.5


def test_that_the_curve_of_losses_is_that_of_full_runs() -> None:
    shares = curve(model(), PLAIN, [0.0, 0.1, 0.3])
    e = class_ids(model()).index("E")
    assert shares[:, e] == pytest.approx([unpaid(r, e) / claims(model())[e] for r in (0.0, 0.1, 0.3)], abs=1e-9)


def test_that_a_surface_has_the_break_even_of_each_cell() -> None:
    x, y = axis("severity=0.25:0.75:3"), axis("cpr=0.05:0.3:2")
    done = surface(model(), PLAIN, x, y)
    same = []
    for i, severity in enumerate(x.values):
        for j, cpr in enumerate(y.values):
            cell = break_even(model(), Assumptions(severity=severity, cpr=cpr))
            assert done.names == tuple(f.name for f in cell.found)
            for k, f in enumerate(cell.found):
                assert np.isnan(done.cdr[k, i, j]) == (f.cdr is None)
                if f.cdr is not None:
                    same.append(abs(done.cdr[k, i, j] - f.cdr) <= 1.1 * done.tolerance)
    # where a class breaks, holds and breaks again between the points of a scan, either may be found
    assert np.mean(same) >= 0.9


@pytest.mark.parametrize("target", list(Target))
def test_that_a_surface_holds_at_its_rate_and_breaks_just_above(target: Target) -> None:
    x, y = axis("severity=0.3,0.6"), axis("lag=0,12")
    done, of = surface(model(), PLAIN, x, y, target), watched(model(), target, PLAIN)
    for i, severity in enumerate(x.values):
        for j, lag in enumerate(y.values):
            for k in range(len(done.names)):
                rate = done.cdr[k, i, j]
                if np.isfinite(rate):
                    cases = [Assumptions(severity=severity, lag=lag, cdr=r) for r in (rate, rate + done.tolerance)]
                    short = of.short(model().totals(cases, coverage=True))[:, k]
                    assert short[0] <= 0.0 < short[1]


def test_that_a_surface_over_default_rates_is_refused() -> None:
    with pytest.raises(ValueError, match="other parameters"):
        surface(model(), PLAIN, axis("cdr=0,0.1"), axis("cpr=0,0.1"))


# --- goals, frontiers, tornado ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "of", "wanted", "within"),
    [
        ("cdr", "irr:SUB", 0.0, 1e-5),
        ("severity", "irr:SUB", 0.08, 1e-5),
        ("cdr", "cushion:OC_E", 0.0, 1e-5),
        ("cdr", "loss:E", 1.0, 2e3),
        ("sale_price", "moic", 1.5, 1e-5),
    ],
)
def test_that_a_goal_is_met_at_the_value_found(name: str, of: str, wanted: float, within: float) -> None:
    wanted_measure = measure(model(), of)
    base = replace(PLAIN, call_date=model().structure.schedule[12].payment) if name == "sale_price" else PLAIN
    done = goal_seek(model(), base, parameter(name), wanted_measure, wanted)
    assert done.values
    assert max(done.misses) <= within
    for value in done.values:
        totals = model().totals([parameter(name).put(model(), base, value)], coverage=True)
        assert wanted_measure.of(totals)[0] == pytest.approx(wanted, abs=within)


def test_that_a_measure_that_jumps_over_the_goal_is_told_by_how_much_it_misses() -> None:
    irr, lag = measure(model(), "irr:SUB"), parameter("lag")
    # recoveries come on payment dates: over the lag the return has steps, no slope
    levels = np.unique(irr.of(model().totals([Assumptions(lag=0.25 * k) for k in range(49)])))
    gaps = np.diff(levels)
    widest = int(gaps.argmax())
    done = goal_seek(model(), PLAIN, lag, irr, float(levels[widest] + 0.5 * gaps[widest]), between=(0.0, 12.0))
    assert done.values
    assert done.misses == pytest.approx([0.5 * gaps[widest]] * len(done.values), rel=1e-6)


def test_that_a_goal_that_cannot_be_met_has_no_value() -> None:
    assert goal_seek(model(), PLAIN, parameter("cpr"), measure(model(), "irr"), 3.0).values == ()


def test_that_a_date_is_found_to_the_day() -> None:
    between = tuple(float(dates.serial(dt.date(y, 7, 15))) for y in (2027, 2034))
    life = measure(model(), "wal:A-1")
    done = goal_seek(model(), PLAIN, parameter("call"), life, 4.0, between=between)
    (day,) = done.values
    at = [life.of(model().totals([parameter("call").put(model(), PLAIN, d)]))[0] for d in (day - 1.0, day)]
    assert (at[0] - 4.0) * (at[1] - 4.0) <= 0.0


def test_that_a_frontier_has_the_goal_of_each_value() -> None:
    along, irr = axis("severity=0.2,0.5,0.8"), measure(model(), "irr")
    done = frontier(model(), PLAIN, along, parameter("cdr"), irr, 0.0)
    for severity, values in zip(along.values, done.values, strict=True):
        alone = goal_seek(model(), Assumptions(severity=severity), parameter("cdr"), irr, 0.0)
        assert values == pytest.approx(alone.values, abs=2e-6)
    first = [values[0] for values in done.values]
    assert first == sorted(first, reverse=True)  # the worse the recovery, the fewer defaults the equity bears


def test_that_a_tornado_has_the_runs_at_both_ends_and_the_widest_bar_first() -> None:
    (done,) = tornado(model(), PLAIN, [measure(model(), "irr")])
    assert {bar.parameter.name for bar in done.bars} == set(MOVES)
    assert [bar.width for bar in done.bars] == sorted((bar.width for bar in done.bars), reverse=True)
    assert done.base == pytest.approx(model().run(PLAIN).equity_irr, abs=1e-9)
    for bar in done.bars:
        for value, seen in ((bar.low, bar.at_low), (bar.high, bar.at_high)):
            alone = model().run(bar.parameter.put(model(), PLAIN, value)).equity_irr
            assert seen == pytest.approx(alone, abs=1e-9)


def test_that_a_move_beyond_what_a_parameter_may_be_ends_there() -> None:
    (done,) = tornado(model(), Assumptions(cdr=0.001), [measure(model(), "irr")], moves={"cdr": 0.01})
    assert (done.bars[0].low, done.bars[0].high) == (0.0, pytest.approx(0.011))
    with pytest.raises(ValueError, match="needs a value to start from"):
        tornado(model(), PLAIN, [measure(model(), "irr")], moves={"call": 90.0})


def test_that_steps_of_one_value_are_refused() -> None:
    with pytest.raises(ValueError, match="2 to 200"):
        steps(parameter("cdr"), 0.0, 0.1, 1)
