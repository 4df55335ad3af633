"""Proves a receipt of a consent to anybody: no Django, no database, nothing of the shop but its public key.

    python -m consents.verify RECEIPT CHECKPOINT --key PUBLIC_KEY

RECEIPT is the file that the shop gave to the person, or the mail with it, saved whole or as text, forwarded or not;
CHECKPOINT a signed checkpoint of the ledger, or the shop's whole file of them, or that mail again. Exit code 0: proved.
1: not proved, and why. 2: an argument cannot be used.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consents import notes
from consents.hashing import canonical, commitment, leaf, root_by_path, seal_hash
from consents.notes import Checkpoint

FORMAT = "obhut-consent-receipt-v1"
RECEIPT, CHECKPOINT = "OBHUT CONSENT RECEIPT", "OBHUT CHECKPOINT"
WIDTH = 64


class NotProved(Exception):
    """The receipt proves nothing; the sentence says why."""


@dataclass(frozen=True)
class Proved:
    """What a receipt proves, and before which signed moment it was in the ledger."""

    kind: str
    purpose: str
    channel: str
    at: str
    recorded: str
    signed: str

    @property
    def sentence(self) -> str:
        """It in one sentence."""
        purpose = ", ".join(filter(None, (self.purpose, self.channel)))
        return (
            f"Proved: a consent ({purpose}) was {self.kind} on {self.at}, recorded on {self.recorded}, "
            f"and has stood unchanged in the ledger since the checkpoint of {self.signed}."
        )


def signed(body: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """A receipt as a file: its body and the signature over every byte of it, on one line."""
    return canonical({"receipt": body, "signature": key.sign(_meant(body)).hex()}) + b"\n"


def _meant(body: dict[str, Any]) -> bytes:
    return FORMAT.encode() + b"\n" + canonical(body)


def verify(receipt: bytes, checkpoints: str, key: Ed25519PublicKey) -> Proved:
    """Prove a receipt against a checkpoint. Raises NotProved.

    The signature holds every byte, what is written for people too; the tree and the chain of seals prove that the entry
    lies in the ledger that the checkpoint signed.
    """
    body = _body(receipt, key)
    try:
        return _proved(body, _checkpoints(checkpoints, key))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        raise NotProved("The receipt does not hold what a receipt holds.") from None


def _body(receipt: bytes, key: Ed25519PublicKey) -> dict[str, Any]:
    try:
        whole = json.loads(receipt)
        body, signature = whole["receipt"], bytes.fromhex(whole["signature"])
        if canonical({"receipt": body, "signature": signature.hex()}) + b"\n" != receipt:
            raise ValueError
        key.verify(signature, _meant(body))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotProved("This is no receipt, or it was altered.") from None
    except InvalidSignature:
        raise NotProved("The receipt was altered, or another shop signed it.") from None
    return body


def _checkpoints(text: str, key: Ed25519PublicKey) -> list[Checkpoint]:
    """Every checkpoint of a file. Raises NotProved where any of it is not what was signed."""
    found = notes.notes_in(text if text.endswith("\n\n") else text.rstrip("\n") + "\n\n")
    # Base64 has characters whose last bits say nothing: what was read has to be written the same.
    if not found or "\n".join(map(_rewritten, found)).rstrip("\n") != text.rstrip("\n"):
        raise NotProved("This is no checkpoint of a ledger, or it was altered.")
    try:
        return [notes.read(note, key) for note in found]
    except notes.NoteForged as error:
        raise NotProved(str(error)) from None


def _rewritten(note: str) -> str:
    head, _space, encoded = note.rstrip("\n").rpartition(" ")
    try:
        return f"{head} {base64.b64encode(base64.b64decode(encoded, validate=True)).decode()}\n"
    except binascii.Error:
        return ""


def _proved(body: dict[str, Any], checkpoints: Sequence[Checkpoint]) -> Proved:
    if body["format"] != FORMAT:
        raise NotProved("This receipt is of a kind that this program does not know.")
    entry, payload, place = body["entry"], body["payload"], body["place"]
    clear = [entry[name] for name in ("uuid", "recorded", "kind", "purpose", "text_sha256", "actor", "ref")]
    own = leaf(clear, commitment(bytes.fromhex(body["salt"]), canonical(payload)))
    seals = body["seals"]
    number, first, last, tree = seals[0]
    path = [bytes.fromhex(step) for step in place["path"]]
    if root_by_path(own, place["position"] - first, last - first + 1, path).hex() != tree:
        raise NotProved("The entry is not the one that was sealed.")
    size, hash_ = _end_of(seals, bytes.fromhex(body["before"]))
    for checkpoint in checkpoints:
        if (checkpoint.origin, checkpoint.size, checkpoint.hash) == (body["ledger"], size, hash_):
            return _told(entry, payload, checkpoint)
    raise NotProved(f"The receipt leads to a checkpoint over {size} entries, and this is not that one.")


def _end_of(seals: list[list[Any]], before: bytes) -> tuple[int, bytes]:
    """How many entries were sealed with the last of these seals, and its hash."""
    hash_, size, expected = before, int(seals[0][1]) - 1, int(seals[0][0])
    for number, first, last, tree in seals:
        if number != expected or first != size + 1 or last < first:
            raise NotProved("The seals of the receipt do not follow each other.")
        hash_ = seal_hash(number, first, last, bytes.fromhex(tree), hash_)
        size, expected = last, number + 1
    return size, hash_


def _told(entry: dict[str, Any], payload: dict[str, Any], checkpoint: Checkpoint) -> Proved:
    recorded = datetime.fromtimestamp(entry["recorded"] // 1_000_000, UTC).isoformat().replace("+00:00", "Z")
    return Proved(entry["kind"], entry["purpose"], payload["channel"], payload["at"], recorded, checkpoint.at)


def armored(content: bytes, label: str) -> str:
    """Bytes as lines that survive any mail, between two that say what they are."""
    text = base64.b64encode(content).decode()
    lines = [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])


def unarmored(text: bytes, label: str) -> bytes:
    """What stands between the two lines; the whole where they are not there. Raises NotProved for half of it."""
    begin, end = f"-----BEGIN {label}-----".encode(), f"-----END {label}-----".encode()
    if begin not in text:
        return text
    # Whoever answers or forwards a mail sets a mark before each line.
    lines = text.partition(begin)[2].partition(end)[0].split(b"\n")
    inner = b"".join(b"".join(line.lstrip(b"> \t").split()) for line in lines)
    try:
        content = base64.b64decode(inner, validate=True)
    except binascii.Error:
        raise NotProved("The lines of the receipt were altered.") from None
    if end not in text or base64.b64encode(content) != inner:
        raise NotProved("The lines of the receipt were altered.")
    return content


def unarmored_all(text: bytes, label: str) -> list[bytes]:
    """What stands between each pair of such lines; the whole where there are none."""
    begin = f"-----BEGIN {label}-----".encode()
    return [unarmored(begin + part, label) for part in text.split(begin)[1:]] or [text]


def as_text(content: bytes) -> bytes:
    """What a mail says that was saved whole, however it was encoded on its way; any other file as it is."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace").encode()
    # What a program of Windows puts before a text and at the end of lines is no part of it: neither file has any.
    content = content.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
    # A receipt as a file is none, whatever words of a person stand in it.
    if content.startswith(b"{") or b"content-transfer-encoding:" not in content.lower():
        return content
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    try:
        part = mail.get_body(("plain",))
        return str(part.get_content()).encode(errors="replace") if part is not None else content
    except (LookupError, ValueError, AttributeError):  # no mail after all, or of a charset that nobody knows
        return content


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; answers the exit code."""
    parser = ArgumentParser(prog="consents.verify", description="Prove a receipt of a consent, without the shop.")
    parser.add_argument("receipt", type=Path, help="the receipt, or the mail with it saved as text")
    parser.add_argument("checkpoint", type=Path, help="a signed checkpoint, the file of them, or that mail again")
    parser.add_argument("--key", required=True, metavar="PUBLIC_KEY", help="the public key of the shop's ledger")
    options = parser.parse_args(arguments)
    try:
        key = notes.public_key(options.key)
    except ValueError:
        print("This is no public key: 44 characters as the shop publishes them.", file=sys.stderr)
        return 2
    try:
        receipt, checkpoint = as_text(options.receipt.read_bytes()), as_text(options.checkpoint.read_bytes())
    except OSError as error:
        print(f"{error.filename} cannot be read: {error.strerror}.", file=sys.stderr)
        return 2
    try:
        texts = [one.decode().rstrip("\n") + "\n" for one in unarmored_all(checkpoint, CHECKPOINT)]
        # All of a mail with several, before anything is said of any.
        found = [verify(one, "\n".join(texts), key) for one in unarmored_all(receipt, RECEIPT)]
    except UnicodeDecodeError:
        print("Not proved: The checkpoint is no text, or it was altered.")
        return 1
    except NotProved as error:
        print(f"Not proved: {error}")
        return 1
    for one in found:
        print(one.sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
