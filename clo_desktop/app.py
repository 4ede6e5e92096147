"""Puts everything together: the window on a display, or the same job offscreen."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from clo_desktop.faults import Refused

_PATIENCE: Final = 600.0  # seconds the offscreen job waits for one step
_SETTLED: Final = 20  # looks, 10 ms apart, at which nothing was under way


def has_display() -> bool:
    """Whether a window could be shown."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def run_window(where: str | None, *, encrypt: bool = False) -> int:
    """Opens the window on a workspace; None: the user's own, before he has one that of the demo.

    encrypt  a workspace that is made anew is encrypted. Returns the exit code when the window closes.
    """
    if not has_display() and os.environ.get("QT_QPA_PLATFORM") != "offscreen":
        print("There is no display: doing the demo's whole job offscreen instead.")
        return run_offscreen(Path("out"), where)
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from clo_desktop import log, paths
    from clo_desktop.look import theme
    from clo_desktop.settings import load_settings, save_settings
    from clo_desktop.store.server.signing import is_server
    from clo_desktop.window import DEMO_DEAL, Window
    from clo_desktop.work.session import WINDOW, Session

    log.set_up(verbose=False)
    app = QApplication([sys.argv[0]])
    app.setApplicationName("CLO Desktop")
    settings = load_settings()
    theme.apply(app, settings.theme)
    session = Session()
    window = Window(session, settings, save_settings)
    window.show()

    own = paths.default_workspace()
    file = where or str(own if own.exists() else paths.demo_workspace())

    def opened() -> None:
        """The deal that was open last, or the demo deal where there is none; one's own workspace begins empty."""
        names = [d.name for d in session.deals]
        if not names and file != str(paths.default_workspace()) and not is_server(file):
            window.import_demo()
        elif names:
            last = settings.last_deal
            session.choose(last if last in names else DEMO_DEAL if DEMO_DEAL in names else names[0])

    def begin() -> None:
        if is_server(file):
            window.gate.ask_server(file, opened)
        else:
            session.open(file, opened, replace(WINDOW, encrypt=encrypt))
        session.warm_up()

    QTimer.singleShot(0, begin)  # after the first paint
    code = int(app.exec())
    leave_clipboard()
    return code


def leave_clipboard() -> None:
    """What was copied stays on the clipboard as plain text.

    Mime data made in Python that still lie there when the interpreter ends crash the process (PySide6).
    """
    from PySide6.QtGui import QGuiApplication

    clipboard = QGuiApplication.clipboard()
    if clipboard.ownsClipboard() or QGuiApplication.platformName() == "offscreen":  # which never says that it owns
        clipboard.setText(clipboard.text())


def run_offscreen(out: Path, where: str | None) -> int:
    """Imports the demo deal, evaluates and projects it, prints a summary, writes report and pictures to `out`."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtWidgets import QApplication

    from clo_desktop.look import theme
    from clo_desktop.settings import Settings
    from clo_desktop.window import DEMO_DEAL, DEMO_FILE, Window
    from clo_desktop.work import summary
    from clo_desktop.work.session import Session

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"The folder {out} cannot be made ({error.strerror}); name another with --out.") from error
    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    theme.apply(app, "light")
    session = Session()
    refused: list[str] = []
    session.refused.connect(refused.append)
    session.not_opened.connect(lambda entry: refused.append(entry.refused.message))
    window = Window(session, Settings(), lambda settings: None)
    window.resize(1600, 960)
    window.show()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            session.open(where or Path(scratch) / "demo.clo")
            _wait(lambda: session.lanes.idle)
            if not refused:
                print(f"Importing {DEMO_FILE} …")
                window.import_demo()
                session.warm_up()
                _wait(lambda: session.lanes.idle)
            if refused or session.compliance is None or session.projection is None:
                raise Refused(refused[0] if refused else "The demo deal could not be imported.")
            print(summary.compliance(session.compliance))
            print()
            print(summary.projection(session.projection.projection))
            print()
            session.report_file(out / "demo-report.xlsx")
            _wait(lambda: session.lanes.idle)
            if refused:
                raise Refused(refused[0])
            pictures = _pictures(app, window, out)
        finally:
            session.close()
            leave_clipboard()
    print(f"{DEMO_DEAL}: the report is {out / 'demo-report.xlsx'}; pictures of every pane are in {out}:")
    print("  " + ", ".join(p.name for p in pictures))
    return 0


def _wait(until: Callable[[], bool]) -> None:
    """Runs the event loop until something holds for some time on end: a task that ends may start another.

    Raises Refused when it takes too long.
    """
    from PySide6.QtCore import QEventLoop, QTimer

    loop, held = QEventLoop(), 0

    def look() -> None:
        nonlocal held
        held = held + 1 if until() else 0
        if held >= _SETTLED:
            loop.quit()

    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(look)
    limit = QTimer()
    limit.setSingleShot(True)
    limit.timeout.connect(loop.quit)
    limit.start(int(_PATIENCE * 1000))
    timer.start()
    loop.exec()
    timer.stop()
    if held < _SETTLED:
        raise Refused("The demo took too long; run it again, or see the log.")


def _pictures(app: object, window: object, out: Path) -> list[Path]:
    """The whole window and every pane, in light and dark."""
    from PySide6.QtWidgets import QApplication

    from clo_desktop.look import theme
    from clo_desktop.window import Window

    assert isinstance(app, QApplication)
    assert isinstance(window, Window)
    made: list[Path] = []
    failing = (
        next((r for r in window.session.compliance.results if r.outcome.value == "fail"), None)
        if (window.session.compliance is not None)
        else None
    )
    if failing is not None:
        window.compliance.table.select_keys([float(failing.number)])
    schemes: tuple[theme.Scheme, ...] = ("light", "dark")
    for scheme in schemes:
        theme.apply(app, scheme)
        for name, dock in window.docks.items():
            window.go_to(name)
            _wait(lambda: window.session.lanes.idle)  # panes fill step by step, some only once they are seen
            pane = dock.widget()
            if pane is None:
                continue
            made.append(out / f"{name}-{scheme}.png")
            pane.grab().save(str(made[-1]))
            if name in ("collateral", "compliance", "cashflows"):
                made.append(out / f"window-{name}-{scheme}.png")
                window.grab().save(str(made[-1]))
            if name == "cashflows" and window.session.projection is not None:
                flows = window.session.projection.projection
                window.cash_flows.show_payment(flows.payment_dates[0], flows.tranches[flows.equity].name)
                for _ in range(20):
                    app.processEvents()
                made.append(out / f"payment-{scheme}.png")
                pane.grab().save(str(made[-1]))
                window.cash_flows.close_payment()
    return made
