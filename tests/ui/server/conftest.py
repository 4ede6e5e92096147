"""A shared server with the demo deal on it, people of every role, and windows that they sign in to."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtTest import QTest  # noqa: F401  qtbot needs it loaded
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import resources
from clo_desktop.dialogs.porter import DEMO_DEAL, DEMO_FILE
from clo_desktop.dialogs.sign_in import SignInDialog
from clo_desktop.look import theme
from clo_desktop.settings import Settings
from clo_desktop.store.passwords import hashed
from clo_desktop.store.server.init import verifier_of
from clo_desktop.window import Window
from clo_desktop.work.desk import Desk
from clo_desktop.work.session import Session
from tests.store import postgres
from tests.store.conftest import cluster, database  # noqa: F401  the fixtures

SECRET = "staple-battery-correct"
ROLES = {"mia": "manager", "ann": "analyst", "vic": "viewer", "eve": "admin"}
_numbers = itertools.count()


@dataclass(frozen=True)
class Office:
    """A server with the demo deal: Mia manages it, Ann and Vic may read it, Eve administers."""

    server: postgres.Server
    database: str
    tag: str

    def email(self, who: str) -> str:
        return f"{who}.{self.tag}@desk.example"

    def address(self, who: str) -> str:
        return self.server.address(self.database, self.email(who), SECRET)

    def sql(self, statement: str, *arguments: object) -> None:
        """Carries out a statement as the server's administrator."""
        with self.server.connect(self.database) as on:
            on.execute(statement.encode(), arguments)


@pytest.fixture(scope="session")
def stocked_office(cluster: postgres.Server) -> Iterator[str]:  # noqa: F811
    """A database with the demo deal, to be copied."""
    name = f"office_{os.getpid()}"
    cluster.create(name, postgres.template(cluster))
    desk = Desk(cluster.address(name, postgres.ADMIN, postgres.PASSWORD))
    assert desk.import_file(resources.path(DEMO_FILE), DEMO_DEAL).imported
    desk.close()
    yield name
    cluster.drop(name)


@pytest.fixture
def office(cluster: postgres.Server, stocked_office: str) -> Iterator[Office]:  # noqa: F811
    """A server of a test's own."""
    number = next(_numbers)
    made = Office(cluster, f"{stocked_office}_{number}", f"office-{os.getpid()}-{number}")
    cluster.create(made.database, stocked_office)
    hash_ = hashed(SECRET, 10)
    with cluster.connect(made.database) as on:
        for who, role in ROLES.items():
            verifier = verifier_of(on, made.email(who), SECRET)
            on.execute(
                "SELECT sec.put_person(%s, %s, %s, %s, %s)", (made.email(who), who.title(), role, verifier, hash_)
            )
    for who, access in (("mia", "write"), ("ann", "read"), ("vic", "read")):
        made.sql(
            "INSERT INTO sec.assignments SELECT u.id, d.id, %s FROM sec.users u, clo.deals d WHERE u.email = %s",
            access,
            made.email(who),
        )
    yield made
    cluster.drop(made.database)


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=30_000)


Enter = Callable[[str], Window]


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, kept: list[Settings]) -> Iterator[Callable[[], Window]]:
    """Makes windows in which nothing is open; each is closed afterwards and leaves no timer that goes on."""
    made: list[Window] = []

    def make() -> Window:
        theme.apply(qapp, "light")
        shown = Window(Session(), Settings(theme="light"), kept.append)
        shown.show()
        qtbot.waitExposed(shown)
        made.append(shown)
        return shown

    yield make
    for shown in made:
        qtbot.waitUntil(lambda shown=shown: shown.cash_flows.filled)
        shown.close()
        shown.deleteLater()


@pytest.fixture
def enter(window: Callable[[], Window], office: Office, qtbot: QtBot, warm: None) -> Enter:
    """Signs somebody in to the office in a window of their own, and opens the demo deal."""

    def sign_in(who: str) -> Window:
        shown = window()
        session = shown.session
        shown.gate.ask_server(office.address(who), lambda: session.choose(DEMO_DEAL))
        qtbot.waitUntil(lambda: session.deal == DEMO_DEAL and session.lanes.idle, timeout=60_000)
        return shown

    return sign_in


def dialogs(kind: type) -> list:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]


def sign_in_dialog(shown: Window) -> SignInDialog:
    return shown.gate.ask_server()
