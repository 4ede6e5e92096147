"""A snapshot and an idea as tests store them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from clo_desktop.store import IdeaRow, PoolState, Snapshot, SnapshotTest, StoredIdea
from engine.asset import Asset

NOON = dt.datetime(2026, 3, 31, 12, 0, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(hours=5)

TEST = SnapshotTest(
    number=29,
    name="Cov-lite",
    kind="share",
    direction="MAX",
    outcome="pass",
    result=0.2,
    threshold=0.6,
    cushion=0.4,
    cushion_par=1e8,
    cushion_names=None,
    numerator=1e8,
    denominator=5e8,
    limit_source="deal",
    comment="",
)
SNAPSHOT = Snapshot(dt.date(2026, 3, 31), NOON, "import", "ab" * 32, "workbook", 5e8, (TEST,))
POOL = PoolState("cd" * 32, dt.date(2026, 3, 31), 1e6, "ef" * 32, {"LX1": (1e6, "01"), "LX2": (2.5e6, "02")})


def an_idea(key: str = "k1", name: str = "Idea 1", **more: Any) -> StoredIdea:
    rows = (IdeaRow("Sell", "LX1", "1m", "99.5", ""), IdeaRow("Buy", "nobody knows", "", "", "2026-04-30"))
    fresh = (Asset(asset_id="NEW1", issuer_name="Ünïcode", maturity=dt.date(2030, 1, 1), coupon_spread=0.04, dip=True),)
    return StoredIdea(**{"key": key, "name": name, "rows": rows, "pool": POOL, "created_at": NOON, "changed_at": NOON,
                         "assets": fresh, **more})  # fmt: skip
