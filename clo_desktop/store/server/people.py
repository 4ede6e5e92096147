"""People of a shared server: who they are, what they may do, and the administration of both.

The server decides everything; what is here gives its functions types and its refusals sentences. A password is hashed
on this side: the server gets the SCRAM verifier and the bcrypt hash of it, and the password itself only to compare it
once (`People.step_up`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store.connection import address, connect, spoken
from clo_desktop.store.passwords import COST_ON_SERVER, LONGEST, hashed
from clo_desktop.store.refusals import refusal
from clo_desktop.store.server.init import driver, verifier_of

PERMISSIONS: Final[dict[str, tuple[str, ...]]] = {
    "viewer": ("read:portfolios",),
    "analyst": ("read:portfolios", "execute:waterfall"),
    "manager": ("read:portfolios", "execute:waterfall", "write:portfolios", "import:assets"),
    "admin": (
        "read:portfolios",
        "execute:waterfall",
        "write:portfolios",
        "import:assets",
        "manage:users",
        "read:audit",
    ),
}
"""What the window offers to each role. It only hides what the server would refuse."""

ROLES: Final = tuple(PERMISSIONS)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may sign in. `deals` are the assigned ones, each with "read" or "write"; administrators need none."""

    email: str
    full_name: str
    role: str
    is_active: bool
    deals: tuple[tuple[str, str], ...] = ()

    @property
    def permissions(self) -> tuple[str, ...]:
        return PERMISSIONS[self.role] if self.is_active else ()


@dataclass(frozen=True, slots=True)
class Connected:
    """One session on the server. `address` is empty for one on the server's own machine."""

    email: str
    address: str
    since: dt.datetime
    state: str


