"""Coming and going of staff: invite, join, disable, enable, lost second factor."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from staff.handover import hand_over, note_hand_over
from staff.mailing import deliver
from staff.models import Invite, Role, StaffEvent, User
from staff.roles import refuse_without_manager
from staff.sessions import end_sessions

INVITE_LIFE = timedelta(hours=48)


@transaction.atomic
def invite(
    email: str, name: str, roles: Iterable[Role | str], *, actor: User | None, language: str = "de"
) -> tuple[User, str]:
    """Make a user without a password and answer the token of the link that lets the person choose one."""
    user = User.objects.create_user(email, name=name, language=language, roles=roles)
    return user, reinvite(user, actor=actor)


@transaction.atomic
def reinvite(user: User, *, actor: User | None) -> str:
    """Note the invitation and answer the token of a new link."""
    detail = {"roles": sorted(user.roles.values_list("key", flat=True))}
    StaffEvent.objects.create(kind=StaffEvent.Kind.INVITED, actor=actor, subject=user, detail=detail)
    return new_token(user, actor)


def new_token(user: User, actor: User | None) -> str:
    """A fresh invite of 256 random bits, good once and for 48 hours; older ones end (ASVS 6.5.1-6.5.5)."""
    token = secrets.token_urlsafe(32)
    user.invites.filter(used_at=None).delete()
    Invite.objects.create(
        user=user, token_hash=hashed(token), invited_by=actor, expires_at=timezone.now() + INVITE_LIFE
    )
    return token


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def invite_link(token: str) -> str:
    """The address the invited person opens, built from the configured address, never from Host."""
    return settings.SITE_URL.rstrip("/") + reverse("staff:join", args=[token])


def mail_invite(user: User, token: str) -> bool:
    """Send the link in the language of the invited person; False where no mail server took it."""
    with translation.override(user.language):
        body = render_to_string("staff/mail/invite.txt", {"invited": user, "link": invite_link(token)})
        return deliver(partial(send_mail, _("Your access to Obhut"), body, None, [user.email]))


def open_invite(token_hash: bytes) -> Invite | None:
    """The invite with this hash, unless it is used, too old or its user disabled."""
    return (
        Invite.objects.select_related("user")
        .filter(token_hash=token_hash, used_at=None, expires_at__gt=timezone.now(), user__is_active=True)
        .first()
    )


@transaction.atomic
def join(opened: Invite, password: str) -> None:
    """Use the invite up and set the first password; raises ValidationError when someone was quicker."""
    used = Invite.objects.filter(pk=opened.pk, used_at=None).update(used_at=timezone.now())
    if not used:
        raise ValidationError(_("This link has already been used."))
    opened.user.set_password(password)
    opened.user.save(update_fields=["password"])
    StaffEvent.objects.create(kind=StaffEvent.Kind.JOINED, actor=opened.user, subject=opened.user)


@transaction.atomic
def disable(user: User, *, actor: User, successor: User | None = None) -> dict[str, int]:
    """Close the door at once: no sign-in, no session, no open invite; open work goes to the successor.

    Raises ValidationError, with nothing changed, for oneself and for the last person who can manage staff.
    """
    if user.pk == actor.pk:
        raise ValidationError(_("You cannot disable yourself."))
    user.is_active = False
    user.disabled_at = timezone.now()
    user.save(update_fields=["is_active", "disabled_at"])
    refuse_without_manager()
    user.invites.filter(used_at=None).delete()
    ended = end_sessions(user)
    StaffEvent.objects.create(kind=StaffEvent.Kind.DISABLED, actor=actor, subject=user, detail={"sessions": ended})
    moved = hand_over(user, successor) if successor else {}
    if moved and successor:
        note_hand_over(user, successor, moved, actor=actor)
    return moved


@transaction.atomic
def enable(user: User, *, actor: User) -> None:
    """Let someone sign in again, with the roles, password and second factor of before."""
    user.is_active = True
    user.disabled_at = None
    user.save(update_fields=["is_active", "disabled_at"])
    StaffEvent.objects.create(kind=StaffEvent.Kind.ENABLED, actor=actor, subject=user)


@transaction.atomic
def reset_factors(user: User, *, actor: User) -> int:
    """Take away a lost second factor and all recovery codes; the next sign-in sets up new ones (ASVS 6.4.4).

    Raises ValidationError for oneself: a stolen session must not get rid of the second factor.
    """
    if user.pk == actor.pk:
        raise ValidationError(_("A second person has to reset your second factor."))
    gone, _by_model = Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    StaffEvent.objects.create(kind=StaffEvent.Kind.FACTOR_RESET, actor=actor, subject=user, detail={"factors": gone})
    return gone
