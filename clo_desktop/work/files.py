"""Files into the open workspace and out of it: workbooks, reports, tables, scenario packs, former systems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clo_desktop.faults import Refused
from clo_desktop.figures import counted
from clo_desktop.progress import Progress
from clo_desktop.work import former_databases, former_scenarios, packs, rights
from clo_desktop.work.csv_tables import write_csv
from clo_desktop.work.desk import Desk, Imported
from clo_desktop.work.lanes import DATABASE, ENGINE, Task

if TYPE_CHECKING:
    from clo_desktop.work.session import Session


class Files:
    """What a session does with files, in its lanes; what cannot be done it refuses. Lives on the GUI thread."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def import_file(self, path: Path, deal: str) -> Task[Imported] | None:
        """Imports a workbook in the database lane and opens the deal where it was stored."""
        desk = self._session.open_desk()
        self._session.seat.check(rights.IMPORT)

        def done(outcome: Imported) -> None:
            self._session.reports.append(outcome)
            self._session.imported.emit(outcome)
            if outcome.imported:
                self._session.deals = tuple(d for d in self._session.deals if d.name != outcome.deal)
                self._session.refresh(lambda: self._session.choose(outcome.deal))

        return self._session.start(
            DATABASE, f"Import {path.name}", lambda report: desk.import_file(path, deal, report), done
        )

    def export_file(self, path: Path) -> None:
        """Writes the open deal in the workbook layout."""
        desk, deal = self._session.open_desk(), self._session.open_book().deal.name
        self._session.start(
            DATABASE,
            f"Export {deal}",
            lambda report: desk.export_file(deal, path),
            lambda nothing: self._session.said.emit(f"{deal} was written to {path}."),
        )

    def report_file(self, path: Path) -> None:
        """Writes the results of the open deal as an Excel report."""
        desk, deal = self._session.open_desk(), self._session.open_book().deal.name
        assumptions = self._session.projection.projection.assumptions if self._session.projection is not None else None
        self._session.start(
            ENGINE,
            f"Report of {deal}",
            lambda report: desk.report_file(deal, path, assumptions),
            lambda nothing: self._session.said.emit(f"The report of {deal} was written to {path}."),
        )

    def tables_files(self, folder: Path) -> None:
        """Writes every table of the last run into a folder, a CSV file each."""
        if self._session.projection is None:
            raise Refused("There is no run yet; press F5 first.")
        flows, desk, book = self._session.projection.projection, self._session.open_desk(), self._session.open_book()
        self._session.start(
            ENGINE,
            f"Tables of {flows.deal}",
            lambda report: write_csv(desk.tables_of(book, flows), folder),
            lambda files: self._session.said.emit(f"{len(files)} tables of {flows.deal} were written to {folder}."),
        )

    def write_pack(self, path: Path, scenarios: Sequence[tuple[str, str]]) -> None:
        """Writes a scenario pack of the open deal, in the engine lane."""
        desk, deal = self._session.open_desk(), self._session.open_book().deal.name
        self._session.start(
            ENGINE,
            f"Pack {deal}",
            lambda report: packs.write(desk, deal, path, scenarios, report=report),
            lambda pack: self._session.said.emit(
                f"{deal} under {counted(len(pack.scenarios), 'scenario')} was written to {path}."
            ),
        )

    def check_pack(self, path: Path, done: Callable[[packs.Check], object]) -> None:
        """Opens a scenario pack and runs it from what it holds, in the engine lane; nothing is stored."""
        self._session.open_desk()
        self._session.start(ENGINE, f"Check {path.name}", lambda report: packs.check(packs.read(path), report), done)

    def store_pack(self, pack: packs.Pack, name: str = "") -> None:
        """Stores the deal and the scenarios of a pack; `name`: the deal's, where it shall have another one."""

        def done(stored: tuple[Any, tuple[str, ...]]) -> None:
            faults, said = stored
            self._session.said.emit(" ".join((*said, *(fault.message for fault in faults))))
            self._session.refresh()

        self._session.ask(f"Store {pack.name}", lambda desk, _report: packs.store(desk, pack, name), done)

    def import_scenarios(self, path: Path, done: Callable[[str], object]) -> None:
        """Imports the former model's scenario parameters into the library; `done` takes the report in words."""

        def work(desk: Desk, _report: Progress) -> str:
            found = former_scenarios.read(path)
            saved, refused = former_scenarios.save(desk.store, found)
            return "\n".join((*former_scenarios.lines(found), *saved, *refused))

        def told(report: str) -> None:
            done(report)
            self._session.deals_changed.emit()

        self._session.ask(f"Import {path.name}", work, told)

    def import_former(self, paths: Sequence[Path], done: Callable[[str], object]) -> None:
        """Imports databases of the former system; `done` takes the report in words, the first line for each file."""
        desk = self._session.open_desk()

        def work(report: Progress) -> tuple[former_databases.Outcome, ...]:
            return former_databases.import_files(desk.store, paths, report)

        def told(outcomes: tuple[former_databases.Outcome, ...]) -> None:
            desk.forget()
            done("\n".join(former_databases.lines(outcomes)))
            if self._session.deal is not None:
                self._session.reread()
            self._session.deals_changed.emit()

        name = paths[0].name if len(paths) == 1 else f"{len(paths)} databases"
        self._session.start(DATABASE, f"Import {name}", work, told)
