"""The audit of a workspace file: what it writes, and what another program cannot do unseen."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from clo_desktop.faults import Refused
from clo_desktop.store import open_store, schema
from clo_desktop.store.audit import anchors, keys, triggers
from clo_desktop.store.audit.anchors import Anchor
from clo_desktop.store.audit.hand import Hand, Hands, hands_of, mac_of, signed_part, signing
from clo_desktop.store.audit.lines import Line, Wanted, lines
from clo_desktop.store.audit.verify import Verdict, verify
from clo_desktop.store.connection import reading
from engine import terms
from engine.asset import Asset
from tests.store.any_book import books, large_book

ASSETS = {key: Asset(asset_id=key, issuer_name="Acme", par_amount=5e6, defaulted=False) for key in ("LX1", "LX2")}
BOOK = terms.Book(
    terms.Deal("Harbor 2024-1", holdings=(terms.Holding("LX1", 1e6), terms.Holding("LX2", 2e6))),
    ASSETS,
    terms.Reference(vectors=(("ramp", (0.1, None, 0.3)),)),
)


def held(par: float) -> terms.Book:
    """The book with another par of LX1."""
    return replace(BOOK, deal=replace(BOOK.deal, holdings=(terms.Holding("LX1", par), terms.Holding("LX2", 2e6))))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A workspace with a deal, saved twice."""
    place = tmp_path / "workspace.clo"
    with open_store(place) as store:
        store.save(BOOK)
        store.save(held(1_250_000.0))
    return place


def written(place: Path, wanted: Wanted | None = None) -> list[Line]:
    with open_store(place) as store, reading(store._engine) as on:
        return list(lines(on, wanted or Wanted()))


def look(place: Path, anchor: Anchor | None = None) -> Verdict:
    """As the file is, without what opening it as a store would mend."""
    engine = sa.create_engine(f"sqlite:///{place}")
    signing(engine)
    with engine.connect() as on:
        on.exec_driver_sql("PRAGMA trusted_schema = ON")
        found = verify(on, anchor)
    engine.dispose()
    return found


def head(place: Path) -> Anchor:
    found = look(place).head
    assert found is not None
    return found


def kinds(verdict: Verdict) -> set[str]:
    return {breach.kind for breach in verdict.breaches}


# What is written


def test_that_an_untouched_audit_verifies(file: Path) -> None:
    verdict = look(file, head(file))
    assert verdict.whole, verdict.breaches
    assert verdict.lines == len(written(file)) > 5
    assert verdict.rows > 5
    assert (verdict.pending, verdict.oldest) == (0, None)


def test_that_one_line_tells_who_what_where_and_the_changed_fields_only(file: Path) -> None:
    [line] = written(file, Wanted(table="holdings", action="update"))
    with open_store(file) as store:
        hand = hands_of(store._engine)
    assert hand is not None
    assert (line.user, line.ip_address) == (hand.user, hand.place)
    assert (line.resource_type, line.resource_id, line.deal) == ("holdings", "Harbor 2024-1 / LX1", "Harbor 2024-1")
    assert (line.before, line.after) == ({"par": 1_000_000.0}, {"par": 1_250_000.0})
    age = dt.datetime.now(dt.UTC) - line.timestamp
    assert dt.timedelta(0) <= age < dt.timedelta(minutes=5)


def test_that_a_save_is_one_transaction_of_lines_and_a_save_without_a_change_leaves_none(file: Path) -> None:
    before = written(file)
    assert len({line.txid for line in before}) == 2
    with open_store(file) as store:
        store.save(held(1_250_000.0))
    assert len(written(file)) == len(before)


def test_that_a_save_that_fails_leaves_no_line(file: Path) -> None:
    before = len(written(file))
    with open_store(file) as store, pytest.raises(Refused):
        store.save(replace(BOOK, deal=replace(BOOK.deal, holdings=(terms.Holding("unknown", 1.0),))))
    assert len(written(file)) == before


def test_that_a_deleted_deal_leaves_a_line_for_each_of_its_rows(file: Path) -> None:
    with open_store(file) as store:
        store.delete("Harbor 2024-1")
    gone = written(file, Wanted(action="delete"))
    assert {line.resource_id for line in gone} >= {"Harbor 2024-1", "Harbor 2024-1 / LX1", "Harbor 2024-1 / ramp"}
    assert look(file).whole


def test_that_the_lines_bear_the_name_of_who_signed_in(file: Path) -> None:
    with open_store(file) as store:
        hand = hands_of(store._engine)
        assert hand is not None
        hand.user = "ann@example.com"
        store.save(held(7.0))
    assert [line.user for line in written(file, Wanted(field="par"))][-1] == "ann@example.com"


