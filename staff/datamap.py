"""What the house holds about its staff, and the third-party tables that hold it."""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, PersonalData, exempt, register
from staff.models import FORMER, Invite, Role, RolePermission, SignIn, StaffEvent, User

EMPLOYMENT = (Basis.CONTRACT, Basis.LEGITIMATE_INTERESTS)

exempt(Role, _("Names of roles"))
exempt(RolePermission, _("What a role may do"))
exempt("auth.Permission", _("Django's own permissions, unused: rights come from roles"))
exempt("auth.Group", _("Django's own groups, unused: rights come from roles"))


@register(User)
class UserData(PersonalData):
    """A person who works here; the account outlives the work by six months, then its name goes."""

    groups = [
        Group(
            fields=("email", "name", "language", "theme", "last_seen", "last_login"),
            subject="self",
            person="staff",
            purpose=_("Signing in, and knowing who did what"),
            basis=EMPLOYMENT,
            category="STAFF",
            start="disabled_at",
            anonymize={
                # Never delivered (RFC 2606), and still an address of its own.
                "email": Concat(Value("former-"), Cast("id", CharField()), Value("@staff.invalid")),
                "name": FORMER,
                "language": "de",
                "theme": "auto",
                "last_seen": None,
                "last_login": None,
            },
        ),
        Group(
            fields=("password",),
            subject="self",
            person="staff",
            purpose=_("Signing in"),
            basis=EMPLOYMENT,
            category="STAFF",
            start="disabled_at",
            note=_("Argon2 hash, never the password"),
            anonymize={"password": UNUSABLE_PASSWORD_PREFIX},
        ),
    ]
    plain = ("roles", "is_active", "date_joined", "disabled_at")


@register(SignIn)
class SignInData(PersonalData):
    """Open sessions of a staff member."""

    groups = [
        Group(
            fields=("session_key", "device", "started_at", "seen_at"),
            subject="user",
            person="staff",
            purpose=_("Listing and ending one's open sessions"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF:session",
            start="seen_at",
        )
    ]


@register(Invite)
class InviteData(PersonalData):
    """Links sent to people who are to join."""

    groups = [
        Group(
            fields=("token_hash",),
            subject="user",
            person="staff",
            purpose=_("Letting an invited person choose a password"),
            basis=EMPLOYMENT,
            category="STAFF",
            start="expires_at",
        ),
        Group(
            fields=("invited_by",),
            subject="invited_by",
            person="staff",
            purpose=_("Proof of who changed whose access"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start="expires_at",
        ),
    ]
    plain = ("created_at", "expires_at", "used_at")


@register(StaffEvent)
class StaffEventData(PersonalData):
    """Who changed whose access."""

    groups = [
        Group(
            fields=("kind", "detail", "at"),
            subject="subject",
            person="staff",
            purpose=_("Proof of who changed whose access"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="SECLOG",
            start="at",
        ),
        Group(
            fields=("actor",),
            subject="actor",
            person="staff",
            purpose=_("Proof of who changed whose access"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="SECLOG",
            start="at",
        ),
    ]


@register("sessions.Session")
class SessionData(PersonalData):
    """Django's store of sessions; the user's id stands in the signed content."""

    groups = [
        Group(
            fields=("session_data",),
            subject=None,
            person="staff",
            purpose=_("Staying signed in"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF:session",
            start="expire_date",
        )
    ]
    plain = ("session_key", "expire_date")


@register("account.EmailAddress")
class EmailAddressData(PersonalData):
    """allauth's copy of the address that signs in."""

    groups = [
        Group(
            fields=("email",),
            subject="user",
            person="staff",
            purpose=_("Signing in"),
            basis=EMPLOYMENT,
            category="STAFF",
            start="user.disabled_at",
        )
    ]
    plain = ("verified", "primary")


@register("account.EmailConfirmation")
class EmailConfirmationData(PersonalData):
    """allauth's links that prove an address; this house sends none."""

    parent = "email_address"
    groups = [
        Group(
            fields=("key",),
            subject="email_address.user",
            person="staff",
            purpose=_("Proving an address"),
            basis=EMPLOYMENT,
            category="STAFF",
            start="created",
        )
    ]
    plain = ("created", "sent")


@register("mfa.Authenticator")
class AuthenticatorData(PersonalData):
    """Second factors; seeds lie sealed inside the data."""

    groups = [
        Group(
            fields=("data", "last_used_at"),
            subject="user",
            person="staff",
            purpose=_("Signing in with a second factor"),
            basis=EMPLOYMENT,
            category="STAFF",
            start="user.disabled_at",
        )
    ]
    plain = ("type", "created_at")
