"""The offline copies in a workspace file: each with its base, its outbox, and the deal as a person sees it."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import Store, books, delta
from clo_desktop.store.rows import book_of, rows_of
from clo_desktop.store.sync import outbox
from clo_desktop.store.sync.copies import NOWHERE, Copy, Mark, Operation, State, dropped
from clo_desktop.store.sync.tables import copies
from engine.terms import Book


@dataclass(frozen=True, slots=True)
class Standing:
    """How an offline copy stands, without asking the server.

    waiting  changes not sent yet;  refused  of these, the ones the server refused, with its words
    """

    deal: str
    server: str
    version: int
    pulled_at: dt.datetime
    waiting: tuple[Operation, ...]
    gone: str

    @property
    def refused(self) -> tuple[Operation, ...]:
        return tuple(op for op in self.waiting if op.state is State.REFUSED)


class Shelf(Protocol):
    """Where offline copies are kept."""

    def copy(self, deal: str) -> Copy | None:
        """The copy of a deal, if there is one."""

    def put(self, copy: Copy) -> None:
        """Keep a new copy. Raises Refused where a deal of that name is none."""

    def change(self, deal: str, how: Callable[[Copy], Copy], *, seen: bool = True) -> Copy:
        """The copy as `how` makes it of what is kept now, changes made meanwhile included; all or nothing.

        seen  whether `how` may change the deal as a person sees it, and not only what is known of the server
        """

    def remove(self, deal: str) -> None:
        """Remove the copy, its changes and its deal."""


class FileShelf:
    """The copies of a workspace file. Raises Refused for a store on a server."""

    def __init__(self, store: Store) -> None:
        if store.is_server:
            raise Refused(
                f"{store.name} is a server; offline copies are kept in a workspace file, named with --db.",
                code="no-file",
            )
        self.store = store

    def copy(self, deal: str) -> Copy | None:
        with self.store.reading() as on:
            return _read(on, deal)

    def put(self, copy: Copy) -> None:
        with self.store.writing() as on:
            if _read(on, copy.deal) is not None or books.find_deal(on, copy.deal) is not None:
                raise Refused(
                    f"This workspace has a deal {copy.deal} of its own already; export and delete it, or copy into"
                    " another workspace file.",
                    code="taken",
                )
            on.execute(sa.insert(copies).values(**_columns(copy), base=_compressed(copy.base)))
            outbox.add(on, copy.waiting)
            self._show(on, copy)

    def adopt(self, deal: str, make: Callable[[Book], Copy]) -> Copy:
        """Make a copy of a deal of the workspace itself, which the server is to be given."""
        with self.store.writing() as on:
            book = books.load_book(on, deal)
            if book is None:
                raise Refused(f'There is no deal "{deal}" in this workspace; check its name.', code="no-deal")
            made = make(book)
            on.execute(sa.insert(copies).values(**_columns(made), base=_compressed(made.base)))
            outbox.add(on, made.waiting)
            return made

    def change(self, deal: str, how: Callable[[Copy], Copy], *, seen: bool = True) -> Copy:
        with self.store.writing() as on:
            before = _read(on, deal)
            if before is None:
                raise _no_copy(deal)
            after = how(before)
            if after == before:
                return before
            columns = _columns(after)
            if after.base is not before.base:  # most of the row, and most changes leave it
                columns["base"] = _compressed(after.base)
            on.execute(sa.update(copies).where(copies.c.deal == deal).values(columns))
            outbox.replace_waiting(on, before.waiting, after.waiting)
            if seen:
                self._show(on, after)
            return after

    def drop(self, deal: str) -> int:
        """Drop the changes of a copy that were not confirmed, so that it is as the server had it; how many.

        A deal that the server never had stays as it is, and is no copy any more.
        """
        with self.store.writing() as on:
            before = _read(on, deal)
            if before is None:
                raise _no_copy(deal)
            if before.mark == NOWHERE:
                outbox.replace_waiting(on, before.waiting, ())
                on.execute(sa.delete(copies).where(copies.c.deal == deal))
                return len(before.waiting)
        self.change(deal, dropped)
        return len(before.waiting)

    def remove(self, deal: str) -> None:
        with self.store.writing() as on:
            before = _read(on, deal)
            if before is None:
                raise _no_copy(deal)
            outbox.replace_waiting(on, before.waiting, ())
            on.execute(sa.delete(copies).where(copies.c.deal == deal))
            books.delete_deal(on, deal)

    def standings(self) -> tuple[Standing, ...]:
        """All copies, by name."""
        with self.store.reading() as on:
            rows = on.execute(sa.select(*(c for c in copies.c if c.name != "base")).order_by(copies.c.deal)).mappings()
            return tuple(
                Standing(
                    row["deal"],
                    row["server"],
                    Mark.of(row["mark"]).version,
                    row["pulled_at"],
                    outbox.waiting_of(on, row["deal"]),
                    row["gone"] or "",
                )
                for row in rows.all()
            )

    def _show(self, on: sa.Connection, copy: Copy) -> None:
        """Make the deals of the file those of the copies: this one, and others whose changes wait.

        The asset master is one for all, so what the server says of an asset must not hide what waits elsewhere.
        """
        now = dt.datetime.now(dt.UTC)
        books.save_book(on, copy.mine, now)
        for deal in on.scalars(sa.select(copies.c.deal).where(copies.c.deal != copy.deal)).all():
            other = _read(on, deal) if outbox.waiting_of(on, deal) else None
            if other is not None:
                books.save_book(on, other.mine, now)


def _no_copy(deal: str) -> Refused:
    return Refused(
        f'There is no offline copy of "{deal}" in this workspace; `clo sync pull --deal NAME --server URL` makes one.',
        code="no-copy",
    )


def _columns(copy: Copy) -> dict[str, Any]:
    return {
        "deal": copy.deal,
        "server": copy.server,
        "mark": str(copy.mark),
        "current": copy.current,
        "pulled_at": copy.pulled_at,
        "gone": copy.gone or None,
    }


def _read(on: sa.Connection, deal: str) -> Copy | None:
    row = on.execute(sa.select(copies).where(copies.c.deal == deal)).mappings().first()
    if row is None:
        return None
    return Copy(
        deal=deal,
        server=row["server"],
        base=_base(row["base"]),
        mark=Mark.of(row["mark"]),
        pulled_at=row["pulled_at"],
        waiting=outbox.waiting_of(on, deal),
        current=row["current"],
        gone=row["gone"] or "",
    )


def _compressed(base: Book) -> bytes:
    return zlib.compress(delta.book_to_text(rows_of(base)).encode(), 1)


@lru_cache(maxsize=8)
def _base(compressed: bytes) -> Book:
    """A base as it was written; kept, since every change that is sent reads it again."""
    return book_of(delta.book_from_text(zlib.decompress(compressed).decode()))
