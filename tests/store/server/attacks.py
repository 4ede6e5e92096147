"""Attempts to do on a shared server what one may not, with one's own password and the driver alone.

An attack is held where the server refuses it for lack of right, or where it finds and changes no row. Any other error
counts as a breach: it says that the attempt went further than the rights of whoever made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import sql

from clo_desktop.store import schema
from clo_desktop.store.server.rules import WORKED
from tests.store.server.world import LOOSE, SECRET, World, of_deal

FORBIDDEN: Final = "42501"
STALE: Final = "CL001"
_SCRAM: Final = "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$c3RvcmVka2V5:c2VydmVya2V5"
_BCRYPT: Final = "$2a$10$" + "a" * 53


@dataclass(frozen=True, slots=True)
class Attack:
    """One attempt of `who`: statements of which the last must come to nothing.

    refusals  states that count as a refusal;  empty  whether finding no row counts too
    alone  whether it must run outside of a transaction
    """

    who: str
    name: str
    statements: tuple[Any, ...]
    parameters: tuple[Any, ...] = ()
    refusals: tuple[str, ...] = (FORBIDDEN,)
    empty: bool = False
    alone: bool = False


def breach(on: psycopg.Connection[Any], attack: Attack) -> str | None:
    """What the attack achieved, which is nothing where it was held; all is rolled back."""
    on.autocommit = attack.alone
    try:
        for statement in attack.statements[:-1]:
            on.execute(statement)
        done = on.execute(attack.statements[-1], attack.parameters or None)
        if attack.empty and (done.fetchall() if done.description else done.rowcount) in ([], 0):
            return None
        return f"{attack.who}: {attack.name}: done ({done.statusmessage})"
    except psycopg.Error as reason:
        if reason.sqlstate in attack.refusals:
            return None
        return f"{attack.who}: {attack.name}: {reason.sqlstate} {reason}"
    finally:
        if not on.closed:
            on.rollback()


def every(world: World) -> list[Attack]:
    """All attacks on a world, except those that need more than one connection."""
    groups: tuple[Callable[[World], Iterator[Attack]], ...] = (
        _on_tables, _on_deals, _on_copies, _on_assets, _on_register, _on_roles, _on_functions, _on_the_system,
        _on_secrets,
    )  # fmt: skip
    return [attack for group in groups for attack in group(world)]


def _on_tables(world: World) -> Iterator[Attack]:
    """Every table of a deal's rows, every command, everybody who may not."""
    for table in schema.metadata.sorted_tables:
        condition = of_deal(table)
        if condition is None or table.name == "deals":
            continue
        name = sql.Identifier("clo", table.name)
        key, column = (sql.Identifier(c) for c in (next(iter(table.primary_key)).name, _changeable(table)))
        change = sql.SQL("UPDATE {t} SET {c} = {c} WHERE ").format(t=name, c=column) + condition
        remove = sql.SQL("DELETE FROM {} WHERE ").format(name) + condition
        read = sql.SQL("SELECT {} FROM {} WHERE ").format(key, name) + condition
        copied = _copy(table, condition)
        for who in ("vic", "ann", "gone"):
            mine = (world.deals["mine"],)
            owned = ("owner" in table.c or table.name in WORKED) and who == "ann"
            if not owned:
                yield Attack(who, f"insert into {table.name}", (copied,), mine, empty=who == "gone")
                yield Attack(who, f"update {table.name}", (change,), mine, empty=who == "gone")
                yield Attack(who, f"delete from {table.name}", (remove,), mine, empty=who == "gone")
            yield Attack(who, f"truncate {table.name}", (sql.SQL("TRUNCATE {} CASCADE").format(name),))
        yield Attack("gone", f"read {table.name} after deactivation", (read,), (world.deals["mine"],), empty=True)
        readable = () if table.name in WORKED else ("seen",)  # ideas are work on a deal, not changes of it
        for deal in ("foreign", *readable):
            there = (world.deals[deal],)
            yield Attack("mia", f"update {table.name} of {deal}", (change,), there, empty=True)
            yield Attack("mia", f"delete from {table.name} of {deal}", (remove,), there, empty=True)
        if readable:
            yield Attack("mia", f"insert into {table.name} of seen", (copied,), (world.deals["seen"],))
        for who in ("mia", "ann", "vic"):
            yield Attack(who, f"read {table.name} of foreign", (read,), (world.deals["foreign"],), empty=True)
        yield Attack("mia", f"insert into {table.name} of foreign", (_blank(table, world.deals["foreign"]),))
        yield Attack("mia", f"truncate {table.name}", (sql.SQL("TRUNCATE {}").format(name),))
        if table.name != "labelled_values":
            yield Attack("vic", f"lock {table.name}", (sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(name),))


