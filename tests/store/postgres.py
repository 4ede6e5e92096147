"""A PostgreSQL of the tests' own: a private cluster with TLS on a free port, run by a user without rights.

`shared()` is one cluster for all processes of a test run (the workers of pytest-xdist); a keeper stops it and removes
its folder as soon as the run's main process is gone, however it ended. A test that stops or kills a server makes a
`Cluster` for itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

DBA = "dba"
ADMIN = "ada@desk.example"
PASSWORD = "correct-horse-battery"
HOST = "localhost"  # the name in the server's certificate
UNPRIVILEGED = ("postgres", "nobody")
ABSENT = (
    "PostgreSQL is not installed, so nothing was tested on it; on Debian: apt-get install postgresql, "
    "or name a server in CLO_TEST_POSTGRES"
)
SETTINGS = {
    "fsync": "off",  # nothing here outlives the run; a test of durability turns it on
    "max_connections": "120",
    "shared_buffers": "64MB",
    "log_connections": "on",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, the newest that is installed; None where there is none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: float(p.parent.parent.name))
    if installed:
        return installed[-1].parent
    found = shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


def _user() -> dict[str, Any]:
    """How subprocess starts a program as someone without rights, where these tests run as root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError(f"the system knows none of the users {UNPRIVILEGED}, so PostgreSQL cannot be started")


class Server:
    """A running server that the tests may make databases on, by the address of its administrator."""

    def __init__(self, administrator: str) -> None:
        self._url = sa.make_url(administrator).set(drivername="postgresql")
        self.user = str(self._url.username)

    def address(self, database: str, user: str | None = None, password: str | None = None, **query: str) -> str:
        """The address of a database, for the administrator or another person; `query` changes the connection.

        `host` in the query takes the place of the server's name; an empty value takes a setting away.
        """
        url = self._url.set(database=database)
        if user is not None:
            url = url.set(username=user, password=password)
        if "host" in query:
            url = url.set(host=query.pop("host"))
        settings = {name: value for name, value in {**url.query, **query}.items() if value}
        return url.set(query=settings).render_as_string(hide_password=False)

    def connect(self, database: str = "postgres", **more: Any) -> psycopg.Connection[Any]:
        """The driver's own connection of the administrator, in autocommit."""
        return psycopg.connect(self.address(database), autocommit=True, **more)

    def create(self, database: str, template: str = "template0") -> str:
        """The administrator's address of a new database, a copy of `template`."""
        with self.connect() as on:
            on.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template))
            )
        if template != "template0":  # a copy lacks what belongs to the database itself
            from clo_desktop.store.server.init import text

            with self.connect(database) as on:
                on.execute(text("4_database.sql"))
        return self.address(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected."""
        with self.connect() as on:
            on.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


class Cluster(Server):
    """One server in a folder of its own.

    settings  go into postgresql.conf, after those every cluster of the tests has
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.ca = folder / "ca.crt"
        self.settings = {**SETTINGS, **(settings or {})}
        self.settle(0, "")

    def settle(self, port: int, password: str) -> None:
        """Where the server listens, and the administrator's password."""
        self.port, self.password = port, password
        checked = {"sslmode": "verify-full", "sslrootcert": str(self.ca), "channel_binding": "require"}
        super().__init__(
            sa.URL.create("postgresql", DBA, password, HOST, port, "postgres", checked).render_as_string(
                hide_password=False
            )
        )

    def make(self) -> None:
        """Create the cluster, its certificates and its settings; it is not started."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        who = _user()
        if who:
            os.chown(self.folder, who["user"], who["group"])
        self.settle(_free_port(), secrets.token_urlsafe(24))
        word = self.folder / "word"
        word.write_text(self.password)
        word.chmod(0o644)
        self.run(
            "initdb", "-D", str(self.data), "-U", DBA, "-A", "scram-sha-256", "--pwfile", str(word), "--no-sync",
            "-E", "UTF8", "--no-locale",
        )  # fmt: skip
        word.unlink()
        self.certify()
        own = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "ssl": "on",
            "ssl_cert_file": str(self.folder / "server.crt"),
            "ssl_key_file": str(self.folder / "server.key"),
            **self.settings,
        }
        with (self.data / "postgresql.conf").open("a") as out:
            out.writelines(f"{name} = '{value}'\n" for name, value in own.items())
        (self.data / "pg_hba.conf").write_text(
            "local all all scram-sha-256\n"
            "hostssl all all 127.0.0.1/32 scram-sha-256\n"
            "hostssl replication all 127.0.0.1/32 scram-sha-256\n"
            "hostnossl all all all reject\n"
        )

    def certify(self, *, days: int = 30) -> None:
        """An authority and the server's certificate for the name localhost; with days < 1 it has expired already."""
        run = self._openssl
        if not self.ca.exists():
            self.authority(self.ca)
        name = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
        run("req", "-new", "-nodes", *_KEY, "-keyout", "server.key", "-out", "server.csr", *name)
        run(
            "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-copy_extensions", "copy", "-days", str(days), "-out", "server.crt",
        )  # fmt: skip

    def authority(self, certificate: Path) -> Path:
        """A certificate authority; its key stands beside its certificate."""
        self._openssl(
            "req", "-x509", "-new", "-nodes", *_KEY, "-keyout", str(certificate.with_suffix(".key")),
            "-out", str(certificate), "-days", "30", "-subj", f"/CN=Authority {certificate.stem}",
        )  # fmt: skip
        return certificate

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, **_user())

    def run(self, program: str, *arguments: str) -> None:
        """A program of PostgreSQL, as the user of the server. Raises with its words where it fails."""
        folder = programs()
        assert folder is not None, ABSENT
        with (self.folder / f"{program}.out").open("ab") as out:
            done = subprocess.run(
                [str(folder / program), *arguments],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **_user(),
            )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed: {(self.folder / f'{program}.out').read_text()[-2000:]}")

    def start(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "-t", "60", "start")

    def stop(self, mode: str = "fast") -> None:
        """End the server: "fast" as an administrator does, "immediate" as a crash does."""
        self.run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def reload(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "reload")


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# One cluster and one template for a run