def test_that_flags_and_documents_are_written_as_what_they_are(file: Path) -> None:
    [ramp] = written(file, Wanted(table="vectors"))
    assert ramp.after["entries"] == [0.1, None, 0.3]
    assert [line.after["defaulted"] for line in written(file, Wanted(table="assets"))] == [False, False]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(one=books(), other=books())
def test_that_whatever_is_saved_the_lines_tell_the_rows(tmp_path: Path, one: terms.Book, other: terms.Book) -> None:
    place = tmp_path / "any.clo"
    with open_store(place) as store:
        store.save(one)
        store.save(replace(other, deal=replace(other.deal, name=one.deal.name)))
    assert look(place).whole


def test_that_every_table_is_audited_or_says_why_not_and_one_without_a_key_is_refused() -> None:
    left_out = set(schema.metadata.tables.values()) - set(triggers.audited())
    assert {table.name for table in left_out} == {"idea_pool_positions", "applied_operations", "deleted_deals"}
    with pytest.MonkeyPatch.context() as patch:
        odd = sa.MetaData()
        sa.Table("pairs", odd, sa.Column("a", sa.Integer), sa.Column("b", sa.Integer))
        patch.setattr(schema, "metadata", odd)
        with pytest.raises(ValueError, match="pairs"):
            triggers.audited()


def test_that_a_secret_is_in_no_trigger_and_its_change_is_told() -> None:
    people = sa.Table(
        "people", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("hashed_password", sa.Text)
    )
    raw = sqlite3.connect(":memory:")
    hand = Hand(Hands())
    hand.equip(raw)
    hand.begin(None)
    raw.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, hashed_password TEXT)")
    raw.execute("CREATE TABLE audit_trail (trail TEXT)")
    raw.execute("INSERT INTO audit_trail VALUES ('00000000-0000-0000-0000-000000000000')")
    raw.execute("CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT)")
    raw.execute("CREATE TABLE audit_logs (seq INTEGER PRIMARY KEY, resource_type TEXT, resource_id TEXT, line TEXT)")
    for name, text in triggers.triggers_of(people):
        raw.execute(f"CREATE TRIGGER {name} {text}")
    for statement in (
        "INSERT INTO people VALUES (1, 'first-hash')",
        "UPDATE people SET hashed_password = 'second-hash'",
        "DELETE FROM people",
    ):
        raw.execute(statement)
    assert [text for (text,) in raw.execute("SELECT json_extract(line, '$.details') FROM audit_logs")] == [
        '{"table":"people","id":1,"after":{"id":1}}',
        '{"table":"people","id":1,"before":{},"after":{"hashed_password":"(changed)"}}',
        '{"table":"people","id":1,"before":{"id":1}}',
    ]


def test_that_the_columns_tell_what_the_lines_say(file: Path) -> None:
    raw = sqlite3.connect(file)
    told = raw.execute("SELECT seq, user, action, timestamp, ip_address, txid, mac FROM audit_logs").fetchall()
    raw.close()
    assert told == [
        (x.seq, x.user, x.action, x.timestamp.isoformat(timespec="microseconds"), x.ip_address, x.txid, x.mac)
        for x in written(file)
    ]


# Another program


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE holdings SET par = 1",
        "DELETE FROM holdings",
        "INSERT INTO assets (asset_id, version) VALUES ('LX3', 1)",
        "INSERT OR REPLACE INTO assets (asset_id, version) VALUES ('LX1', 1)",
    ],
)
def test_that_another_program_cannot_change_the_data(file: Path, statement: str) -> None:
    with (
        sqlite3.connect(file) as raw,
        pytest.raises(sqlite3.OperationalError, match=r"no such function: clo_|unsafe use"),
    ):
        raw.execute(statement)
    raw.close()
    assert look(file).whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET line = '{}'",
        "DELETE FROM audit_logs",
        "UPDATE audit_trail SET trail = ''",
        "DELETE FROM audit_trail",
    ],
)
def test_that_lines_are_only_added(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as raw, pytest.raises(sqlite3.IntegrityError, match="only added to"):
        raw.execute(statement)
    raw.close()


def test_that_a_savepoint_that_was_rolled_back_breaks_no_chain(file: Path) -> None:
    with open_store(file) as store, store._engine.connect() as on, on.begin():
        with on.begin_nested() as point:
            on.exec_driver_sql("UPDATE holdings SET par = 3")
            point.rollback()
        with pytest.raises(sa.exc.OperationalError, match="user-defined function raised"):
            on.exec_driver_sql("UPDATE holdings SET par = 4")
    assert look(file).whole


def test_that_replacing_a_row_leaves_a_line_for_the_row_that_went(file: Path) -> None:
    with open_store(file) as store, store._engine.begin() as on:
        on.exec_driver_sql("INSERT OR REPLACE INTO holdings SELECT * FROM holdings WHERE asset_id = 'LX1'")
    assert [line.action for line in written(file, Wanted(table="holdings", asset="LX1"))] == [
        "insert",
        "update",
        "delete",
        "insert",
    ]
    assert look(file).whole


def test_that_the_key_of_a_row_never_changes(file: Path) -> None:
    with (
        open_store(file) as store,
        pytest.raises(sa.exc.IntegrityError, match="key of a row"),
        store._engine.begin() as on,
    ):
        on.exec_driver_sql("UPDATE holdings SET id = 99")


def tampered(*statements: str) -> Callable[[Path], None]:
    """With a plain SQLite, the triggers away while it happens and put back word by word."""

    def act(place: Path) -> None:
        raw = sqlite3.connect(place)
        kept = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in kept:
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)
        for _, text in kept:
            raw.execute(text)
        raw.commit()
        raw.close()

    return act


