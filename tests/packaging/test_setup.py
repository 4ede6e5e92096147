"""Facts about the set-up of a machine: packaging/bootstrap.py and what it uses."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "packaging"
CONSTRAINTS = sorted(FOLDER.glob("constraints-*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==[0-9][0-9a-z.]*")


def _load(name: str) -> ModuleType:
    # bootstrap.py finds its neighbours because Python puts a script's folder first; a test does the same for a moment.
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


environment = _load("environment")
system_packages = _load("system_packages")
verbs = _load("verbs")


def _pinned(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def _asked() -> Iterator[str]:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    for line in PROJECT["dependencies"] + extras:
        match = re.match(r"[A-Za-z0-9._-]+", line)
        assert match is not None
        yield re.sub(r"[-_.]+", "-", match[0]).lower()


# The stamp


def test_that_other_pinned_versions_change_the_fingerprint() -> None:
    pyproject = b"[project]\nname = 'clo-desktop'\n"
    before = environment.fingerprint(pyproject, b"numpy==2.4.6\n")
    assert before != environment.fingerprint(pyproject, b"numpy==2.4.7\n")


def test_that_another_dependency_changes_the_fingerprint() -> None:
    before = environment.fingerprint(b"[project]\ndependencies = ['numpy']\n", b"")
    assert before != environment.fingerprint(b"[project]\ndependencies = ['numpy', 'scipy']\n", b"")


def test_that_a_lint_rule_does_not_change_the_fingerprint() -> None:
    project = b"[project]\nname = 'clo-desktop'\n"
    assert environment.fingerprint(project, b"") == environment.fingerprint(
        project + b"[tool.ruff]\nline-length = 100\n", b""
    )


@given(key=st.sampled_from(["python", "root", "requirements"]), value=st.text())
def test_that_a_stamp_of_anything_else_is_not_finished(key: str, value: str) -> None:
    wanted = environment.stamp_of("run", "3.11.2", Path("here"), "abc")
    stamp = {**wanted, key: value}
    assert environment.is_finished(stamp, wanted) == (value == wanted[key])


def test_that_an_environment_for_development_serves_a_run_and_not_the_other_way_round() -> None:
    run, dev = (environment.stamp_of(profile, "3.11.2", Path("here"), "abc") for profile in ("run", "dev"))
    assert environment.is_finished(dev, run)
    assert not environment.is_finished(run, dev)
    assert environment.can_be_kept(run, dev)


@pytest.mark.parametrize("stamp", [None, {}])
def test_that_an_unfinished_environment_is_made_anew(stamp: dict[str, str] | None) -> None:
    wanted = environment.stamp_of("run", "3.11.2", Path("here"), "abc")
    assert not environment.is_finished(stamp, wanted)
    assert not environment.can_be_kept(stamp, wanted)


def test_that_a_torn_stamp_counts_as_unfinished(tmp_path: Path) -> None:
    assert environment.read_stamp(tmp_path) is None
    (tmp_path / environment.STAMP).write_text('{"profile": "ru', encoding="utf-8")
    assert environment.read_stamp(tmp_path) == {}


def test_that_a_folder_of_the_user_s_own_is_never_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").write_text("kept", encoding="utf-8")
    monkeypatch.setattr(environment, "VENV", tmp_path)
    monkeypatch.setattr(environment, "read_stamp", lambda: None)
    with pytest.raises(system_packages.Stopped, match="move it away"):
        environment._make()
    assert (tmp_path / "theirs").read_text(encoding="utf-8") == "kept"


def test_that_a_python_without_pinned_versions_takes_the_newest_file(tmp_path: Path) -> None:
    for version in ("3.9", "3.11", "3.12"):
        (tmp_path / f"constraints-{version}.txt").touch()
    assert environment.constraints_for((3, 11), tmp_path) == (tmp_path / "constraints-3.11.txt", True)
    assert environment.constraints_for((3, 99), tmp_path) == (tmp_path / "constraints-3.12.txt", False)


# The operating system


def _missing(
    verb: str, lacks: set[str], screen: dict[str, str] | None = None, *, makes_venv: bool = False
) -> list[str]:
    result: list[str] = system_packages.missing_packages(
        verb,
        screen or {},
        makes_venv=makes_venv,
        found=lambda library: library not in lacks,
        font=lambda: "font" not in lacks,
        module=lambda name: name not in lacks,
        command=lambda name: name not in lacks,
    )
    return result


def test_that_a_machine_with_everything_installs_nothing() -> None:
    assert _missing("run", set(), {"DISPLAY": ":0"}, makes_venv=True) == []


def test_that_a_missing_library_names_its_package() -> None:
    assert _missing("run", {"libEGL.so.1", "font"}) == ["libegl1", "fonts-dejavu-core"]


def test_that_libraries_of_a_screen_are_asked_for_only_with_a_screen() -> None:
    lacks = {"libxcb-cursor.so.0", "libwayland-client.so.0"}
    assert _missing("run", lacks) == []
    assert _missing("test", lacks, {"DISPLAY": ":0"}) == []
    assert _missing("run", lacks, {"DISPLAY": ":0"}) == ["libxcb-cursor0"]
    assert _missing("run", lacks, {"WAYLAND_DISPLAY": "wayland-0"}) == ["libwayland-client0"]


def test_that_venv_is_asked_for_only_where_an_environment_is_made() -> None:
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    assert _missing("run", {"ensurepip"}) == []
    assert _missing("run", {"ensurepip"}, makes_venv=True) == [package]


def test_that_the_line_to_type_is_whole_with_and_without_sudo() -> None:
    install = "apt-get install -y --no-install-recommends libgl1 libegl1"
    assert system_packages.apt_line(["libgl1", "libegl1"], sudo=True) == f"sudo apt-get update && sudo {install}"
    assert system_packages.apt_line(["libgl1", "libegl1"], sudo=False) == f"su -c 'apt-get update && {install}'"


def test_that_who_may_not_install_is_told_the_exact_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(system_packages, "missing_packages", lambda *_, **__: ["libgl1"])
    monkeypatch.setattr(system_packages, "_may_install", lambda: None)
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(system_packages.Stopped, match=r"sudo apt-get install -y --no-install-recommends libgl1$"):
        system_packages.provide("run", makes_venv=False, log=tmp_path / "log")


def test_that_tests_and_benchmarks_want_a_postgresql_and_a_run_does_not(tmp_path: Path) -> None:
    def wants(verb: str) -> list[str]:
        wanted: list[str] = system_packages.wanted_packages(verb, postgres=lambda: False)
        return wanted

    assert (wants("test"), wants("bench"), wants("run"), wants("package")) == (["postgresql"], ["postgresql"], [], [])
    assert system_packages.wanted_packages("test", postgres=lambda: True) == []
    program = tmp_path / "15" / "bin" / "pg_ctl"
    program.parent.mkdir(parents=True)
    program.touch()
    assert system_packages.has_postgres(tmp_path)


def test_that_a_postgresql_that_cannot_be_installed_stops_ci_and_warns_anybody_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(system_packages, "missing_packages", lambda *_, **__: [])
    monkeypatch.setattr(system_packages, "wanted_packages", lambda _: ["postgresql"])
    monkeypatch.setattr(system_packages, "_may_install", lambda: None)
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.delenv("CI", raising=False)
    system_packages.provide("test", makes_venv=False, log=tmp_path / "log")
    assert "WARNING: without PostgreSQL" in capsys.readouterr().err
    monkeypatch.setenv("CI", "true")
    with pytest.raises(system_packages.Stopped, match=r"postgresql$"):
        system_packages.provide("test", makes_venv=False, log=tmp_path / "log")


@pytest.mark.parametrize(
    ("variables", "platform", "screen"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_that_a_screen_is_known(variables: dict[str, str], platform: str, screen: bool) -> None:
    assert system_packages.has_screen(variables, platform) is screen


# The verbs


def test_that_a_run_without_a_screen_is_offscreen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages, "has_screen", lambda _: False)
    assert verbs.run_command(["--out", "x"])[-4:] == ["run", "--offscreen", "--out", "x"]
    monkeypatch.setattr(system_packages, "has_screen", lambda _: True)
    assert verbs.run_command([])[-1] == "run"


def test_that_what_follows_two_dashes_is_passed_on() -> None:
    assert verbs.parse(["test", "--", "-k", "waterfall"]) == ("test", ["-k", "waterfall"])
    assert verbs.parse(["run", "--"]) == ("run", [])


def test_that_pytest_is_the_last_check_so_that_its_summary_closes_the_output() -> None:
    assert list(verbs.check_commands([])) == [
        "ruff check",
        "ruff format",
        "mypy",
        "lint-imports",
        "pytest alone",
        "pytest",
    ]


def test_that_a_failed_check_fails_the_whole_and_stops_none_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started = []

    def call(command: list[str], **_: object) -> int:
        started.append(command)
        return 1 if "mypy" in command else 0

    monkeypatch.setattr(verbs.subprocess, "call", call)
    assert verbs.test([]) == 1
    assert len(started) == len(verbs.check_commands([]))
    assert "Failed: mypy (1 of 6 checks)" in capsys.readouterr().err


def test_that_a_fault_of_the_set_up_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def provide(*_: object, **__: object) -> None:
        raise system_packages.Stopped("Mend this.")

    monkeypatch.setattr(verbs.system_packages, "provide", provide)
    assert verbs.carry_out(["test"]) == 1
    assert capsys.readouterr().err == "Mend this.\n"


def test_that_only_benchmarks_that_can_be_started_are_run(tmp_path: Path) -> None:
    (tmp_path / "deals.py").write_text("N = 1\n", encoding="utf-8")
    (tmp_path / "kernels.py").write_text('if __name__ == "__main__":\n    pass\n', encoding="utf-8")
    assert verbs.benchmarks(tmp_path) == [tmp_path / "kernels.py"]


# The files


@pytest.mark.parametrize("path", CONSTRAINTS, ids=lambda path: path.stem)
def test_that_constraints_hold_names_and_versions_only(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#") and not LINE.fullmatch(line)] == []
    assert [line for line in lines if "/" in line or "@" in line] == []


@pytest.mark.parametrize("path", CONSTRAINTS, ids=lambda path: path.stem)
def test_that_every_dependency_is_pinned(path: Path) -> None:
    assert set(_asked()) - set(_pinned(path)) == set()


def test_that_each_python_from_the_oldest_on_has_its_constraints() -> None:
    assert [path.stem for path in CONSTRAINTS] == [f"constraints-3.{minor}" for minor in (11, 12, 13)]


def test_that_the_makefile_and_ci_only_call_the_bootstrap() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    start = lines.index("run test bench package:")
    assert lines[start + 1 : start + 3] == ["\t@$(PYTHON) packaging/bootstrap.py $@ -- $(ARGS)", ""]
    removed = [line.split() for line in lines[start + 2 :] if line.startswith("\trm ")]
    assert removed == [
        "rm -rf .venv build dist out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis "
        ".import_linter_cache".split()
    ]
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in ci if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["make test"]


def test_that_the_bootstrap_needs_the_standard_library_only() -> None:
    own = {path.stem for path in FOLDER.glob("*.py")}
    imported = set()
    for path in FOLDER.glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := re.match(r"\s*(?:from|import) ([a-z_]+)", line):
                imported.add(match[1])
    assert imported - own - set(sys.stdlib_module_names) == set()


def test_that_help_is_given_without_any_set_up() -> None:
    done = subprocess.run(
        [sys.executable, "-S", str(FOLDER / "bootstrap.py"), "--help"], capture_output=True, text=True, check=True
    )
    assert "{run,test,bench,package}" in done.stdout
