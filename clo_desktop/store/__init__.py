"""Where deals are kept: an SQLite file of the user's own, or a PostgreSQL server, through one schema."""

from __future__ import annotations

from clo_desktop.store.ideas import IdeaRow, PoolState, StoredIdea
from clo_desktop.store.records import DealSummary, ImportRecord
from clo_desktop.store.scenarios import Saved
from clo_desktop.store.snapshots import Snapshot, SnapshotTest
from clo_desktop.store.store import Store, open_store

__all__ = [
    "DealSummary",
    "IdeaRow",
    "ImportRecord",
    "PoolState",
    "Saved",
    "Snapshot",
    "SnapshotTest",
    "Store",
    "StoredIdea",
    "open_store",
]
