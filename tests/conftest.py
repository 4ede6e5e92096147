"""Fixtures every test may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import clo_desktop  # noqa: F401  # before numba: the same compiled kernels as the application
import resources

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

DEMO_DEAL = "Harbor 2024-1"
DEMO_FILE = "demo/harbor-2024-1.xlsx"
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


@pytest.fixture(scope="session", autouse=True)
def no_own_waterfalls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests know the shipped waterfalls only, whatever the folder of whoever runs them holds."""
    empty = tmp_path_factory.mktemp("waterfalls")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clo_desktop.paths.waterfalls_folder", lambda: empty)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_kept_results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests find no results of before, and leave none in the user's cache."""
    empty = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clo_desktop.paths.results_cache", lambda: empty)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_own_audit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keys and known heads of audits are the tests' own, not those of whoever runs them."""
    empty = tmp_path_factory.mktemp("audit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clo_desktop.paths.audit_folder", lambda: empty)
        yield


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the demo deal in it, made once; not to be changed: take `workspace`."""
    from clo_desktop.work.desk import Desk

    file = tmp_path_factory.mktemp("stocked") / "stocked.clo"
    desk = Desk(file)
    assert desk.import_file(resources.path(DEMO_FILE), DEMO_DEAL).imported
    desk.close()
    return file


@pytest.fixture
def workspace(stocked: Path, tmp_path: Path) -> Path:
    """A workspace of one's own with the demo deal in it."""
    return Path(shutil.copy(stocked, tmp_path / "workspace.clo"))


@pytest.fixture(scope="session")
def warm() -> None:
    """Kernels are compiled, or loaded, before anything is timed or waited for."""
    from clo_desktop.work.warmth import warm_here

    warm_here()


# no deadline: the first example compiles kernels; CI repeats the same examples, elsewhere they are new each time
settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")
