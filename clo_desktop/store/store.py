"""The store: where deals are kept between sessions."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import books, correlations, intake, records, reference, scenarios, vitals
from clo_desktop.store.audit.seals import sealing
from clo_desktop.store.audit.trail import Trail
from clo_desktop.store.connection import (
    address,
    claim,
    connect,
    let_go,
    reading,
    ready_of,
    spoken,
    translating,
    writing,
)
from clo_desktop.store.correlations import Correlations
from clo_desktop.store.ideas import StoredIdea, delete_ideas, load_ideas, save_ideas
from clo_desktop.store.intake import Intake, Taken
from clo_desktop.store.local import backups, header, keys
from clo_desktop.store.local.manner import AS_NAMED, Manner, Ready
from clo_desktop.store.merge import NO_CHOICES, Choices, merge
from clo_desktop.store.migrate import migrate
from clo_desktop.store.records import DealSummary, ImportRecord
from clo_desktop.store.reference import ReferenceTable, Setting
from clo_desktop.store.retries import retried
from clo_desktop.store.scenarios import Saved
from clo_desktop.store.schema import assets, deals
from clo_desktop.store.snapshots import Snapshot, drop_snapshot, load_snapshots, put_snapshot
from clo_desktop.store.sync import applied, outbox
from clo_desktop.store.vitals import Vitals
from engine.asset import Asset
from engine.terms import Book

if TYPE_CHECKING:
    from clo_desktop.store.server.people import People

PATIENCE = 10.0
"""Seconds a locked database is waited for."""


class Store:
    """Deals, their books and the history of imports, in one database. Made by `open_store`.

    Every method is one transaction and raises Refused with a sentence where the database cannot do it.
    """

    def __init__(self, engine: sa.Engine, notice: str = "") -> None:
        self._engine = engine
        ready = ready_of(engine)
        self._held = header.hold_open(ready.file) if ready is not None else None
        self.notice = notice
        """What a person should know about the opening, as a sentence; empty for nothing."""

    @property
    def is_server(self) -> bool:
        """Whether it is shared: a server and no file."""
        return self._engine.dialect.name != "sqlite"

    @property
    def name(self) -> str:
        """The file's path, or the server's address without the password."""
        return spoken(self._engine.url)

    @property
    def person(self) -> str:
        """Who is at work: the person signed in on a server, else the user of this computer."""
        if self._engine.url.username:
            return self._engine.url.username
        try:
            return getpass.getuser()
        except (OSError, KeyError, ImportError):  # a system without a user's name
            return "somebody"

    @property
    def file(self) -> Ready | None:
        """The workspace file with its key and why it may only be read, if so; None for a server."""
        return ready_of(self._engine)

    @property
    def recovery_key(self) -> str:
        """The key of an encrypted file, for paper; empty for one that is not encrypted."""
        ready = self.file
        return keys.recovery_text(ready.key) if ready is not None and ready.key is not None else ""

    def back_up(self) -> backups.Backup:
        """Back up the file now. Raises Refused where there is none or it cannot be."""
        ready = self.file
        if ready is None:
            raise Refused(f"{self.name} is a server; its backups are made there.", code="backup")
        return backups.make(ready.file, ready.key, "asked")

    def people(self) -> People:
        """The register of the server, over a connection of its own. Raises Refused for a file."""
        from clo_desktop.store.server.people import People  # a file needs no driver of a server

        if not self.is_server:
            raise Refused(f"{self.name} is a file, which has no people; open a shared server.", code="no-server")
        return People(self._engine)

    @property
    def waiting(self) -> int:
        """How many changes of offline copies wait to be sent; 0 on a server."""
        with reading(self._engine) as on:
            found = vitals.outbox_of(on)
        return found[0] if found is not None else 0

    def deals(self) -> tuple[DealSummary, ...]:
        """All deals at a glance, by name."""
        with reading(self._engine) as on:
            return records.summaries(on)

    def load(self, name: str) -> Book:
        """The book of the deal `name`. Raises Refused naming the known deals."""
        with reading(self._engine) as on:
            book = books.load_book(on, name)
            if book is None:
                raise self._unknown(on, name)
            return book

    def save(
        self, book: Book, record: ImportRecord | None = None, snapshot: Snapshot | None = None
    ) -> dt.datetime | None:
        """Write `book`, replacing the deal of its name and updating the asset master, and note the import if it is one.

        All or nothing, with the snapshot of its tests if there is one: when the one that it replaces was taken. Of an
        offline copy the change is put into the outbox, too.
        """
        with writing(self._engine, book.deal.name) as on:
            now = dt.datetime.now(dt.UTC)
            with outbox.noting(on, book.deal.name, now):
                books.save_book(on, book, now)
            if record is not None:
                records.add_import(on, record)
            return None if snapshot is None else put_snapshot(on, self._key(on, book.deal.name), snapshot)

    def edit(self, base: Book, mine: Book, choices: Choices = NO_CHOICES, op_id: str = "") -> Book:
        """Write what was changed from `base` to `mine` into the deal as it is stored now; the book that is stored then.

        What others changed meanwhile is kept: cells are joined three ways. Raises Clashing, with the cells both
        changed, where `choices` do not say whose to keep; Refused where the deal is gone. Then nothing is written.
        Where another transaction was faster it is done again on what that one wrote. The identifier `op_id` is noted
        with it, so that it can be asked for where the answer was lost.
        """
        if base.deal.name != mine.deal.name:
            raise ValueError("a deal is not renamed by an edit")
        return retried(lambda: self._edit(base, mine, choices, op_id))

    def _edit(self, base: Book, mine: Book, choices: Choices, op_id: str) -> Book:
        with writing(self._engine, base.deal.name) as on:
            theirs = books.load_book(on, base.deal.name, to_change=True)
            if theirs is None:
                raise self._unknown(on, base.deal.name)
            joined = merge(base, mine, theirs, choices)
            now = dt.datetime.now(dt.UTC)
            with outbox.noting(on, base.deal.name, now, theirs):
                books.save_book(on, joined, now)
            if op_id and (stored := books.find_deal(on, base.deal.name)) is not None:
                applied.note(on, op_id, base.deal.name, stored["version"], now)
            return joined

    def version(self, name: str) -> int:
        """How often the deal `name` was stored with a change. Raises Refused naming the known deals."""
        with reading(self._engine) as on:
            found = books.find_deal(on, name)
            if found is None:
                raise self._unknown(on, name)
            return int(found["version"])

    def stamp(self, name: str) -> tuple[int, int]:
        """What is another whenever the deal `name` or an asset that its book lists was changed, whoever did it.

        Raises Refused naming the known deals.
        """
        with reading(self._engine) as on:
            found = books.find_deal(on, name)
            if found is None:
                raise self._unknown(on, name)
            return int(found["version"]), books.versions_of_assets(on, int(found["id"]))

    def delete(self, name: str) -> None:
        """Remove the deal `name`; its assets and the history of imports stay. Raises Refused naming the known deals.

        Of an offline copy only the copy is removed; refused while changes of it wait to be sent.
        """
        with writing(self._engine, name) as on:
            outbox.forget(on, name)
            if not books.delete_deal(on, name):
                raise self._unknown(on, name)

    def assets(self) -> Mapping[str, Asset]:
        """The whole asset master, of all deals, by identifier."""
        with reading(self._engine) as on:
            ids = sorted(on.scalars(sa.select(assets.c.asset_id)))
            found = {a.asset_id: a for a in books.load_assets(on, ids)}
        return {key: found[key] for key in ids}

    def imports(self) -> tuple[ImportRecord, ...]:
        """All imports, the newest first."""
        with reading(self._engine) as on:
            return records.all_imports(on)

    # -- snapshots and ideas; every method raises Refused naming the known deals where there is no such deal -----------

    def put_snapshot(self, deal: str, snapshot: Snapshot) -> dt.datetime | None:
        """Store a snapshot in the place of the one of its date: when that one was taken, if there was one."""
        with writing(self._engine, deal) as on:
            return put_snapshot(on, self._key(on, deal), snapshot)

    def snapshots(self, deal: str) -> tuple[Snapshot, ...]:
        """The snapshots of a deal, the oldest first."""
        with reading(self._engine) as on:
            return load_snapshots(on, self._key(on, deal))

    def drop_snapshot(self, deal: str, as_of: dt.date) -> bool:
        """Delete the snapshot of a date; False where there is none."""
        with writing(self._engine, deal) as on:
            return drop_snapshot(on, self._key(on, deal), as_of)

    def ideas(self, deal: str) -> tuple[StoredIdea, ...]:
        """The ideas of a deal, the oldest first."""
        with reading(self._engine) as on:
            return load_ideas(on, self._key(on, deal))

    def save_ideas(self, deal: str, ideas: Iterable[StoredIdea], gone: Iterable[str] = ()) -> tuple[StoredIdea, ...]:
        """Store these ideas and delete those with the keys `gone`; as they are stored now (`ideas.save_ideas`)."""
        with writing(self._engine, deal) as on:
            key = self._key(on, deal)
            delete_ideas(on, key, gone)
            return save_ideas(on, key, ideas)

    def scenarios(self) -> tuple[Saved, ...]:
        """The newest version of every scenario of the library, by name."""
        with reading(self._engine) as on:
            return scenarios.all_scenarios(on)

    def scenario_versions(self, name: str) -> tuple[Saved, ...]:
        """Every version of a scenario, the newest first; nothing where there is none of that name."""
        with reading(self._engine) as on:
            return scenarios.versions_of(on, name)

    def save_scenario(self, name: str, text: str, by: str, note: str = "", tags: Iterable[str] = ()) -> int:
        """A new version of a scenario; gives its number. Raises Refused where it is locked."""
        with writing(self._engine) as on:
            return scenarios.save(on, name, text, by, dt.datetime.now(dt.UTC), note, tags)

    def lock_scenario(self, name: str, by: str) -> None:
        """Raises Refused where there is none or it is locked already."""
        with writing(self._engine) as on:
            scenarios.lock(on, name, by, dt.datetime.now(dt.UTC))

    def unlock_scenario(self, name: str, by: str) -> None:
        """Raises Refused where there is none, or the lock is not for `by` to open."""
        with writing(self._engine) as on:
            scenarios.unlock(on, name, by)

    def tag_scenario(self, name: str, tags: Iterable[str]) -> None:
        """These tags and no others. Raises Refused where there is none or it is locked."""
        with writing(self._engine) as on:
            scenarios.tag(on, name, tags)

    def delete_scenario(self, name: str) -> None:
        """With all its versions. Raises Refused where there is none or it is locked."""
        with writing(self._engine) as on:
            scenarios.delete(on, name)

    def scenario_parameters(self, name: str) -> Mapping[str, Any]:
        """What the newest version of a scenario of the library says, by parameter. Raises Refused where there is none.

        The values are those of the scenario file: rates as fractions a year, or as they were written there.
        """
        with reading(self._engine) as on:
            return scenarios.parameters_of(on, name)

    # -- what is of no deal --------------------------------------------------------------------------------------------

    def get_asset_correlations(self, borrower_1: str, borrower_2: str) -> float | None:
        """The correlation of two borrowers' asset values, -1 to 1; None where nothing is known of it."""
        with reading(self._engine) as on:
            return correlations.of_pair(on, borrower_1, borrower_2)

    def correlations(self) -> Correlations | None:
        """The whole matrix with its borrowers; None where none is stored."""
        with reading(self._engine) as on:
            return correlations.load(on)

    def put_correlations(self, new: Correlations) -> bool:
        """Store the matrix in the place of the one before; whether anything was different."""
        with writing(self._engine) as on:
            return correlations.put(on, new, self.person, dt.datetime.now(dt.UTC))

    def configuration(self) -> tuple[Setting, ...]:
        """Every entry of the configuration, by key."""
        with reading(self._engine) as on:
            return reference.settings(on)

    def setting(self, key: str) -> Setting | None:
        """One entry of the configuration; None where there is none."""
        with reading(self._engine) as on:
            return reference.setting(on, key)

    def put_setting(self, key: str, value: Any) -> bool:
        """Store an entry; whether anything was different. Raises Refused for a secret, or what JSON cannot hold."""
        with writing(self._engine) as on:
            return reference.put_setting(on, key, value, self.person, dt.datetime.now(dt.UTC))

    def drop_setting(self, key: str) -> bool:
        """Delete an entry of the configuration; False where there is none."""
        with writing(self._engine) as on:
            return reference.drop_setting(on, key)

    def reference_tables(self) -> tuple[ReferenceTable, ...]:
        """Every reference table, by name, the newest date first."""
        with reading(self._engine) as on:
            return reference.tables(on)

    def reference_table(self, name: str, as_of: dt.date | None = None) -> ReferenceTable | None:
        """The table of a name that holds on a day (None: the newest); None where there is none."""
        with reading(self._engine) as on:
            return reference.table(on, name, as_of)

    def put_reference_table(self, new: ReferenceTable) -> bool:
        """Store a table in the place of that of its name and date; whether anything was different."""
        with writing(self._engine) as on:
            return reference.put_table(on, new, self.person, dt.datetime.now(dt.UTC))

    def drop_reference_table(self, name: str, as_of: dt.date) -> bool:
        """Delete the table of a name and date; False where there is none."""
        with writing(self._engine) as on:
            return reference.drop_table(on, name, as_of)

    def take_in(self, what: Intake) -> tuple[Taken, ...]:
        """Store everything of `what` in one transaction, or nothing; how much of each kind was new or changed."""
        with writing(self._engine) as on:
            return intake.take(on, what, self.person, dt.datetime.now(dt.UTC))

    def vitals(self) -> Vitals:
        """How the database is. Raises Refused where it does not answer."""
        with reading(self._engine) as on:
            return vitals.read(on, self._engine, ready_of(self._engine))

    @property
    def audit(self) -> Trail:
        """What was written down of every change."""
        return Trail(self._engine)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state throughout, for what stands beside the deals (offline copies)."""
        with reading(self._engine) as on:
            yield on

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes all or nothing, as `reading`."""
        with writing(self._engine) as on:
            yield on

    @contextmanager
    def dedicated(self) -> Iterator[Any]:
        """The driver's own connection to a server, outside the pool and in autocommit, for what listens for long."""
        with translating(self._engine):
            on = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            raw = on.connection.driver_connection
            on.detach()
        try:
            yield raw
        finally:
            on.close()

    def close(self) -> None:
        """Let go of the database; the store is of no use afterwards."""
        self.audit.carry()
        let_go(self._engine)
        if self._held is not None:
            header.let_go(self._held)
            self._held = None

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _key(self, on: sa.Connection, name: str) -> int:
        """The key of a deal. Raises Refused naming the known deals."""
        key = on.execute(sa.select(deals.c.id).where(deals.c.name == name)).scalar()
        if key is None:
            raise self._unknown(on, name)
        return int(key)

    @staticmethod
    def _unknown(on: sa.Connection, name: str) -> Refused:
        known = [deal.name for deal in records.summaries(on)]
        if not known and on.dialect.name != "sqlite":
            return Refused(
                f'There is no deal "{name}" for you: no deal is assigned to you; ask an administrator.', code="no-deal"
            )
        if not known:
            return Refused(f'There is no deal "{name}": the workspace is empty; import a workbook.', code="no-deal")
        return Refused(f'There is no deal "{name}"; the deals are: {", ".join(known)}.', code="no-deal")


def open_store(where: str | Path, *, patience: float = PATIENCE, manner: Manner = AS_NAMED) -> Store:
    """The store at a file path or an SQLAlchemy URL, created or migrated where needed.

    A locked database is waited for `patience` seconds; `manner` says how a file is opened. Raises Refused with a
    sentence for a file that is no workspace or whose key is missing or wrong, a folder that cannot be written, a locked
    or damaged database and one of a newer application.
    """
    engine = connect(address(where), patience, manner)
    vitals.watching(engine)
    notice = ""
    try:
        with translating(engine):
            claim(engine)
            migrate(engine)
            sealing(engine)
        ready = ready_of(engine)
        if manner.daily and ready is not None and not ready.is_new and not ready.reading_only:
            try:
                backups.make_daily(ready.file, ready.key)
            except Refused as reason:  # the day's work must not wait for it
                notice = reason.message
    except BaseException:
        let_go(engine)
        raise
    return Store(engine, notice)
