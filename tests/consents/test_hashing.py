"""The tree of RFC 6962 and the one way in which values are written before they are hashed."""

import hmac
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consents.hashing import canonical, commitment, leaf, path, root, root_by_path, seal_hash

LEAVES = [sha256(bytes([n])).digest() for n in range(8)]


def both(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def test_a_tree_of_seven_is_that_of_the_rfc():
    # RFC 6962 2.1.3: k is the largest power of two below n.
    a, b, c, d, e, f, g = LEAVES[:7]
    wanted = both(both(both(a, b), both(c, d)), both(both(e, f), g))
    assert root(LEAVES[:7]) == wanted
    assert path(LEAVES[:7], 0) == [b, both(c, d), both(both(e, f), g)]
    assert path(LEAVES[:7], 6) == [both(e, f), both(both(a, b), both(c, d))]


@given(st.integers(1, 40), st.data())
def test_each_leaf_leads_to_the_root_and_no_other_does(size, data):
    leaves = [sha256(n.to_bytes(2, "big")).digest() for n in range(size)]
    place = data.draw(st.integers(0, size - 1))
    proof = path(leaves, place)
    assert root_by_path(leaves[place], place, size, proof) == root(leaves)
    if size > 1:
        other = data.draw(st.integers(0, size - 1).filter(lambda n: n != place))
        assert root_by_path(leaves[other], place, size, proof) != root(leaves)


@pytest.mark.parametrize("place", [-1, 7])
def test_a_place_outside_the_tree_is_refused(place):
    with pytest.raises(ValueError, match="outside"):
        root_by_path(LEAVES[0], place, 7, [])


def test_a_proof_of_the_wrong_length_is_refused():
    proof = path(LEAVES, 3)
    with pytest.raises(ValueError, match="short"):
        root_by_path(LEAVES[3], 3, 8, proof[:-1])
    with pytest.raises(ValueError, match="long"):
        root_by_path(LEAVES[3], 3, 8, [*proof, proof[0]])


def test_there_is_no_tree_without_leaves():
    with pytest.raises(ValueError, match="without leaves"):
        root([])


def test_equal_texts_are_written_alike():
    composed, decomposed = "Z\u00fcrich", "Zu\u0308rich"
    assert canonical({"b": composed, "a": 1}) == canonical({"a": 1, "b": decomposed})
    assert canonical({"b": "x", "a": [1, None, True]}) == b'{"a":[1,null,true],"b":"x"}'


@pytest.mark.parametrize("value", [1.5, {"a": 0.1}, datetime(2026, 1, 1, tzinfo=UTC), {1: "a"}, b"x", {"a": {2, 3}}])
def test_what_could_be_written_in_two_ways_is_refused(value):
    with pytest.raises(TypeError):
        canonical(value)


@given(salt=st.binary(max_size=130), payload=st.binary())
def test_a_commitment_is_an_hmac(salt, payload):
    assert commitment(salt, payload) == hmac.digest(salt, payload, "sha256")


def test_the_hashes_are_what_they_are_said_to_be():
    committed = commitment(b"s" * 32, b"payload")
    assert committed == hmac.new(b"s" * 32, b"payload", "sha256").digest()
    assert leaf(["a", 1], committed) == sha256(b'\x00obhut-ledger-v1["a",1]' + committed).digest()
    assert (
        seal_hash(1, 1, 3, b"r" * 32, bytes(32))
        == sha256(b"\x02obhut-seal-v1" + f'[1,1,3,"{(b"r" * 32).hex()}","{"00" * 32}"]'.encode()).digest()
    )