ALTER = """UPDATE audit_logs SET line = replace(line, '"user":', '"user":"someone","was":') WHERE seq = 3"""
FORGED = (
    "INSERT INTO audit_logs (resource_type, resource_id, line)"
    " SELECT resource_type, resource_id, line FROM audit_logs WHERE seq = 3"
)


def rewritten(place: Path) -> None:
    """A whole new chain over altered lines, made with the key of this computer."""
    raw = sqlite3.connect(place)
    key = keys.find(raw.execute("SELECT trail FROM audit_trail").fetchone()[0])
    assert key is not None
    statements = []
    last = ""
    for seq, line in raw.execute("SELECT seq, line FROM audit_logs ORDER BY seq"):
        signed = signed_part(line)[2].replace('"user":', '"user":"someone else","was":')
        last = f"{key.name}:{mac_of(key, last, signed)}"
        text = '{"mac":"' + last + '",' + signed
        statements.append(f"UPDATE audit_logs SET line = '{text}' WHERE seq = {seq}")
    raw.close()
    tampered(*statements)(place)


DRILLS: dict[str, tuple[Sequence[Callable[[Path], None]], str]] = {
    "altered": (
        [tampered(ALTER)],
        "line",
    ),
    "deleted": ([tampered("DELETE FROM audit_logs WHERE seq = 3")], "chain"),
    "deleted and numbered anew": (
        [
            tampered(
                "DELETE FROM audit_logs WHERE seq = 3",
                "UPDATE audit_logs SET seq = -seq WHERE seq > 3",
                "UPDATE audit_logs SET seq = -seq - 1 WHERE seq < 0",
            )
        ],
        "line",
    ),
    "forged": ([tampered(FORGED)], "line"),
    "forged without touching a trigger": ([lambda place: _plainly(place, FORGED)], "line"),
    "swapped": (
        [
            tampered(
                "UPDATE audit_logs SET seq = -1 WHERE seq = 3",
                "UPDATE audit_logs SET seq = 3 WHERE seq = 4",
                "UPDATE audit_logs SET seq = 4 WHERE seq = -1",
            )
        ],
        "line",
    ),
    "last line dropped": ([tampered("DELETE FROM audit_logs WHERE seq = (SELECT max(seq) FROM audit_logs)")], "rows"),
    "tail cut with its data": (
        [
            tampered(
                "DELETE FROM audit_logs WHERE txid = 2",
                "UPDATE holdings SET par = 1e6 WHERE asset_id = 'LX1'",
                "UPDATE deals SET version = 1, updated_at = (SELECT json_extract(details, '$.after.updated_at')"
                " FROM audit_logs WHERE resource_type = 'deals')",
            )
        ],
        "anchor",
    ),
    "rewritten with the stolen key": ([rewritten], "anchor"),
    "data changed with triggers off": ([tampered("UPDATE holdings SET par = 9e6 WHERE asset_id = 'LX2'")], "rows"),
    "trigger taken away": ([lambda place: _plainly(place, "DROP TRIGGER audit_holdings_update")], "protection"),
    "trigger of someone else": (
        [lambda place: _plainly(place, "CREATE TRIGGER mine AFTER INSERT ON audit_logs BEGIN SELECT 1; END")],
        "protection",
    ),
}


