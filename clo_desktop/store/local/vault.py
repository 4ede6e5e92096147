"""The keyring of the operating system, where the key of a workspace is kept, under the salt of its file.

Only keyrings that keep secrets encrypted are used: a key beside the file in plain text would be no key.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from clo_desktop.faults import Refused

ALLOWED: Final = {
    "keyring.backends.Windows.WinVaultKeyring": "Windows Credential Manager",
    "keyring.backends.macOS.Keyring": "macOS Keychain",
    "keyring.backends.SecretService.Keyring": "Secret Service (GNOME Keyring)",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.kwallet.DBusKeyringKWallet4": "KWallet 4",
}
"""The backends that are used, by their class, with the names people know them by."""

_CHAINER: Final = "keyring.backends.chainer.ChainerBackend"
_SERVICE: Final = "CLO Desktop workspace"


class Backend(Protocol):
    """What is needed of a keyring."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def chosen(backend: Any) -> Backend:
    """The keyring to use of what the system offers. Raises Refused for one that does not keep secrets safe.

    Of a chain the first is used, if every one of them is allowed: a chain reads and writes wherever it can.
    """
    named = _named(backend)
    if named in ALLOWED:
        return backend  # type: ignore[no-any-return]  # keyring's classes have no common type of ours
    members = list(backend.backends) if named == _CHAINER else []
    if members and all(_named(member) in ALLOWED for member in members):
        return members[0]  # type: ignore[no-any-return]
    unsafe = [_named(member) for member in members if _named(member) not in ALLOWED] or [named]
    what = (
        "There is no keyring on this computer"
        if unsafe == ["keyring.backends.fail.Keyring"]
        else (f"The keyring of this computer ({', '.join(unsafe)}) is not one that is known to keep keys safe")
    )
    raise Refused(f"{what}; use a passphrase instead.", code="keyring")


def system_keyring() -> Backend:
    """The keyring of this computer. Raises Refused where there is none that keeps secrets safe."""
    import keyring

    try:
        offered = keyring.get_keyring()
    except Exception as reason:  # a backend that cannot be loaded raises what it likes
        raise Refused(
            "The keyring of this computer cannot be used; use a passphrase instead.", code="keyring"
        ) from reason
    return chosen(offered)


def is_there() -> bool:
    """Whether a key could be kept."""
    try:
        system_keyring()
    except Refused:
        return False
    return True


def find(salt: bytes) -> bytes | None:
    """The key of the file with this salt; None where no keyring has it."""
    try:
        kept = system_keyring().get_password(_SERVICE, salt.hex())
        return bytes.fromhex(kept) if kept else None
    except Exception:  # no keyring, a locked one, or one that fails: the person is asked
        return None


def keep(salt: bytes, key: bytes) -> None:
    """Keep a key. Raises Refused where it was not kept; it is read again to be sure."""
    backend = system_keyring()
    try:
        backend.set_password(_SERVICE, salt.hex(), key.hex())
        again = backend.get_password(_SERVICE, salt.hex())
    except Exception as reason:
        raise Refused(
            "The keyring did not take the key (it is locked, or was closed); unlock it, or use a passphrase instead.",
            code="keyring",
        ) from reason
    if again != key.hex():
        raise Refused("The keyring did not keep the key; use a passphrase instead.", code="keyring")


def forget(salt: bytes) -> None:
    """Remove a key; nothing happens where there is none."""
    try:
        system_keyring().delete_password(_SERVICE, salt.hex())
    except Exception:
        return


def _named(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"
