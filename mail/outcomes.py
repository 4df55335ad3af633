"""What an error at the mail server means for a mail: try again, give up, or nobody knows."""

from __future__ import annotations

import re
import smtplib
from dataclasses import dataclass
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailInvalidAddress, AnymailRecipientsRefused
from django.core.mail import BadHeaderError
from django.utils.translation import gettext_lazy as _
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from mail.gates import BAD_ADDRESS, Refusal
from mail.models import Message

State = Message.State
Bounce = Message.Bounce

SERVER_DOWN = Refusal("server_down", _("The mail server does not answer."))
NOT_NOW = Refusal("not_now", _("The mail server has put it off."))
SERVER_REFUSED = Refusal("server_refused", _("The mail server has refused it."))
UNDELIVERABLE = Refusal("undeliverable", _("The mailbox does not exist or takes nothing."))
LOST = Refusal("lost", _("The connection broke off after the mail was handed over."))
WORKER_LOST = Refusal("worker_lost", _("The program was stopped while it was being sent."))
RESTORED = Refusal("restored", _("The database was restored from a backup; it may have gone out since then."))
FAULT = Refusal("fault", _("It could not be written: the template or its data have a fault."))
GAVE_UP = Refusal("gave_up", _("It could not be sent for days."))

_ENHANCED = re.compile(rb"\b([245]\.\d{1,3}\.\d{1,3})\b")
# Wrong or missing sign-in: a mistake of the installation, which says nothing about the mail (RFC 4954).
_SIGN_IN = frozenset({454, 530, 534, 535, 538})
_TRY_LATER = frozenset({401, 402, 403, 408, 425, 429, 503})


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt. State QUEUED means: later again."""

    state: str
    reason: str = ""
    reply_code: str = ""
    bounce: str = Bounce.NONE


def outcome_of(error: Exception, handed_over: bool) -> Outcome:
    """What this error means; `handed_over`: whether the server may have taken the mail when the line broke."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _refused_recipient(code, text)
    if isinstance(error, smtplib.SMTPNotSupportedError | UnicodeEncodeError | AnymailInvalidAddress):
        return Outcome(State.FAILED, BAD_ADDRESS.key, "", Bounce.HARD)
    if isinstance(error, smtplib.SMTPServerDisconnected | OSError) and not _has_code(error):
        if isinstance(error, AnymailError):
            return _provider_outcome(error)
        return Outcome(State.UNKNOWN, LOST.key) if handed_over else Outcome(State.QUEUED, SERVER_DOWN.key)
    if isinstance(error, smtplib.SMTPResponseException):
        return _refused(error.smtp_code, error.smtp_error)
    if isinstance(error, AnymailError):
        return _provider_outcome(error)
    if isinstance(error, BadHeaderError):
        return Outcome(State.FAILED, FAULT.key)
    return Outcome(State.UNKNOWN, LOST.key) if handed_over else Outcome(State.QUEUED, FAULT.key)


def _has_code(error: Exception) -> bool:
    # SMTPResponseException is an OSError too: what the server has answered counts more than that.
    return isinstance(error, smtplib.SMTPResponseException)


def _refused_recipient(code: int, text: Any) -> Outcome:
    shown = _code(code, text)
    if code < 500:
        return Outcome(State.QUEUED, NOT_NOW.key, shown, Bounce.SOFT)
    # 5.7.x is a policy of the server and 5.2.2 a full mailbox (RFC 3463): neither says that the mailbox is gone.
    passing = "5.7." in shown or shown.endswith("5.2.2")
    return Outcome(State.FAILED, UNDELIVERABLE.key, shown, Bounce.SOFT if passing else Bounce.HARD)


def _refused(code: int, text: Any) -> Outcome:
    if code < 500 or code in _SIGN_IN:
        return Outcome(State.QUEUED, NOT_NOW.key, _code(code, text))
    return Outcome(State.FAILED, SERVER_REFUSED.key, _code(code, text))


def _code(code: int, text: Any) -> str:
    """The codes of an answer; its words may quote the address."""
    found = _ENHANCED.search(text if isinstance(text, bytes) else str(text).encode())
    return f"{code} {found[1].decode()}" if found else str(code)


def _provider_outcome(error: AnymailError) -> Outcome:
    if isinstance(error, AnymailRecipientsRefused):
        return Outcome(State.FAILED, UNDELIVERABLE.key, "", Bounce.HARD)
    status = error.status_code
    if status in _TRY_LATER:
        return Outcome(State.QUEUED, NOT_NOW.key, str(status))
    if status is not None and 400 <= status < 500:
        return Outcome(State.FAILED, SERVER_REFUSED.key, str(status))
    if status is None and _never_connected(error):
        return Outcome(State.QUEUED, SERVER_DOWN.key)
    if isinstance(error, AnymailAPIError):
        return Outcome(State.UNKNOWN, LOST.key, str(status or ""))
    return Outcome(State.FAILED, FAULT.key)


def _never_connected(error: BaseException) -> bool:
    """Whether somewhere below the connection to the provider was not even made."""
    seen: list[Any] = [error]
    for one in seen:
        if isinstance(one, NewConnectionError | ConnectTimeoutError):
            return True
        below = [one.__cause__, one.__context__, getattr(one, "reason", None), *getattr(one, "args", ())]
        seen += [other for other in below if isinstance(other, BaseException) and other not in seen]
    return False