def _plainly(place: Path, statement: str) -> None:
    raw = sqlite3.connect(place)
    raw.execute(statement)
    raw.commit()
    raw.close()


@pytest.mark.parametrize("drill", DRILLS)
def test_that_tampering_is_seen(file: Path, drill: str) -> None:
    anchor = head(file)
    steps, kind = DRILLS[drill]
    for step in steps:
        step(file)
    seen = kinds(look(file, anchor))
    assert kind in seen, seen
    if kind == "anchor":
        assert look(file).whole, "only the anchor can see this; else the drill is not the one it is named for"


def test_that_triggers_taken_away_are_put_back_at_the_next_opening_and_that_is_told(file: Path) -> None:
    _plainly(file, "DROP TRIGGER audit_holdings_update")
    _plainly(file, "UPDATE holdings SET par = 3e6 WHERE asset_id = 'LX2'")
    with open_store(file) as store:
        store.save(held(8.0))
    found = look(file)
    assert kinds(found) == {"protection", "history"}
    assert any("audit_holdings_update" in b.says for b in found.breaches)


# Keys, copies, files from before


def test_that_a_copy_verifies_on_this_computer_and_says_so_where_the_key_is_missing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(file, tmp_path / "copy.clo"))
    assert look(copy).whole
    monkeypatch.setattr("clo_desktop.paths.audit_folder", lambda: tmp_path / "elsewhere")
    assert kinds(look(copy)) == {"key"}
    with open_store(copy) as store:  # work goes on, under a key of this computer
        store.save(held(9.0))
    [breach] = look(copy).breaches
    assert breach.kind == "key"


def test_that_a_key_is_for_its_owner_only_and_made_once(file: Path) -> None:
    places = list(keys.folder().glob("*.key"))
    assert places
    assert {place.stat().st_mode & 0o777 for place in places} == {0o600}
    trail = head(file).trail
    assert keys.make(trail).name == keys.make(trail).name


def test_that_a_key_that_cannot_be_kept_is_one_sentence_and_nothing_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setattr("clo_desktop.paths.audit_folder", lambda: blocked)
    with open_store(tmp_path / "new.clo") as store:
        with pytest.raises(Refused, match=r"audit of .* cannot be written, so nothing was saved"):
            store.save(BOOK)
        assert store.deals() == ()


def test_that_the_rows_of_a_workspace_from_before_the_audit_have_a_first_line(file: Path) -> None:
    rows = look(file).rows
    raw = sqlite3.connect(file)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    later = ("applied_operations", "deleted_deals", "copies", "outbox")
    later = (*later, "asset_correlations", "configuration", "reference_data")
    for name in ("audit_logs", "audit_trail", *later):
        raw.execute(f"DROP TABLE {name}")
    raw.execute("UPDATE alembic_version SET version_num = '0005'")
    raw.commit()
    raw.close()
    found = written(file)
    assert {line.action for line in found} == {"baseline"}
    assert len(found) == rows
    assert look(file).whole


def test_that_anchors_are_kept_by_store_and_a_spoilt_file_of_one_hurts_nothing() -> None:
    one = Anchor("trail", 3, "ab", dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    anchors.keep("here.clo", one)
    anchors.keep("there.clo", replace(one, pos=4))
    assert anchors.known("here.clo") == one
    assert anchors.known("nowhere") is None
    anchors.file("here.clo").write_text("{")
    assert anchors.known("here.clo") is None
    assert anchors.known("there.clo") == replace(one, pos=4)


def test_that_stores_that_close_at_once_do_not_lose_one_anothers_anchor() -> None:
    one = Anchor("trail", 3, "ab", dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    names = [f"store {n}" for n in range(24)]
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda name: anchors.keep(name, one), names))
    assert [anchors.known(name) for name in names] == [one] * len(names)


def test_that_an_anchor_of_the_former_common_file_is_known_until_a_newer_is_kept() -> None:
    one = Anchor("trail", 3, "ab", dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    former = anchors.file("former.clo").parent.parent / "anchors.json"
    former.parent.mkdir(parents=True, exist_ok=True)
    former.write_text(json.dumps({"former.clo": one.as_json()}))
    assert anchors.known("former.clo") == one
    anchors.keep("former.clo", replace(one, pos=4))
    assert anchors.known("former.clo") == replace(one, pos=4)


@pytest.mark.long
def test_that_a_large_deal_verifies(tmp_path: Path) -> None:
    place = tmp_path / "large.clo"
    with open_store(place) as store:
        store.save(large_book("large", 1000))
    verdict = look(place)
    assert verdict.whole
    assert verdict.rows == verdict.lines > 3000