def _changeable(table: sa.Table) -> str:
    keys = {c.name for c in table.primary_key}
    names = [c.name for c in table.c if c.name not in keys and not c.foreign_keys and c.name != "version"]
    return names[0] if names else next(c.name for c in table.c if c.name not in keys | {"deal_id"})


def _copy(table: sa.Table, condition: sql.Composable) -> sql.Composable:
    columns = sql.SQL(", ").join(sql.Identifier(c.name) for c in table.c if c.name != "id")
    name = sql.Identifier("clo", table.name)
    return sql.SQL("INSERT INTO {t} ({c}) SELECT {c} FROM {t} WHERE ").format(t=name, c=columns) + condition


def _blank(table: sa.Table, deal: int) -> sql.Composable:
    """A row of a deal that cannot be seen; that the rest of the row is missing is only noticed after the rights."""
    column = next(key.parent.name for key in table.foreign_keys if key.column.table.name != "assets")
    name = sql.Identifier("clo", table.name)
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(name, sql.Identifier(column), sql.Literal(str(deal)))


def _on_deals(world: World) -> Iterator[Attack]:
    mine, seen, foreign = (world.deals[name] for name in ("mine", "seen", "foreign"))
    rename = "UPDATE clo.deals SET name = 'taken', version = version + 1 WHERE id = %s"
    for who in ("vic", "ann"):
        yield Attack(who, "rename a deal", (rename,), (mine,))
        yield Attack(who, "delete a deal", ("DELETE FROM clo.deals WHERE id = %s",), (mine,))
        yield Attack(who, "make a deal", ("INSERT INTO clo.deals (name, currency, version) VALUES ('x', 'USD', 1)",))
        yield Attack(who, "lock deals for others", ("SELECT id FROM clo.deals FOR UPDATE",))
        yield Attack(who, "share rows of a deal", ("SELECT id FROM clo.deals FOR SHARE",))
        yield Attack(who, "copy into deals", ("COPY clo.deals (name) FROM STDIN",))
        yield Attack(
            who, "merge into deals",
            ("MERGE INTO clo.deals d USING (SELECT 1 AS x) s ON d.id = s.x WHEN MATCHED THEN DELETE",),
        )  # fmt: skip
        yield Attack(
            who, "upsert a deal",
            ("INSERT INTO clo.deals (name, currency, version) VALUES ('mine', 'USD', 1)"
             " ON CONFLICT (name) DO UPDATE SET currency = 'EUR'",),
        )  # fmt: skip
    for deal, what in ((seen, "read-only"), (foreign, "foreign")):
        yield Attack("mia", f"rename a {what} deal", (rename,), (deal,), empty=True)
        yield Attack("mia", f"delete a {what} deal", ("DELETE FROM clo.deals WHERE id = %s",), (deal,), empty=True)
        yield Attack(
            "mia", f"move holdings into a {what} deal",
            (sql.SQL("UPDATE clo.holdings SET deal_id = {} WHERE deal_id = {}").format(deal, mine),),
        )  # fmt: skip
        yield Attack(
            "mia", f"lock a {what} deal", ("SELECT id FROM clo.deals WHERE id = %s FOR UPDATE",), (deal,), empty=True
        )
        upsert = sql.SQL(
            "INSERT INTO clo.deals (name, currency, version) SELECT {}, 'USD', 1"
            " ON CONFLICT (name) DO UPDATE SET currency = 'EUR'"
        ).format("seen" if deal == seen else "foreign")
        yield Attack("mia", f"upsert a {what} deal", (upsert,))
    for who in ("mia", "ann", "vic"):
        yield Attack(who, "read a foreign deal", ("SELECT * FROM clo.deals WHERE id = %s",), (foreign,), empty=True)
        yield Attack(
            who, "read a foreign deal through XML",
            ("SELECT 1 WHERE query_to_xml('SELECT * FROM clo.deals', true, false, '')::text LIKE '%foreign%'",),
            empty=True,
        )  # fmt: skip
        yield Attack(
            who,
            "see foreign holdings by a division by zero",
            (f"SELECT 1 / (par - par)::int FROM clo.holdings WHERE deal_id = {foreign}",),
            empty=True,
        )
        yield Attack(
            who, "count foreign holdings by an error of the filter",
            (f"SELECT 1 FROM clo.holdings WHERE deal_id = {foreign} AND 1 / (par - par)::int = 1",), empty=True,
        )  # fmt: skip
        yield Attack(
            who, "read foreign imports", ("SELECT * FROM clo.imports WHERE deal = 'foreign'",), empty=True,
        )  # fmt: skip
        yield Attack(who, "see through statistics", ("SELECT * FROM pg_stats WHERE schemaname = 'clo'",), empty=True)
        yield Attack(
            who, "turn row security off", ("SET row_security = off", "SELECT * FROM clo.holdings"),
        )  # fmt: skip
        yield Attack(
            who, "say to be someone else in a setting",
            (f"SET clo.name_ = '{world.email('ada')}'", f"SELECT * FROM clo.deals WHERE id = {foreign}"), empty=True,
        )  # fmt: skip
    yield Attack("mia", "choose the number of a deal",
                 ("INSERT INTO clo.deals (id, name, currency, version) VALUES (99999, 'x', 'USD', 1)",))  # fmt: skip
    yield Attack("mia", "renumber a deal", (f"UPDATE clo.deals SET id = 99999 WHERE id = {mine}",))
    yield Attack("mia", "reset the numbers of deals", ("SELECT setval('clo.deals_id_seq', 1)",))
    for step in ("version", "version + 2", "version - 1", "1000"):
        yield Attack("mia", f"write a deal with version = {step}",
                     (f"UPDATE clo.deals SET currency = 'EUR', version = {step} WHERE id = {mine}",),
                     refusals=(STALE,))  # fmt: skip
    yield Attack("mia", "write a deal blindly", (f"UPDATE clo.deals SET currency = 'EUR' WHERE id = {mine}",),
                 refusals=(STALE,))  # fmt: skip
    for who in ("vic", "ann", "mia"):
        yield Attack(who, "rewrite the history of imports", ("UPDATE clo.imports SET par = 0",))
        yield Attack(who, "delete the history of imports", ("DELETE FROM clo.imports",))
        yield Attack(who, "change the format's number", ("UPDATE clo.alembic_version SET version_num = '0'",))
        yield Attack(who, "delete the format's number", ("DELETE FROM clo.alembic_version",))
    importing = (
        "INSERT INTO clo.imports (deal, file_name, sha256, imported_at, assets, holdings, par, warnings)"
        " VALUES (%s, 'f', 'x', now(), 1, 1, 1, 0)"
    )
    for deal in ("foreign", "seen", "invented"):
        yield Attack("mia", f"note an import of {deal}", (importing,), (deal,))
    for who in ("ann", "vic"):
        yield Attack(who, "note an import", (importing,), ("mine",))


