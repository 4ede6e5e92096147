"""The verb about a shared server: server init, server check."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from clo_desktop.cli.common import DONE, FAILED, Add, Answer
from clo_desktop.cli.passwords import ask_new, own_option
from clo_desktop.faults import Refused

if TYPE_CHECKING:
    from sqlalchemy import URL


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    server = add("server", _server, "Prepare a PostgreSQL server for a team, or prove that it keeps its promises.")
    server.add_argument("what", choices=["init", "check"], help="init also upgrades a server, and may be run again")
    server.add_argument("url", metavar="URL", help="the database, for a superuser: postgresql://postgres@host/name")
    server.add_argument("--admin", metavar="EMAIL", help="with init: register a first administrator")
    own_option(server)


def _server(options: argparse.Namespace) -> Answer | int:
    from clo_desktop.store.connection import address

    url = address(options.url)
    if url.get_backend_name() != "postgresql":
        raise Refused("A shared server is PostgreSQL; name it as postgresql://user@host/name.", code="address")
    return _init(options, url) if options.what == "init" else _check(options, url)


def _init(options: argparse.Namespace, url: URL) -> Answer:
    from clo_desktop.store.server.init import initialise

    person = options.admin.strip().lower() if options.admin else None
    password = ask_new(options, person) if person else ""
    made = initialise(url, administrator=person, password=password)
    done = "prepared" if made.before is None else "up to date" if made.before == made.after else "upgraded"
    words = [f"{made.name} is {done} (format {made.after})."]
    if made.administrator:
        words.append(f"{made.administrator} may sign in as its administrator.")
    data = {"server": made.name, "before": made.before, "after": made.after, "administrator": made.administrator}
    return Answer(data, "\n".join(words))


def _check(options: argparse.Namespace, url: URL) -> int:
    from clo_desktop.store.connection import spoken
    from clo_desktop.store.server.check import check

    found = check(url)
    broken = sum(bool(checked.breaches) for checked in found)
    if options.json:
        checks = [{"promise": c.promise, "kept": not c.breaches, "breaches": list(c.breaches)} for c in found]
        print(json.dumps({"server": spoken(url), "kept": not broken, "checks": checks}, indent=2, ensure_ascii=False))
    else:
        for checked in found:
            print(f"{'BROKEN' if checked.breaches else 'kept  '}  {checked.promise}")
            for breach in checked.breaches:
                print(f"          {breach}")
    if broken:
        print(f"{spoken(url)} breaks {broken} of {len(found)} promises.", file=sys.stderr)
    return FAILED if broken else DONE
