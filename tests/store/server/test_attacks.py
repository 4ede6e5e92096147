"""Nobody does on a shared server what they may not, whatever program they use."""

from __future__ import annotations

import collections
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from tests.store.postgres import ABSENT, programs
from tests.store.server.attacks import breach, every
from tests.store.server.world import World


def breaches(world: World) -> Iterator[str]:
    """What the attacks achieve, one after the other."""
    by_person = collections.defaultdict(list)
    for attack in every(world):
        by_person[attack.who].append(attack)
    for who, attacks in by_person.items():
        on = world.connect(who)
        for attack in attacks:
            if on.closed:
                on = world.connect(who)
            if (said := breach(on, attack)) is not None:
                yield said
        on.close()


def test_that_no_attack_achieves_anything(world: World) -> None:
    assert len(every(world)) >= 400
    assert "\n".join(breaches(world)) == ""


def test_that_a_deal_one_may_not_see_sounds_like_one_that_is_not_there(world: World) -> None:
    said = []
    with world.connect("mia") as on:
        for deal in (world.deals["foreign"], 987654):
            with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
                on.execute("INSERT INTO clo.holdings (deal_id, asset_id, par) VALUES (%s, 'mine-0', 1)", (deal,))
            said.append(str(refused.value))
            on.rollback()
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE clo.holdings SET par = 0",
        "INSERT INTO clo.assets (asset_id) VALUES ('new')",
        "DELETE FROM clo.holdings",
        "\\copy clo.holdings (asset_id) from /etc/hostname",
        "UPDATE sec.users SET role = 'admin'",
    ],
)
def test_that_psql_with_one_s_own_password_gives_no_more_rights(world: World, statement: str) -> None:
    folder = programs()
    if folder is None:
        pytest.skip(ABSENT)
    command = [str(folder / "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-c", statement, world.address("vic")]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    assert "permission denied" in done.stderr
    reading = [*command[:-2], "SELECT count(*) FROM clo.holdings", command[-1]]
    assert "3" in subprocess.run(reading, capture_output=True, text=True, check=True).stdout
