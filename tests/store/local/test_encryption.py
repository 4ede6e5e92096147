"""Keys, keyrings and encrypted files: what is on the disk, what opens it, what is said where it does not open."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.faults import Refused
from clo_desktop.store import open_store
from clo_desktop.store.local import backups, cipher, driver, keys, vault
from clo_desktop.store.local.header import Kind, read_header
from clo_desktop.store.local.keys import Secret
from clo_desktop.store.local.manner import Manner
from engine.terms import Book
from tests.store.local.worlds import KEY, OTHER_KEY, MemoryKeyring, encrypted, in_child, posix, refused, stamped, stamps

MARKER = "Zebrafish Crossing Holdings"
PHRASE = Secret(passphrase="four words in a row")


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """This computer has a keyring."""
    made = MemoryKeyring()
    monkeypatch.setattr(vault, "system_keyring", lambda: made)
    return made


def marked() -> Book:
    book = stamped("Deal", 7, 60)
    return Book(book.deal, {k: replace(a, issuer_name=MARKER) for k, a in book.assets.items()})


# -- keys -----------------------------------------------------------------------------------------------------------


@given(st.binary(min_size=32, max_size=32))
def test_that_a_recovery_key_is_the_key(key: bytes) -> None:
    text = keys.recovery_text(key)
    assert len(text) == 14 * 4 + 13
    assert keys.from_recovery_text(text) == key
    assert keys.from_recovery_text(text.lower().replace("-", " ").replace("o", "0").replace("i", "1")) == key
    assert keys.secret_of(text).key_for(bytes(16)) == key


@given(st.binary(min_size=32, max_size=32), st.integers(0, 55), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_that_a_slip_in_a_recovery_key_is_noticed(key: bytes, place: int, letter: str) -> None:
    letters = keys.recovery_text(key).replace("-", "")
    if letters[place] != letter:
        with pytest.raises(Refused, match="has a slip in it; compare it with the print"):
            keys.from_recovery_text(letters[:place] + letter + letters[place + 1 :])


def test_that_the_key_of_a_passphrase_is_sqlcipher_s_own(tmp_path: Path) -> None:
    file = tmp_path / "theirs.db"
    raw = driver.module(True).connect(str(file), isolation_level=None)
    raw.execute("PRAGMA key = 'four words in a row'")
    raw.execute("CREATE TABLE deals (id INTEGER)")
    raw.close()
    assert driver.is_right_key(file, PHRASE.key_for(read_header(file).salt))


@pytest.mark.parametrize("phrase", ["", "short", " leading space here", "two\nlines of words"])
def test_that_a_poor_passphrase_is_refused_before_anything_is_made(tmp_path: Path, phrase: str) -> None:
    file = tmp_path / "workspace.clo"
    said = refused(file, Manner(secret=Secret(passphrase=phrase), encrypt=True)) if phrase else None
    assert keys.check_passphrase(phrase) == (said.message if said else keys.check_passphrase(""))
    assert not file.exists()


def test_that_a_secret_does_not_show_in_its_text() -> None:
    assert "four words" not in f"{PHRASE!r} {Manner(secret=PHRASE)!r}"
    assert KEY.key.hex() not in repr(KEY)


# -- keyrings -------------------------------------------------------------------------------------------------------


def backend(named: str, *members: Any) -> Any:
    module, _, name = named.rpartition(".")
    made = type(name, (), {"__module__": module})()
    made.backends = list(members)
    return made


PLAINTEXT = "keyrings.alt.file.PlaintextKeyring"
BARRED = [
    "keyring.backends.null.Keyring",
    "keyring.backends.fail.Keyring",
    PLAINTEXT,
    "keyrings.alt.file.EncryptedKeyring",
    "keyring.backends.libsecret.Keyring",
]


@pytest.mark.parametrize("named", sorted(vault.ALLOWED))
def test_that_keyrings_of_the_systems_are_used(named: str) -> None:
    made = backend(named)
    assert vault.chosen(made) is made
    assert vault.chosen(backend("keyring.backends.chainer.ChainerBackend", made)) is made


@pytest.mark.parametrize("named", BARRED)
def test_that_other_keyrings_are_refused_alone_and_in_a_chain(named: str) -> None:
    with pytest.raises(Refused, match="use a passphrase instead"):
        vault.chosen(backend(named))
    good = backend("keyring.backends.SecretService.Keyring")
    for members in ((good, backend(named)), (backend(named), good), ()):
        with pytest.raises(Refused, match="use a passphrase instead"):
            vault.chosen(backend("keyring.backends.chainer.ChainerBackend", *members))


def test_that_the_allowed_backends_are_names_of_the_library() -> None:
    import importlib

    for named in vault.ALLOWED:
        module, _, name = named.rpartition(".")
        assert hasattr(importlib.import_module(module), name)


def test_that_a_keyring_which_forgets_is_refused_before_a_file_is_made(
    tmp_path: Path, keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "set_password", lambda *_: None)
    assert "did not keep the key" in refused(tmp_path / "workspace.clo", Manner(encrypt=True)).message
    assert list(tmp_path.iterdir()) == []


def test_that_a_key_in_the_keyring_opens_the_file_wherever_it_is_moved(tmp_path: Path, keyring: MemoryKeyring) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file, manner=Manner(encrypt=True)) as store:
        store.save(marked())
        made = store.back_up()
    file.rename(tmp_path / "moved.clo")
    for place in (tmp_path / "moved.clo", made.file):
        with open_store(place) as store:
            assert stamps(store.load("Deal")) == {7.0}
    keyring.kept.clear()
    assert refused(tmp_path / "moved.clo").code == "no-key"


def test_that_a_passphrase_may_be_left_to_the_keyring(tmp_path: Path, keyring: MemoryKeyring) -> None:
    file = tmp_path / "workspace.clo"
    encrypted(file, PHRASE).close()
    assert refused(file).code == "no-key"
    assert refused(file, Manner(secret=OTHER_KEY, keep=True)).code == "key"
    assert keyring.kept == {}
    open_store(file, manner=Manner(secret=PHRASE, keep=True)).close()
    open_store(file).close()


# -- files ----------------------------------------------------------------------------------------------------------


def holding_marker(folder: Path) -> list[str]:
    needles = (MARKER.encode(), MARKER.encode("utf-16-le"), b"CREATE TABLE", b"LX000001")
    return [p.name for p in folder.rglob("*") if p.is_file() and any(n in p.read_bytes() for n in needles)]


def test_that_no_word_of_a_deal_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(temp))
    monkeypatch.setattr(tempfile, "tempdir", None)
    file = tmp_path / "workspace.clo"
    with encrypted(file) as store:
        store.save(marked())
        log = file.with_name("workspace.clo-wal")
        assert log.stat().st_size > 0
        assert holding_marker(tmp_path) == []  # of file, log and index while it is open
        store.back_up()
        with driver.connected(file, KEY.key) as raw:  # a sort that is too large for memory's page cache
            raw.execute("PRAGMA cache_size = 10")
            raw.execute("SELECT * FROM assets a, assets b ORDER BY b.issuer_name, a.issue_name DESC").fetchmany(10)
        assert holding_marker(tmp_path) == []
    assert len(list(tmp_path.rglob("*.clo"))) == 2
    cipher.rekey(file, KEY, OTHER_KEY)
    assert holding_marker(tmp_path) == []


def test_that_a_plain_file_does_show_its_words(tmp_path: Path) -> None:
    with open_store(tmp_path / "workspace.clo") as store:
        store.save(marked())
        assert set(holding_marker(tmp_path)) & {"workspace.clo", "workspace.clo-wal"}


def test_that_encrypting_takes_every_word_off_the_disk_and_decrypting_gives_it_back(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file) as store:
        store.save(marked())
        store.back_up()
        before = store.load("Deal")
    backups.restore(file, backups.listed(file)[0].file, None)  # which sets a plain file aside
    done = cipher.encrypt(file, PHRASE)
    assert (done.backups, done.left) == (2, ())
    assert holding_marker(tmp_path) == []
    with open_store(file, manner=Manner(secret=PHRASE)) as store:
        assert store.load("Deal") == before
        assert store.recovery_key == done.recovery_key
        with driver.connected(file, store.file.key if store.file else None) as raw:
            assert driver.value(raw, "PRAGMA application_id") == int.from_bytes(b"CLOD")
    with open_store(file, manner=Manner(secret=keys.secret_of(done.recovery_key))) as store:
        assert store.load("Deal") == before
    cipher.decrypt(file, PHRASE)
    assert read_header(file).kind is Kind.PLAIN
    with open_store(file) as store:
        assert store.load("Deal") == before


def test_that_a_new_key_shuts_the_old_one_out_of_file_and_backups(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with encrypted(file) as store:
        store.save(marked())
        store.back_up()
    salt = read_header(file).salt
    done = cipher.rekey(file, KEY, OTHER_KEY)
    assert done.backups == 1
    assert read_header(file).salt != salt
    for place in (file, backups.listed(file)[0].file):
        said = refused(place, Manner(secret=KEY))
        assert said.code == "key"
        assert (
            "it is the wrong one, or the file is damaged; try again, use the recovery key, or restore" in said.message
        )
        with open_store(place, manner=Manner(secret=OTHER_KEY)) as store:
            assert stamps(store.load("Deal")) == {7.0}


@posix
def test_that_a_file_that_is_open_elsewhere_is_not_converted(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file, manner=Manner(alone=True)), pytest.raises(Refused, match="is open in this window"):
        cipher.encrypt(file, PHRASE)
    with open_store(file), pytest.raises(Refused, match="is open in this window"):
        cipher.encrypt(file, PHRASE)
    with driver.connected(file) as raw:
        raw.execute("BEGIN IMMEDIATE")
        said = in_child(lambda: cipher.encrypt(file, PHRASE))
    assert said[:2] == ("refused", "locked")
    assert "is in use by another program" in said[2]
    assert read_header(file).kind is Kind.PLAIN
    assert sorted(p.name for p in tmp_path.iterdir()) == ["workspace.clo"]


def test_that_what_fails_half_way_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file) as store:
        store.save(marked())
    monkeypatch.setattr(backups, "fault_of", lambda *_: "it does not open")
    with pytest.raises(Refused, match="was left as it was"):
        cipher.encrypt(file, PHRASE)
    monkeypatch.undo()
    with open_store(file) as store:
        assert stamps(store.load("Deal")) == {7.0}
    assert [p.name for p in tmp_path.iterdir()] == ["workspace.clo"]


def test_that_triggers_are_kept_and_not_set_off_by_a_new_key(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file) as store:
        store.save(marked())
    with driver.connected(file) as raw:  # a function that only the application's connections have
        raw.execute("CREATE TRIGGER watch AFTER INSERT ON holdings BEGIN SELECT of_the_application(new.par); END")
    cipher.encrypt(file, KEY)
    cipher.rekey(file, KEY, OTHER_KEY)
    with driver.connected(file, OTHER_KEY.key, reading=True) as raw:
        assert driver.value(raw, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = 'watch'") == 1
        assert driver.value(raw, "SELECT count(*) FROM holdings") == 60