def _folder() -> Path:
    """What the processes of this run share."""
    main = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = Path(tempfile.gettempdir()) / f"clo-postgres-{os.getuid()}-{main}"
    try:
        folder.mkdir(mode=0o711)
    except FileExistsError:
        pass
    else:
        with (folder / "keeper.out").open("ab") as out:
            subprocess.Popen(
                [sys.executable, __file__, str(main), str(folder)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
    if folder.stat().st_uid != os.getuid():
        raise RuntimeError(f"{folder} belongs to someone else")
    return folder


def template(server: Server) -> str:
    """The name of a database that `clo server init` has made ready, to be copied; made once a run."""
    from clo_desktop.store.connection import address  # the keeper runs this file with nothing else on its path
    from clo_desktop.store.server.init import initialise

    folder = _folder()
    name = folder.name.replace("-", "_")
    with _alone(folder / "lock"):
        if not (folder / "template").exists():
            url = address(server.create(name))
            with server.connect() as on:  # a server named by CLO_TEST_POSTGRES may know her from a former run
                on.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(ADMIN)))
            initialise(url, administrator=ADMIN, password=PASSWORD)
            with server.connect() as on:  # every worker of the tests signs in as her at once
                on.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 60").format(sql.Identifier(ADMIN)))
            (folder / "template").touch()
    return name


def shared() -> Cluster:
    """The cluster of this test run, made and started by the first process that asks."""
    folder = _folder()
    with _alone(folder / "lock"):
        cluster = Cluster(folder / "cluster")
        ready = folder / "ready"
        if ready.exists():
            cluster.settle(*json.loads(ready.read_text()))
            return cluster
        cluster.make()
        cluster.start()
        ready.touch(mode=0o600)
        ready.write_text(json.dumps([cluster.port, cluster.password]))
        return cluster


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    import fcntl  # not on Windows, where nothing is found to start

    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _keep(main: int, folder: Path) -> None:
    """Wait for the end of the process `main`, then stop the server and remove the folder."""
    while True:
        try:
            os.kill(main, 0)
        except ProcessLookupError:
            break
        time.sleep(0.2)
    if (folder / "cluster").exists():
        with _alone(folder / "lock"), contextlib.suppress(RuntimeError):
            Cluster(folder / "cluster").stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _keep(int(sys.argv[1]), Path(sys.argv[2]))
