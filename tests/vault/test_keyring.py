"""The key ring: published vectors, binding to a label, and keys that are refused."""

import base64
import hmac
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from tests.vault.conftest import key_line, key_text
from vault.keyfile import Entry, ensure
from vault.keyring import KeyRing, SealError, load

# McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", AES-256, cases 13 to 16:
# key, plaintext, additional data, nonce, ciphertext, tag.
KEY = "feffe9928665731c6d6a8f9467308308" * 2
TEXT = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
CIPHER = (
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
)
NONCE = "cafebabefacedbaddecaf888"
VECTORS = [
    ("00" * 32, "", "", "00" * 12, "", "530f8afbc74536b9a963b4f1c4cb738b"),
    (
        "00" * 32,
        "00" * 16,
        "",
        "00" * 12,
        "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919",
    ),
    (KEY, TEXT, "", NONCE, CIPHER, "b094dac5d93471bdec1a502270e3cc6c"),
    (
        KEY,
        TEXT[:120],
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        NONCE,
        CIPHER[:120],
        "76fc6ece0f4e1768cddf8853bb2d551b",
    ),
]


@pytest.mark.parametrize(("key", "text", "aad", "nonce", "cipher", "tag"), VECTORS)
def test_published_vectors_pass(
    key: str, text: str, aad: str, nonce: str, cipher: str, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [Entry("index", 1, b"i" * 32, True), Entry("list", 1, b"l" * 32, True)]
    ring = KeyRing([Entry("seal", 258, bytes.fromhex(key), True), *others])
    label, header = bytes.fromhex(aad), b"\x01\x01\x02"
    expected = header + bytes.fromhex(nonce + cipher + tag)
    monkeypatch.setattr("os.urandom", lambda size: bytes.fromhex(nonce))
    assert ring.seal(label, bytes.fromhex(text)) == expected
    assert ring.open(label, expected) == bytes.fromhex(text)


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_is_sealed_opens_under_its_label_only(data: bytes, label: str) -> None:
    ring = load(key_text())
    sealed = ring.seal(label, data)
    assert ring.open(label, sealed) == data
    with pytest.raises(SealError):
        ring.open(label + "x", sealed)


def test_every_altered_byte_and_every_cut_is_found(ring: KeyRing) -> None:
    sealed = ring.seal("shop.guest.email", b"ada@example.org")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(SealError):
            ring.open("shop.guest.email", bytes(altered))
        with pytest.raises(SealError):
            ring.open("shop.guest.email", sealed[:place])
    with pytest.raises(SealError):
        ring.open("shop.guest.email", sealed + b"\0")


def test_equal_values_never_look_equal(ring: KeyRing) -> None:
    assert len({ring.seal("a", b"same") for _ in range(100)}) == 100


def test_an_older_key_reads_and_the_new_one_writes() -> None:
    old, both = load(key_text()), load(key_text(seal=(1, 2)))
    assert both.open("a", old.seal("a", b"x")) == b"x"
    assert both.seal("a", b"x")[:3] == b"\x01\x00\x02"
    with pytest.raises(SealError, match="seal:2"):
        old.open("a", both.seal("a", b"x"))


def test_blind_indexes_differ_by_label_and_key_and_never_by_time(ring: KeyRing) -> None:
    assert ring.blind("a", "x") == load(key_text()).blind("a", "x")
    others = {
        ring.blind("b", "x"),
        load(key_text(index=(1, 2))).blind("a", "x"),
        ring.list_hash("a", "x")[2:],
    }
    assert ring.blind("a", "x") not in others
    assert len(others) == 3
    assert len(ring.blind("a", "x")) == 32


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_keyed_hashes_are_hmac_of_a_key_derived_per_purpose_and_label(text: str) -> None:
    ring = KeyRing([Entry(kind, 1, kind.encode().ljust(32, b"."), True) for kind in ("seal", "index", "list")])
    of_field = hmac.digest(b"index".ljust(32, b"."), b"obhut blind index\0customers.Contact", "sha256")
    of_scope = hmac.digest(b"list".ljust(32, b"."), b"obhut list\0suppression", "sha256")
    assert ring.blind("customers.Contact", text) == hmac.digest(of_field, text.encode(), "sha256")
    assert ring.list_hash("suppression", text) == b"\0\1" + hmac.digest(of_scope, text.encode(), "sha256")


def test_a_list_hash_tells_its_key_and_asks_under_every_list_key() -> None:
    before = load(key_text()).list_hash("suppression", "ada@example.org")
    assert before[:2] == b"\x00\x01"
    lines = key_text().splitlines()[:2] + [key_line("list", 1), key_line("list", 2, writes=True)]
    two = load("\n".join(lines))
    assert two.list_hash("suppression", "ada@example.org")[:2] == b"\x00\x02"
    assert before in two.list_hashes("suppression", "ada@example.org")


GOOD = key_text()
BAD = {
    "missing": "",
    "no list key": "\n".join(GOOD.splitlines()[:2]),
    "truncated": GOOD[:-10],
    "truncated to whole base64": GOOD[:-8],
    "short": GOOD.replace(GOOD.split(":")[2], base64.b64encode(b"s" * 16).decode()),
    "same id twice": GOOD + "\n" + key_line("seal", 1, "other"),
    "same key twice": GOOD + "\n" + key_line("seal", 1).replace("seal:1", "seal:2"),
    "two writers": GOOD + "\n" + key_line("seal", 2, writes=True),
    "no writer": GOOD.replace(":write", "") + "\n" + key_line("seal", 2),
    "unknown kind": GOOD + "\nsael:2:" + "A" * 44,
    "unknown mark": GOOD + ":read",
    "id zero": GOOD.replace("seal:1", "seal:0"),
    "id too large": GOOD.replace("seal:1", "seal:65536"),
    "id no number": GOOD.replace("seal:1", "seal:one"),
    "no random key": GOOD.replace(GOOD.split(":")[2], base64.b64encode(b"\0" * 32).decode()),
    "not base64": GOOD.replace(GOOD.split(":")[2], "%" * 44),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_unusable_keys_are_refused_in_one_sentence_that_shows_none(text: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        load(text)
    sentence = str(refusal.value)
    assert "\n" not in sentence
    for line in text.splitlines():
        secret = line.split(":")[2]
        assert secret[:8] not in sentence
    assert refusal.value.__cause__ is None


def test_a_key_file_that_is_absent_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        load(path=tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ImproperlyConfigured, match="not a text file"):
        load(path=tmp_path / "binary")
    with pytest.raises(ImproperlyConfigured, match="only one"):
        load(GOOD, tmp_path / "binary")


def test_a_key_file_is_read_with_comments_and_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"# kept in the safe\n\n{GOOD}\n")
    assert load(path=tmp_path / "keys").keys == load(GOOD.replace("\n", ", ")).keys


def test_keys_show_in_no_repr_and_no_pickle(ring: KeyRing) -> None:
    secrets = [line.split(":")[2] for line in GOOD.splitlines()]
    shown = repr(ring) + repr(ring.keys) + repr(Entry("seal", 1, b"secret" * 5, True))
    assert not any(secret in shown for secret in secrets)
    assert "secret" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(ring)


def test_the_development_file_is_private_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "var" / "vault.keys"
    ensure(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = load(path=path).keys
    assert load(make=path).keys == first
    assert [p.name for p in path.parent.iterdir()] == ["vault.keys"]


def test_racing_processes_make_one_key_file(tmp_path: Path) -> None:
    path = tmp_path / "vault.keys"
    code = (
        "import sys, pathlib; from vault.keyfile import ensure; sys.stdin.readline(); "
        f"ensure(pathlib.Path({str(path)!r})); print(pathlib.Path({str(path)!r}).read_text())"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    assert len({racer.communicate()[0] for racer in racers}) == 1
    assert {racer.returncode for racer in racers} == {0}
