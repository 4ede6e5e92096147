"""No password stands anywhere: not in a log, an error, a list of sessions, a configuration."""

from __future__ import annotations

import io
import json
import logging
import re
import traceback
from pathlib import Path

import psycopg
import pytest

from clo_desktop.cli import main
from clo_desktop.faults import Refused
from clo_desktop.store import open_store
from clo_desktop.store.server.people import people_at
from tests.store.postgres import PASSWORD, Cluster
from tests.store.server.world import SECRET, World

NEW = "unheard-of-secret-7"
ROOT = Path(__file__).resolve().parents[3]


def test_that_passwords_stand_in_no_log_and_in_no_error(own_world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    with people_at(own_world.address("ada")) as people:
        people.step_up(PASSWORD)
        people.create(f"new.{own_world.tag}@desk.example", "New", "viewer", NEW)
        people.reset_password(own_world.email("vic"), NEW)
        for act in (
            lambda: people.create(own_world.email("vic"), "", "viewer", NEW),  # CREATE ROLE would fail
            lambda: people.reset_password("nobody@desk.example", NEW),
            lambda: people.step_up(NEW),
        ):
            with pytest.raises(Refused) as refused:
                act()
            said.append("".join(traceback.format_exception(refused.value)))
    with pytest.raises(Refused) as refused:
        open_store(own_world.server.address(own_world.database, own_world.email("mia"), NEW))
    said.append(refused.value.message)
    with own_world.administrator() as on:
        # the superuser's own way to fail while a role is being made: the context must not show the verifier
        on.execute('CREATE ROLE "taken@desk.example"')
        with pytest.raises(psycopg.Error) as failed:
            on.execute(
                "SELECT sec.put_person('taken@desk.example', '', 'viewer',"
                " 'SCRAM-SHA-256$4096:c2FsdA==$' || 'VERIFIER' || ':a', '$2a$10$' || repeat('a', 53))"
            )
        said.append(str(failed.value))
        on.execute('DROP ROLE "taken@desk.example"')
        query = "SELECT string_agg(query, ' ') FROM pg_stat_activity WHERE datname = current_database()"
        activity = on.execute(query).fetchone()
    said.append(str(activity))
    said.append(caplog.text)
    if isinstance(own_world.server, Cluster):
        log = own_world.server.log.read_text()
        assert "authentication failed" in log
        said.append(log)
    for text in said:
        assert not re.search(f"{NEW}|{SECRET}|{PASSWORD}|VERIFIER", text)


def test_that_a_statement_about_a_role_that_fails_does_not_show_its_verifier(own_world: World) -> None:
    with own_world.administrator() as on, pytest.raises(psycopg.Error) as failed:
        on.execute(
            "SELECT sec.put_password('no-such-role@desk.example',"
            " 'SCRAM-SHA-256$4096:c2FsdA==$VERIFIER:aaaa', '$2a$10$' || repeat('a', 53))"
        )
    assert "could not be changed" in str(failed.value)
    assert "VERIFIER" not in str(failed.value)


def test_that_the_application_ships_no_secret_of_a_server() -> None:
    found = []
    for folder in ("clo_desktop", "resources", "packaging"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".sql", ".yaml", ".yml", ".json", ".conf"} and path.is_file():
                text = path.read_text(encoding="utf-8")
                found += re.findall(r"PASSWORD '[^']+'|postgres(?:ql)?://[^\s:@\"']+:[^\s@*%{\"']+@", text)
    assert found == []


# The command line


def clo(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_that_the_command_line_administers_people_and_never_says_a_password(
    own_world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    email = f"cli.{own_world.tag}@desk.example"
    ada = own_world.address("ada").replace(f":{PASSWORD}@", "@")
    said = ""

    def users(*arguments: str, words: str = PASSWORD) -> tuple[int, str]:
        nonlocal said
        monkeypatch.setattr("sys.stdin", io.StringIO(words))
        code, out, err = clo("users", *arguments, "--db", ada, "--password-stdin", capsys=capsys)
        said += out + err
        return code, out + err

    assert users("create", "--email", email, "--role", "analyst", "--name", "Cli", words=f"{PASSWORD}\n{NEW}\n")[0] == 0
    assert users("assign", "--email", email, "--deal", "mine", "--access", "read")[0] == 0
    assert users("role", "--email", email, "--role", "manager")[0] == 0
    code, listed = users("list", "--json")
    assert code == 0
    [person] = [row for row in json.loads(listed) if row["email"] == email]
    assert person == {
        "email": email, "full_name": "Cli", "role": "manager", "is_active": True, "deals": {"mine": "read"},
    }  # fmt: skip
    with open_store(own_world.server.address(own_world.database, email, NEW)) as store:
        assert [deal.name for deal in store.deals()] == ["mine"]
    assert users("reset", "--email", email, words=f"{PASSWORD}\n{NEW}2\n")[0] == 0
    assert users("sessions")[0] == 0
    assert users("unlock", "--email", email)[0] == 0
    assert users("end-sessions", "--email", email)[0] == 0
    assert users("assign", "--email", email, "--deal", "mine", "--access", "none")[0] == 0
    assert users("deactivate", "--email", email)[0] == 0
    assert users("activate", "--email", email)[0] == 0
    assert users("password", words=f"{PASSWORD}\nshort\n")[0] == 1
    assert users("role", "--email", email)[1] == "`clo users role` needs --role.\n"
    assert users("list", words="wrong-password-here")[0] == 1
    assert not re.search(f"{NEW}|{PASSWORD}|wrong-password-here", said)


def test_that_nobody_is_asked_where_nobody_can_type(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ada = world.address("ada").replace(f":{PASSWORD}@", "@")
    code, _, err = clo("users", "list", "--db", ada, capsys=capsys)
    assert (code, err) == (1, "Nobody can type a password here; give it with --password-stdin.\n")


def test_that_the_command_line_makes_a_server_ready_and_proves_it(
    database: str, own_world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = own_world.server.address(database)
    email = f"first.{own_world.tag}@desk.example"
    monkeypatch.setattr("sys.stdin", io.StringIO(NEW))
    code, out, _ = clo("server", "init", where, "--admin", email, "--password-stdin", "--json", capsys=capsys)
    assert code == 0
    assert json.loads(out)["administrator"] == email
    code, out, _ = clo("server", "init", where, capsys=capsys)
    assert (code, "is up to date" in out) == (0, True)
    code, out, err = clo("server", "check", where, "--json", capsys=capsys)
    told = json.loads(out)
    assert [c["promise"] for c in told["checks"] if not c["kept"]] == [
        "The server keeps secrets out of its log and writes safely"  # fsync is off on purpose
    ]
    assert (code, told["kept"]) == (1, False)
    count = len(told["checks"])
    assert f"breaks 1 of {count} promises" in err
    with own_world.server.connect(database) as on:
        on.execute("GRANT TEMP ON DATABASE {} TO PUBLIC".format(f'"{database}"').encode())
    code, out, _ = clo("server", "check", where, capsys=capsys)
    assert code == 1
    assert "BROKEN  Everybody may do nothing\n          everybody has TEMPORARY on the database" in out


def test_that_a_file_is_no_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clo("server", "init", str(tmp_path / "x.clo"), capsys=capsys)[0] == 1
    assert clo("users", "list", "--db", str(tmp_path / "x.clo"), capsys=capsys)[0] == 1
