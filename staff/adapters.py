"""How allauth behaves in this house: no sign-up, sealed second factors, fresh factors, sessions that end."""

import base64
import time
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from staff.mailing import deliver
from staff.models import StaffEvent, User
from staff.sessions import end_sessions
from vault.keyring import keyring

SEAL_LABEL = "mfa.authenticator.data"


class AccountAdapter(DefaultAccountAdapter):
    """Accounts come from an invite alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        return f"Obhut: {subject}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of the mail, on the configured address: a Host header must not choose where it leads."""
        made = urlsplit(super().get_reset_password_from_key_url(key))
        return settings.SITE_URL.rstrip("/") + made.path

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Also where no server takes it: what the mail tells of has happened, and who works here shows in no answer."""
        deliver(partial(super().send_mail, template_prefix, email, context))

    def set_password(self, user: User, password: str) -> None:
        """Change or reset: every other session of the user ends (ASVS 7.4.3)."""
        user.set_password(password)
        user.save(update_fields=["password"])
        end_sessions(user, keep=self.request.session.session_key if self.request.user.is_authenticated else "")
        StaffEvent.objects.create(kind=StaffEvent.Kind.PASSWORD, actor=user, subject=user)

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        """Signing in counts as a fresh factor too, so that nobody types the password twice in a row."""
        records = get_authentication_records(self.request, self.request.user)
        newest = max((record["at"] for record in records), default=0)
        return bool(time.time() - newest > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


class MFAAdapter(DefaultMFAAdapter):
    """TOTP seeds and the seed of the recovery codes lie sealed in the database."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(keyring().seal(SEAL_LABEL, text.encode())).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        return keyring().open(SEAL_LABEL, base64.b64decode(encrypted_text)).decode()

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """What the device shows when it asks which passkey to use."""
        return super().get_public_key_credential_user_entity(user) | {"display_name": user.name}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Where a second factor is compulsory the last one stays; a new one is added first."""
        if not getattr(settings, "STAFF_MFA_REQUIRED", True):
            return True
        others = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        return others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
