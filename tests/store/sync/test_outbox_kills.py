"""A program that is killed while it edits an offline copy: what it acknowledged is in the deal and in the outbox."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clo_desktop.store import open_store
from clo_desktop.store.sync.server import StoreServer
from clo_desktop.store.sync.shelf import FileShelf
from clo_desktop.store.sync.syncing import Syncing
from engine.terms import Book, Deal, Fee

KILLS = 20
EDITOR = """
import sys
from dataclasses import replace
from clo_desktop.store import open_store
with open_store(sys.argv[1]) as store:
    while True:
        book = store.load("Deal")
        fee = book.deal.fees[0]
        fee = replace(fee, fixed_amount=fee.fixed_amount + 1.0)
        store.edit(book, replace(book, deal=replace(book.deal, fees=(fee,))))
        print(fee.fixed_amount, flush=True)
"""


@pytest.mark.long
def test_that_what_was_acknowledged_before_a_kill_is_in_the_deal_and_in_the_outbox(tmp_path: Path) -> None:
    file, chance = tmp_path / "copy.clo", random.Random(1)
    with open_store(tmp_path / "server.clo") as remote:
        remote.save(Book(Deal("Deal", fees=(Fee("Trustee", fixed_amount=0.0),))))
        with open_store(file) as local:
            Syncing(FileShelf(local), StoreServer(remote)).pull()
        for _ in range(KILLS):
            editor = subprocess.Popen([sys.executable, "-c", EDITOR, str(file)], stdout=subprocess.PIPE, text=True)
            assert editor.stdout is not None
            acknowledged = float(editor.stdout.readline())  # the first one, so that it is at work
            time.sleep(chance.uniform(0.0, 0.1))
            editor.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(float, editor.stdout.read().split())])
            editor.wait()
            with open_store(file) as local:
                [standing] = FileShelf(local).standings()
                amount = local.load("Deal").deal.fees[0].fixed_amount
                assert amount is not None
                assert amount in (acknowledged, acknowledged + 1.0)  # the last one was perhaps done and not told
                assert len(standing.waiting) == amount
        with open_store(file) as local:
            [outcome] = Syncing(FileShelf(local), StoreServer(remote)).sync()
            assert outcome.waiting == 0
            assert remote.load("Deal") == local.load("Deal")
