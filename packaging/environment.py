"""The project's virtual environment .venv: made, filled by pip, stamped; a second run with the same stamp does nothing.

The stamp says which Python, which folder and which requirements the environment was finished for. It is withdrawn
before anything changes and written when all is done, so an environment without a finished stamp is built anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from system_packages import Stopped

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = "clo-setup.json"
LOG = ROOT / "build" / "setup.log"
PROFILES = {"run": "", "dev": "[dev]"}  # profile -> extras of the project; dev holds all of run


def profile_of(verb: str) -> str:
    """Which profile a verb needs."""
    return "run" if verb == "run" else "dev"


def executable(name: str = "python") -> Path:
    """A program of the virtual environment."""
    return VENV / "Scripts" / f"{name}.exe" if os.name == "nt" else VENV / "bin" / name


def constraints_for(version: tuple[int, int], folder: Path = ROOT / "packaging") -> tuple[Path, bool]:
    """The constraints file of this Python, and whether it was made for it; the newest one where there is none."""
    exact = folder / f"constraints-{version[0]}.{version[1]}.txt"
    if exact.is_file():
        return exact, True
    numbers = re.compile(r"constraints-(\d+)\.(\d+)\.txt")
    known = [(int(m[1]), int(m[2]), path) for path in folder.iterdir() if (m := numbers.fullmatch(path.name))]
    if not known:
        raise Stopped(
            f"No constraints file is in {folder}; restore the project's files and run the same command again."
        )
    return max(known)[2], False


def fingerprint(pyproject: bytes, constraints: bytes) -> str:
    """A hash of what pip is asked for: the project and build tables of pyproject.toml and the pinned versions."""
    tables = tomllib.loads(pyproject.decode())
    asked = [tables.get("build-system"), tables.get("project"), tables.get("tool", {}).get("setuptools")]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode() + b"\0" + constraints).hexdigest()


def stamp_of(profile: str, version: str, root: Path, requirements: str) -> dict[str, str]:
    """The stamp of an environment finished for this profile, Python version, project folder and requirements."""
    return {"profile": profile, "python": version, "root": str(root), "requirements": requirements}


def read_stamp(venv: Path = VENV) -> dict[str, str] | None:
    """The stamp of the environment; empty where it was begun and not finished, None where it is not ours."""
    try:
        stamp = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def is_finished(stamp: dict[str, str] | None, wanted: dict[str, str]) -> bool:
    """Whether an environment with this stamp serves what is wanted; one with all of dev serves run too."""
    if not stamp:
        return False
    enough = stamp.get("profile") in (wanted["profile"], "dev")
    return enough and all(stamp.get(key) == value for key, value in wanted.items() if key != "profile")


def can_be_kept(stamp: dict[str, str] | None, wanted: dict[str, str]) -> bool:
    """Whether pip may go on in this environment: it was finished once, by the same Python, in the same folder."""
    if not stamp:
        return False
    return all(stamp.get(key) == wanted[key] for key in ("python", "root"))


def wanted_stamp(profile: str) -> dict[str, str]:
    """The stamp that the running Python and the project's files ask for."""
    constraints, _ = constraints_for(sys.version_info[:2])
    asked = fingerprint((ROOT / "pyproject.toml").read_bytes(), constraints.read_bytes())
    return stamp_of(profile, ".".join(map(str, sys.version_info[:3])), ROOT, asked)


def is_ready(profile: str) -> bool:
    """Whether the environment needs nothing."""
    return executable().exists() and is_finished(read_stamp(), wanted_stamp(profile))


def makes_venv(profile: str) -> bool:
    """Whether the environment will be made anew."""
    return not (executable().exists() and can_be_kept(read_stamp(), wanted_stamp(profile)))


def provide(profile: str) -> None:
    """Make or complete the environment for a profile. Raises Stopped with the remedy where that fails."""
    if is_ready(profile):
        return
    with _alone():
        if is_ready(profile):  # another run finished it while this one waited
            return
        wanted = wanted_stamp(profile)
        if makes_venv(profile):
            _make()
        _write_stamp({})
        _fill(profile)
        _write_stamp(wanted)


def _make() -> None:
    if VENV.exists() and read_stamp() is None and any(VENV.iterdir()):
        raise Stopped(f"{VENV} was not made by this command; move it away and run again.")
    try:
        if VENV.exists():
            print("The virtual environment is unfinished, or of another Python or folder; it is made anew.", flush=True)
            shutil.rmtree(VENV)
        VENV.mkdir()
    except OSError as error:
        raise Stopped(f"{VENV} cannot be made anew ({error}); remove that folder and run again.") from error
    _write_stamp({})  # from here on it is ours and unfinished
    print(f"Making the virtual environment .venv with Python {sys.version.split()[0]}", flush=True)
    _logged([sys.executable, "-m", "venv", str(VENV)], "The virtual environment could not be made")


def _fill(profile: str) -> None:
    constraints, exact = constraints_for(sys.version_info[:2])
    if not exact:
        print(f"No versions are pinned for this Python; those of {constraints.name} are used.", flush=True)
    print("Installing Python packages into .venv (the first time takes a few minutes)", flush=True)
    pip = [str(executable()), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    pip += ["--constraint", str(constraints)]
    failed = "pip could not install the Python packages"
    _logged([*pip, *_build_requirements()], failed)
    # The build requirements are pinned and installed above: isolation would fetch them once more, unpinned.
    _logged([*pip, "--no-build-isolation", "--editable", f".{PROFILES[profile]}"], failed)


def _build_requirements() -> list[str]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["build-system"]["requires"])


def _logged(command: list[str], failed: str) -> None:
    """Run a command with its words in the log. Raises Stopped with its last error where it fails."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    shows = sys.stdout.isatty()
    error = ""
    with LOG.open("a", encoding="utf-8") as log:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert child.stdout is not None
        for line in child.stdout:
            log.write(line)
            if re.search("NewConnectionError|NameResolutionError|ConnectTimeoutError", line):
                error = "no package server could be reached"  # pip itself ends on a conflict of versions then
            elif line.startswith(("ERROR:", "Error:")):
                error = error or line.strip()
            if shows and (m := re.match(r"\s*(Collecting|Downloading|Installing) (\S+)", line)):
                print(f"\r\033[K  {m[1]} {m[2]}"[:100], end="", flush=True)
        code = child.wait()
    if shows:
        print("\r\033[K", end="", flush=True)
    if code != 0:
        said = f": {error}" if error else ""
        raise Stopped(
            f"{failed}{said} (all of its words are in {LOG}); "
            "check the network connection and the free disk space, and run the same command again."
        )


def _write_stamp(stamp: dict[str, str]) -> None:
    new = VENV / f"{STAMP}.new"
    new.write_text(json.dumps(stamp), encoding="utf-8")
    new.replace(VENV / STAMP)  # whole or not at all


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the set-up lock: a second run started meanwhile waits. The system drops the lock when a process ends."""
    lock = ROOT / "build" / "setup.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:  # LK_LOCK gives up after ten seconds
                    continue
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
