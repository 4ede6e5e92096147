"""Kernels are made ready by a child process, or here where there can be none."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from clo_desktop.faults import Cancelled
from clo_desktop.work import warmth


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes that kernels were loaded in this process."""
    told: list[str] = []
    monkeypatch.setattr(warmth, "warm_here", lambda: told.append("loaded"))
    return told


def _child(monkeypatch: pytest.MonkeyPatch, code: str) -> list[Any]:
    """Puts a child that runs `code` in the place of the real one; returns the children with their commands."""
    made: list[Any] = []
    real = subprocess.Popen

    def start(command: list[str], **options: Any) -> Any:
        child = real([sys.executable, "-c", code], **options)
        made.append((child, command))
        return child

    monkeypatch.setattr(subprocess, "Popen", start)
    return made


def test_that_a_child_compiles_before_this_process_loads(loaded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = _child(monkeypatch, "pass")
    told: list[float] = []
    warmth.warm_up(lambda fraction, what: told.append(fraction))
    ((child, command),) = made
    assert command == [sys.executable, "-m", "clo_desktop", "warm"]
    assert child.returncode == 0
    assert loaded == ["loaded"]
    assert told[-1] == 1.0


def test_that_a_frozen_application_asks_itself(loaded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = _child(monkeypatch, "pass")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    warmth.warm_up(lambda fraction, what: None)
    assert made[0][1] == [sys.executable, "warm"]


def test_that_kernels_are_loaded_here_where_no_child_can_be_started(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", none)
    warmth.warm_up(lambda fraction, what: None)
    assert loaded == ["loaded"]


def test_that_kernels_are_loaded_here_when_the_child_fails(loaded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _child(monkeypatch, "raise SystemExit(3)")
    warmth.warm_up(lambda fraction, what: None)
    assert loaded == ["loaded"]


def test_that_a_cancelled_child_is_ended(loaded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = _child(monkeypatch, "import time; time.sleep(60)")
    calls = 0

    def report(fraction: float, what: str) -> None:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        warmth.warm_up(report)
    assert made[0][0].returncode not in (None, 0)
    assert loaded == []
