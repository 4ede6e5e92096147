"""The audit for the eye: rows of one save as one entry, columns by their names."""

from __future__ import annotations

import datetime as dt

from clo_desktop.store.audit.lines import Line
from clo_desktop.work.audit_entries import entries, label
from clo_desktop.work.auditing import sentence


def line(seq: int, txid: int, table: str = "snapshot_tests", user: str = "ada") -> Line:
    about = {"id": seq, "deal": "Deal", "before": {"oc_trigger": 1.0}, "after": {"oc_trigger": 1.25}}
    now = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
    return Line(seq, user, "update", table, f"Deal / Test {seq}", now, "here", about, txid, "")


def test_that_many_rows_of_one_save_are_one_entry_where_the_newest_stood() -> None:
    lines = [line(30, 3, "holdings"), *(line(seq, 2) for seq in range(20, 10, -1)), line(5, 1), line(4, 1)]
    lines.insert(5, line(15, 2, "snapshots"))
    found = entries(lines)
    assert [len(e.lines) for e in found] == [1, 10, 1, 1, 1]
    assert found[1].what == "10 results of a snapshot"
    assert found[1].names == "Test 11, Test 12, Test 13 and 7 more"
    assert sorted(x.seq for e in found for x in e.lines) == sorted(x.seq for x in lines)
    assert len({e.key for e in found}) == len(found)


def test_that_saves_of_two_persons_stay_apart() -> None:
    lines = [line(seq, 2, user="ada" if seq % 2 else "ben") for seq in range(20, 10, -1)]
    assert [(e.lines[0].user, len(e.lines)) for e in entries(lines)] == [("ben", 5), ("ada", 5)]


def test_that_columns_have_the_names_of_the_window_and_those_of_the_database() -> None:
    assert sentence(line(1, 1), labelled=True) == "OC trigger 1 → 1.25"
    assert sentence(line(1, 1)) == "oc_trigger 1 → 1.25"
    assert label("assets", "moodys_rating") == "Moody's rating"
    assert label("scenario_versions", "saved_by") == "Saved by"
