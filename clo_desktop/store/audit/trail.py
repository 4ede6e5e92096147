"""The audit of an open store: to read, to verify, to carry a head of it elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress, silent
from clo_desktop.store.audit import anchors, seals, server, workspace
from clo_desktop.store.audit.anchors import Anchor
from clo_desktop.store.audit.lines import ALL, Line, Wanted, choices, count, lines, named
from clo_desktop.store.audit.verify import Verdict, head_of_file, verify
from clo_desktop.store.connection import reading, spoken


class Trail:
    """What was written down of the changes in one database. Every method is one transaction and may raise Refused."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def _name(self) -> str:
        return spoken(self._engine.url)

    @property
    def _anchored(self) -> str:
        """What the head is kept by on this computer. Never changed: by another name it would be unknown."""
        url = self._engine.url
        if url.get_backend_name() == "sqlite":
            return self._name
        return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)

    def lines(self, wanted: Wanted = ALL, *, limit: int | None = None) -> tuple[Line, ...]:
        """The lines that are asked for, the newest first."""
        with reading(self._engine) as on:
            self._check(on)
            return named(on, tuple(lines(on, wanted, newest_first=True, limit=limit)))

    def count(self, wanted: Wanted = ALL) -> int:
        """How many lines there are of those asked for."""
        with reading(self._engine) as on:
            self._check(on)
            return count(on, wanted)

    def choices(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """The persons, deals and tables that the lines tell of."""
        with reading(self._engine) as on:
            self._check(on)
            return choices(on)

    def verify(self, report: Progress = silent) -> Verdict:
        """Look over the whole audit, beside the head this computer knows; where all is well that head is kept.

        Raises Cancelled when `report` says so.
        """
        seals.now(self._engine)
        with reading(self._engine) as on:
            self._check(on)
            verdict = verify(on, self.known(), report, others=self._others(on))
        if verdict.whole and verdict.head is not None:
            anchors.keep(self._anchored, verdict.head)
        return verdict

    def known(self) -> Anchor | None:
        """The head this computer knows; None where it has kept none."""
        return anchors.known(self._anchored)

    def trust(self, head: Anchor) -> None:
        """Take this head for the known one, as after a backup was restored on purpose."""
        anchors.keep(self._anchored, head)

    def head(self) -> Anchor | None:
        """The head of the chain, for an export to carry."""
        seals.now(self._engine)
        with reading(self._engine) as on:
            self._check(on)
            return head_of_file(on) if on.dialect.name == "sqlite" else server.head(on)

    def carry(self) -> None:
        """Keep the head of the chain on this computer, if it goes on from the one that is kept.

        A head that does not is left alone: it is what `verify` finds a cut or rewritten chain by.
        """
        with contextlib.suppress(Refused, sa.exc.SQLAlchemyError), reading(self._engine) as on:
            if on.dialect.name == "sqlite":
                head = head_of_file(on) if workspace.is_here(on) else None
                link_at = workspace.link_at
            else:
                seals.now(self._engine)
                head, link_at = seals.last_sealed(self._engine), server.link_at
            known = self.known()
            goes_on = not (known and known.pos) or (
                head is not None and known.trail == head.trail and link_at(on, known.pos) == known.link
            )
            if head is not None and head.pos and goes_on:  # the head of an empty chain says nothing
                anchors.keep(self._anchored, head)

    def _check(self, on: sa.Connection) -> None:
        """Refuse where there is no audit, or none that this person may read."""
        if on.dialect.name == "sqlite":
            return
        if not on.exec_driver_sql("SELECT to_regnamespace('audit') IS NOT NULL").scalar():
            raise Refused(
                f"{self._name} has no audit; its administrator runs `clo server init` once more.", code="no-audit"
            )
        allowed = on.exec_driver_sql(
            "SELECT has_table_privilege(to_regclass('audit.audit_logs'), 'SELECT')"
            " WHERE has_schema_privilege(to_regnamespace('audit'), 'USAGE')"
        ).scalar()
        if not allowed:
            raise Refused(f"The audit of {self._name} is read by administrators only; ask one of them.", code="rights")

    @staticmethod
    def _others(on: sa.Connection) -> Sequence[str]:
        """The schemas of a server whose tables are audited, beside that of the deals."""
        if on.dialect.name == "sqlite":
            return ()
        return tuple(
            on.scalars(
                sa.text(
                    """SELECT DISTINCT n.nspname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.tgname = 'audit_insert' AND n.nspname <> :data
                    ORDER BY 1"""
                ),
                {"data": server.DATA},
            )
        )
