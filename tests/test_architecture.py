"""Facts about the house itself: who may import whom, how long a file may be, what no file may say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ["clo_desktop", "engine", "resources", "packaging", "tests", "benchmarks", "docs", ".ci"]
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".csv", ".svg", ".json", ".spec", ".mako", ".sql", ".cfg", ""}
LONGEST = 600


def _files() -> list[Path]:
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    top = [path for path in ROOT.iterdir() if not path.name.startswith(".git")]
    return sorted(
        path
        for path in inside + top
        if path.is_file() and path.suffix in TEXT and not {"__pycache__", ".mypy_cache"} & set(path.parts)
    )


def _in_a_fresh_process(code: str) -> str:
    # The kernel cache's locator is set by the application for numba; the engine is to stand without it.
    plain = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_LOCATOR_CLASSES"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=plain, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_that_the_import_contracts_stand() -> None:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_that_the_engine_loads_nothing_of_the_window_or_the_database() -> None:
    loaded = _in_a_fresh_process(
        "import importlib, pkgutil, sys, engine\n"
        "for module in pkgutil.walk_packages(engine.__path__, 'engine.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(*{name.split('.')[0] for name in sys.modules})\n"
    )
    barred = {"PySide6", "shiboken6", "pyqtgraph", "pandas", "sqlalchemy", "alembic", "openpyxl", "clo_desktop"}
    assert set(loaded.split()) & barred == set()


def test_that_store_and_sheets_load_no_window() -> None:
    loaded = _in_a_fresh_process(
        "import importlib, pkgutil, sys, clo_desktop.store, clo_desktop.sheets\n"
        "for package in (clo_desktop.store, clo_desktop.sheets):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if 'migrations' not in module.name:\n"  # alembic runs these, with a context of its own
        "            importlib.import_module(module.name)\n"
        "print(*{name.split('.')[0] for name in sys.modules})\n"
    )
    assert set(loaded.split()) & {"PySide6", "shiboken6", "pyqtgraph"} == set()


def test_that_no_source_file_is_too_long_to_read() -> None:
    sources = [path for path in _files() if path.suffix == ".py"]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_that_no_file_names_a_machine_s_folders_or_a_package_index() -> None:
    barred = re.compile(
        "|".join(
            [
                r"(?<![\w.])/(?:root|home/[a-z]\w*|Users/[A-Za-z]\w*|work|tmp/w)/",
                r"--(?:extra-)?index-url",
                r"--find-links",
                r"\bpypi\.org",
                r"\bfiles\.pythonhosted",
                r"\bdeb\.debian\.org",
            ]
        )
    )
    found = []
    for path in _files():
        if path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if barred.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []
