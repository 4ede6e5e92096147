"""A folder of one's own waterfalls: found by name and by fit, and a damaged file is one deal's trouble only."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import resources
from clo_desktop.faults import Refused
from clo_desktop.work import waterfalls
from clo_desktop.work.desk import Desk
from engine import cash
from engine.terms import Book, Deal, Labelled, Tranche
from resources import library

DEAL = "Harbor 2024-1"
SHIPPED = resources.path("waterfalls/us-2024-class-x.yaml").read_text(encoding="utf-8")
MINE = SHIPPED.replace("name: us-2024-class-x", "name: mine")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of own waterfalls; it does not exist yet."""
    made = tmp_path / "own"
    monkeypatch.setattr("clo_desktop.paths.waterfalls_folder", lambda: made)
    return made


@pytest.fixture
def desk(workspace: Path, warm: None) -> Desk:
    return Desk(workspace)


def put(folder: Path, name: str, text: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def named(desk: Desk, name: str | None) -> None:
    """Gives the demo deal the waterfall of that name; None: none."""

    def change(deal: Deal) -> Deal:
        kept: Labelled = tuple(entry for entry in deal.clo_inputs if entry[0] != "Waterfall")
        return replace(deal, clo_inputs=kept if name is None else (*kept, ("Waterfall", name)))

    desk.change(DEAL, change)


def test_that_without_a_folder_the_shipped_waterfalls_are_known(folder: Path) -> None:
    assert waterfalls.known() == waterfalls.Waterfalls(library.waterfalls(), ())
    assert not folder.exists()


def test_that_a_deal_runs_with_the_own_document_it_names(desk: Desk, folder: Path) -> None:
    put(folder, "any.yaml", MINE)
    put(folder, "notes.txt", "no waterfall")
    named(desk, "mine")
    assert desk.waterfall(DEAL).name == "mine"
    assert desk.project(DEAL).document is desk.waterfall(DEAL)


def test_that_a_document_that_was_changed_is_read_again_and_one_that_was_not_keeps_the_deal_ready(
    desk: Desk, folder: Path
) -> None:
    file = put(folder, "mine.yaml", MINE)
    named(desk, "mine")
    before = desk.project(DEAL).document
    assert desk.project(DEAL).document is before
    put(folder, "mine.yaml", MINE + "version: 7\n")
    os.utime(file, ns=(1, 1))
    assert desk.project(DEAL).document.version == 7


def test_that_an_own_document_is_found_by_fit_and_a_tie_is_told(desk: Desk, folder: Path) -> None:
    put(folder, "two.yaml", "wdl: 1\nname: two\nclasses: {A: {}, SUB: {kind: equity}}\nwaterfalls:\n  all:\n"
        "    source: both\n    steps: [pay_interest: {classes: A}, pay_principal: {classes: A}, "
        "pay_equity: {equity: SUB}]\ndispatch: [run: all]\n")  # fmt: skip
    small = Book(Deal("Small", tranches=(Tranche("Class A", 9.0, 9.0), Tranche("Sub Notes", 1.0, 1.0, is_equity=True))))
    assert waterfalls.known().of(small).name == "two"
    put(folder, "mine.yaml", MINE)
    named(desk, None)
    with pytest.raises(Refused, match=r"us-2024-class-x and mine fit the classes .*name one of them in CLO Inputs"):
        desk.waterfall(DEAL)


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("mine.yaml", "wdl: 1\nname: [", r"mine\.yaml: Line 2, .*check indents"),
        ("other.yaml", MINE.replace("pay_interest", "pay_intrest", 1), r"other\.yaml: .*pay_intrest.*pay_interest"),
        ("mine.yaml", "", r"mine\.yaml: .*wdl: 1"),
        ("mine.yaml", b"wdl: 1\nname: \xff\xfe\n", r"mine\.yaml, line 2: this is no UTF-8 text; save it as UTF-8"),
        ("mine.yaml", b"x" * 2_000_001, r"mine\.yaml has 2,000,001 bytes, too many"),
    ],
)
def test_that_a_damaged_file_is_told_to_the_deal_that_names_it_and_to_no_other(
    desk: Desk, folder: Path, file: str, text: str | bytes, says: str
) -> None:
    put(folder, file, text)
    assert desk.waterfall(DEAL).name == "us-2024-class-x"
    named(desk, "mine")
    with pytest.raises(Refused, match=says) as refused:
        desk.project(DEAL)
    assert refused.value.code == "waterfall"
    assert str(folder) in refused.value.message
    named(desk, None)
    assert desk.waterfall(DEAL).name == "us-2024-class-x"


