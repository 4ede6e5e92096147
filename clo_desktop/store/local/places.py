"""Where a workspace must not be written: network drives, whose locks cannot be relied on, and synchronised folders."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

MOUNTS: Path = Path("/proc/self/mounts")

_NETWORK: Final = frozenset(
    "nfs nfs4 cifs smb smb3 smbfs afs afpfs ncpfs ceph glusterfs lustre gpfs beegfs davfs webdav "
    "fuse.sshfs fuse.smbnetfs fuse.davfs2 fuse.rclone fuse.glusterfs fuse.s3fs fuse.gcsfuse".split()
)
_SYNCED: Final = re.compile(
    r"dropbox( \(.*\))?|onedrive( - .*)?|google ?drive|my drive|icloud ?drive|mobile documents|cloudstorage"
    r"|nextcloud|owncloud|pclouddrive|box sync|creative cloud files",
    re.IGNORECASE,
)
_SYNCED_AT_HOME: Final = frozenset({"box", "mega", "sync", "syncthing"})  # common words elsewhere
_REMOTE_DRIVE: Final = 4  # what GetDriveType calls a network drive


def unsafe_place(file: Path) -> str:
    """Why `file` must not be written where it is ("on a network drive (nfs)"); empty where it may."""
    where = file.parent.absolute()
    if kind := _network(where):
        return f"on a network drive ({kind})"
    if folder := _synced(where):
        return f"in a folder that is synchronised with a cloud ({folder})"
    return ""


def _network(folder: Path) -> str:
    if str(folder).startswith(("\\\\", "//")):
        return str(folder).replace("/", "\\").split("\\")[2]
    if sys.platform == "win32":
        import ctypes

        drive = folder.drive
        return drive if drive and ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == _REMOTE_DRIVE else ""
    kind = _mounted(os.path.realpath(folder), _mounts())
    return kind if kind in _NETWORK else ""


def _mounts() -> list[tuple[str, str]]:
    """Mount points with their file systems, the later mounted last."""
    if sys.platform == "darwin":
        said = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=10).stdout
        return re.findall(r" on (.+) \((\w+)[,)]", said)
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    fields = [line.split(" ") for line in lines]
    # a space in a mount point is written \040
    return [(re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), f[1]), f[2]) for f in fields if len(f) > 2]


def _mounted(folder: str, mounts: list[tuple[str, str]]) -> str:
    """The file system that holds `folder`: that of the longest mount point above it, the later of two equal ones."""
    best, kind = -1, ""
    for point, system in mounts:
        above = point.rstrip("/")
        if (folder == above or folder.startswith(f"{above}/")) and len(above) >= best:
            best, kind = len(above), system
    return kind


def _synced(folder: Path) -> str:
    for part in folder.parts:
        if _SYNCED.fullmatch(part):
            return part
    try:
        first = folder.relative_to(Path.home()).parts[:1]
    except (ValueError, RuntimeError):
        return ""
    return first[0] if first and first[0].casefold() in _SYNCED_AT_HOME else ""
