"""Where the user's files live, what is remembered between sessions, and the log."""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clo_desktop import log, paths
from clo_desktop.paths import waterfalls_folder
from clo_desktop.settings import Settings, load_settings, save_settings

CHANGED = Settings("dark", "compact", "Mag 17 – ä", "AAAA/w==")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def logging_put_back() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("clo_desktop")
    levels = root.level, ours.level
    yield
    log.tear_down()
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def test_that_one_variable_moves_all_files(home: Path) -> None:
    found = [paths.default_workspace(), paths.settings_file(), paths.log_folder(), paths.numba_cache()]
    assert found == [home / "workspace.clo", home / "settings.json", home / "log", home / "cache" / "numba"]
    assert waterfalls_folder() == home / "waterfalls"
    assert not home.exists()


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_that_without_the_variable_the_systems_places_are_used(
    blank: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLO_HOME") if blank is None else monkeypatch.setenv("CLO_HOME", blank)
    found = {paths.default_workspace(), paths.settings_file(), paths.log_folder(), paths.numba_cache()}
    assert len(found) == 4
    assert waterfalls_folder() == paths.settings_file().parent / "waterfalls"
    assert all(path.is_absolute() and "CLO Desktop" in str(path) for path in found)


def test_that_settings_are_read_as_they_were_written(home: Path) -> None:
    assert load_settings() == Settings()
    save_settings(CHANGED)
    assert load_settings() == CHANGED
    save_settings(dataclasses.replace(CHANGED, last_deal=None))
    assert load_settings().last_deal is None
    assert [f.name for f in home.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("damaged", [b"", b"{", b"[1]", b"null", b"\xff\xfe\x00", b"[" * 100_000])
def test_that_a_damaged_file_is_set_aside_and_the_defaults_are_used(
    home: Path, damaged: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    save_settings(CHANGED)
    paths.settings_file().write_bytes(damaged)
    assert load_settings() == Settings()
    assert (home / "settings.damaged.json").read_bytes() == damaged
    assert "was set aside as settings.damaged.json" in caplog.text
    save_settings(CHANGED)
    assert load_settings() == CHANGED


def test_that_values_that_make_no_sense_are_dropped_one_by_one(home: Path) -> None:
    home.mkdir()
    odd = {"theme": "pink", "density": ["compact"], "last_deal": "Mag 17", "window_layout": 5, "of a later version": 1}
    paths.settings_file().write_text(json.dumps(odd))
    assert load_settings() == Settings(last_deal="Mag 17")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_that_no_content_of_the_file_stops_the_application(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(content)
    assert isinstance(load_settings(file), Settings)


def test_that_a_settings_file_out_of_reach_gives_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"settings\.json|exists|directory"):
        save_settings(CHANGED, tmp_path / "file" / "settings.json")


@pytest.mark.usefixtures("logging_put_back")
def test_that_the_log_keeps_information_and_the_terminal_shows_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # twice: nothing may be said twice
        log.set_up(verbose=False)
    own = logging.getLogger("clo_desktop.work")
    own.debug("too small")
    own.info("opened")
    own.warning("careful")
    warnings.warn("from a package", UserWarning, stacklevel=1)
    kept = log.log_file().read_text(encoding="utf-8")
    assert [kept.count(word) for word in ("too small", "opened", "careful")] == [0, 1, 1]
    shown = capsys.readouterr().err
    assert [shown.count(word) for word in ("too small", "opened", "careful")] == [0, 0, 1]


@pytest.mark.usefixtures("logging_put_back")
def test_that_verbose_tells_more(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up(verbose=True)
    logging.getLogger("clo_desktop.work").debug("detail")
    logging.getLogger("clo_desktop.work").info("opened")
    logging.getLogger("another.package").debug("noise")
    kept = log.log_file().read_text(encoding="utf-8")
    assert ("detail" in kept, "noise" in kept) == (True, False)
    assert "opened" in capsys.readouterr().err


@pytest.mark.usefixtures("logging_put_back")
def test_that_the_log_turns_over_instead_of_growing() -> None:
    log.set_up(verbose=False)
    for _ in range(80):
        logging.getLogger("clo_desktop").info("x" * 100_000)
    files = sorted(f.name for f in paths.log_folder().iterdir())
    assert files == ["clo-desktop.log", *(f"clo-desktop.log.{i}" for i in range(1, 5))]
    assert all(f.stat().st_size <= 1_000_000 for f in paths.log_folder().iterdir())


@pytest.mark.usefixtures("logging_put_back")
def test_that_without_a_place_for_the_log_the_application_goes_on(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.touch()
    log.set_up(verbose=False)
    assert "No log is kept" in capsys.readouterr().err


@pytest.mark.usefixtures("logging_put_back")
def test_that_a_windowed_application_without_a_terminal_logs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    log.set_up(verbose=False)
    logging.getLogger("clo_desktop").warning("careful – ä")
    assert "careful – ä" in log.log_file().read_text(encoding="utf-8")
