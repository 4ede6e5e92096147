"""Facts about passwords: what both bcrypts agree on, and what neither gets to see."""

from __future__ import annotations

import random

import bcrypt
import psycopg
import pytest

from clo_desktop.faults import Refused
from clo_desktop.store.passwords import check_new, hashed, imported, matches
from tests.store import postgres


def _passwords(count: int) -> list[str]:
    drawn = random.Random(6)
    letters = [chr(c) for c in range(1, 0x2FFF) if chr(c).isprintable()] + [chr(c) for c in range(1, 128)]
    made = ["".join(drawn.choices(letters, k=drawn.randint(1, 40))) for _ in range(count)]
    return [word.encode()[:72].decode(errors="ignore") for word in made]


@pytest.mark.long
def test_that_600_hashes_of_python_and_pgcrypto_agree_both_ways(cluster: postgres.Server, served: str) -> None:
    words = _passwords(300)
    with psycopg.connect(cluster.address(served)) as on:
        for word in words:
            here = bcrypt.hashpw(word.encode(), bcrypt.gensalt(4, prefix=b"2a")).decode()
            there, agrees, wrong = on.execute(
                "SELECT crypto.crypt(%(word)s, crypto.gen_salt('bf', 4)), crypto.crypt(%(word)s, %(here)s) = %(here)s,"
                " crypto.crypt(%(word)s || 'x', %(here)s) = %(here)s",
                {"word": word, "here": here},
            ).fetchone() or ("", False, True)
            assert agrees, word
            assert matches(word, there), word
            assert not wrong or len((word + "x").encode()) > 72
            assert not matches(word[:-1], there)


def test_that_a_hash_has_the_prefix_that_pgcrypto_knows_and_enough_rounds() -> None:
    assert hashed("correct horse battery", 10).startswith("$2a$10$")
    assert hashed("correct horse battery").startswith("$2a$12$")


def test_that_a_hash_of_python_s_own_kind_is_taken_over(cluster: postgres.Server, served: str) -> None:
    foreign = bcrypt.hashpw(b"correct horse battery", bcrypt.gensalt(4)).decode()
    assert foreign.startswith("$2b$")
    with psycopg.connect(cluster.address(served)) as on:
        query = "SELECT crypto.crypt('correct horse battery', %s) = %s"
        assert on.execute(query, (foreign, foreign)).fetchone() == (False,)  # why it is converted
        assert on.execute(query, (imported(foreign), imported(foreign))).fetchone() == (True,)
    assert matches("correct horse battery", imported(foreign))


@pytest.mark.parametrize("known", ["", "$2x$10$" + "a" * 53, "$2b$10$short", "secret", "$1$salt$hash"])
def test_that_what_is_no_sound_hash_is_refused_and_not_repeated(known: str) -> None:
    with pytest.raises(Refused, match="reset that password") as refused:
        imported(known)
    assert not known or known not in refused.value.message


@pytest.mark.parametrize(
    ("word", "why"), [("a" * 73, "72 bytes"), ("é" * 37, "72 bytes"), ("with\0 a nul inside", "NUL"), ("short", "12")]
)
def test_that_a_password_that_bcrypt_would_cut_is_refused(word: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as refused:
        check_new(word)
    assert word not in refused.value.message
    with pytest.raises(Refused):
        hashed(word, 4)


def test_that_72_bytes_are_read_to_the_last() -> None:
    known = hashed("a" * 72, 4)
    assert matches("a" * 72, known)
    assert not matches("a" * 71 + "b", known)
    assert not matches("a" * 73, known)
    assert not matches("a" * 72 + "\0", known)
