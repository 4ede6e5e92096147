"""The verbs run, test, bench and package: what is started in the virtual environment once it is ready."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import environment
import system_packages
from environment import LOG, ROOT, executable, profile_of
from system_packages import Stopped

SMOKE_SECONDS = 180


def carry_out(arguments: list[str]) -> int:
    """Set up what the verb needs, carry it out, return its exit code; faults are one sentence, never a traceback."""
    verb, further = parse(arguments)
    try:
        makes_venv = environment.makes_venv(profile_of(verb))
        system_packages.provide(verb, makes_venv=makes_venv, log=LOG)
        environment.provide(profile_of(verb))
        if verb == "run":
            run(further)
        return {"test": test, "bench": bench, "package": package}[verb](further)
    except Stopped as stop:
        print(stop, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the same command takes it up again.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"The set-up cannot go on: {error}; mend that and run the same command again.", file=sys.stderr)
        return 1


def parse(arguments: list[str]) -> tuple[str, list[str]]:
    """The verb, and what stands after -- for the program that the verb starts."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set up CLO Desktop and carry out one verb.")
    parser.add_argument("verb", choices=["run", "test", "bench", "package"])
    return str(parser.parse_args(arguments[:cut]).verb), arguments[cut + 1 :]


def run_command(further: list[str]) -> list[str]:
    """The command that opens the application; where there is no screen it does the same job offscreen."""
    command = [str(executable()), "-m", "clo_desktop", "run"]
    if not system_packages.has_screen(os.environ) and "--offscreen" not in further:
        command.append("--offscreen")
    return command + further


def run(further: list[str]) -> NoReturn:
    """Become the application: signals and the exit code are its own. Windows can only wait for it."""
    command = run_command(further)
    sys.stdout.flush()
    os.chdir(ROOT)
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


def check_commands(further: list[str]) -> dict[str, list[str]]:
    """Every check by name, in order. pytest is the last, so that its summary closes the output."""
    python = str(executable())
    return {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy": [python, "-m", "mypy"],
        "lint-imports": [str(executable("lint-imports"))],
        "pytest alone": [python, "-m", "pytest", "-q", "-m", "alone", *further],
        "pytest": [
            python,
            "-m",
            "pytest",
            "-q",
            "-m",
            "not alone",
            "-n",
            str(_workers()),
            "--dist",
            "loadfile",
            *further,
        ],
    }


def _workers() -> int:
    """Processes that share the tests; each has its own window and engine, so memory bounds them too."""
    return min(os.cpu_count() or 1, 4)


def test(further: list[str]) -> int:
    """Run every check, each though another failed; 1 with their names where any failed."""
    failed = []
    commands = check_commands(further)
    for name, command in commands.items():
        print(f"--- {name}", flush=True)
        began = time.monotonic()
        code = subprocess.call(command, cwd=ROOT, env=_offscreen())
        if code != 0:
            failed.append(name)
        if name != "pytest":  # its own summary says its time and is to be the last line
            print(f"--- {name}: {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)} ({len(failed)} of {len(commands)} checks)", file=sys.stderr)
    return 1 if failed else 0


def benchmarks(folder: Path = ROOT / "benchmarks") -> list[Path]:
    """The benchmarks that can be started by themselves, by name."""
    return [path for path in sorted(folder.glob("*.py")) if "__main__" in path.read_text(encoding="utf-8")]


def bench(further: list[str]) -> int:
    """Run every benchmark; each prints its own table."""
    found = benchmarks()
    if not found:
        raise Stopped("The folder benchmarks holds nothing to run; restore the project's files and run again.")
    failed = []
    for path in found:
        print(f"--- {path.stem}", flush=True)
        if subprocess.call([str(executable()), str(path), *further], cwd=ROOT, env=_offscreen()) != 0:
            failed.append(path.name)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def package(further: list[str]) -> int:
    """Freeze the application into dist/clo-desktop and start it there, offscreen and away from the sources."""
    began = time.monotonic()
    command = [str(executable()), "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(ROOT / "dist"), "--workpath", str(ROOT / "build" / "pyinstaller"), *further]
    print("Freezing the application with PyInstaller (a few minutes)", flush=True)
    if subprocess.call([*command, str(ROOT / "packaging" / "clo.spec")], cwd=ROOT) != 0:
        raise Stopped("PyInstaller could not freeze the application; its words above say what is missing.")
    folder = ROOT / "dist" / "clo-desktop"
    frozen = folder / ("clo-desktop.exe" if os.name == "nt" else "clo-desktop")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"{folder}: {size / 1e6:,.0f} MB in {time.monotonic() - began:.0f} s", flush=True)
    _smoke([str(frozen), "--version"])
    out = ROOT / "build" / "smoke"
    shutil.rmtree(out, ignore_errors=True)
    _smoke([str(frozen), "run", "--offscreen", "--out", str(out)])
    if not (out.is_dir() and any(out.iterdir())):
        raise Stopped(f"The frozen application ran and wrote nothing into {out}.")
    return 0


def _smoke(command: list[str]) -> None:
    """Start the frozen application with a home of its own. Raises Stopped where it fails or does not end."""
    home = ROOT / "build" / "smoke-home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    own = _offscreen()
    own.pop("PYTHONPATH", None)
    own["CLO_HOME"] = str(home)  # never the user's own workspace
    words = " ".join(["clo-desktop", *command[1:]])
    began = time.monotonic()
    try:
        code = subprocess.run(command, cwd=home, env=own, timeout=SMOKE_SECONDS).returncode
    except subprocess.TimeoutExpired as late:
        raise Stopped(f"The frozen application did not end within {SMOKE_SECONDS} s: {words}.") from late
    if code != 0:
        raise Stopped(f"The frozen application failed with exit code {code}: {words}; its words are above.")
    print(f"Smoke start passed in {time.monotonic() - began:.1f} s: {words}", flush=True)


def _offscreen() -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
