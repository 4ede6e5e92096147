"""What the operating system must bring: Qt's shared libraries, a font, venv; installed by apt only where missing."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path


class Stopped(Exception):
    """The set-up cannot go on. The text is one sentence with the remedy."""


# Shared library -> Debian package that brings it.
OFFSCREEN = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
X_SCREEN = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
WAYLAND_SCREEN = {
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")


def loads(library: str) -> bool:
    """Whether the system's loader finds this shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_font(folders: Iterable[str] = FONT_FOLDERS) -> bool:
    """Whether there is any scalable font; without one Qt draws no text."""
    for folder in folders:
        for _, _, files in os.walk(Path(folder).expanduser()):
            if any(name.lower().endswith((".ttf", ".otf", ".ttc", ".pfb")) for name in files):
                return True
    return False


def has_screen(environment: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a window can be shown. Windows and macOS always have a screen."""
    if not platform.startswith("linux"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def needed_libraries(verb: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The shared libraries Qt loads for this verb, each with its package; tests and benchmarks work offscreen."""
    needed = dict(OFFSCREEN)
    if verb == "run" and environment.get("DISPLAY"):
        needed.update(X_SCREEN)
    elif verb == "run" and environment.get("WAYLAND_DISPLAY"):
        needed.update(WAYLAND_SCREEN)
    if verb == "package":
        needed.update(X_SCREEN)  # they go into the frozen app
    return needed


def missing_packages(
    verb: str,
    environment: Mapping[str, str],
    *,
    makes_venv: bool,
    found: Callable[[str], bool] = loads,
    font: Callable[[], bool] = has_font,
    module: Callable[[str], bool] = lambda name: importlib.util.find_spec(name) is not None,
    command: Callable[[str], bool] = lambda name: shutil.which(name) is not None,
) -> list[str]:
    """Debian packages that this verb needs and this machine lacks, in order of need.

    `found`, `font`, `module` and `command` ask the machine; a test answers in its place.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    missing = []
    if makes_venv and not (module("ensurepip") and module("venv")):
        missing.append(f"python{version}-venv")
    missing += [package for library, package in needed_libraries(verb, environment).items() if not found(library)]
    if not font():
        missing.append("fonts-dejavu-core")
    if verb == "package":
        if not command("objdump"):
            missing.append("binutils")
        if Path(sys.base_prefix) == Path("/usr") and not found(f"libpython{version}.so.1.0"):
            missing.append(f"libpython{version}")
    return missing


def has_postgres(folder: Path = Path("/usr/lib/postgresql")) -> bool:
    """Whether the programs of a PostgreSQL server are installed; Debian keeps them off the PATH."""
    return shutil.which("pg_ctl") is not None or any(folder.glob("*/bin/pg_ctl"))


def wanted_packages(verb: str, *, postgres: Callable[[], bool] = has_postgres) -> list[str]:
    """Debian packages without which this verb leaves something out: the server that tests of the store start."""
    return ["postgresql"] if verb in ("test", "bench") and not postgres() else []


def apt_line(packages: Iterable[str], *, sudo: bool) -> str:
    """The line a person types to install the packages: with sudo, or as root by su."""
    install = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    return f"sudo apt-get update && sudo {install}" if sudo else f"su -c 'apt-get update && {install}'"


def _may_install() -> list[str] | None:
    """What to put before apt-get: nothing for root, sudo where it asks no password; None where neither."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def provide(verb: str, *, makes_venv: bool, log: Path) -> None:
    """Install the Debian packages this verb lacks; nothing happens where all are there or the system is not Linux.

    Raises Stopped with the exact line to run where this user may not install, or apt-get fails. What is only wanted is
    done without, loudly, except in CI.
    """
    if not sys.platform.startswith("linux"):
        return
    _install(missing_packages(verb, os.environ, makes_venv=makes_venv), log)
    try:
        _install(wanted_packages(verb), log)
    except Stopped as stop:
        if os.environ.get("CI"):
            raise
        print(f"WARNING: without PostgreSQL everything about a shared server is skipped. {stop}", file=sys.stderr)


def _install(packages: list[str], log: Path) -> None:
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise Stopped(
            "This system lacks what the following Debian packages bring: " + " ".join(packages) + "; "
            "install their counterparts with the system's own package manager and run the same command again."
        )
    before = _may_install()
    if before is None:
        line = apt_line(packages, sudo=shutil.which("sudo") is not None)
        raise Stopped(f"System packages are missing and only root may install them; run this line, then again:\n{line}")
    print(f"Installing system packages: {' '.join(packages)}", flush=True)
    quiet = [*before, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        # An update that reaches only some of the sources is enough if the install then succeeds.
        subprocess.call([*quiet, "update"], stdout=out, stderr=out)
        code = subprocess.call(
            [*quiet, "install", "-y", "--no-install-recommends", *packages],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
        )
    if code != 0:
        raise Stopped(
            f"apt-get could not install {' '.join(packages)} (its words are in {log}); "
            "check the network connection and the package sources, and run the same command again."
        )
