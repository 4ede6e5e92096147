"""Every action as data: menu, key, palette entry and tool tip come from one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clo_desktop.work import rights


@dataclass(frozen=True, slots=True)
class Command:
    """One action.

    id       what the window binds a function to
    menu     the menu it stands in; "" for none
    text     its words, with & before the access key
    keys     shortcuts, the first of which is shown
    tip      what it does, one sentence
    aliases  further words the palette finds it by
    ruled    a line stands above it in the menu
    needs    the permission without which a shared server would refuse it; "" for none
    """

    id: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    aliases: tuple[str, ...] = ()
    ruled: bool = False
    needs: str = ""

    @property
    def words(self) -> str:
        """The text without the access key."""
        return self.text.replace("&", "")


MENUS: Final = ("&File", "&View", "&Deal", "&Trade", "&Run", "&Help")

COMMANDS: Final = (
    Command(
        "import",
        "&File",
        "&Import workbook…",
        ("Ctrl+I",),
        "Import a deal from a workbook",
        ("load", "open excel"),
        needs=rights.IMPORT,
    ),
    Command(
        "export", "&File", "&Export workbook…", ("Ctrl+E",), "Write the deal in the workbook layout", ("save excel",)
    ),
    Command("report", "&File", "Export &report…", ("Ctrl+Shift+E",), "Write tests and cash flows as an Excel report"),
    Command(
        "tables",
        "&File",
        "Export &tables…",
        (),
        "Write every table of the run as a CSV file",
        ("csv", "classes"),
        needs=rights.RUN,
    ),
    Command(
        "pack",
        "&File",
        "Export scenario &pack…",
        (),
        "Write the deal with the scenarios kept, what they rest on and the figures into one file",
        ("clopack", "reproduce"),
        ruled=True,
        needs=rights.RUN,
    ),
    Command(
        "unpack",
        "&File",
        "Open s&cenario pack…",
        (),
        "Run a scenario pack here and compare every figure",
        ("clopack",),
        needs=rights.RUN,
    ),
    Command(
        "scenario.import",
        "&File",
        "Import sce&narios…",
        (),
        "Import the former model's scenario parameters into the library",
        ("mag scenarios", "parameters"),
        needs=rights.KEEP,
    ),
    Command(
        "former.import",
        "&File",
        "Import &former databases…",
        (),
        "Import the former system's assets, correlations, scenarios, configuration and reference data",
        ("sqlite", "migrate", "correlations"),
        needs=rights.IMPORT,
    ),
    Command("open", "&File", "&Open workspace…", ("Ctrl+O",), "Open another workspace file", ("database",), ruled=True),
    Command("own", "&File", "&My workspace", (), "Open your own workspace, or make it", ("encrypted", "new")),
    Command("backup", "&File", "&Back up now", (), "Back up the workspace and prove the backup", ("save", "safe")),
    Command("restore", "&File", "Re&store backup…", (), "Put a backup in the place of the workspace", ("damaged",)),
    Command("encryption", "&File", "Encr&yption…", (), "Encrypt the workspace, or change its key", ("passphrase",)),
    Command("recovery", "&File", "Recovery &key…", (), "Show the recovery key to print or save it", ("print key",)),
    Command(
        "demo",
        "&File",
        "Import &demo deal",
        (),
        "Import the deal that ships with the application",
        ("harbor",),
        needs=rights.IMPORT,
    ),
    Command(
        "server",
        "&File",
        "Open ser&ver…",
        ("Ctrl+Shift+O",),
        "Sign in to a shared server",
        ("postgresql", "sign in", "log in"),
        ruled=True,
    ),
    Command(
        "offline",
        "&File",
        "Take deals alon&g…",
        (),
        "Copy deals of the open server into a workspace file of yours",
        ("work offline", "copy deals", "pull"),
    ),
    Command(
        "synchronise",
        "&File",
        "Sync&hronise…",
        ("Ctrl+Shift+S",),
        "Send what waits on this computer and fetch what others changed",
        ("sync", "offline", "push", "give", "drop", "waiting"),
    ),
    Command("signout", "&File", "Sign o&ut", (), "Leave the shared server; nothing of it stays in sight", ("log out",)),
    Command("password", "&File", "Change my pass&word…", (), "A new password of your own on the server"),
    Command("lock", "&File", "&Lock now", ("Ctrl+Shift+L",), "Show nothing until the password is typed", ("hide",)),
    Command("lock.after", "&File", "Lock &after…", (), "Minutes without anybody after which it locks", ("idle",)),
    Command("quit", "&File", "&Quit", ("Ctrl+Q",), "Close the application", ("exit",), ruled=True),
    Command("pane.collateral", "&View", "&Collateral", ("Ctrl+1",), "Go to the positions", ("assets", "portfolio")),
    Command("pane.compliance", "&View", "C&ompliance", ("Ctrl+2",), "Go to the tests", ("tests", "limits")),
    Command("pane.cashflows", "&View", "Cash &flows", ("Ctrl+3",), "Go to the cash flows", ("classes", "tranches")),
    Command("pane.waterfall", "&View", "&Waterfall", ("Ctrl+4",), "Go to the steps of a payment", ("explain", "trace")),
    Command("pane.scenarios", "&View", "Sce&narios", ("Ctrl+Shift+5",), "Go to the levers", ("grid", "tornado")),
    Command("pane.run", "&View", "&Run", ("Ctrl+5",), "Go to the assumptions", ("cdr", "cpr", "scenario")),
    Command("pane.imports", "&View", "I&mport report", ("Ctrl+6",), "Go to the report of the last import", ("faults",)),
    Command("pane.trades", "&View", "&Trades", ("Ctrl+7",), "Go to hypothetical trades", ("pad", "hypo", "what if")),
    Command("pane.inbox", "&View", "In&box", ("Ctrl+8",), "Go to what is doubtful in the data", ("doubts",)),
    Command("pane.matrix", "&View", "&Quality matrix", ("Ctrl+9",), "Go to Moody's quality matrix", ("warf", "elect")),
    Command("pane.audit", "&View", "Aud&it", ("Ctrl+Shift+U",), "Go to who changed what", ("history", "log", "verify")),
    Command("pane.health", "&View", "&Health", ("Ctrl+Shift+H",), "Go to whether all is well", ("monitor", "status")),
    Command(
        "metrics",
        "&View",
        "Metrics for &Prometheus…",
        (),
        "A file of figures for Prometheus, and its folder",
        ("monitor",),
    ),
    Command("pane.users", "&View", "&Users", ("Ctrl+Shift+P",), "Go to the people of the server", ("roles", "rights")),
    Command("pane.deals", "&View", "&Deals", ("Ctrl+0",), "Go to the list of deals", ("rail",)),
    Command(
        "theme.system", "&View", "Theme of the &system", (), "Follow the desktop's light or dark scheme", ruled=True
    ),
    Command("theme.light", "&View", "&Light theme", (), "Light surfaces", ("bright",)),
    Command("theme.dark", "&View", "D&ark theme", (), "Dark surfaces", ("night",)),
    Command("theme.contrast", "&View", "Hi&gh contrast", (), "Strongest contrast", ("accessible",)),
    Command("dense", "&View", "D&ense rows", ("Ctrl+Shift+D",), "Lower table rows", ("compact",)),
    Command("layout", "&View", "Reset la&yout", (), "Put every pane back in its place", ("docks",), ruled=True),
    Command(
        "test",
        "&Deal",
        "&New test…",
        ("Ctrl+T",),
        "Write, change or remove a test of your own",
        ("own test",),
        needs=rights.WRITE,
    ),
    Command(
        "snapshot",
        "&Deal",
        "Take &snapshot",
        (),
        "Store the results of the tests",
        ("trend",),
        needs=rights.WRITE,
    ),
    Command(
        "delete",
        "&Deal",
        "&Delete deal…",
        (),
        "Delete the open deal from the workspace",
        ("remove",),
        needs=rights.WRITE,
    ),
    Command("trade.add", "&Trade", "&Add trade", ("Ctrl+Shift+A",), "Type a hypothetical trade", ("buy", "sell")),
    Command("trade.largest", "&Trade", "&Largest size that passes", ("Ctrl+L",), "Of the trade in the current row"),
    Command(
        "trade.project",
        "&Trade",
        "&Project before and after",
        (),
        "Coverage tests and equity's cash",
        ("irr",),
        needs=rights.RUN,
    ),
    Command("trade.new", "&Trade", "&New idea", (), "Another list of trades", ("branch",), ruled=True),
    Command("trade.branch", "&Trade", "&Duplicate idea", (), "A copy of the open idea", ("branch", "copy")),
    Command("trade.stored", "&Trade", "&Stored ideas…", (), "Open, rename or delete ideas", ("saved", "branches")),
    Command("trade.beside", "&Trade", "Side b&y side", (), "Two ideas beside each other", ("compare",)),
    Command("trade.marginal", "&Trade", "Effect of one &million", (), "Of every asset, on tests", ("1m",), ruled=True),
    Command("trade.rank", "&Trade", "&Ranking", (), "Candidates by the objective", ("best", "relative value")),
    Command("trade.bids", "&Trade", "&Bid list…", (), "A pasted list against every deal", ("bwic", "fit")),
    Command("trade.import", "&Trade", "&Import trades…", (), "A CSV file into the pad", ("csv",), ruled=True),
    Command("trade.export", "&Trade", "&Export trades…", (), "The open idea as a CSV file", ("csv",)),
    Command(
        "run",
        "&Run",
        "&Run projection",
        ("F5",),
        "Project the cash flows under the assumptions",
        ("calculate",),
        needs=rights.RUN,
    ),
    Command("cancel", "&Run", "&Cancel", ("Shift+Esc",), "Stop everything that is under way", ("stop", "abort")),
    Command(
        "palette", "&Help", "Command &palette…", ("Ctrl+K",), "Find any action or deal by typing", ("search", "find")
    ),
    Command("about", "&Help", "&About", (), "Version, workspace and licence", ("version",)),
)
