"""Who may touch which rows: grants and row-level security of every table, derived from what the table is.

A table of a deal is one whose foreign keys lead to `deals`, directly or through another table; a new one needs nothing
here. A table that no rule covers is refused, so none is ever open by oversight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

READERS: Final = ("clo_viewer", "clo_analyst", "clo_manager", "clo_admin")
WORKERS: Final = ("clo_analyst", "clo_manager", "clo_admin")
WRITERS: Final = ("clo_manager", "clo_admin")

_READABLE: Final = "ANY ((SELECT sec.readable())::int[])"
_WRITABLE: Final = "ANY ((SELECT sec.writable())::int[])"
_SIGNED_IN: Final = "(SELECT sec.my_role()) IS NOT NULL"
REGISTER: Final = "sec"
"""The schema of the register of people."""

ADMIN: Final = "(SELECT sec.my_role()) = 'admin'"


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: `groups` may carry out `command` on rows for which the expressions hold.

    seen   rows that are found (USING);  made  rows as they are to be (WITH CHECK); empty where the command has none
    """

    command: str
    groups: tuple[str, ...]
    seen: str = ""
    made: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be done with one table. The columns are those that may be written."""

    table: str
    policies: tuple[Policy, ...]
    insertable: tuple[str, ...] = ()
    updatable: tuple[str, ...] = ()
    versioned: bool = False

    @property
    def name(self) -> str:
        """The quoted name of the table, without its schema."""
        return self.table.split(".", 1)[1]


def rules(metadata: sa.MetaData) -> tuple[Rule, ...]:
    """The rule of every table of the store, and those of the register. Raises LookupError for a table without one."""
    return (*(rule_of(table) for table in metadata.sorted_tables), *_FIXED)


def rule_of(table: sa.Table) -> Rule:
    """The rule of one table. Raises LookupError where none covers it: say in `_NAMED` what it is."""
    if table.name in _NAMED:
        return _NAMED[table.name](table)
    if "owner" in table.c:
        return _private(table)
    if _way_to_deals(table) is not None:
        return _of_deal(table)
    raise LookupError(f"no rule says who may read and write the table {table.name}")


def _rule(table: sa.Table, policies: Sequence[Policy], *, updates: bool = True) -> Rule:
    fixed = {c.name for c in table.primary_key} | {"deal_id", "owner"}
    updatable = [c.name for c in table.c if c.name not in fixed] if updates else []
    insertable = [c.name for c in table.c if c.name != "id"]  # numbers are the server's to give
    return Rule(
        f"clo.{table.name}", tuple(policies), tuple(insertable), tuple(updatable), updates and "version" in table.c
    )


def _writes(groups: tuple[str, ...], condition: str) -> Iterator[Policy]:
    yield Policy("INSERT", groups, made=condition)
    yield Policy("UPDATE", groups, condition, condition)
    yield Policy("DELETE", groups, condition)


def _way_to_deals(table: sa.Table) -> sa.ForeignKeyConstraint | None:
    """The key that leads to `deals`; the direct one where there is one, else the first by name."""
    keys = [key for key in table.foreign_key_constraints if key.referred_table is not table]
    for key in sorted(keys, key=lambda key: (key.referred_table.name != "deals", str(key.name))):
        if key.referred_table.name == "deals" or _way_to_deals(key.referred_table) is not None:
            return key
    return None


def _in_deals(table: sa.Table, allowed: str) -> str:
    key = _way_to_deals(table)
    assert key is not None, table.name
    columns = _columns(key.column_keys)
    if key.referred_table.name == "deals":
        return f"{columns} = {allowed}"
    parents = _columns(element.column.name for element in key.elements)
    above = _in_deals(key.referred_table, allowed)
    return f'({columns}) IN (SELECT {parents} FROM clo."{key.referred_table.name}" WHERE {above})'


def _of_deal(table: sa.Table) -> Rule:
    """Rows of a deal: read by those it is assigned to, changed by managers it is assigned to for writing."""
    reads = Policy("SELECT", READERS, _in_deals(table, _READABLE))
    return _rule(table, [reads, *_writes(WRITERS, _in_deals(table, _WRITABLE))])


def _worked(table: sa.Table) -> Rule:
    """Work on a deal that changes nothing of it, such as ideas of trades: analysts' too, on deals they may read."""
    deal = _in_deals(table, _READABLE)
    return _rule(table, [Policy("SELECT", READERS, deal), *_writes(WORKERS, deal)])


def _library(table: sa.Table) -> Rule:
    """Scenarios, with their versions and tags: everybody reads them, their owner changes them."""
    if table.name == "scenarios":
        mine = f"owner = session_user AND {_SIGNED_IN}"
    else:
        mine = "scenario_id IN (SELECT s.id FROM clo.scenarios s WHERE s.owner = session_user)"
    return _rule(table, [Policy("SELECT", READERS, _SIGNED_IN), *_writes(WORKERS, mine)])


def _private(table: sa.Table) -> Rule:
    """Rows of one person, of analysts too: changed by their owner only, read by others where they are shared."""
    mine = "owner = session_user"
    seen = f"({mine} OR shared)" if "shared" in table.c else mine
    if _way_to_deals(table) is not None:
        deal = _in_deals(table, _READABLE)
        mine, seen = f"{mine} AND {deal}", f"{seen} AND {deal}"
    active = f"{_SIGNED_IN} AND "
    return _rule(table, [Policy("SELECT", READERS, active + seen), *_writes(WORKERS, active + mine)])


