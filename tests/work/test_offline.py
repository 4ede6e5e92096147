"""Deals taken along into a new file: all of it, or neither file nor key."""

from __future__ import annotations

from pathlib import Path

import pytest

from clo_desktop.faults import Cancelled, Refused
from clo_desktop.progress import Progress
from clo_desktop.store.local import vault
from clo_desktop.store.local.manner import Manner
from clo_desktop.work.desk import Desk
from clo_desktop.work.offline import _take
from engine.terms import Book, Deal
from tests.store.local.worlds import MemoryKeyring


def cancel(_fraction: float, what: str) -> None:
    if what.startswith("Copying"):
        raise Cancelled


@pytest.mark.parametrize(
    ("deals", "report", "why"), [(["Deal"], cancel, Cancelled), (["Other"], lambda *_: None, Refused)]
)
def test_that_a_taking_that_brought_nothing_leaves_neither_file_nor_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deals: list[str], report: Progress, why: type[Exception]
) -> None:
    keyring = MemoryKeyring()
    monkeypatch.setattr(vault, "system_keyring", lambda: keyring)
    desk = Desk(tmp_path / "office.clo")
    desk.add(Book(Deal("Deal")))
    file = tmp_path / "away" / "copy.clo"
    with pytest.raises(why):
        _take(desk, deals, file, Manner(encrypt=True), report)
    assert list(file.parent.iterdir()) == []
    assert keyring.kept == {}
    taken = _take(desk, ["Deal"], file, Manner(encrypt=True), lambda *_: None)
    assert taken.recovery_key
    assert len(keyring.kept) == 1
    desk.close()
