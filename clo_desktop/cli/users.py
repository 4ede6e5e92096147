"""The verb about people of a shared server: users list, create, role, assign, deactivate, ..."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from clo_desktop.cli.common import Add, Answer
from clo_desktop.cli.passwords import ask_new, own_option, own_password
from clo_desktop.faults import Refused
from clo_desktop.figures import counted

if TYPE_CHECKING:
    from clo_desktop.store.server.people import People, Person


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    users = add("users", _users, "List and administer the people of a shared server, which --db names.")
    users.add_argument(
        "what",
        choices=list(_ACTS),
        help="list: everybody who is registered; create, role, assign, deactivate, activate: the person of --email; "
        "reset: give that person a new password; unlock: after too many wrong passwords; password: change your own; "
        "sessions: who is signed in now; end-sessions: sign the person of --email out everywhere",
    )
    users.add_argument("--email", metavar="EMAIL", help="e-mail address of the person")
    users.add_argument("--name", metavar="NAME", default="", help="with create: the full name of the person")
    users.add_argument(
        "--role", choices=["viewer", "analyst", "manager", "admin"], help="with create and role: what the person may do"
    )
    users.add_argument("--deal", metavar="NAME", help="with assign: the deal that access is given to")
    users.add_argument(
        "--access", choices=["read", "write", "none"], help="with assign: see the deal, change it too, or neither"
    )
    own_option(users)


def _users(options: argparse.Namespace) -> Answer:
    from clo_desktop.store.connection import address
    from clo_desktop.store.server.people import People
    from clo_desktop.store.server.transport import engine

    if not options.db or "://" not in options.db:
        raise Refused("People are registered on a shared server; name it with --db postgresql://you@host/name.")
    url = address(options.db)
    if url.get_backend_name() != "postgresql" or not url.username:
        raise Refused("Name the server and yourself: --db postgresql://you%40firm.com@host/name.", code="address")
    needs, act = _ACTS[options.what]
    for name in needs:
        if not getattr(options, name):
            raise Refused(f"`clo users {options.what}` needs --{name}.", code="usage")
    if options.email:
        options.email = options.email.strip().lower()
    own = own_password(options, url)
    with People(engine(url.set(password=own), 5.0)) as people:
        if options.what not in ("list", "sessions"):
            people.step_up(own)
        return act(people, options)


def _list(people: People, _options: argparse.Namespace) -> Answer:
    found = people.everybody()
    return Answer([_plain(person) for person in found], "\n".join(_words(person) for person in found))


def _plain(person: Person) -> dict[str, Any]:
    return {
        "email": person.email,
        "full_name": person.full_name,
        "role": person.role,
        "is_active": person.is_active,
        "deals": dict(person.deals),
    }


def _words(person: Person) -> str:
    state = person.role if person.is_active else f"{person.role}, deactivated"
    deals = ", ".join(f"{deal} ({access})" for deal, access in person.deals)
    return f"{person.email:<40} {state:<22} {person.full_name}" + (f"\n    {deals}" if deals else "")


def _create(people: People, options: argparse.Namespace) -> Answer:
    people.create(options.email, options.name, options.role, ask_new(options, options.email))
    return Answer({"created": options.email}, f"{options.email} may sign in as {options.role}.")


def _role(people: People, options: argparse.Namespace) -> Answer:
    people.set_role(options.email, options.role)
    return Answer({"email": options.email, "role": options.role}, f"The role of {options.email} is now {options.role}.")


def _assign(people: People, options: argparse.Namespace) -> Answer:
    access = None if options.access == "none" else options.access
    people.assign(options.email, options.deal, access)
    words = f"may {access} {options.deal} now" if access else f"can no longer open {options.deal}"
    return Answer({"email": options.email, "deal": options.deal, "access": access}, f"{options.email} {words}.")


def _deactivate(people: People, options: argparse.Namespace) -> Answer:
    ended = people.deactivate(options.email)
    words = f"{options.email} can no longer sign in; {_ended(ended)}."
    return Answer({"deactivated": options.email, "sessions": ended}, words)


def _activate(people: People, options: argparse.Namespace) -> Answer:
    people.activate(options.email)
    return Answer({"activated": options.email}, f"{options.email} may sign in again.")


def _reset(people: People, options: argparse.Namespace) -> Answer:
    people.reset_password(options.email, ask_new(options, options.email))
    return Answer({"reset": options.email}, f"{options.email} has a new password.")


def _password(people: People, options: argparse.Namespace) -> Answer:
    people.change_password(ask_new(options, "your own"))
    return Answer({"changed": True}, "Your password is changed.")


def _unlock(people: People, options: argparse.Namespace) -> Answer:
    people.unlock(options.email)
    return Answer({"unlocked": options.email}, f"{options.email} may try to sign in again.")


def _sessions(people: People, _options: argparse.Namespace) -> Answer:
    found = people.sessions()
    data = [{"email": s.email, "address": s.address, "since": s.since.isoformat(), "state": s.state} for s in found]
    words = "\n".join(
        f"{s.email:<40} {s.address or 'this server':<20} since {s.since.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
        for s in found
    )
    return Answer(data, words or "Nobody is signed in.")


def _end(people: People, options: argparse.Namespace) -> Answer:
    ended = people.end_sessions(options.email)
    return Answer({"email": options.email, "sessions": ended}, f"{options.email}: {_ended(ended)}.")


def _ended(sessions: int) -> str:
    return counted(sessions, "session was ended", "sessions were ended")


Act = Callable[["People", argparse.Namespace], Answer]

_ACTS: Final[dict[str, tuple[tuple[str, ...], Act]]] = {
    "list": ((), _list),
    "create": (("email", "role"), _create),
    "role": (("email", "role"), _role),
    "assign": (("email", "deal", "access"), _assign),
    "deactivate": (("email",), _deactivate),
    "activate": (("email",), _activate),
    "reset": (("email",), _reset),
    "unlock": (("email",), _unlock),
    "password": ((), _password),
    "sessions": ((), _sessions),
    "end-sessions": (("email",), _end),
}
"""What each act needs to be told, and its function."""