def test_that_a_file_with_the_name_of_a_shipped_one_is_refused_and_never_taken(desk: Desk, folder: Path) -> None:
    put(folder, "changed.yaml", SHIPPED)
    with pytest.raises(Refused, match="'us-2024-class-x' is the name of a waterfall that ships; give yours another"):
        desk.waterfall(DEAL)  # the deal names it: which of the two is meant, nobody knows
    named(desk, None)
    assert desk.waterfall(DEAL) is library.waterfalls()["us-2024-class-x"]


def test_that_of_two_files_of_one_name_neither_is_taken(desk: Desk, folder: Path) -> None:
    put(folder, "a.yaml", MINE)
    put(folder, "b.yaml", MINE)
    assert "mine" not in waterfalls.known().documents
    with pytest.raises(Refused, match=r"a\.yaml and b\.yaml are both named mine|b\.yaml and a\.yaml"):
        desk.project(DEAL, waterfall="mine")


def test_that_a_deal_runs_with_another_waterfall_only_where_its_classes_fit(desk: Desk) -> None:
    other = desk.project(DEAL, waterfall="us-clo-3.0")
    assert (other.document.name, desk.project(DEAL).document.name) == ("us-clo-3.0", "us-2024-class-x")
    with pytest.raises(
        Refused, match=r"us-2014-four-classes does not fit Harbor 2024-1: it does not know class .*; ch"
    ):
        desk.project(DEAL, waterfall="us-2014-four-classes")
    with pytest.raises(Refused, match="There is no waterfall 'theirs'; known are european-clo"):
        desk.project(DEAL, waterfall="theirs")


def test_that_contributions_come_with_the_workbook(desk: Desk, tmp_path: Path) -> None:
    named(desk, "us-clo-3.0")
    desk.change(
        DEAL, lambda deal: replace(deal, clo_inputs=(*deal.clo_inputs, ("Contribution holders 2026-01-15", 1e6)))
    )
    desk.export_file(DEAL, tmp_path / "deal.xlsx")
    assert desk.import_file(tmp_path / "deal.xlsx", DEAL).imported
    assert desk.project(DEAL).result.cash[:, cash.CONTRIBUTED].sum() == 1e6


def test_that_adding_checks_copies_whole_and_writes_over_nothing_unasked(folder: Path, tmp_path: Path) -> None:
    source = put(tmp_path / "from", "draft.yaml", MINE)
    document, where = waterfalls.add(source)
    assert (document.name, where) == ("mine", folder / "mine.yaml")
    assert waterfalls.known().documents["mine"] == document
    put(tmp_path / "from", "draft.yaml", MINE + "version: 2\n")
    with pytest.raises(Refused, match=r"have mine already .*add --replace"):
        waterfalls.add(source)
    assert waterfalls.known().documents["mine"].version == 1
    waterfalls.add(source, replace=True)
    os.utime(where, ns=(1, 1))
    assert waterfalls.known().documents["mine"].version == 2
    assert [p.name for p in folder.iterdir()] == ["mine.yaml"]
    with pytest.raises(Refused, match="in the folder of your waterfalls already"):
        waterfalls.add(where, replace=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SHIPPED, "is the name of a waterfall that ships"),
        (SHIPPED.replace("name: us-2024-class-x", "name: ../out"), "cannot be that of a file; write letters"),
        ("wdl: 1\nname: [", "Line 2"),
    ],
)
def test_that_what_cannot_be_added_leaves_no_trace(folder: Path, tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        waterfalls.add(put(tmp_path / "from", "draft.yaml", text), replace=True)
    assert not folder.exists()


def test_that_a_damaged_own_file_is_mended_by_adding_over_it(folder: Path, tmp_path: Path) -> None:
    damaged = put(folder, "old.yaml", "name: mine\nwdl: [")
    source = put(tmp_path / "from", "draft.yaml", MINE)
    with pytest.raises(Refused, match="--replace"):
        waterfalls.add(source)
    assert waterfalls.add(source, replace=True)[1] == damaged
    assert "mine" in waterfalls.known().documents