def _deals(table: sa.Table) -> Rule:
    makes = "(SELECT sec.my_role()) IN ('manager', 'admin')"
    changes = f"id = {_WRITABLE}"
    return _rule(
        table,
        [
            Policy("SELECT", READERS, "sec.may_read(id)"),
            Policy("INSERT", WRITERS, made=makes),
            Policy("UPDATE", WRITERS, changes, changes),
            Policy("DELETE", WRITERS, changes),
        ],
    )


def _assets(table: sa.Table) -> Rule:
    """The master belongs to all deals: nobody deletes from it, and a manager changes what own deals list, or none."""
    return _rule(
        table,
        [
            Policy("SELECT", READERS, _SIGNED_IN),
            Policy("INSERT", WRITERS, made=_SIGNED_IN),
            Policy("UPDATE", WRITERS, "sec.may_change_asset(asset_id)", _SIGNED_IN),
        ],
    )


def _imports(table: sa.Table) -> Rule:
    """The history only grows; it knows deals by name and outlives them, when administrators still read it."""
    return _rule(
        table,
        [
            Policy("SELECT", READERS, f"deal = ANY ((SELECT sec.readable_names())::text[]) OR {ADMIN}"),
            Policy("INSERT", WRITERS, made="deal = ANY ((SELECT sec.writable_names())::text[])"),
        ],
        updates=False,
    )


WORKED: Final = ("ideas", "idea_rows", "idea_assets", "idea_pools", "idea_pool_positions")
"""Ideas of trades: analysts' work on deals they may read."""


def _applied_operations(table: sa.Table) -> Rule:
    """Which changes of offline copies were applied: it only grows, and each person asks about their own."""
    own = f"{_SIGNED_IN} AND owner = session_user"
    return _rule(table, [Policy("SELECT", READERS, own), Policy("INSERT", WRITERS, made=own)], updates=False)


def _deleted_deals(table: sa.Table) -> Rule:
    """Numbers of deals that were deleted, written by a trigger."""
    return _rule(table, [Policy("SELECT", READERS, _SIGNED_IN)], updates=False)


_NAMED: Final[dict[str, Callable[[sa.Table], Rule]]] = {
    "deals": _deals,
    "assets": _assets,
    "imports": _imports,
    "applied_operations": _applied_operations,
    "deleted_deals": _deleted_deals,
    **dict.fromkeys(WORKED, _worked),
    **dict.fromkeys(("scenarios", "scenario_versions", "scenario_tags"), _library),
}

_OWN: Final = f"{_SIGNED_IN} AND email = session_user OR {ADMIN}"
_OWN_DEALS: Final = f"{ADMIN} OR user_id = (SELECT u.id FROM sec.users u WHERE u.email = session_user)"
_BY_FUNCTIONS: Final = Policy("ALL", ("clo_roleadmin",), "true", "true")

_FIXED: Final = (
    Rule("clo.alembic_version", (Policy("SELECT", READERS, "true"),)),
    Rule(
        "sec.users",
        (Policy("SELECT", READERS, _OWN), Policy("SELECT", ("clo_audit",), "true"), _BY_FUNCTIONS),
    ),
    Rule("sec.assignments", (Policy("SELECT", READERS, _OWN_DEALS), _BY_FUNCTIONS)),
    Rule("sec.step_ups", (_BY_FUNCTIONS,)),
)
"""Tables whose grants stand in resources/server, column by column."""


def statements(found: Iterable[Rule]) -> Iterator[str]:
    """SQL that makes each table obey its rule whatever it obeyed before, to be run as clo_owner."""
    for rule in found:
        table = _quoted(rule.table)
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield (
            "DO $$ DECLARE p name; BEGIN FOR p IN SELECT polname FROM pg_policy "
            f"WHERE polrelid = '{table}'::regclass LOOP EXECUTE format('DROP POLICY %I ON {table}', p); "
            "END LOOP; END $$"
        )
        for number, policy in enumerate(rule.policies):
            seen = f" USING ({policy.seen})" if policy.seen else ""
            made = f" WITH CHECK ({policy.made})" if policy.made else ""
            groups = ", ".join(policy.groups)
            name = f"{policy.command.lower()}_{number}"
            yield f"CREATE POLICY {name} ON {table} FOR {policy.command} TO {groups}{seen}{made}"
        if rule.table.startswith("clo."):
            yield from _grants(rule, table)
        if rule.versioned:
            yield (
                f"CREATE OR REPLACE TRIGGER guard_version BEFORE UPDATE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION sec.guard_version()"
            )


def _grants(rule: Rule, table: str) -> Iterator[str]:
    yield f"REVOKE ALL ON {table} FROM PUBLIC, {', '.join(READERS)}"
    yield f"GRANT SELECT ON {table} TO {', '.join(READERS)}"
    for policy in rule.policies:
        groups = ", ".join(policy.groups)
        if policy.command == "INSERT":
            yield f"GRANT INSERT ({_columns(rule.insertable)}) ON {table} TO {groups}"
        if policy.command == "UPDATE" and rule.updatable:
            yield f"GRANT UPDATE ({_columns(rule.updatable)}) ON {table} TO {groups}"
        if policy.command == "DELETE":
            yield f"GRANT DELETE ON {table} TO {groups}"


def _columns(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _quoted(table: str) -> str:
    schema, name = table.split(".", 1)
    return f'{schema}."{name}"'
