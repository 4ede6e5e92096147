"""The file of a scenario pack: a zip of JSON and YAML parts, each with its hash in the manifest. No Qt.

The same content gives the same bytes. Reading unpacks within limits, checks every hash, and writes nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from clo_desktop.faults import Refused
from clo_desktop.sheets.archive import MEGABYTE, ZIP, Archive

SUFFIX: Final = ".clopack"
KIND: Final = "CLO Desktop scenario pack"
FORMAT: Final = 1
"""The newest format that this application writes and reads."""

CODE: Final = "pack"
MANIFEST: Final = "manifest.json"
MAX_FILE: Final = 50 * MEGABYTE
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)  # of every part, so that the same content gives the same bytes
_AGAIN: Final = "get it again from its sender"


class _PackArchive(Archive):
    code: ClassVar[str] = CODE
    again: ClassVar[str] = _AGAIN
    resave: ClassVar[str] = _AGAIN
    unlock: ClassVar[str] = "ask for one without a password"
    fewer: ClassVar[str] = _AGAIN
    enough: ClassVar[str] = "a scenario pack needs"
    plain: ClassVar[str] = _AGAIN

    def _check_all(self, seen: set[str]) -> None:
        if MANIFEST not in seen:
            raise self.refused("is an archive but no scenario pack", f"choose a file that `clo pack` wrote (*{SUFFIX})")


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def as_json(data: Any) -> bytes:
    """JSON with sorted keys: the same data, the same bytes."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def packed(about: Mapping[str, Any], parts: Mapping[str, bytes]) -> bytes:
    """The bytes of a pack: what the manifest says beside the hashes, and the parts by name."""
    hashes = {name: digest(data) for name, data in parts.items()}
    manifest = {"kind": KIND, "format": FORMAT, **about, "parts": hashes}
    manifest["seal"] = _seal(manifest)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in ((MANIFEST, as_json(manifest)), *sorted(parts.items())):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def unpacked(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest of a pack and its parts, checked against their hashes.

    Raises Refused for what is no pack, is cut short or changed, would unpack to too much, or is of a newer format.
    """
    name = path.name
    archive = _PackArchive(_read(path), name)
    manifest = _manifest(archive)
    hashes = manifest["parts"]
    if sorted(hashes) != sorted(set(archive.parts) - {MANIFEST}):
        raise _changed(name, "its parts are not those that its manifest lists")
    if manifest.get("seal") != _seal({key: value for key, value in manifest.items() if key != "seal"}):
        raise _changed(name, "the manifest is not what was written")
    parts = {part: archive.read(part) for part in sorted(hashes)}
    for part, data in parts.items():
        if digest(data) != hashes[part]:
            raise _changed(name, f"{part} is not what was written")
    return manifest, parts


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise Refused(f"{path.name} is not there or is no file: choose a scenario pack (*{SUFFIX}).", code=CODE)
        if (size := path.stat().st_size) > MAX_FILE:
            raise Refused(f"{path.name} is larger than {MAX_FILE // MEGABYTE} MB: it is no scenario pack.", code=CODE)
        data = path.read_bytes()
    except OSError as error:
        raise Refused(
            f"{path.name} cannot be read ({error.strerror or error}): check its rights.", code=CODE
        ) from error
    if size == 0:
        raise Refused(f"{path.name} is empty (0 bytes): {_AGAIN}.", code=CODE)
    if not data.startswith(ZIP):
        raise Refused(f"{path.name} is no scenario pack: choose a file that `clo pack` wrote (*{SUFFIX}).", code=CODE)
    return data


def _manifest(archive: _PackArchive) -> dict[str, Any]:
    try:
        manifest = json.loads(archive.read(MANIFEST))
    except (ValueError, RecursionError) as error:
        raise archive.damaged() from error
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise archive.refused("is no scenario pack", f"choose a file that `clo pack` wrote (*{SUFFIX})")
    form = manifest.get("format")
    if not isinstance(form, int) or isinstance(form, bool) or form < 1:
        raise _changed(archive.name, "the manifest is not what was written")
    if form > FORMAT:
        raise archive.refused(
            f"was written by a newer CLO Desktop ({manifest.get('application', 'unknown')}; its format is {form}, this "
            f"one reads up to {FORMAT})",
            "update the application",
        )
    if not isinstance(manifest.get("parts"), dict):
        raise _changed(archive.name, "the manifest is not what was written")
    return manifest


def _seal(manifest: Mapping[str, Any]) -> str:
    return digest(as_json(manifest))


def _changed(name: str, what: str) -> Refused:
    return Refused(f"{name} was changed after it was written ({what}): {_AGAIN}.", code=CODE)
