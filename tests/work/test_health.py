"""Health: its lines and figures; a log that holds no secrets."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from clo_desktop import log, paths
from clo_desktop.cli import main
from clo_desktop.faults import Refused
from clo_desktop.store import vitals
from clo_desktop.store.local import backups, keys
from clo_desktop.work import health
from clo_desktop.work.desk import Desk


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, with its log."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    log.tear_down()
    yield tmp_path
    log.tear_down()


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    made = Desk(home / "w.clo")
    yield made
    made.close()


def state(found: health.Health, name: str) -> str:
    return next(line.state for line in found.lines if line.name == name)


def test_that_a_file_without_a_backup_is_worth_a_look_and_with_one_all_is_well(desk: Desk) -> None:
    first = health.look(desk)
    assert (first.worst, state(first, "Last backup")) == (health.LOOK, health.LOOK)
    made = desk.store.back_up()
    second = health.look(desk)
    assert state(second, "Last backup") == health.OK
    assert second.figures["backup_opens"] == 1.0
    made.file.write_bytes(made.file.read_bytes()[:5000])
    third = health.look(desk)
    assert (third.worst, third.figures["backup_opens"]) == (health.BAD, 0.0)
    assert all(line.says for line in third.lines if line.state != health.OK), "what to do is said"


def test_that_an_old_backup_is_worth_a_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = desk.store.back_up()
    old = backups.Backup(made.file, made.when - dt.timedelta(days=8), made.why, made.size)
    monkeypatch.setattr(backups, "listed", lambda file: (old,))
    assert state(health.look(desk), "Last backup") == health.LOOK


def test_that_a_statement_above_the_limit_is_in_the_log_without_its_values(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(vitals, "SLOW", 0.0)
    with caplog.at_level(logging.INFO, vitals.__name__):
        desk.store.put_setting("rounds", "a value of mine")
    assert "INSERT INTO configuration" in caplog.text
    assert "a value of mine" not in caplog.text
    assert state(health.look(desk), "Slow statements") == health.LOOK


def test_that_changes_that_wait_are_counted_where_the_file_keeps_copies(desk: Desk) -> None:
    assert desk.store.vitals().outbox is None or desk.store.vitals().outbox == (0, None)
    with desk.store._engine.begin() as on:
        on.exec_driver_sql("CREATE TABLE IF NOT EXISTS outbox (made_at TEXT)")
        if len(on.exec_driver_sql("PRAGMA table_info(outbox)").all()) == 1:
            on.exec_driver_sql("INSERT INTO outbox VALUES ('2026-01-01 00:00:00.000000')")
            waiting = vitals.outbox_of(on)
            assert waiting is not None
            assert waiting[0] == 1
            assert waiting[1] is not None
            assert waiting[1] > 86_400


def test_that_the_command_tells_all_and_writes_the_metrics_file_whole(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Desk(home / "w.clo").close()
    folder = home / "metrics"
    assert main(["health", "--json", "--db", str(home / "w.clo"), "--metrics", str(folder)]) == 0
    told = json.loads(capsys.readouterr().out)
    names = {line["name"] for line in told["lines"]}
    assert {"Store", "Last backup", "Audit", "Refused sign-ins", "Memory", "Python", "Qt", "numba", "SQLite"} <= names
    assert [file.name for file in folder.iterdir()] == [health.METRICS_FILE], "nothing half written is left"
    text = (folder / health.METRICS_FILE).read_text()
    assert "\nclo_desktop_up 1\n" in text
    assert "# TYPE clo_desktop_slow_statements_total counter\n" in text
    for line in text.splitlines():
        assert line.startswith("# TYPE ") or len(line.split()) == 2


def test_that_a_store_that_does_not_open_is_a_bad_line_and_fails(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "w.clo").write_bytes(b"x" * 5000)
    assert main(["health", "--json", "--db", str(home / "w.clo")]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["lines"][0]["state"], told["figures"]["up"]) == ("bad", "bad", 0.0)


def test_that_a_metrics_folder_that_cannot_be_is_one_sentence(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match=r"cannot be written .*; name another folder"):
        health.write_metrics(health.look(desk), tmp_path / "file" / "below")


SECRETS = (
    ("postgresql://ada:hunter2@db.example/clo is gone", "hunter2"),
    ("postgresql+psycopg://ada%40x.example:pa$$w0rd@one,two/clo", "pa$$w0rd"),
    ("PRAGMA key = \"x'" + "ab" * 32 + "'\"", "ab" * 32),
    ("CREATE ROLE ada PASSWORD 'open sesame'", "open sesame"),
    ("host=db user=ada password=hunter2 dbname=clo", "hunter2"),
    ("{'password': 'hunter2', 'user': 'ada'}", "hunter2"),
    ("{'hashed_password': '$2a$10$" + "a" * 53 + "'}", "a" * 53),
    ("the verifier SCRAM-SHA-256$4096:c2Fs$c3Rv:c2Vy is", "c2Fs"),
    (f"key {keys.recovery_text(bytes(range(32)))} printed", keys.recovery_text(bytes(range(32)))),
    ("passphrase: correct-horse", "correct-horse"),
)


@pytest.mark.parametrize(("entry", "secret"), SECRETS)
def test_that_no_secret_gets_into_the_log_by_message_value_or_traceback(home: Path, entry: str, secret: str) -> None:
    log.set_up(verbose=True, terminal=False)
    logger = logging.getLogger("clo_desktop.any")
    logger.warning(entry.replace("%", "%%"))
    logger.warning("%s", entry)
    try:
        raise ValueError(entry)
    except ValueError:
        logger.exception("it failed")
    log.tear_down()
    text = log.log_file().read_text()
    assert text.count("***") >= 3
    assert secret not in text


def test_that_prose_and_hashes_of_short_length_stay_in_the_log() -> None:
    for entry in ("the password is wrong; type it again", "https://clo.example/a:b@c is no address", "book 12ab34cd"):
        assert "***" not in log.redacted(entry)


def test_that_refused_sign_ins_are_counted_for_a_day_and_hold_no_word_of_what_was_typed(home: Path) -> None:
    log.note_refused(Refused("That is not your password.", code="wrong-password"))
    log.note_refused(Refused("There is no deal.", code="no-deal"))
    assert log.refused_sign_ins(dt.timedelta(days=1)) == 1
    with log.log_file().open("a") as entries:
        entries.write("2020-01-01 00:00:00,000 INFO clo_desktop.log: a sign-in was refused (key)\n")
    assert log.refused_sign_ins(dt.timedelta(days=1)) == 1
    for _ in range(4):
        log.note_refused(Refused("", code="key"))
    assert state(health.unreachable("x", Refused("no")), "Refused sign-ins") == health.LOOK
