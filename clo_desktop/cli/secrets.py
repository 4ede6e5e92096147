"""Where the command line takes passphrases and keys from: a file, the environment, a person at a terminal.

It asks only where a person can answer; a script is refused with a sentence.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from clo_desktop.faults import Refused
from clo_desktop.store.local import keys, vault
from clo_desktop.store.local.keys import Secret

T = TypeVar("T")

KEY_VARIABLE: Final = "CLO_KEY"
"""The environment variable that holds a passphrase or a recovery key."""

KEY_FILE_VARIABLE: Final = "CLO_KEY_FILE"
"""The environment variable that names a file with it."""

_TRIES: Final = 3


def given(options: argparse.Namespace) -> Secret | None:
    """What opens the workspace: of --key-file, else of the environment; None where neither says. Raises Refused."""
    if options.key_file is not None:
        return keys.secret_in(options.key_file)
    if text := os.environ.get(KEY_VARIABLE, ""):
        return keys.secret_of(text)
    if named := os.environ.get(KEY_FILE_VARIABLE, ""):
        return keys.secret_in(Path(named).expanduser())
    return None


def with_secret(options: argparse.Namespace, act: Callable[[Secret | None], T]) -> T:
    """`act` with the secret that is given, or that the keyring has (None); a person at a terminal is asked."""
    secret = given(options)
    try:
        return act(secret)
    except Refused as refused:
        if refused.code not in ("no-key", "key") or secret is not None or not _is_person():
            raise
    for attempt in range(_TRIES):
        try:
            return act(keys.secret_of(getpass.getpass("Passphrase or recovery key: ", sys.stderr)))
        except Refused as refused:
            if refused.code != "key" or attempt == _TRIES - 1:
                raise
            print(refused.message, file=sys.stderr)
    raise AssertionError("the last attempt returns or raises")


def new(file: Path | None) -> Secret | None:
    """A new secret: that of `file`, else (None) the keyring's where there is one; a person is asked. Raises Refused."""
    if file is not None:
        return keys.secret_in(file)
    if vault.is_there():
        return None
    if not _is_person():
        try:
            vault.system_keyring()
        except Refused as reason:
            said = reason.message.removesuffix("; use a passphrase instead.")
            raise Refused(
                f"{said}; name a file that holds a passphrase with --key-file (clo rekey: --new-key-file).",
                code="keyring",
            ) from reason
    while True:
        first = getpass.getpass(f"New passphrase ({keys.SHORTEST} characters or more): ", sys.stderr)
        fault = keys.check_passphrase(first)
        if not fault and getpass.getpass("The same again: ", sys.stderr) == first:
            return Secret(passphrase=first)
        print(fault or "The two differ; type them again.", file=sys.stderr)


def _is_person() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
