"""Workspace files to try things on: books that show whether they are whole, a keyring in memory, work in a child."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import Store, open_store
from clo_desktop.store.local.keys import Secret
from clo_desktop.store.local.manner import Manner
from engine.terms import Book
from tests.store.any_book import large_book

KEY = Secret(key=bytes(range(32)))
OTHER_KEY = Secret(key=bytes(range(1, 33)))

posix = pytest.mark.skipif(sys.platform == "win32", reason="forks and limits of POSIX")


class MemoryKeyring:
    """A keyring that keeps secrets as long as the test runs."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def encrypted(file: Path, secret: Secret = KEY) -> Store:
    """A store on an encrypted file, made where there is none."""
    return open_store(file, patience=2.0, manner=Manner(secret=secret, encrypt=True))


def stamped(name: str, stamp: int, size: int = 100) -> Book:
    """A book whose every row carries `stamp`: one saved in part would show two."""
    book = large_book(name, size)
    holdings = tuple(replace(h, par=float(stamp)) for h in book.deal.holdings)
    tranches = tuple(replace(t, current_balance=float(stamp)) for t in book.deal.tranches)
    return Book(replace(book.deal, holdings=holdings, tranches=tranches), book.assets)


def stamps(book: Book) -> set[float]:
    """The stamps of its rows: one where it is whole."""
    return {h.par for h in book.deal.holdings} | {t.current_balance for t in book.deal.tranches}


def refused(where: Path, manner: Manner | None = None) -> Refused:
    """The refusal to open `where`."""
    with pytest.raises(Refused) as caught:
        open_store(where, patience=0.1, manner=manner or Manner()).close()
    return caught.value


def around(file: Path) -> dict[str, bytes]:
    """Every file in the folder of `file`, with what it holds."""
    return {str(p.relative_to(file.parent)): p.read_bytes() for p in sorted(file.parent.rglob("*")) if p.is_file()}


def in_child(work: Callable[[], Any]) -> Any:
    """What `work` gives, or the exception it raises, in a forked process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            try:
                said: Any = work()
            except BaseException as reason:
                said = reason if isinstance(reason, Refused) else repr(reason)
            if isinstance(said, Refused):
                said = ("refused", said.code, said.message)
            with os.fdopen(writing, "wb") as stream:
                pickle.dump(said, stream)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return pickle.loads(said)
