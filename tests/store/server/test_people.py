"""Facts about people of a shared server: what each role may, and what an administrator does with whom."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import open_store
from clo_desktop.store.server.people import PERMISSIONS, People, people_at
from tests.store.postgres import PASSWORD
from tests.store.server.world import LOOSE, SECRET, World, book

NEW = "another-good-secret"


@contextmanager
def signed_in(world: World, who: str, *, steps_up: bool = True) -> Iterator[People]:
    with people_at(world.address(who)) as people:
        if steps_up:
            people.step_up(PASSWORD if who == "ada" else SECRET)
        yield people


def refused(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as found:
        act()
    return found.value


# What each role may: the attacks would be held by a server that lets nobody do anything


def test_that_everybody_reads_the_deals_that_are_assigned_and_no_others(world: World) -> None:
    for who, deals in {
        "vic": ["mine"], "ann": ["mine"], "mia": ["mine", "seen"], "max": ["foreign"],
        "ada": ["foreign", "mine", "seen"], "gone": [],
    }.items():  # fmt: skip
        with open_store(world.address(who)) as store:
            assert [deal.name for deal in store.deals()] == deals, who
            if not deals:
                assert "no deal is assigned to you" in refused(lambda store=store: store.load("mine")).message  # type: ignore[misc]
            for deal in deals:
                assert store.load(deal) == book(deal)
                assert [record.deal for record in store.imports() if record.deal == deal] == [deal]


def test_that_a_manager_changes_assigned_deals_makes_new_ones_and_deletes_them(own_world: World) -> None:
    with open_store(own_world.address("mia")) as store:
        changed = book("mine")
        store.save(changed)
        store.save(book("new"))
        assert store.load("new") == book("new")
        store.delete("new")
        assert [deal.name for deal in store.deals()] == ["mine", "seen"]
        assert refused(lambda: store.save(book("seen"))).code in ("rights", "conflict")
        assert refused(lambda: store.save(book("foreign"))).code in ("rights", "conflict")
    with open_store(own_world.address("max")) as store:
        assert store.load("foreign") == book("foreign")


def test_that_viewers_and_analysts_save_nothing(world: World) -> None:
    for who in ("vic", "ann"):
        with open_store(world.address(who)) as store:
            role = {"vic": "viewer", "ann": "analyst"}[who]
            for act in (lambda store=store: store.save(book("mine")), lambda store=store: store.delete("mine")):  # type: ignore[misc]
                said = refused(act)
                assert said.code == "rights"
                assert said.message.startswith(f"{world.email(who)} is signed in as {role} on postgresql://")
                assert "may not change mine; an administrator can" in said.message
                assert "***" not in said.message
            assert "is read by administrators only" in refused(store.audit.verify).message


def test_that_a_manager_changes_assets_of_own_deals_and_of_none(world: World) -> None:
    version = ", version = version + 1" if _has_version(world) else ""
    with world.connect("mia") as on:
        for asset, rows in (("mine-0", 1), (LOOSE, 1), ("foreign-0", 0), ("seen-0", 0)):
            done = on.execute(
                f"UPDATE clo.assets SET issuer_name = 'changed'{version} WHERE asset_id = %s".encode(), (asset,)
            )
            assert done.rowcount == rows, asset
        on.rollback()


def _has_version(world: World) -> bool:
    with world.administrator() as on:
        query = "SELECT 1 FROM pg_attribute WHERE attrelid = 'clo.assets'::regclass AND attname = 'version'"
        return on.execute(query).fetchone() is not None


def test_that_set_role_changes_nothing_about_who_someone_is(world: World) -> None:
    with world.connect("mia") as on:
        on.execute("SET ROLE clo_manager")
        assert on.execute("SELECT sec.my_role(), name FROM clo.deals ORDER BY 2").fetchall() == [
            ("manager", "mine"),
            ("manager", "seen"),
        ]


def test_that_the_window_is_told_what_to_offer(world: World) -> None:
    for who, role in (("vic", "viewer"), ("ann", "analyst"), ("mia", "manager"), ("ada", "admin")):
        with signed_in(world, who, steps_up=False) as people:
            me = people.me()
        assert (me.email, me.role, me.permissions) == (world.email(who), role, PERMISSIONS[role])
    assert dict(people_of(world, "mia")) == {"mine": "write", "seen": "read"}


def people_of(world: World, who: str) -> tuple[tuple[str, str], ...]:
    with signed_in(world, "ada", steps_up=False) as people:
        [found] = [person for person in people.everybody() if person.email == world.email(who)]
    return found.deals


# Administration


def test_that_a_new_person_signs_in_with_the_password_and_has_a_hash_that_pgcrypto_reads(own_world: World) -> None:
    email = f"new.{own_world.tag}@desk.example"
    with signed_in(own_world, "ada") as people:
        people.create(email, "New Person", "viewer", NEW)
        people.assign(email, "mine", "read")
    with psycopg.connect(own_world.server.address(own_world.database, email, NEW)) as on:
        assert on.execute("SELECT sec.step_up(%s)", (NEW,)).fetchone() == ("ok",)
        assert on.execute("SELECT name FROM clo.deals").fetchall() == [("mine",)]
    with own_world.administrator() as on:
        row = on.execute("SELECT hashed_password FROM sec.users WHERE email = %s", (email,)).fetchone()
        assert row is not None
        assert row[0].startswith("$2a$11$")


def test_that_administration_needs_the_password_again_on_the_same_connection(own_world: World) -> None:
    mia = own_world.email("mia")
    with signed_in(own_world, "ada", steps_up=False) as people, signed_in(own_world, "ada") as other:
        assert refused(lambda: people.set_role(mia, "viewer")).code == "step-up"
        other.set_role(mia, "viewer")
    with signed_in(own_world, "ada", steps_up=False) as people:
        assert refused(lambda: people.set_role(mia, "manager")).code == "step-up"


def test_that_a_step_up_wears_off(own_world: World) -> None:
    with signed_in(own_world, "ada") as people:
        with own_world.administrator() as on:
            on.execute("UPDATE sec.step_ups SET said_at = said_at - interval '6 minutes'")
        assert refused(lambda: people.unlock(own_world.email("mia"))).code == "step-up"


def test_that_an_administrator_without_rights_is_nobody(own_world: World) -> None:
    with signed_in(own_world, "mia") as people:
        assert refused(lambda: people.set_role(own_world.email("vic"), "admin")).code == "rights"
        assert refused(people.sessions).code == "rights"


def test_that_a_refusal_says_what_is_wrong(own_world: World) -> None:
    with signed_in(own_world, "ada") as people:
        assert "roles are viewer, analyst" in refused(lambda: people.set_role("x@y", "owner")).message
        assert "nobody is registered as x@y" in refused(lambda: people.set_role("x@y", "viewer")).message
        assert "server knows" in refused(lambda: people.create(own_world.email("mia"), "", "viewer", NEW)).message
        assert "e-mail address in small letters" in refused(lambda: people.create("no mail", "", "viewer", NEW)).message
        long = "a" * 60 + "@desk.example"
        assert "63 characters at most" in refused(lambda: people.create(long, "", "viewer", NEW)).message
        assert "There is no deal" in refused(lambda: people.assign(own_world.email("mia"), "gone", "read")).message
        assert "to themselves" in refused(lambda: people.set_role(own_world.email("ada"), "viewer")).message


def test_that_a_person_shut_out_loses_everything_at_the_next_statement(own_world: World) -> None:
    with own_world.connect("mia") as open_one, own_world.connect("mia") as snapshot:
        assert open_one.execute("SELECT count(*) FROM clo.deals").fetchone() == (2,)
        open_one.rollback()
        snapshot.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        snapshot.execute("SELECT 1 FROM clo.deals")
        with signed_in(own_world, "ada") as people:
            assert people.deactivate(own_world.email("mia")) == 2
        for on in (open_one, snapshot):
            with pytest.raises(psycopg.Error):
                on.execute("SELECT name FROM clo.deals")
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        own_world.connect("mia")
    with signed_in(own_world, "ada") as people:
        people.activate(own_world.email("mia"))
    with open_store(own_world.address("mia")) as store:
        assert [deal.name for deal in store.deals()] == ["mine", "seen"]


def test_that_a_row_of_the_register_is_enough_to_shut_someone_out(own_world: World) -> None:
    with own_world.connect("mia") as on:
        assert len(on.execute("SELECT 1 FROM clo.deals").fetchall()) == 2
        with own_world.administrator() as dba:
            dba.execute("UPDATE sec.users SET is_active = false WHERE email = %s", (own_world.email("mia"),))
        assert on.execute("SELECT 1 FROM clo.deals").fetchall() == []  # same session, same transaction


def test_that_a_demotion_acts_on_the_next_statement_of_an_open_session(own_world: World) -> None:
    with own_world.connect("mia") as on:
        change = "UPDATE clo.holdings SET par = par + 1 WHERE deal_id = %s"
        assert on.execute(change, (own_world.deals["mine"],)).rowcount == 3
        on.rollback()
        with signed_in(own_world, "ada") as people:
            people.set_role(own_world.email("mia"), "viewer")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            on.execute(change, (own_world.deals["mine"],))


def test_that_an_assignment_taken_away_is_gone_at_the_next_statement(own_world: World) -> None:
    with own_world.connect("mia") as on, signed_in(own_world, "ada") as people:
        people.assign(own_world.email("mia"), "mine", "read")
        change = "UPDATE clo.holdings SET par = par + 1 WHERE deal_id = %s"
        assert on.execute(change, (own_world.deals["mine"],)).rowcount == 0
        people.assign(own_world.email("mia"), "mine", None)
        assert on.execute("SELECT name FROM clo.deals").fetchall() == [("seen",)]


def test_that_passwords_are_changed_and_reset_for_signing_in_and_for_stepping_up_alike(own_world: World) -> None:
    vic = own_world.email("vic")
    with signed_in(own_world, "vic", steps_up=False) as people:
        assert refused(lambda: people.change_password(NEW)).code == "step-up"
    with signed_in(own_world, "vic") as people:
        people.change_password(NEW)
        people.step_up(NEW)
        assert refused(lambda: people.step_up(SECRET)).code == "wrong-password"
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        own_world.connect("vic")
    with signed_in(own_world, "ada") as people:
        people.reset_password(vic, SECRET)
    with signed_in(own_world, "vic"):
        pass


def test_that_sessions_are_seen_and_ended(own_world: World) -> None:
    with own_world.connect("max") as on, signed_in(own_world, "ada") as people:
        seen = {session.email: session.address for session in people.sessions()}
        assert seen[own_world.email("max")] == "127.0.0.1"
        assert people.end_sessions(own_world.email("max")) == 1
        with pytest.raises(psycopg.OperationalError):
            on.execute("SELECT 1")


# Step-up


def test_that_five_wrong_passwords_lock_though_each_is_rolled_back(own_world: World) -> None:
    with own_world.connect("vic") as on:
        said = []
        for _ in range(7):
            said.append(on.execute("SELECT sec.step_up('wrong')").fetchone())
            on.rollback()
        assert [row and row[0] for row in said] == ["wrong"] * 5 + ["locked"] * 2
        assert on.execute("SELECT sec.step_up(%s)", (SECRET,)).fetchone() == ("locked",)
        on.rollback()
        with signed_in(own_world, "ada") as people:
            people.unlock(own_world.email("vic"))
        assert on.execute("SELECT sec.step_up(%s)", (SECRET,)).fetchone() == ("ok",)


def test_that_the_lock_opens_by_itself_after_a_quarter_of_an_hour(own_world: World) -> None:
    with own_world.connect("vic") as on, own_world.administrator() as dba:
        for _ in range(5):
            on.execute("SELECT sec.step_up('wrong')")
        on.rollback()
        counter = f"sec.attempts_{_number(own_world, 'vic')}"
        dba.execute(f"SELECT setval('{counter}', (SELECT last_value FROM {counter}) - 100 * 901)".encode())
        assert on.execute("SELECT sec.step_up(%s)", (SECRET,)).fetchone() == ("ok",)


def _number(world: World, who: str) -> int:
    with world.administrator() as on:
        row = on.execute("SELECT id FROM sec.users WHERE email = %s", (world.email(who),)).fetchone()
    assert row is not None
    return int(row[0])


def test_that_eight_who_guess_at_once_have_five_guesses(own_world: World) -> None:
    said: list[str] = []
    ready = threading.Barrier(8)

    def guess(on: psycopg.Connection[tuple[str]]) -> None:
        ready.wait()
        for _ in range(3):
            row = on.execute("SELECT sec.step_up('wrong')").fetchone()
            on.rollback()
            said.append(row[0] if row else "")

    connections = [own_world.connect("ann") for _ in range(8)]
    threads = [threading.Thread(target=guess, args=(on,)) for on in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for on in connections:
        on.close()
    assert sorted(said) == ["locked"] * 19 + ["wrong"] * 5


def test_that_a_password_too_long_for_bcrypt_is_wrong_on_the_server_too(own_world: World) -> None:
    with signed_in(own_world, "ada") as people:
        people.reset_password(own_world.email("vic"), "a" * 72)
    with psycopg.connect(own_world.server.address(own_world.database, own_world.email("vic"), "a" * 72)) as on:
        assert on.execute("SELECT sec.step_up(%s)", ("a" * 73,)).fetchone() == ("wrong",)
        assert on.execute("SELECT sec.step_up(%s)", ("a" * 72,)).fetchone() == ("ok",)
    with people_at(own_world.address("ann")) as people:
        assert refused(lambda: people.step_up(SECRET + "\0")).code == "wrong-password"
