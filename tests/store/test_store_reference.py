"""Correlations, configuration, reference data and what is taken in, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.faults import Refused
from clo_desktop.store import Correlations, Intake, ReferenceTable, Store
from clo_desktop.store.correlations import packed, unpacked
from engine.asset import Asset

DAY = dt.date(2026, 3, 31)
NAN = float("nan")


def three(ab: float = 0.3, source: str = "former.db") -> Correlations:
    return Correlations(("Acme", "Bolt", "Coil"), np.array([[1, ab, NAN], [ab, 1, -0.2], [NAN, -0.2, 1]]), source)


def large(count: int) -> Correlations:
    factor = np.random.default_rng(5).uniform(0.1, 0.9, count)
    matrix = np.outer(factor, factor)
    np.fill_diagonal(matrix, 1.0)
    return Correlations(tuple(f"B{k:04}" for k in range(count)), matrix, "model")


def test_that_a_matrix_comes_back_and_a_pair_is_found_either_way(store: Store) -> None:
    assert store.correlations() is None
    assert store.get_asset_correlations("Acme", "Bolt") is None
    assert store.put_correlations(three())
    assert store.get_asset_correlations("Acme", "Bolt") == 0.3
    assert store.get_asset_correlations(" coil", "BOLT") == -0.2
    assert store.get_asset_correlations("Coil", "Acme") is None, "nothing is known of this pair"
    assert store.get_asset_correlations("Acme", "Nobody") is None
    assert store.get_asset_correlations("Acme", "acme") == 1.0
    found = store.correlations()
    assert found is not None
    assert found.equals(three())
    assert (found.source, found.changed_by) == ("former.db", store.person)
    assert not store.put_correlations(three()), "the same again changes nothing"
    assert store.put_correlations(three(0.4))
    assert store.get_asset_correlations("Bolt", "Acme") == 0.4


def test_that_every_pair_of_a_large_matrix_is_found_and_its_audit_line_stays_small(store: Store) -> None:
    matrix = large(120)
    store.put_correlations(matrix)
    store.put_correlations(three())
    store.put_correlations(matrix)
    for a, b in ((0, 119), (119, 0), (1, 0), (60, 61), (118, 119)):
        assert store.get_asset_correlations(f"B{a:04}", f"B{b:04}") == matrix.matrix[a, b]
    lines = [line for line in store.audit.lines() if line.resource_type == "asset_correlations"]
    assert [line.action for line in lines] == ["update", "update", "insert"]
    assert all(len(str(line.details)) < 4_000 for line in lines), "119 x 120 / 2 numbers would take 57,120 bytes"
    assert lines[0].after["packed"] == "(changed)"
    assert len(lines[0].after["sha256"]) == 64
    verdict = store.audit.verify()
    assert verdict.whole, verdict.breaches


def test_that_a_matrix_changed_by_another_program_is_not_used(
    opened: Callable[[], Store], as_owner: Callable[[str], None], place: str
) -> None:
    opened().put_correlations(three())
    if "://" in place:
        as_owner("ALTER TABLE clo.asset_correlations DISABLE TRIGGER ALL")
        as_owner("UPDATE clo.asset_correlations SET packed = set_byte(packed, 6, 1), version = version + 1")
    else:
        as_owner("DROP TRIGGER audit_asset_correlations_update")
        as_owner("UPDATE asset_correlations SET packed = zeroblob(24)")
    with pytest.raises(Refused, match="changed by another program or are damaged"):
        opened().correlations()


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        ([[1, 2], [2, 1]], "Acme and Bolt is 2; it is between -1 and 1"),
        ([[1, 0.1], [0.2, 1]], "0.1 one way and 0.2 the other"),
        ([[1, 0.1], [0.1, 0.9]], "Bolt has a correlation with itself that is not 1"),
        ([[1.0]], "1 x 1 and there are 2 borrowers"),
    ],
)
def test_that_what_is_no_matrix_of_correlations_is_refused(matrix: list[list[float]], why: str) -> None:
    with pytest.raises(Refused, match=why):
        Correlations(("Acme", "Bolt"), np.array(matrix, dtype=float), "")


def test_that_a_matrix_that_is_not_positive_semi_definite_is_warned_about_with_its_smallest_eigenvalue() -> None:
    assert three().warning == ""
    wrong = Correlations(("A", "B", "C"), np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]), "")
    assert wrong.smallest_eigenvalue == pytest.approx(-0.8)
    assert "smallest eigenvalue is -0.8)" in wrong.warning


@given(st.integers(0, 9), st.randoms(use_true_random=False))
def test_that_packing_loses_nothing(count: int, random: object) -> None:
    matrix = np.eye(count)
    for i in range(count):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = random.choice([NAN, -1.0, 0.1, 1 / 3])  # type: ignore[attr-defined]
    assert len(packed(matrix)) == 8 * count * (count - 1) // 2
    assert np.array_equal(unpacked(packed(matrix), count), matrix, equal_nan=True)


def test_that_joining_keeps_pairs_that_only_the_older_matrix_knows() -> None:
    newer = Correlations(("bolt", "Dune"), np.array([[1, 0.5], [0.5, 1]]), "new.db")
    joined = newer.over(three())
    assert joined.borrowers == ("Acme", "Bolt", "Coil", "Dune")
    assert (joined.matrix[1, 3], joined.matrix[1, 0]) == (0.5, 0.3)
    assert joined.known_pairs == 3
    assert joined.source == "new.db; else former.db"


def test_that_configuration_is_kept_with_who_and_when_and_holds_no_secret(store: Store) -> None:
    assert store.put_setting("paths.export", {"folder": "/out", "keep": 3})
    assert not store.put_setting("paths.export", {"folder": "/out", "keep": 3})
    assert store.put_setting("rounds", None)
    entry = store.setting("paths.export")
    assert entry is not None
    assert (entry.value, entry.changed_by) == ({"folder": "/out", "keep": 3}, store.person)
    assert abs(entry.changed_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert [one.key for one in store.configuration()] == ["paths.export", "rounds"]
    for key, value in (("db_password", "x"), ("a", float("inf")), (" a", 1), ("a", "\0"), ("a", {1, 2})):
        with pytest.raises(Refused):
            store.put_setting(key, value)
    assert store.drop_setting("rounds")
    assert not store.drop_setting("rounds")


def test_that_the_newest_reference_table_of_a_day_holds_and_may_be_put_anew(store: Store) -> None:
    old = ReferenceTable("Industries", DAY, ({"code": 1, "name": "Aerospace"},), "reference.db")
    new = ReferenceTable("Industries", dt.date(2026, 6, 30), ({"code": 1, "name": "Aerospace & Defence"},), "agency")
    assert store.put_reference_table(old)
    assert store.put_reference_table(new)
    newest = store.reference_table("Industries")
    assert newest is not None
    assert (newest.rows, newest.source) == (new.rows, "agency")
    held = store.reference_table("Industries", dt.date(2026, 5, 1))
    assert held is not None
    assert held.rows == old.rows
    assert store.reference_table("Industries", dt.date(2026, 1, 1)) is None
    assert store.put_reference_table(ReferenceTable("Industries", DAY, ({"code": 2},), "by hand"))
    assert [(t.as_of, t.source) for t in store.reference_tables()] == [(new.as_of, "agency"), (DAY, "by hand")]
    assert store.drop_reference_table("Industries", DAY)
    assert not store.drop_reference_table("Industries", DAY)
    verdict = store.audit.verify()
    assert verdict.whole, verdict.breaches


def test_that_the_parameters_of_a_scenario_are_those_of_its_newest_version(store: Store) -> None:
    store.save_scenario("Base", "cdr: 2%", store.person)
    store.save_scenario("Base", "cdr: 3%\nlag: 12", store.person)
    assert store.scenario_parameters("base") == {"cdr": "3%", "lag": 12}
    with pytest.raises(Refused, match="There is no scenario Other"):
        store.scenario_parameters("Other")


def test_that_what_is_taken_in_is_stored_whole_counted_and_taken_twice_changes_nothing(store: Store) -> None:
    what = Intake(
        {"LX1": {"issuer_name": "Acme", "par_amount": 1e6}, "LX2": {"issuer_name": "Bolt"}},
        three(),
        (("Mild", "cdr: 1%"),),
        (("rounds", 3),),
        (ReferenceTable("Industries", DAY, ({"code": 1},), "reference.db"),),
        "from former.db",
        ("imported",),
    )
    first = {one.kind: (one.new, one.changed, one.same) for one in store.take_in(what)}
    assert first == {
        "assets": (2, 0, 0), "correlations": (2, 0, 0), "scenarios": (1, 0, 0), "settings": (1, 0, 0),
        "reference tables": (1, 0, 0),
    }  # fmt: skip
    lines = store.audit.count()
    again = {one.kind: (one.new, one.changed, one.same) for one in store.take_in(what)}
    assert again == {kind: (0, 0, new) for kind, (new, _, _) in first.items()}
    assert store.audit.count() == lines
    more = Intake({"LX1": {"par_amount": 2e6}, "LX3": {}})
    assert [(t.new, t.changed, t.same) for t in store.take_in(more)] == [(1, 1, 0)]
    assert store.assets()["LX1"] == Asset(asset_id="LX1", issuer_name="Acme", par_amount=2e6)


def test_that_nothing_is_taken_in_where_one_part_is_refused(store: Store) -> None:
    store.save_scenario("Mild", "cdr: 1%", store.person)
    store.lock_scenario("Mild", store.person)
    what = Intake({"LX1": {"issuer_name": "Acme"}}, three(), (("Mild", "cdr: 9%"),), (("rounds", 3),))
    with pytest.raises(Refused, match="locked by"):
        store.take_in(what)
    assert store.assets() == {}
    assert store.correlations() is None
    assert store.configuration() == ()