def _on_copies(world: World) -> Iterator[Attack]:
    """What offline copies leave on the server: who applied which change, and which deals were deleted."""
    columns = "op_id, owner, deal, version, applied_at"
    noting = f"INSERT INTO clo.applied_operations ({columns}) VALUES ('x', %s, 'mine', 1, now())"
    yield Attack("mia", "note a change as another's", (noting,), (world.email("max"),))
    for who in ("vic", "ann", "gone"):
        yield Attack(who, "note a change as applied", (noting,), (world.email(who),))
    for who in ("vic", "mia", "eve"):
        for table in ("applied_operations", "deleted_deals"):
            yield Attack(who, f"rewrite {table}", (f"UPDATE clo.{table} SET version = 7",))
            yield Attack(who, f"empty {table}", (f"DELETE FROM clo.{table}",))
        deleted = "INSERT INTO clo.deleted_deals (number, version, deleted_at) VALUES (1, 1, now())"
        yield Attack(who, "call a deal deleted", (deleted,))
        yield Attack(who, "call the trigger of hints", ("SELECT sec.tell_deal()",))


def _on_assets(world: World) -> Iterator[Attack]:
    for who in ("vic", "ann"):
        yield Attack(who, "add an asset", ("INSERT INTO clo.assets (asset_id) VALUES ('new')",))
        yield Attack(who, "change an asset", (f"UPDATE clo.assets SET issuer_name = 'x' WHERE asset_id = '{LOOSE}'",))
        yield Attack(who, "upsert an asset", (
            f"INSERT INTO clo.assets (asset_id) VALUES ('{LOOSE}') ON CONFLICT (asset_id) DO UPDATE"
            " SET issuer_name = 'x'",))  # fmt: skip
    for who in ("vic", "ann", "mia", "eve"):
        yield Attack(who, "delete assets", ("DELETE FROM clo.assets",))
        yield Attack(who, "rename an asset", ("UPDATE clo.assets SET asset_id = 'x'",))
    yield Attack("gone", "read the master after deactivation", ("SELECT * FROM clo.assets",), empty=True)
    yield Attack("gone", "add an asset after deactivation", ("INSERT INTO clo.assets (asset_id) VALUES ('new')",))
    for deal in ("foreign", "seen"):
        yield Attack("mia", f"change an asset that only {deal} lists", (
            f"UPDATE clo.assets SET issuer_name = 'x' WHERE asset_id = '{deal}-0'",), empty=True)  # fmt: skip


