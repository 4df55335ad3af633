"""Living sessions of the staff: noted, listed and ended."""

import re
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from staff.models import SignIn, User

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone|iPad", "iOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def note_sign_in(request: HttpRequest, user: User) -> None:
    """Write down the session of this request, or that it is still alive."""
    now = timezone.now()
    device = device_name(request.headers.get("User-Agent", ""))
    note = SignIn(session_key=request.session.session_key or "", user=user, seen_at=now, device=device)
    # One statement: two requests of a new session at once would else print its key into the server's log.
    SignIn.objects.bulk_create(
        [note], update_conflicts=True, unique_fields=["session_key"], update_fields=["user", "seen_at"]
    )
    User.objects.filter(pk=user.pk).update(last_seen=now)
    # A browser that was just closed leaves a session behind that could not be used any more.
    for forgotten in user.sign_ins.filter(seen_at__lt=now - timedelta(seconds=settings.STAFF_IDLE_SECONDS)):
        end_session(forgotten)


def forget_sign_in(session_key: str | None) -> None:
    """Drop the note of a session that ended by itself."""
    if session_key:
        SignIn.objects.filter(session_key=session_key).delete()


def end_sessions(user: User, *, keep: str | None = "") -> int:
    """End all sessions of the user at once, but for the one kept; answers how many ended."""
    notes = user.sign_ins.exclude(session_key=keep or "")
    return sum(end_session(note) for note in notes)


def end_session(note: SignIn) -> int:
    """End one session: the stored session goes, so that the browser's cookie opens nothing any more."""
    import_module(settings.SESSION_ENGINE).SessionStore(note.session_key).delete()
    note.delete()
    return 1


def drop_ended() -> int:
    """Delete what has ended by itself: stored sessions past their day and their notes; answers how many notes."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    ended = SignIn.objects.filter(started_at__lt=now - timedelta(seconds=settings.STAFF_ABSOLUTE_SECONDS))
    return ended.delete()[0]


def device_name(user_agent: str) -> str:
    """ "Firefox, Linux": enough to tell one's devices apart, too little to track anyone."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for marks, name in SYSTEMS if re.search(marks, user_agent)), "")
    return ", ".join(part for part in (browser, system) if part)
