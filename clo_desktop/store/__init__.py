"""Where deals are kept: an SQLite file of the user's own, or a PostgreSQL server, through one schema."""

from __future__ import annotations

from clo_desktop.store.correlations import Correlations
from clo_desktop.store.ideas import IdeaRow, PoolState, StoredIdea
from clo_desktop.store.intake import Intake, Taken
from clo_desktop.store.records import DealSummary, ImportRecord
from clo_desktop.store.reference import ReferenceTable, Setting
from clo_desktop.store.scenarios import Saved
from clo_desktop.store.snapshots import Snapshot, SnapshotTest
from clo_desktop.store.store import Store, open_store

__all__ = [
    "Correlations",
    "DealSummary",
    "IdeaRow",
    "ImportRecord",
    "Intake",
    "PoolState",
    "ReferenceTable",
    "Saved",
    "Setting",
    "Snapshot",
    "SnapshotTest",
    "Store",
    "StoredIdea",
    "Taken",
    "open_store",
]
