"""The tables of a run against plain arithmetic over their own rows, and against the run's arrays."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import cash, dates, pack
from engine.assumptions import Assumptions
from engine.loans.packing import pack_tape
from engine.loans.spreads import promised_flows, z_spreads
from engine.model import Model
from engine.outputs import Table, Unit, asset_table, risk_table, run_tables, spread_table
from engine.outputs.table import field
from engine.projection import Projection, choose_document
from engine.terms import Book
from engine.valuation import xirr
from engine.waterfall import read_document
from tests.engine.builders import TEMPLATES, assumed_terms, document, harbor, mag17, template, with_input

DOCUMENTS = {name: document(name) for name in TEMPLATES}
SCENARIOS: list[dict[str, Any]] = [
    {},
    {"cdr": 0.04, "severity": 0.5},
    {"cdr": 0.15, "severity": 0.8, "lag": 12.0},
    {"call_date": dt.date(2027, 10, 1), "sale_price": 90.0, "cpr": 0.3},
    {"reinvest": False, "rate_shift": -0.02},
]


class Run:
    """A deal in one scenario with its tables by name."""

    def __init__(self, book: Book, **assumptions: Any) -> None:
        self.model = Model(book, choose_document(book, DOCUMENTS), assumed_terms())
        self.flows: Projection = self.model.run(Assumptions(**assumptions))
        self.assumptions = Assumptions(**assumptions)
        self.tables: dict[str, Table] = {t.name: t for t in run_tables(self.flows)}


@pytest.fixture(scope="module", params=["demo deal", "real deal under assumed terms"])
def runs(request: pytest.FixtureRequest) -> list[Run]:
    if request.param == "demo deal":
        return [Run(harbor(), **scenario) for scenario in SCENARIOS]
    shared: Path = request.getfixturevalue("shared")
    book = mag17(shared)
    return [Run(book, **scenario) for scenario in SCENARIOS if "call_date" not in scenario]


def ties(opening: np.ndarray, closing: np.ndarray) -> None:
    """What a date opens with is what the date before closed with."""
    np.testing.assert_allclose(opening[1:], closing[:-1], rtol=0, atol=1e-6)


# --- form --------------------------------------------------------------------------------------------------------


def test_that_every_table_has_a_unit_for_every_figure_and_cannot_be_written_to(runs: list[Run]) -> None:
    for table in runs[0].tables.values():
        assert len(set(table.names)) == len(table.names)
        for column, unit in zip(table.columns, table.units, strict=True):
            assert len(column.values) == len(table)
            assert unit or column.unit in (Unit.COUNT, Unit.TEXT)
            assert not column.values.flags.writeable
            if column.unit is Unit.MONEY:
                assert unit == "USD"


def test_that_names_and_tabs_are_unique(runs: list[Run]) -> None:
    tables = list(runs[0].tables.values())
    assert len({t.name for t in tables}) == len({t.tab for t in tables}) == len(run_tables(runs[0].flows))


def test_that_missing_figures_stay_missing() -> None:
    cells = [field("x", Unit.MONEY, [1.5, np.nan, np.inf]).cell(row) for row in range(3)]
    assert cells == [1.5, None, None]
    assert field("d", Unit.DATE, [np.datetime64("NaT")]).cell(0) is None
    assert field("t", Unit.TEXT, [None, "x"]).cell(0) is None


def test_that_an_unknown_column_is_refused_with_the_known_ones(runs: list[Run]) -> None:
    with pytest.raises(KeyError, match="has no column 'Par'; it has Period, Payment date"):
        runs[0].tables["deal"]["Par"]


# --- pools -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pool-original", "pool-reinvested"])
def test_that_a_pool_rolls_from_date_to_date(runs: list[Run], name: str) -> None:
    for run in runs:
        t = run.tables[name]
        added = t["Capitalised interest"] + t["Drawn"] + t["Bought"]
        gone = t["Defaulted"] + t["Scheduled principal"] + t["Unscheduled principal"] + t["Sold"]
        np.testing.assert_allclose(t["Opening performing"] + added - gone, t["Closing performing"], atol=1e-4)
        ties(t["Opening performing"], t["Closing performing"])
        ties(t["Opening defaulted"], t["Closing defaulted"])
        kept = ~run.flows.result.phase[:, cash.PHASES.index("redemption")]
        after = t["Opening defaulted"] + t["Defaulted"] - t["Recoveries"] - t["Net loss"]
        np.testing.assert_allclose(after[kept], t["Closing defaulted"][kept], atol=1e-4)


def test_that_both_pools_together_are_what_the_deal_reports(runs: list[Run]) -> None:
    for run in runs:
        for mine, reported in (
            ("Closing performing", cash.PERFORMING),
            ("Closing defaulted", cash.DEFAULT_BALANCE),
            ("Closing value of defaulted", cash.CARRYING_VALUE),
        ):
            both = run.tables["pool-original"][mine] + run.tables["pool-reinvested"][mine]
            np.testing.assert_allclose(both, run.flows.result.cash[:, reported], atol=1e-3)


def test_that_the_first_pool_opens_with_the_par_of_the_positions(runs: list[Run]) -> None:
    for run in runs:
        t, pool = run.tables["pool-original"], run.model.pool
        assert t["Opening performing"][0] + t["Opening defaulted"][0] == pytest.approx(pool.par.sum(), abs=1e-6)


# --- classes and fees ----------------------------------------------------------------------------------------------


def debt(run: Run) -> list[Table]:
    equity = run.flows.document.equity
    return [t for name, t in run.tables.items() if name.startswith("class-") and name != f"class-{equity}"]


def test_that_a_class_rolls_from_date_to_date(runs: list[Run]) -> None:
    for run in runs:
        for t in debt(run):
            np.testing.assert_allclose(t["Opening balance"] - t["Principal paid"], t["Closing balance"], atol=1e-6)
            ties(t["Opening balance"], t["Closing balance"])
            ties(t["Opening deferred interest"], t["Closing deferred interest"])
            short = t["Interest due"] - t["Interest paid"]
            late = t["Interest accrued on deferred"] - t["Interest paid on deferred"]
            rest = np.maximum(t["Opening deferred interest"] + late - t["Deferred interest paid"], 0.0)
            owed = t["Closing deferred interest"] + t["Interest unpaid"]
            np.testing.assert_allclose(rest + short, owed, atol=1e-4)


def test_that_interest_accrues_at_the_coupon_over_the_days_of_the_period(runs: list[Run]) -> None:
    for run in runs:
        for tranche, t in zip(run.flows.tranches, [run.tables[n] for n in class_names(run)], strict=True):
            if tranche.is_equity or "Coupon" not in t.names:
                continue
            start, code = run.flows.structure.accrual_start, dates.day_count_code(tranche.day_count)
            for i, day in enumerate(run.flows.payment_dates):
                fraction = dates.year_fraction(dates.serial(start), dates.serial(day), code)
                expected = float(t["Opening balance"][i]) * max(float(t["Coupon"][i]), 0.0) * fraction
                assert t["Interest accrued"][i] == pytest.approx(expected, abs=1e-4)
                start = day


def class_names(run: Run) -> list[str]:
    return [f"class-{c}" for c in run.flows.inputs.class_ids]


def test_that_totals_are_the_sums_of_the_classes_tables(runs: list[Run]) -> None:
    for run in runs:
        totals = run.tables["classes"]
        for k, name in enumerate(class_names(run)):
            t = run.tables[name]
            paid = t["Distribution"] if "Distribution" in t.names else t["Total paid"]
            assert totals["Total cash"][k] == pytest.approx(paid.sum(), abs=1e-4)
            assert totals["Total principal"][k] == pytest.approx(t["Principal paid"].sum(), abs=1e-4)


def test_that_a_fee_accrues_on_its_basis_and_rolls(runs: list[Run]) -> None:
    for run in runs:
        inputs, index = run.flows.inputs, run.flows.inputs.index
        for k, terms in enumerate(run.flows.structure.fees):
            t = run.tables[f"fee-{run.flows.document.fee_ids[k]}"]
            before = dates.serials([run.flows.structure.accrual_start, *run.flows.payment_dates])
            for i in range(len(t)):
                fraction = dates.year_fraction(int(before[i]), int(before[i + 1]), terms.day_count)
                yearly = float(np.nan_to_num(t["Basis"][i])) * terms.percent + terms.fixed
                expected = yearly * fraction
                if terms.bears_interest:
                    expected += float(t["Opening unpaid"][i]) * (index[i] + terms.interest_spread) * fraction
                assert t["Accrued"][i] == pytest.approx(expected, rel=1e-9, abs=1e-4)
            np.testing.assert_allclose(t["Opening unpaid"] + t["Accrued"] - t["Paid"], t["Closing unpaid"], atol=1e-4)
            ties(t["Opening unpaid"], t["Closing unpaid"])
        assert inputs.fee_percent.size == len(run.flows.structure.fees)


def test_that_the_threshold_lifts_the_equity_to_its_hurdle(runs: list[Run]) -> None:
    """What was bought and paid so far, and the threshold today, return the hurdle."""
    for run in runs:
        t, flows = run.tables["incentive-fee"], run.flows
        history = list(flows.equity_history)
        hurdle = flows.structure.hurdle
        for i, day in enumerate(flows.payment_dates):
            threshold = float(t["Threshold"][i])
            if threshold > 1.0:
                at = xirr([*(d for d, _ in history), day], [*(a for _, a in history), threshold])
                assert at == pytest.approx(hurdle, abs=1e-9)
            history.append((day, float(t["Paid to subordinated notes"][i])))
            irr = xirr([d for d, _ in history], [a for _, a in history])
            shown = float(t["IRR of subordinated notes"][i])
            assert (irr is None and np.isnan(shown)) or shown == pytest.approx(irr, abs=1e-9)


def test_that_no_incentive_fee_is_paid_before_the_threshold_is_met(runs: list[Run]) -> None:
    for run in runs:
        t = run.tables["incentive-fee"]
        short = t["Paid to subordinated notes"] < t["Threshold"] - 1e-3
        assert (t["Fee paid"][short] == 0.0).all()


def test_that_sources_are_uses_on_every_date(runs: list[Run]) -> None:
    for run in runs:
        t = run.tables["deal"]
        np.testing.assert_allclose(t["Sources"], t["Uses"], atol=1e-3)
        assert t["Period"].tolist() == list(range(1, len(t) + 1))
        assert (t["Collection end"] < t["Payment date"]).all()


# --- coverage tests ------------------------------------------------------------------------------------------------


def test_that_a_negative_cushion_is_a_failing_test(runs: list[Run]) -> None:
    for run in runs:
        for name, t in run.tables.items():
            if not name.startswith("test-"):
                continue
            covers = np.isfinite(t["Result"])
            clear = covers & t["Counts"] & (np.abs(t["Cushion"]) > 1e-3)
            np.testing.assert_array_equal(t["Pass"][clear], t["Cushion"][clear] > 0.0)
            np.testing.assert_allclose(
                t["Cushion"][covers], t["Cushion of ratio"][covers] * t["Denominator"][covers], rtol=1e-6, atol=1e-3
            )
            assert t["Pass"][~covers].all()
            assert np.isnan(t["Cushion"][~covers]).all()


def test_that_the_first_breach_is_the_first_date_on_which_a_test_that_counts_fails(runs: list[Run]) -> None:
    seen = 0
    for run in runs:
        summary = run.tables["tests"]
        for row, test in enumerate(run.flows.document.tests):
            t = run.tables[f"test-{test.id}"]
            failed = [day for day, ok, counts in zip(t.dates, t["Pass"], t["Counts"], strict=True) if counts and not ok]
            assert summary["Breaches"][row] == len(failed)
            assert np.isnat(summary["First breach"][row]) if not failed else summary["First breach"][row] == failed[0]
            seen += bool(failed)
    assert seen > 0


def test_that_a_cure_from_interest_is_what_the_spec_says_of_what_was_paid_before_it(runs: list[Run]) -> None:
    """need = (Den - y) - Num/T where only overcollateralisation fails (spec 6.2); y: paid to notes before."""
    seen = 0
    for run in runs:
        for test in run.flows.document.tests:
            if test.type != "oc":
                continue
            t = run.tables[f"test-{test.id}"]
            ic = run.tables.get(f"test-IC_{test.of}")
            other_passes = np.ones(len(t), dtype=bool) if ic is None else ic["Pass"]
            failed = ~t["Pass"] & t["Counts"] & other_passes & ~np.isnan(t["Interest cure due"])
            need = t["Denominator"] - t["Prior interest cure"] - t["Numerator"] / t["Threshold"]
            np.testing.assert_allclose(t["Interest cure due"][failed], np.maximum(need[failed], 0.0), atol=1e-3)
            seen += int(failed.sum())
    assert seen > 0


def test_that_cures_are_paid_up_to_what_is_due(runs: list[Run]) -> None:
    for run in runs:
        for name, t in run.tables.items():
            for source in ("Interest", "Principal") if name.startswith("test-") else ():
                due, paid = t[f"{source} cure due"], t[f"{source} cure paid"]
                ran = ~np.isnan(due)
                np.testing.assert_array_equal(ran, ~np.isnan(paid))
                assert (paid[ran] <= due[ran] + 1e-6).all()
                passes = t["Pass"] & ran
                for beside in (f"test-OC{name[7:]}", f"test-IC{name[7:]}"):  # one step restores both
                    if name[5:7] in ("OC", "IC") and beside in run.tables:
                        passes &= run.tables[beside]["Pass"]
                assert (due[passes] == 0.0).all()


def test_that_interest_coverage_says_what_is_outstanding_of_its_classes(runs: list[Run]) -> None:
    for run in runs:
        for test in run.flows.document.tests:
            if test.type != "ic":
                continue
            held = [run.tables[f"class-{c}"] for c in run.flows.inputs.class_ids if c in test.classes]
            total = sum(t["Opening balance"] + t["Opening deferred interest"] for t in held)
            np.testing.assert_allclose(run.tables[f"test-{test.id}"]["Liability balance"], total, atol=1e-4)


# --- assets ------------------------------------------------------------------------------------------------------


def test_that_the_assets_bring_what_the_deal_collects(runs: list[Run]) -> None:
    for run in runs:
        t = asset_table(run.model, run.assumptions)
        n = len(run.flows.payment_dates)
        ends = np.array([r.collection_end for r in run.flows.structure.schedule[:n]], dtype="datetime64[D]")
        place = np.searchsorted(ends, t["Payment date"])
        for column in ("Interest", "Scheduled principal", "Unscheduled principal", "Recoveries", "Net loss"):
            by_period = np.bincount(place, weights=t[column], minlength=n + 1)[:n]
            np.testing.assert_allclose(by_period, run.tables["pool-original"][column], atol=1e-3)


def test_that_one_asset_is_its_rows_of_all() -> None:
    run = Run(harbor(), cdr=0.05)
    every = asset_table(run.model, run.assumptions)
    for place in (0, 17, 100):
        wanted = run.model.pool.assets[place].asset_id
        one = asset_table(run.model, run.assumptions, wanted)
        rows = [row for row in every.rows() if row[0] == wanted]
        assert list(one.rows()) == rows
        assert one["Opening balance"][0] == pytest.approx(run.model.pool.par[place])


def test_that_an_asset_pays_back_or_loses_all_of_its_par() -> None:
    run = Run(harbor(), cdr=0.05, severity=0.4)
    t = asset_table(run.model, run.assumptions)
    for asset, par in zip(run.model.pool.assets, run.model.pool.par, strict=True):
        mine = t["Asset"] == asset.asset_id
        gone = t["Scheduled principal"] + t["Unscheduled principal"] + t["Recoveries"] + t["Net loss"] - t["Drawn"]
        assert gone[mine].sum() == pytest.approx(par + t["Capitalised interest"][mine].sum(), rel=1e-9)


def test_that_an_asset_the_deal_does_not_hold_is_refused() -> None:
    run = Run(harbor())
    with pytest.raises(ValueError, match=r"Harbor 2024-1 holds no asset 'NONE'"):
        asset_table(run.model, run.assumptions, "NONE")


def test_that_spreads_are_of_the_assets_with_a_price_that_are_not_in_default() -> None:
    run = Run(harbor())
    t = spread_table(run.model)
    assets = [a for a in run.model.pool.assets if not a.defaulted and (a.market_value or 0.0) > 0.0]
    assert t["Asset"].tolist() == [a.asset_id for a in assets]
    assert np.isfinite(t["Z-spread"]).all()
    assert t.units[t.names.index("Z-spread")] == "fraction a year"


def test_that_spreads_price_what_the_run_projects_of_the_assets() -> None:
    """Without prepayments and defaults an asset pays in the run what its spread is measured on."""
    run = Run(harbor(), cpr=0.0, cdr=0.0)
    model, structure = run.model, run.model.structure
    curve = pack.pack_curve(model.book, structure, 0.0)
    table = pack.pack_fixings(model.book, curve, structure)
    tape = pack_tape(model.pool, model.book, structure, table, 0.0)
    promised = promised_flows(tape, curve, structure.calendar, table.tenors)
    mine = model.asset_flows(run.assumptions)
    last = dates.serial(run.flows.payment_dates[-1]) - 30
    for place in range(len(model.pool)):
        if tape.defaulted[place]:
            continue
        totals = [float(f.total[f.payment <= last].sum()) for f in (promised.of(place), mine.of(place))]
        assert totals[0] == pytest.approx(totals[1], rel=1e-9)
    expected = z_spreads(tape, curve, structure.calendar, model.pool.numbers("market_value"), table.tenors)
    np.testing.assert_allclose(model.z_spreads(), expected, rtol=1e-12)


def test_that_a_deal_with_two_hurdles_has_two_thresholds() -> None:
    data = template("us-2024-class-x")
    found = 0
    for steps in data["waterfalls"].values():
        for step in steps:
            if "hurdle_split" in step:
                step["hurdle_split"]["tiers"] = [
                    {"irr": 0.08, "manager_share": 0.1},
                    {"moic": 1.5, "manager_share": 0.2},
                ]
                found += 1
    assert found > 0
    book = with_input(harbor(), "Waterfall", None)
    model = Model(book, read_document(data), assumed_terms())
    table = next(t for t in run_tables(model.run(Assumptions())) if t.name == "incentive-fee")
    shown = [name for name in table.names if name.startswith("Threshold")]
    assert shown == ["Threshold of IRR 8.0000 %", "Threshold of multiple 1.5"]
    invested = model.run(Assumptions()).inputs
    paid = np.concatenate([[0.0], np.cumsum(table["Paid to subordinated notes"])[:-1]])
    left = np.maximum(1.5 * invested.equity_invested - invested.equity_received - paid, 0.0)
    np.testing.assert_allclose(table["Threshold of multiple 1.5"], left, atol=1e-4)


# --- risk of the classes -------------------------------------------------------------------------------------------


def test_that_the_price_of_a_class_and_the_margin_it_gives_belong_together() -> None:
    run = Run(harbor())
    t = risk_table(run.model, run.flows)
    priced = ~np.isnan(t["Discount margin at the price"])
    assert priced.any()
    tranches = tuple(
        replace(tranche, discount_margin=float(margin)) if known else tranche
        for tranche, margin, known in zip(
            run.model.book.deal.tranches, t["Discount margin at the price"], priced, strict=True
        )
    )
    book = replace(run.model.book, deal=replace(run.model.book.deal, tranches=tranches))
    again = Run(book)
    back = risk_table(again.model, again.flows)
    np.testing.assert_allclose(back["Price at the discount margin"][priced], t["Price"][priced], atol=1e-8)


def test_that_a_class_without_price_and_margin_has_neither_yield_nor_duration() -> None:
    book = harbor()
    bare = tuple(replace(tranche, price=None, discount_margin=None) for tranche in book.deal.tranches)
    run = Run(replace(book, deal=replace(book.deal, tranches=bare)))
    t = risk_table(run.model, run.flows)
    for name in ("Price", "Yield at the price", "Discount margin at the price", "Macaulay duration"):
        assert np.isnan(t[name]).all(), name
    assert np.isfinite(t["WAL"][:-1]).all()