class People:
    """The register, as whoever is signed in may see and change it, over one connection of its own.

    Every method is one transaction and raises Refused. Changing anything needs `step_up` first: it holds for five
    minutes, on this connection only.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._name = spoken(engine.url)
        try:
            self._on = engine.connect()
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as reason:
            raise refusal(reason, self._name) from reason

    def close(self) -> None:
        """Let go of the connection, and with it of the step-up."""
        self._on.invalidate()  # never back to the pool: another would inherit the step-up
        self._on.close()

    def __enter__(self) -> People:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def me(self) -> Person:
        """Whoever is signed in."""
        found = [person for person in self.everybody() if person.email == self._engine.url.username]
        if not found:
            raise Refused(
                f"{self._name}: {self._engine.url.username} is not registered here; an administrator registers people.",
                code="not-registered",
            )
        return found[0]

    def everybody(self) -> tuple[Person, ...]:
        """The people that may be seen, by e-mail address: all for an administrator, oneself for anybody else."""
        people = self._rows("SELECT id, email, full_name, role, is_active FROM sec.users ORDER BY email")
        assigned = self._rows(
            "SELECT a.user_id, d.name, a.access FROM sec.assignments a JOIN clo.deals d ON d.id = a.deal_id ORDER BY 2"
        )
        return tuple(
            Person(
                email, full_name, role, active, tuple((deal, access) for whom, deal, access in assigned if whom == key)
            )
            for key, email, full_name, role, active in people
        )

    def step_up(self, password: str) -> None:
        """Say the own password again. Five wrong ones lock for a quarter of an hour, or until another unlocks."""
        usable = "\0" not in password and len(password.encode()) <= LONGEST
        answer = self._call("step_up", password if usable else None)
        if answer == "locked":
            raise Refused(
                "Too many wrong passwords; wait a quarter of an hour or ask another administrator to unlock you.",
                code="locked-out",
            )
        if answer != "ok":
            raise Refused("That is not your password; type it again.", code="wrong-password")

    def change_password(self, password: str) -> None:
        """A new password of one's own."""
        own = str(self._engine.url.username)
        self._call("change_password", *self._secrets(own, password))

    def create(self, email: str, full_name: str, role: str, password: str) -> None:
        """A new person who may sign in."""
        person = email.strip().lower()
        self._check_role(role)
        self._call("create_person", person, full_name.strip(), role, *self._secrets(person, password))

    def set_role(self, email: str, role: str) -> None:
        """Another role, which acts at once on open sessions too."""
        self._check_role(role)
        self._call("set_role", email, role)

    def assign(self, email: str, deal: str, access: str | None) -> None:
        """Assign a deal to "read" or to "write"; None takes it away."""
        if access not in ("read", "write", None):
            raise Refused(f'A deal is assigned to "read" or to "write", not to "{access}".', code="access")
        found = self._rows("SELECT id FROM clo.deals WHERE name = %s", deal)
        if not found:
            raise Refused(f'There is no deal "{deal}"; `clo deals` lists them.', code="no-deal")
        self._call("assign", email, found[0][0], access)

    def deactivate(self, email: str) -> int:
        """Shut a person out at once; the number of sessions that were ended. The register keeps the person."""
        return int(self._call("set_active", email, False))

    def activate(self, email: str) -> None:
        """Let a person in again, with the role and the deals of before."""
        self._call("set_active", email, True)

    def reset_password(self, email: str, password: str) -> None:
        """A new password for someone who forgot theirs; it lifts a lock too."""
        self._call("reset_password", email, *self._secrets(email, password))

    def unlock(self, email: str) -> None:
        """Lift the lock that wrong passwords caused."""
        self._call("unlock", email)

    def end_sessions(self, email: str) -> int:
        """End every session of a person but this one; how many. They may sign in again."""
        return int(self._call("end_sessions", email))

    def sessions(self) -> tuple[Connected, ...]:
        """Who is connected, the longest first; for administrators."""
        found = self._rows("SELECT email, coalesce(address, ''), since, coalesce(state, '') FROM sec.sessions()")
        return tuple(Connected(*row) for row in found)

    def _secrets(self, email: str, password: str) -> tuple[str, str]:
        hash_ = hashed(password, COST_ON_SERVER)
        return verifier_of(driver(self._on), email, password), hash_

    @staticmethod
    def _check_role(role: str) -> None:
        if role not in PERMISSIONS:
            raise Refused(f'There is no role "{role}"; the roles are {", ".join(ROLES)}.', code="role")

    def _call(self, function: str, *arguments: Any) -> Any:
        marks = ", ".join(["%s"] * len(arguments))
        return self._rows(f"SELECT sec.{function}({marks})", *arguments)[0][0]

    def _rows(self, statement: str, *arguments: Any) -> list[Any]:
        try:
            with self._on.begin():
                return driver(self._on).execute(statement.encode(), arguments).fetchall()
        except psycopg.Error as reason:
            raise _refused(reason, self._name) from None  # the driver's words may hold what was sent
        except sa.exc.DBAPIError as reason:
            raise refusal(reason, self._name) from None


_OWN_WORDS: Final = {"42501": "rights", "02000": "person", "P0002": "person", "22023": "value", "42710": "person"}
"""The states with which the functions of the server say in their own words what is wrong."""


def _refused(reason: psycopg.Error, name: str) -> Refused:
    said = reason.diag.message_primary or ""
    if "said again" in said:
        return Refused("Say your password again before this.", code="step-up")
    code = _OWN_WORDS.get(reason.sqlstate or "")
    if code is None:
        return refusal(reason, name)
    if said.startswith("permission denied"):
        return Refused(f"Only an administrator may do this on {name}; ask one.", code="rights")
    return Refused(f"{name}: {said}; nothing was changed.", code=code)


def people_at(where: str) -> People:
    """The register of the server at an address. Raises Refused where it cannot be reached or is a file."""
    url = address(where)
    if url.get_backend_name() != "postgresql":
        raise Refused("People are registered on a shared server; name it with --db postgresql://...", code="no-server")
    return People(connect(url, 5.0))
