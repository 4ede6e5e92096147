"""Passwords for the command line: typed without an echo, or from standard input, never from an argument."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from clo_desktop.faults import Refused

if TYPE_CHECKING:
    from sqlalchemy import URL

T = TypeVar("T")


def own_option(parser: argparse.ArgumentParser) -> None:
    """The option that takes passwords from standard input, one a line, in the order in which they would be asked."""
    parser.add_argument(
        "--password-stdin", action="store_true", help="read passwords from standard input, one a line, asking nothing"
    )


def ask(options: argparse.Namespace, whose: str) -> str:
    """A password that exists. Raises Refused where nobody can type one."""
    return _ask(options, f"Password of {whose}: ")


def own_password(options: argparse.Namespace, url: URL) -> str:
    """The password of whoever signs in: of the address, standard input where asked for, PGPASSWORD, or typed."""
    if url.password:
        return str(url.password)
    if not options.password_stdin and (said := os.environ.get("PGPASSWORD")):
        return said
    return ask(options, str(url.username))


def ask_new(options: argparse.Namespace, whose: str) -> str:
    """A new password, typed twice. Raises Refused where the two differ or it is not fit."""
    from clo_desktop.store.passwords import check_new

    word = _ask(options, f"New password of {whose}: ")
    check_new(word)
    if not options.password_stdin and _ask(options, "The same again: ") != word:
        raise Refused("The two passwords differ; nothing was changed: run the command again.", code="password")
    return word


def with_password(where: str, act: Callable[[str], T]) -> T:
    """`act` with a server's address; where the server wants a password that it lacks, a person at a terminal is asked.

    What libpq finds by itself (a password file, a certificate) goes first.
    """
    from clo_desktop.store.server.signing import SignIn, is_server

    try:
        return act(where)
    except Refused as refused:
        if refused.code != "sign-in" or not is_server(where) or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        asked = SignIn.of(where)
        if asked.password or not asked.user:
            raise
    return act(replace(asked, password=getpass.getpass(f"Password of {asked.user}: ", sys.stderr)).whole)


def _ask(options: argparse.Namespace, prompt: str) -> str:
    if options.password_stdin:
        line = sys.stdin.readline()
        if not line:
            raise Refused("Standard input has no further password; give one a line.", code="password")
        return line.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Refused("Nobody can type a password here; give it with --password-stdin.", code="password")
    return getpass.getpass(prompt)