def _on_register(world: World) -> Iterator[Attack]:
    for who in ("vic", "ann", "mia", "eve"):
        me = world.email(who)
        yield Attack(who, "make oneself administrator", (f"UPDATE sec.users SET role = 'admin' WHERE email = '{me}'",))
        yield Attack(who, "make oneself active", ("UPDATE sec.users SET is_active = true",))
        yield Attack(who, "set one's own hash", (f"UPDATE sec.users SET hashed_password = '{_BCRYPT}'",))
        yield Attack(who, "register someone", (
            f"INSERT INTO sec.users (email, full_name, hashed_password, role) VALUES ('x@y', '', '{_BCRYPT}', 'admin')",
        ))  # fmt: skip
        yield Attack(who, "strike people off", ("DELETE FROM sec.users",))
        yield Attack(who, "read hashes", ("SELECT hashed_password FROM sec.users",))
        yield Attack(who, "read whole rows of people", ("SELECT * FROM sec.users",))
        yield Attack(who, "assign a deal to oneself", (
            f"INSERT INTO sec.assignments SELECT id, {world.deals['foreign']}, 'write' FROM sec.users",))  # fmt: skip
        yield Attack(who, "turn reading into writing", ("UPDATE sec.assignments SET access = 'write'",))
        yield Attack(who, "take deals from others", ("DELETE FROM sec.assignments",))
        yield Attack(who, "read step-ups", ("SELECT * FROM sec.step_ups",))
        yield Attack(who, "forge a step-up", ("INSERT INTO sec.step_ups VALUES (1, pg_backend_pid(), now(), now())",))
    for who in ("vic", "ann", "mia"):
        me = world.email(who)
        yield Attack(who, "see other people", (f"SELECT email FROM sec.users WHERE email <> '{me}'",), empty=True)
        yield Attack(who, "see what is assigned to others", (
            "SELECT user_id FROM sec.assignments WHERE user_id NOT IN"
            f" (SELECT id FROM sec.users WHERE email = '{me}')",), empty=True)  # fmt: skip
    yield Attack("gone", "see oneself after deactivation", ("SELECT email FROM sec.users",), empty=True)
    yield Attack("gone", "see deals after deactivation", ("SELECT id FROM clo.deals",), empty=True)


