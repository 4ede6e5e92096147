"""Ways to weaken a server by one rule each. What guards it has to notice: the attacks, the check, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.store.server.world import World


@dataclass(frozen=True, slots=True)
class Mutation:
    """One rule less, as a superuser would take it away; names in braces are people of the world.

    redundant  why no attack gets through though the rule is gone; empty where attacks notice it
    undo       what takes back a change to roles, which belong to the whole server
    """

    name: str
    statements: str
    redundant: str = ""
    undo: str = ""

    def sql(self, statements: str, world: World) -> str:
        for who in ("mia", "ann", "vic", "max", "gone", "eve"):
            statements = statements.replace("{" + who + "}", f'"{world.email(who)}"')
        return statements.replace("{database}", f'"{world.database}"')


def _body(function: str, returns: str, body: str, arguments: str = "", volatility: str = "STABLE") -> str:
    owner = f"ALTER FUNCTION sec.{function}({arguments.split(' ')[-1] if arguments else ''}) OWNER TO clo_owner"
    return (
        f"CREATE OR REPLACE FUNCTION sec.{function}({arguments}) RETURNS {returns} LANGUAGE plpgsql {volatility}"
        f" SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ BEGIN {body} END $f$; {owner}"
    )


MUTATIONS: Final = (
    Mutation("row security is off on holdings", "ALTER TABLE clo.holdings DISABLE ROW LEVEL SECURITY"),
    Mutation("row security is off on deals", "ALTER TABLE clo.deals DISABLE ROW LEVEL SECURITY"),
    Mutation("row security is off on people", "ALTER TABLE sec.users DISABLE ROW LEVEL SECURITY"),
    Mutation("row security is off on imports", "ALTER TABLE clo.imports DISABLE ROW LEVEL SECURITY"),
    Mutation("a policy lets everybody read tranches", "CREATE POLICY more ON clo.tranches FOR SELECT USING (true)"),
    Mutation(
        "a policy lets managers change all fees",
        "CREATE POLICY more ON clo.fees FOR UPDATE USING (true);"
        " CREATE POLICY seen ON clo.fees FOR SELECT USING (true)",
    ),
    Mutation("a policy lets managers change all assets", "CREATE POLICY more ON clo.assets FOR UPDATE USING (true)"),
    Mutation(
        "who may read may write",
        _body("writable", "int[]", "RETURN sec.readable();"),
    ),
    Mutation(
        "deactivated people count",
        _body(
            "readable",
            "int[]",
            "RETURN ARRAY(SELECT a.deal_id FROM sec.assignments a JOIN sec.users u ON u.id = a.user_id"
            " WHERE u.email = session_user);",
        ),
    ),
    Mutation("every deal may be read", _body("may_read", "boolean", "RETURN true;", "deal int", "VOLATILE")),
    Mutation("versions are not guarded", "DROP TRIGGER guard_version ON clo.deals"),
    Mutation("temporary objects are open to all", "GRANT TEMP ON DATABASE {database} TO PUBLIC"),
    Mutation("code may be written", "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC"),
    Mutation("large objects are open to all", "GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC"),
    Mutation("everybody may sleep", "GRANT EXECUTE ON FUNCTION pg_sleep(double precision) TO PUBLIC"),
    Mutation("everybody may signal", "GRANT EXECUTE ON FUNCTION pg_terminate_backend(int, bigint) TO PUBLIC"),
    Mutation("everybody may hold advisory locks", "GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC"),
    Mutation("hashes may be read", "GRANT SELECT ON sec.users TO clo_viewer, clo_analyst, clo_manager, clo_admin"),
    Mutation(
        "administration asks for no administrator",
        _body("require_admin", "void", "RETURN;", volatility="VOLATILE")
        + "; ALTER FUNCTION sec.require_admin() OWNER TO clo_roleadmin",
    ),
    Mutation(
        "what makes people may be called by all",
        "GRANT EXECUTE ON FUNCTION sec.put_person(text, text, text, text, text) TO PUBLIC",
    ),
    Mutation("managers may write assignments", "GRANT UPDATE ON sec.assignments TO clo_manager;"
             " CREATE POLICY more ON sec.assignments FOR UPDATE USING (true)"),
    Mutation("the history of imports may be rewritten", "GRANT UPDATE ON clo.imports TO clo_manager;"
             " CREATE POLICY more ON clo.imports FOR UPDATE TO clo_manager USING (true)"),
    Mutation("deals may be renumbered", "GRANT UPDATE (id) ON clo.deals TO clo_manager",
             redundant="the audit lets nobody change the key of a row"),
    Mutation("pgcrypto is open to all", "GRANT USAGE ON SCHEMA crypto TO PUBLIC;"
             " GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crypto TO PUBLIC"),
    Mutation("tables may be made in the schema of the data", "GRANT CREATE ON SCHEMA clo TO PUBLIC"),
    Mutation("an owner has a member", "GRANT clo_owner TO {mia}", undo="REVOKE clo_owner FROM {mia}"),
    Mutation("someone passes by row security", "ALTER ROLE {vic} BYPASSRLS", undo="ALTER ROLE {vic} NOBYPASSRLS"),
    Mutation("someone may make roles", "ALTER ROLE {ann} CREATEROLE", undo="ALTER ROLE {ann} NOCREATEROLE"),
    Mutation("someone is in two groups", "GRANT clo_manager TO {vic}", undo="REVOKE clo_manager FROM {vic}",),
    Mutation("viewers may update, by grant alone", "GRANT UPDATE ON clo.holdings TO clo_viewer",),
    Mutation("a function of the owners trusts the caller's path", "ALTER FUNCTION sec.my_role() RESET search_path",
             redundant="nobody can make an object for the path to find"),
    Mutation("new functions are open to all", "ALTER DEFAULT PRIVILEGES FOR ROLE clo_owner"
             " GRANT EXECUTE ON FUNCTIONS TO PUBLIC", redundant="there is no new function yet"),
    Mutation("making a deal assigns nobody", "ALTER TABLE clo.deals DISABLE TRIGGER assign_maker",
             redundant="it gives less right, not more"),
)  # fmt: skip
