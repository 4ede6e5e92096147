"""The waterfalls there are: those that ship and the user's own, files of a folder. No Qt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import resources
from clo_desktop import paths
from clo_desktop.faults import Refused
from engine.projection import choose_document, document_named
from engine.terms import Book, lookup
from engine.waterfall import Document, WaterfallError
from engine.waterfall.text import LONGEST, read_text
from resources import library

_NAME_LINE: Final = re.compile(
    r"""^["']?name["']?[ \t]*:[ \t]*["']?([^"'#\r\n]+?)["']?[ \t]*(?:#.*)?\r?$""", re.MULTILINE
)
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9])?")
_SUFFIX: Final = ".yaml"
_MOST_BYTES: Final = 4 * LONGEST
"""A text of the longest has at most so many."""


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file of the folder. A document, or the fault that keeps it from being one (or from being used).

    name  of the document; of a damaged file what its line `name:` says, else the name of the file
    """

    path: Path
    name: str
    document: Document | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Waterfalls:
    """Documents by name, the shipped first, and the files of the user's folder."""

    documents: Mapping[str, Document]
    files: tuple[OwnFile, ...]

    def of(self, book: Book, name: str | None = None) -> Document:
        """The waterfall of that name, else the one a deal names or that fits its classes.

        Raises Refused where the file of that name is damaged, StructureError where none is known, fits, or several do.
        A damaged file is no concern of deals that do not name it.
        """
        named = lookup(book.deal.clo_inputs, "Waterfall") if name is None else name
        if named is not None:
            faults = [f.fault for f in self.files if f.fault and self._is_meant(f, str(named))]
            if faults:
                raise Refused(faults[0], code="waterfall")
        return choose_document(book, self.documents) if name is None else document_named(book, self.documents, name)

    def _is_meant(self, file: OwnFile, name: str) -> bool:
        """Whether that name means this file: its document's, or its own where no document has it."""
        return file.name == name or (file.path.stem == name and name not in self.documents)


def known() -> Waterfalls:
    """Every waterfall; files of the folder are read again where they changed."""
    shipped = library.waterfalls()
    files = tuple(_told_apart(list(_files(paths.waterfalls_folder())), shipped))
    own = {f.name: f.document for f in files if f.document is not None and not f.fault}
    return Waterfalls({**shipped, **own}, files)


def read_file(path: Path) -> Document:
    """A document of a file, checked. Raises Refused naming the file, the line or step, and the remedy."""
    try:
        return read_text(_text(path))
    except WaterfallError as error:
        raise Refused(f"{path.name}: {error}", code="waterfall") from error


def text_of(document: Document) -> str:
    """The text of a document there is: of the shipped file, or of the user's own. Raises Refused where it is gone."""
    own = next((f.path for f in known().files if f.document is document and not f.fault), None)
    if own is not None:
        return _text(own)
    for path in sorted(resources.path("waterfalls").iterdir()):
        if (found := _NAME_LINE.search(text := _text(path))) is not None and found[1] == document.name:
            return text
    raise Refused(f"The file of the waterfall {document.name} is gone; add it again.", code="waterfall")


def add(path: Path, *, replace: bool = False) -> tuple[Document, Path]:
    """Copies a checked document into the folder; gives it and where it is now.

    replace  also over the user's own document of that name. Raises Refused; then nothing was written.
    """
    document = read_file(path)
    name, folder = document.name, paths.waterfalls_folder()
    if name in library.waterfalls():
        raise Refused(_ships(path, name), code="waterfall")
    if not _FILE_NAME.fullmatch(name):
        raise Refused(
            f"{path.name}: the name {name!r} cannot be that of a file; write letters, digits, ., _ and - (80 at most).",
            code="waterfall",
        )
    same = [f.path for f in known().files if f.name == name]
    if len(same) > 1:
        files = " and ".join(p.name for p in same)
        raise Refused(f"{files} in {folder} are both named {name}; take one of them away.", code="waterfall")
    target = same[0] if same else folder / f"{name}{_SUFFIX}"
    if target.exists() and target.samefile(path):
        raise Refused(f"{path.name} is in the folder of your waterfalls already; nothing was copied.", code="file")
    if target.exists() and not replace:
        raise Refused(
            f"Your waterfalls have {name} already ({target}); add --replace to write over it, or name this one "
            "otherwise.",
            code="waterfall",
        )
    fresh = target.with_name(f".{target.name}.new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(path.read_bytes())
        fresh.replace(target)  # whole or not at all
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise Refused(
            f"{target} cannot be written ({error.strerror or error}); see to the folder's rights and room.", code="file"
        ) from error
    return document, target


def _ships(path: Path, name: str) -> str:
    return f"{path.name}: {name!r} is the name of a waterfall that ships; give yours another name."


def _text(path: Path) -> str:
    """The text of a file. Raises Refused for what is no text, or cannot be read."""
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise Refused(
                f"{path.name} has {size:,} bytes, too many for a waterfall; check the file.", code="waterfall"
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Refused(
            f"{path.name}, line {line}: this is no UTF-8 text; save it as UTF-8.", code="waterfall"
        ) from error
    except OSError as error:
        raise Refused(
            f"{path} cannot be read ({error.strerror or error}); check the name and the rights.", code="file"
        ) from error


def _files(folder: Path) -> Iterator[OwnFile]:
    """Every *.yaml of the folder in the order of the names; nothing where there is no folder."""
    try:
        found = sorted(p for p in folder.iterdir() if p.suffix.lower() == _SUFFIX and not p.name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refused(
            f"The folder of your waterfalls {folder} cannot be read ({error.strerror or error}); see to its rights.",
            code="file",
        ) from error
    for path in found:
        try:
            if path.is_file():
                state = path.stat()
                yield _read(path, state.st_mtime_ns, state.st_size)
        except (Refused, OSError) as error:
            yield OwnFile(path, path.stem, None, str(error))


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int, _size: int) -> OwnFile:
    """A file as it is at that time; the same file gives the same document."""
    try:
        document = read_file(path)
    except Refused as refused:
        if refused.code == "file":  # rights may change without the file: not to be remembered
            raise
        return OwnFile(path, _name_in(path), None, f"{refused.message} (The file is in {path.parent}.)")
    return OwnFile(path, document.name, document)


def _name_in(path: Path) -> str:
    """What a damaged file would call its document."""
    found = _NAME_LINE.search(path.read_bytes()[:_MOST_BYTES].decode("utf-8-sig", errors="replace"))
    return path.stem if found is None else found[1]


def _told_apart(files: list[OwnFile], shipped: Mapping[str, Document]) -> Iterator[OwnFile]:
    """The files, with a fault where the name is one that ships or of another file."""
    for file in files:
        others = [f.path.name for f in files if f.name == file.name and f is not file]
        if file.fault:
            yield file
        elif file.name in shipped:
            yield OwnFile(file.path, file.name, None, f"{_ships(file.path, file.name)} (It is in {file.path.parent}.)")
        elif others:
            fault = f"{' and '.join([file.path.name, *others])} are both named {file.name}; take one away"
            yield OwnFile(
                file.path, file.name, None, f"{fault} or name it otherwise. (They are in {file.path.parent}.)"
            )
        else:
            yield file
