"""Drills: importers killed at random, files damaged at random. What was acknowledged is there, or it is said."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import Store, open_store
from clo_desktop.store.local import backups, driver
from clo_desktop.store.local.manner import Manner
from engine.terms import Book
from tests.store.local.worlds import KEY, encrypted, posix, stamped, stamps

KILLS, CONTROL_KILLS, DAMAGES = 200, 40, 300
SOONEST, LATEST = 0.03, 0.25  # seconds from the first acknowledgement to the kill
SIZE = 50  # assets of a deal
DEALS = ("Deal 0", "Deal 1", "Deal 2")

Saving = Callable[[Store, Book, int, int], None]
"""Saves a book and acknowledges its stamp on a descriptor, in one order or the other."""


def acknowledge(descriptor: int, stamp: int) -> None:
    os.write(descriptor, stamp.to_bytes(8, "big"))


def save_first(store: Store, book: Book, stamp: int, descriptor: int) -> None:
    store.save(book)
    acknowledge(descriptor, stamp)


def acknowledge_first(store: Store, book: Book, stamp: int, descriptor: int) -> None:
    acknowledge(descriptor, stamp)
    store.save(book)


def import_until_killed(opened: Callable[[], Store], first: int, saving: Saving, after: float) -> list[int]:
    """The stamps that a child process acknowledged before it was killed in the midst of importing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.close(reading)
            store = opened()
            for stamp in range(first, first + 100_000):
                saving(store, stamped(DEALS[stamp % len(DEALS)], stamp, SIZE), stamp, writing)
        os._exit(1)
    os.close(writing)
    assert select.select([reading], [], [], 60.0)[0], "the child imports nothing"
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child ended by itself"
    with os.fdopen(reading, "rb") as stream:
        said = stream.read()
    return [int.from_bytes(said[i : i + 8], "big") for i in range(0, len(said), 8)]


def drill(file: Path, manner: Manner, kills: int, saving: Saving) -> dict[str, int]:
    """Kills as many importers; counts what was imported, lost, in part, or wrong, and logs that were left hot."""
    chance = random.Random(20261125)
    count = dict.fromkeys(("imported", "lost", "partial", "wrong", "hot"), 0)
    last: dict[str, int] = {}
    following = 1
    key = manner.secret.key if manner.secret is not None else None
    for _ in range(kills):
        told = import_until_killed(
            lambda: open_store(file, manner=manner), following, saving, chance.uniform(SOONEST, LATEST)
        )
        count["imported"] += len(told)
        for stamp in told:
            last[DEALS[stamp % len(DEALS)]] = stamp
        log = file.with_name(f"{file.name}-wal")
        count["hot"] += log.exists() and log.stat().st_size > 0
        with open_store(file, manner=manner) as store:  # which checks that it is whole
            found = {d.name: stamps(store.load(d.name)) for d in store.deals()}
        with driver.connected(file, key, reading=True) as raw:
            count["wrong"] += driver.value(raw, "PRAGMA integrity_check(1)") != "ok"
            count["wrong"] += raw.execute("PRAGMA foreign_key_check").fetchone() is not None
        count["partial"] += sum(len(marks) != 1 for marks in found.values())
        count["lost"] += sum(max(found.get(deal, {0.0})) < stamp for deal, stamp in last.items())
        last = {deal: int(max(marks)) for deal, marks in found.items()}
        following = max([*last.values(), *told, following]) + 1
    return count


@posix
@pytest.mark.long
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_that_killing_an_importer_loses_nothing_acknowledged(tmp_path: Path, is_encrypted: bool) -> None:
    manner = Manner(secret=KEY if is_encrypted else None, encrypt=is_encrypted)
    count = drill(tmp_path / "workspace.clo", manner, KILLS // 2, save_first)
    print(f"{'encrypted' if is_encrypted else 'plain'}: {KILLS // 2} kills, {count}")
    assert (count["lost"], count["partial"], count["wrong"]) == (0, 0, 0)
    assert count["imported"] >= KILLS // 2  # each was killed after its first acknowledgement
    assert count["hot"] > KILLS // 4  # most were killed while the log held what the file had not


@posix
@pytest.mark.long
def test_that_the_drill_notices_who_acknowledges_too_early(tmp_path: Path) -> None:
    count = drill(tmp_path / "workspace.clo", Manner(), CONTROL_KILLS, acknowledge_first)
    print(f"control: {CONTROL_KILLS} kills, {count}")
    assert count["lost"] > 0
    assert (count["partial"], count["wrong"]) == (0, 0)


@pytest.mark.long
def test_that_no_damage_of_an_encrypted_file_is_silent(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with encrypted(file) as store:
        store.save(stamped("Deal", 5, 200))
        right = store.load("Deal")
        store.back_up()
    whole = file.read_bytes()
    chance = random.Random(20261125)
    silent = refused = harmless = offered = 0
    codes: set[str] = set()
    for _ in range(DAMAGES):
        damaged = bytearray(whole)
        at, length = chance.randrange(len(damaged)), chance.choice((1, 2, 16, 512, 4096))
        if chance.random() < 0.2:
            del damaged[at:]
        else:
            damaged[at : at + length] = chance.randbytes(len(damaged[at : at + length]))
        if bytes(damaged) == whole:  # one byte in 256 is drawn as it was
            damaged[at] ^= 1
        file.write_bytes(bytes(damaged))
        try:
            with encrypted(file) as store:
                same = store.load("Deal") == right
            silent, harmless = silent + (not same), harmless + same
        except Refused as reason:
            codes.add(reason.code)
            refused += 1
            offered += backups.newest_good(file, lambda _backup: KEY.key) is not None
    print(f"{DAMAGES} damages: {refused} refused, {harmless} harmless, {silent} silent")
    assert silent == 0
    assert codes <= {"damaged", "key", "no-workspace"}
    assert offered == refused > DAMAGES // 2
