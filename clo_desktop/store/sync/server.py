"""What offline copies ask of a shared store: its marks, its deals, and to apply a change once and only once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import Store, books, schema
from clo_desktop.store.merge import NO_CHOICES, Choices, apply
from clo_desktop.store.retries import retried
from clo_desktop.store.sync import applied
from clo_desktop.store.sync.copies import Mark, Operation, empty
from engine.terms import Book


@dataclass(frozen=True, slots=True)
class Stored:
    """A deal as the server has it."""

    mark: Mark
    book: Book


class Server(Protocol):
    """A shared store as offline copies see it. Every method raises Refused where it cannot be done."""

    @property
    def name(self) -> str:
        """Its address without a password."""

    def marks(self, deal: str | None = None) -> dict[str, Mark]:
        """The state of each deal, or of the one named, by name."""

    def load(self, deal: str) -> Stored | None:
        """The deal with the mark of that state; None where there is none, or none that may be read."""

    def applied(self, op_ids: Collection[str]) -> Mapping[str, int]:
        """Which of the changes were applied, each with the version the deal had then."""

    def apply(self, operation: Operation, choices: Choices = NO_CHOICES) -> Stored:
        """Apply a change to the deal as it is now, unless that was done before; the deal afterwards.

        Raises Clashing where others changed the same cells since the version the change was made on, and `choices` do
        not say whose to keep.
        """

    def deleted(self, mark: Mark) -> dt.datetime | None:
        """When the deal that had this mark was deleted; None where it was not."""


class StoreServer:
    """A store as a server."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def name(self) -> str:
        return self.store.name

    def marks(self, deal: str | None = None) -> dict[str, Mark]:
        with self.store.reading() as on:
            return _marks(on, deal)

    def load(self, deal: str) -> Stored | None:
        with self.store.reading() as on:
            return _stored(on, deal)

    def applied(self, op_ids: Collection[str]) -> Mapping[str, int]:
        with self.store.reading() as on:
            return applied.find(on, op_ids)

    def apply(self, operation: Operation, choices: Choices = NO_CHOICES) -> Stored:
        return retried(lambda: self._apply(operation, choices))

    def _apply(self, operation: Operation, choices: Choices) -> Stored:
        with self.store.writing() as on:
            # the deal is locked first, so that the same change sent twice at once is seen by the second
            theirs = books.load_book(on, operation.deal, to_change=True)
            if operation.op_id not in applied.find(on, [operation.op_id]):
                self._write(on, operation, theirs, choices)
            stored = _stored(on, operation.deal)
            if stored is None:  # applied before, and deleted since
                raise _missing(operation.deal)
            return stored

    def _write(self, on: sa.Connection, operation: Operation, theirs: Book | None, choices: Choices) -> None:
        if theirs is None and operation.base_version:
            raise _missing(operation.deal)
        now = dt.datetime.now(dt.UTC)
        changed = operation.delta.get(schema.assets.name)
        master = books.load_assets(on, [change.key[0] for change in changed.rows]) if changed else ()
        book = apply(operation.delta, theirs or empty(operation.deal), choices, master)
        books.save_book(on, book, now)
        known = books.find_deal(on, operation.deal)
        if known is None:
            raise _missing(operation.deal)
        applied.note(on, operation.op_id, operation.deal, known["version"], now)

    def deleted(self, mark: Mark) -> dt.datetime | None:
        gone = schema.deleted_deals
        with self.store.reading() as on:
            return on.scalar(sa.select(gone.c.deleted_at).where(gone.c.number == mark.number))


def _missing(deal: str) -> Refused:
    return Refused(
        f"{deal} is not on the server any more, or not assigned to you; ask an administrator for it.", code="no-deal"
    )


def _marks(on: sa.Connection, deal: str | None) -> dict[str, Mark]:
    deals, listed, assets = schema.deals, schema.deal_assets, schema.assets
    joined = deals.outerjoin(listed, listed.c.deal_id == deals.c.id).outerjoin(
        assets, assets.c.asset_id == listed.c.asset_id
    )
    of_deals = (
        sa.select(
            deals.c.name,
            deals.c.id,
            deals.c.version,
            deals.c.updated_at,
            sa.func.coalesce(sa.func.sum(assets.c.version), 0),
        )
        .select_from(joined)
        .group_by(deals.c.id, deals.c.name, deals.c.version, deals.c.updated_at)
    )
    if deal is not None:
        of_deals = of_deals.where(deals.c.name == deal)
    return {
        name: Mark(number, version, int((updated - _EPOCH) / dt.timedelta(microseconds=1)), int(sum_))
        for name, number, version, updated, sum_ in on.execute(of_deals)
    }


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _stored(on: sa.Connection, deal: str) -> Stored | None:
    book = books.load_book(on, deal)
    return None if book is None else Stored(_marks(on, deal)[deal], book)
