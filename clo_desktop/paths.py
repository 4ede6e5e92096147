"""Where the user's files live: the workspace, the settings, his own waterfalls, the logs and compiled kernels.

The operating system's usual places, or all of them under the folder that the environment variable CLO_HOME names.
No function makes a folder; who writes there does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import platformdirs

HOME_VARIABLE: Final = "CLO_HOME"
_NAME: Final = "CLO Desktop"


def _home() -> Path | None:
    named = os.environ.get(HOME_VARIABLE, "").strip()
    return Path(named).expanduser().absolute() if named else None


def default_workspace() -> Path:
    """The user's own workspace."""
    return (_home() or platformdirs.user_data_path(_NAME, appauthor=False)) / "workspace.clo"


def demo_workspace() -> Path:
    """The workspace of the demo deal, beside the user's own: for trying out, never encrypted."""
    return default_workspace().with_name("demo.clo")


def workspace_at_hand() -> Path:
    """The workspace that opens when none is named: the user's own; before he has one, that of the demo if it is there.

    Where there is neither it is the user's own: who opens it makes it.
    """
    own, demo = default_workspace(), demo_workspace()
    return demo if demo.exists() and not own.exists() else own


def settings_file() -> Path:
    return (_home() or platformdirs.user_config_path(_NAME, appauthor=False)) / "settings.json"


def waterfalls_folder() -> Path:
    """The folder of the user's own waterfall documents, beside the settings."""
    return settings_file().parent / "waterfalls"


def unsent_folder() -> Path:
    """The folder of edits that a server could not be told of yet, beside the user's own workspace."""
    return default_workspace().parent / "unsent"


def audit_folder() -> Path:
    """The folder of the keys and of the last known heads of audits, beside the workspace that opens by itself."""
    return default_workspace().parent / "audit"


def unsaved_folder() -> Path:
    """The folder of what windows have not stored yet, beside the workspace that opens by itself."""
    return default_workspace().parent / "unsaved"


def log_folder() -> Path:
    home = _home()
    return home / "log" if home else platformdirs.user_log_path(_NAME, appauthor=False)


def _cache_folder() -> Path:
    home = _home()
    return home / "cache" if home else platformdirs.user_cache_path(_NAME, appauthor=False)


def results_cache() -> Path:
    """The folder of results that are kept with the hash of their inputs; it may be emptied at any time."""
    return _cache_folder() / "results"


def numba_cache() -> Path:
    """The folder of compiled kernels; it may be emptied at any time."""
    return _cache_folder() / "numba"
