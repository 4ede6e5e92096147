"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

import clo_desktop  # noqa: F401  # before numba: the same compiled kernels as the application

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real deals and worked cases beside the project; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        if os.environ.get("CI"):
            pytest.fail("../shared with the real deal is absent; in CI it must be present")
        pytest.skip("../shared with the real deal is absent")
    return folder


settings.register_profile("project", deadline=None)  # the first example compiles kernels
settings.load_profile("project")
