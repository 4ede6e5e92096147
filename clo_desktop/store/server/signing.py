"""Signing in to a shared server: its address taken apart and put together, and the password that may be remembered.

A password is never part of an address that is kept or shown. It is remembered only where a person asks for it, in a
keyring that is known to keep secrets safe.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from clo_desktop.faults import Refused
from clo_desktop.store.connection import address, spoken
from clo_desktop.store.local import vault

_SERVICE: Final = "CLO Desktop server"
_CERTIFICATE: Final = "sslrootcert"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signs in where.

    where        the address without a person
    certificate  file with the certificate of the authority that the server's is signed by; empty: the system's
    """

    where: str
    user: str = ""
    password: str = field(default="", repr=False)
    certificate: str = ""

    @classmethod
    def of(cls, text: str) -> SignIn:
        """What an address says. `postgresql://` may be left out. Raises Refused for one that cannot be read."""
        url = address(text.strip() if "://" in text else f"postgresql://{text.strip()}")
        if url.get_backend_name() != "postgresql":
            raise Refused("A shared server is PostgreSQL; name it as postgresql://host/name.", code="address")
        certificate = url.query.get(_CERTIFICATE, "")
        # `URL.set` takes None for "as it was", and would leave the password in
        plain = url._replace(drivername="postgresql", username=None, password=None).difference_update_query(
            [_CERTIFICATE]
        )
        return cls(
            plain.render_as_string(hide_password=False),
            url.username or "",
            str(url.password or ""),
            certificate if isinstance(certificate, str) else certificate[0],
        )

    def checked(self) -> SignIn:
        """As it can be tried: parts of the address that name a person or a certificate are put where they belong.

        Raises Refused, saying what is missing.
        """
        if not self.where.strip():
            raise Refused("Name the server: host/name, as its administrator gave it to you.", code="address")
        said = SignIn.of(self.where)
        merged = replace(
            said,
            user=self.user.strip().lower() or said.user,
            password=self.password or said.password,
            certificate=self.certificate.strip() or said.certificate,
        )
        url = address(merged.where)
        if not (url.host or url.query.get("host")) or not url.database:
            raise Refused("The address names no host or no database; it looks like host/name.", code="address")
        if not merged.user:
            raise Refused("Type your user name, which is your e-mail address.", code="user")
        return merged

    @property
    def kept(self) -> str:
        """The address with the person and without the password: what is remembered and shown."""
        return self._rendered("")

    @property
    def whole(self) -> str:
        """The address with everything; for the connection only."""
        return self._rendered(self.password)

    @property
    def name(self) -> str:
        """The server in a few words: host/name."""
        return server_name(self.where)

    @property
    def spoken(self) -> str:
        """The address as a store on that server names itself."""
        return spoken(address(self.kept))

    def _rendered(self, password: str) -> str:
        url = address(self.where).set(drivername="postgresql", username=self.user or None, password=password or None)
        if self.certificate:
            url = url.update_query_dict({_CERTIFICATE: self.certificate})
        return url.render_as_string(hide_password=False)

    def remembered(self) -> str:
        """The password that the keyring keeps; empty where it keeps none."""
        try:
            return vault.system_keyring().get_password(_SERVICE, self._key()) or ""
        except Exception:  # no keyring, a locked one, or one that fails: the person types it
            return ""

    def remember(self) -> None:
        """Keep the password in the keyring. Raises Refused where there is none that keeps it safe."""
        try:
            vault.system_keyring().set_password(_SERVICE, self._key(), self.password)
        except Refused as reason:
            said = reason.message.partition(";")[0]
            raise Refused(f"{said}, so the password was not remembered; type it each time.", code="keyring") from None
        except Exception:
            raise Refused(
                "The keyring did not take the password (it is locked, or was closed); type it each time.",
                code="keyring",
            ) from None  # a backend's words may hold what it was given

    def forget(self) -> None:
        """Remove the password from the keyring; nothing happens where there is none."""
        try:
            vault.system_keyring().delete_password(_SERVICE, self._key())
        except Exception:
            return

    def _key(self) -> str:
        return f"{self.user}@{self.name}"


def is_server(where: str) -> bool:
    """Whether an address is that of a PostgreSQL server."""
    return where.startswith(("postgresql:", "postgres:", "postgresql+"))


def server_name(where: str) -> str:
    """A server's address in a few words, for titles and the status bar: its hosts and the database."""
    url = address(where)
    hosts = url.query.get("host", ())
    named = [url.host] if url.host else [hosts] if isinstance(hosts, str) else list(hosts)
    return f"{', '.join(named)}/{url.database or ''}"
