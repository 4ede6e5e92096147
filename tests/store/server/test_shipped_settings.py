"""The settings that ship for a server keep what `clo server check` asks for."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest
import yaml

from clo_desktop.store.connection import address
from clo_desktop.store.server.check import check
from clo_desktop.store.server.init import initialise
from tests.store.postgres import Cluster, Server

FOLDER = Path(__file__).resolve().parents[3] / "packaging" / "server"


def test_that_a_server_with_the_shipped_settings_keeps_every_promise(cluster: Server) -> None:
    if not isinstance(cluster, Cluster):
        pytest.skip("needs a server of the tests' own, not one named by CLO_TEST_POSTGRES")
    own = Cluster(cluster.folder.parent / "shipped", {"fsync": "on"})
    own.make()
    with (own.data / "postgresql.conf").open("a") as out:
        out.write((FOLDER / "postgresql.conf").read_text())
    shutil.copyfile(FOLDER / "pg_hba.conf", own.data / "pg_hba.conf")
    own.start()
    try:
        url = address(own.create("shipped"))
        initialise(url)
        assert [(c.promise, c.breaches) for c in check(url) if c.breaches] == []
        with own.connect() as on:
            assert on.execute("SHOW auth_delay.milliseconds").fetchone() == ("500ms",)
        with pytest.raises(psycopg.OperationalError, match="rejects connection"):
            psycopg.connect(own.address("shipped", sslmode="disable", channel_binding=""))
    finally:
        own.stop("immediate")


def test_that_the_compose_file_starts_with_the_shipped_files() -> None:
    service = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["database"]
    mounted = {volume.split(":")[0].removeprefix("./") for volume in service["volumes"]}
    assert {path.name for path in FOLDER.iterdir()} - {"compose.yaml"} <= mounted
    assert "POSTGRES_PASSWORD" not in service["environment"]
