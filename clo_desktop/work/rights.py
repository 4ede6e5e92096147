"""What whoever is signed in may do, in words. The window only hides what the server would refuse. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from clo_desktop.store.server.people import Person

READ: Final = "read:portfolios"
RUN: Final = "execute:waterfall"
WRITE: Final = "write:portfolios"
IMPORT: Final = "import:assets"
MANAGE: Final = "manage:users"
AUDIT: Final = "read:audit"
KEEP: Final = "keep:own-work"
"""Ideas of trades and scenarios of one's own: whoever may run a waterfall may keep them."""

_RESTS_ON: Final = {KEEP: RUN}

_WHO: Final = {
    RUN: "analysts, managers and administrators run projections",
    KEEP: "analysts, managers and administrators store ideas and scenarios",
    WRITE: "managers and administrators change deals",
    IMPORT: "managers and administrators import workbooks",
    MANAGE: "administrators manage users",
    AUDIT: "administrators read the audit",
}


def why_not(person: Person | None, permission: str, deal: str | None = None) -> str:
    """Why someone may not do this, as a sentence; empty where they may. None is whoever works in a file: all is theirs.

    deal  the deal that it is about, where it is about one
    """
    if person is None or not permission:
        return ""
    if _RESTS_ON.get(permission, permission) not in person.permissions:
        who = _WHO.get(permission, "others do this")
        return f"You are {_article(person.role)} here, and only {who}; ask an administrator."
    if permission == WRITE and deal is not None and person.role != "admin" and (deal, "write") not in person.deals:
        return f"You may read {deal} but not change it; ask an administrator to assign it to you for writing."
    return ""


def _article(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {'administrator' if role == 'admin' else role}"
