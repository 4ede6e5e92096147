"""The stamp of the kernel cache: whatever a kernel is compiled from is in it."""

from __future__ import annotations

from pathlib import Path

import engine
from clo_desktop.kernel_locator import kernel_sources

SOURCES = kernel_sources(Path(engine.__file__).parent)


def test_that_files_with_constants_of_kernels_count() -> None:
    assert {"engine.waterfall.operations", "engine.loans.columns", "engine.loans.arrays", "engine.jit"} <= set(SOURCES)


def test_that_every_file_with_a_kernel_counts() -> None:
    root = Path(engine.__file__).parent
    files = [path for path in root.rglob("*.py") if "\n@kernel\n" in path.read_text(encoding="utf-8")]
    names = {".".join(path.relative_to(root.parent).with_suffix("").parts) for path in files}
    assert names <= set(SOURCES)


def test_that_a_file_no_kernel_reads_does_not_count() -> None:
    assert "engine.model" not in SOURCES
    assert "engine.waterfall.language" not in SOURCES


def test_that_imports_over_several_lines_are_followed(tmp_path: Path) -> None:
    root = tmp_path / "engine"
    root.mkdir()
    lines = ["from engine.jit import kernel", "from engine import (", "    one,", "    two,", ")", "@kernel"]
    (root / "fast.py").write_text("\n".join(lines))
    for name in ("one", "two", "jit", "other"):
        (root / f"{name}.py").write_text(f"VALUE = '{name}'\n")
    assert set(kernel_sources(root)) == {"engine.fast", "engine.jit", "engine.one", "engine.two"}