def _on_roles(world: World) -> Iterator[Attack]:
    dba = world.server.user
    for who in ("vic", "ann", "mia", "eve"):
        me = sql.Identifier(world.email(who))
        for role in ("clo_owner", "clo_audit", "clo_roleadmin", dba, "pg_read_server_files", world.email("max")):
            yield Attack(who, f"become {role.split('.')[0]}", (sql.SQL("SET ROLE {}").format(sql.Identifier(role)),))
        for role in (dba, "clo_owner", world.email("max")):
            begin = sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(role))
            yield Attack(who, f"sign in again as {role.split('.')[0]}", (begin,))
        for power in ("SUPERUSER", "CREATEROLE", "BYPASSRLS", "CREATEDB", "REPLICATION", "CONNECTION LIMIT -1"):
            yield Attack(who, f"give oneself {power}", (sql.SQL("ALTER ROLE {} ").format(me) + sql.SQL(power),))
        yield Attack(who, "change another's password", (
            sql.SQL("ALTER ROLE {} PASSWORD 'x'").format(sql.Identifier(world.email("max"))),))  # fmt: skip
        yield Attack(who, "make a role", ("CREATE ROLE own_role",))
        yield Attack(who, "drop a role", (sql.SQL("DROP ROLE {}").format(sql.Identifier(world.email("max"))),))
        granted = "SELECT 1 WHERE has_table_privilege('public', 'clo.holdings', 'INSERT, UPDATE, DELETE, TRUNCATE')"
        yield Attack(who, "grant a table to all", ("GRANT ALL ON clo.holdings TO PUBLIC", granted), empty=True)
        for group in ("clo_admin", "clo_owner", "clo_roleadmin", "pg_read_all_data"):
            if who != "eve" or group != "clo_admin":
                yield Attack(who, f"join {group}", (sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), me),))
    for who in ("vic", "ann", "mia"):
        yield Attack(who, "take a higher group", ("SET ROLE clo_admin",))


def _on_functions(world: World) -> Iterator[Attack]:
    mia, vic = world.email("mia"), world.email("vic")
    foreign = world.deals["foreign"]
    administration = {
        "create_person": (f"('x@desk.example', 'X', 'admin', '{_SCRAM}', '{_BCRYPT}')"),
        "set_role": f"('{vic}', 'admin')",
        "assign": f"('{mia}', {foreign}, 'write')",
        "set_active": f"('{world.email('gone')}', true)",
        "reset_password": f"('{world.email('ada')}', '{_SCRAM}', '{_BCRYPT}')",
        "unlock": f"('{mia}')",
        "end_sessions": f"('{world.email('max')}')",
    }
    for function, arguments in administration.items():
        for who in ("vic", "ann", "mia", "gone", "eve"):  # eve is an administrator who has not said her password again
            yield Attack(who, f"call {function}", (f"SELECT sec.{function}{arguments}",))
    for who in ("vic", "mia", "eve"):
        if who == "eve":
            yield Attack(who, "lift one's own lock", (f"SELECT sec.unlock('{world.email('eve')}')",))
        else:
            yield Attack(who, "list sessions", ("SELECT * FROM sec.sessions()",))
        yield Attack(who, "change the password without saying it", (
            f"SELECT sec.change_password('{_SCRAM}', '{_BCRYPT}')",))  # fmt: skip
        for call in (
            f"put_person('x@desk.example', '', 'admin', '{_SCRAM}', '{_BCRYPT}')",
            f"put_password('{world.email('ada')}', '{_SCRAM}', '{_BCRYPT}')",
            f"put_in_group('{vic}', 'admin', true)", f"stop_sessions('{world.email('max')}')",
            f"person('{vic}', false)", "require_admin()", "require_step_up()", "require(true, '')",
            f"check_secrets('{_SCRAM}', '{_BCRYPT}')",
        ):  # fmt: skip
            yield Attack(who, f"call {call.split('(')[0]}", (f"SELECT sec.{call}",))
        yield Attack(who, "count wrong passwords down", ("SELECT setval('sec.attempts_2', 0)",))
        yield Attack(who, "call pgcrypto", ("SELECT crypto.crypt('x', crypto.gen_salt('bf'))",))
    stepped = (sql.SQL("SELECT sec.step_up({})").format(SECRET),)
    eve = world.email("eve")
    odd = ("22023", "P0002", FORBIDDEN, "42710")
    for name, call in {
        "change one's own role": f"set_role('{eve}', 'viewer')",
        "shut oneself out": f"set_active('{eve}', false)",
        "make the superuser a viewer": f"set_role('{world.server.user}', 'viewer')",
        "reset the superuser": f"reset_password('{world.server.user}', '{_SCRAM}', '{_BCRYPT}')",
        "reset an owner": f"reset_password('clo_owner', '{_SCRAM}', '{_BCRYPT}')",
        "register an owner": f"create_person('clo_owner', '', 'admin', '{_SCRAM}', '{_BCRYPT}')",
        "register the superuser": f"create_person('{world.server.user}', '', 'admin', '{_SCRAM}', '{_BCRYPT}')",
        "inject by e-mail": f"create_person('a@b\" SUPERUSER --', '', 'viewer', '{_SCRAM}', '{_BCRYPT}')",
        "inject by role": f"create_person('x@desk.example', '', 'viewer SUPERUSER', '{_SCRAM}', '{_BCRYPT}')",
        "inject by verifier": f"create_person('x@desk.example', '', 'viewer', '{_SCRAM}'' SUPERUSER --', '{_BCRYPT}')",
        "set a plain password": f"create_person('x@desk.example', '', 'viewer', 'secret', '{_BCRYPT}')",
        "set a weak hash": f"create_person('x@desk.example', '', 'viewer', '{_SCRAM}', '$2a$04${'a' * 53}')",
        "set a misread hash": f"create_person('x@desk.example', '', 'viewer', '{_SCRAM}', '$2b{_BCRYPT[3:]}')",
        "set a role that is none": f"set_role('{vic}', 'owner')",
        "set no role": f"set_role('{vic}', NULL)",
        "give a right that is none": f"assign('{vic}', {foreign}, 'own')",
    }.items():
        yield Attack("eve", name, (*stepped, f"SELECT sec.{call}"), refusals=(*odd, "23514", "23502"))


def _on_the_system(world: World) -> Iterator[Attack]:
    database = sql.Identifier(world.database)
    for who in ("vic", "mia", "eve"):
        for name, statement in {
            "make a function": "CREATE FUNCTION clo.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "make a leaky function": "CREATE FUNCTION pg_temp.f(float) RETURNS bool COST 0.001 LANGUAGE plpgsql AS "
                                     "'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'",
            "make a temporary table": "CREATE TEMP TABLE t (x int)",
            "make a table": "CREATE TABLE clo.t (x int)",
            "make a table in public": "CREATE TABLE public.t (x int)",
            "make a view": "CREATE VIEW sec.v AS SELECT * FROM clo.deals",
            "make a schema": "CREATE SCHEMA own",
            "make an extension": "CREATE EXTENSION dblink",
            "make an operator": "CREATE OPERATOR clo.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
            "run a block": "DO 'BEGIN PERFORM 1; END'",
            "disable triggers": "ALTER TABLE clo.deals DISABLE TRIGGER ALL",
            "add a trigger": "CREATE TRIGGER t BEFORE INSERT ON clo.holdings EXECUTE FUNCTION sec.guard_version()",
            "add a rule": "CREATE RULE r AS ON INSERT TO clo.holdings DO INSTEAD NOTHING",
            "drop a policy": "DROP POLICY select_0 ON clo.holdings",
            "add a policy": "CREATE POLICY mine ON clo.holdings USING (true)",
            "disable row security": "ALTER TABLE clo.holdings DISABLE ROW LEVEL SECURITY",
            "drop a table": "DROP TABLE clo.holdings",
            "add a column": "ALTER TABLE clo.holdings ADD COLUMN x int",
            "own a table": "ALTER TABLE clo.holdings OWNER TO CURRENT_USER",
            "rewrite a function": "ALTER FUNCTION sec.my_role() RESET ALL",
            "drop a function": "DROP FUNCTION sec.my_role()",
            "replicate": "SET session_replication_role = replica",
            "run a program": "COPY clo.holdings TO PROGRAM 'cat'",
            "write a file": "COPY clo.holdings TO '/tmp/x'",
            "read a file": "COPY clo.holdings FROM '/etc/passwd'",
            "read a file by function": "SELECT pg_read_file('/etc/passwd')",
            "list files": "SELECT pg_ls_dir('.')",
            "read passwords": "SELECT rolpassword FROM pg_authid",
            "read passwords of pg_shadow": "SELECT passwd FROM pg_shadow",
            "read the rules of access": "SELECT * FROM pg_hba_file_rules",
            "store a large object": "SELECT lo_create(0)",
            "store bytes as a large object": "SELECT lo_from_bytea(0, 'x')",
            "import a large object": "SELECT lo_import('/etc/passwd')",
            "delete a large object": "SELECT lo_unlink(1)",
            "sleep": "SELECT pg_sleep(0.001)",
            "hold an advisory lock": "SELECT pg_advisory_lock(1)",
            "try an advisory lock": "SELECT pg_try_advisory_xact_lock(1)",
            "end a session": "SELECT pg_terminate_backend(pg_backend_pid())",
            "cancel a session": "SELECT pg_cancel_backend(0)",
            "write to the log of changes": "SELECT pg_logical_emit_message(false, 'x', 'y')",
            "make a replication slot": "SELECT pg_create_physical_replication_slot('x')",
            "reload the server": "SELECT pg_reload_conf()",
            "set the server": "ALTER SYSTEM SET log_statement = 'all'",
            "log statements": "SET log_statement = 'all'",
            "log parameters": "SET log_parameter_max_length = -1",
            "lock deals": "LOCK TABLE sec.users IN ACCESS EXCLUSIVE MODE",
            "lock the register": "LOCK TABLE sec.assignments IN SHARE MODE",
            "vacuum": "ANALYZE (SKIP_LOCKED) sec.no_such",
            "publish": "CREATE PUBLICATION p FOR ALL TABLES",
            "subscribe": "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
            "add a server": "CREATE SERVER s FOREIGN DATA WRAPPER f",
            "comment": "COMMENT ON TABLE clo.holdings IS 'x'",
            "label": "SECURITY LABEL ON TABLE clo.holdings IS 'x'",
            "trigger on events": "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION sec.guard_version()",
            "change a default": "ALTER DEFAULT PRIVILEGES FOR ROLE clo_owner GRANT ALL ON TABLES TO PUBLIC",
        }.items():  # fmt: skip
            alone = name in ("set the server", "subscribe")
            others = {"vacuum": ("3F000", "42P01"), "add a server": ("42704",), "label": ("22023",)}
            yield Attack(who, name, (statement,), refusals=(FORBIDDEN, *others.get(name, ())), alone=alone)
        yield Attack(
            who, "drop the database", (sql.SQL("ALTER DATABASE {} SET search_path = pg_temp").format(database),)
        )
        grant = sql.SQL("GRANT TEMP ON DATABASE {} TO PUBLIC").format(database)
        granted = "SELECT 1 WHERE has_database_privilege('public', current_database(), 'TEMP')"
        yield Attack(who, "give the database away", (grant, granted), empty=True)


def _on_secrets(world: World) -> Iterator[Attack]:
    for who in ("vic", "ann", "mia", "eve"):
        me = world.email(who)
        yield Attack(who, "see what others run", (
            "SELECT query FROM pg_stat_activity WHERE usename <> session_user"
            " AND query NOT IN ('<insufficient privilege>', '')",), empty=True)  # fmt: skip
        yield Attack(who, "see where others are", (
            f"SELECT client_addr FROM pg_stat_activity WHERE usename <> '{me}' AND client_addr IS NOT NULL",),
            empty=True)  # fmt: skip
        yield Attack(who, "see one's own privileges grow", (
            "SELECT 1 FROM pg_roles WHERE rolname = session_user AND (rolsuper OR rolcreaterole OR rolbypassrls"
            " OR rolcreatedb OR rolreplication)",), empty=True)  # fmt: skip
