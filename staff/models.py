"""Who works here: users, their roles, what a role may do, and the trail of who changed that."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.Model):
    """What someone is here for; what the role may do stands in RolePermission."""

    SERVICE = "service"
    MARKETING = "marketing"
    MANAGER = "manager"
    TAX = "tax"
    PRIVACY = "privacy"
    OPERATOR = "operator"

    # Kept here so that a fresh database has them and the pages can translate them.
    NAMES: ClassVar[dict[str, Any]] = {
        SERVICE: _("Customer service"),
        MARKETING: _("Marketing"),
        MANAGER: _("Management"),
        TAX: _("Tax and accounting"),
        PRIVACY: _("Privacy"),
        OPERATOR: _("Operations"),
    }

    key = models.SlugField(_("key"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "key"]
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return str(self.NAMES.get(self.key, self.name))


class RolePermission(models.Model):
    """One cell of the matrix. A cell taken away stays as a row, so that an upgrade does not give it back."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="permissions")
    permission = models.CharField(_("permission"), max_length=64)
    granted = models.BooleanField(_("granted"), default=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["role", "permission"], name="staff_one_cell_per_role_and_permission"),
        ]
        verbose_name = _("permission of a role")
        verbose_name_plural = _("permissions of roles")

    def __str__(self) -> str:
        return f"{self.role_id}: {self.permission}"


def granted_to(user: Any) -> models.QuerySet[RolePermission, str]:
    """The keys of the permissions that the roles of a user give."""
    return RolePermission.objects.filter(granted=True, role__users=user).values_list("permission", flat=True)


class UserManager(BaseUserManager["User"]):
    """Makes users; there is no way to make one without saying which e-mail address signs in."""

    def create_user(self, email: str, password: str | None = None, *, roles: Any = (), **fields: Any) -> "User":
        """Save a new user; roles are keys or rows. Without a password an invite has to be used first."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        rows = [role if isinstance(role, Role) else ensure_role(role) for role in roles]
        user.roles.set(rows)
        return user

    def who_may(self, permission: str) -> models.QuerySet["User"]:
        """Everyone who works here and has this permission by one of their roles."""
        granted = Q(roles__permissions__permission=permission, roles__permissions__granted=True)
        return self.filter(granted, is_active=True).distinct()

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


def ensure_role(key: str) -> Role:
    """The role with this key; one of the six of the house is made when the table does not hold it yet."""
    keys = list(Role.NAMES)
    if key not in keys:
        return Role.objects.get(key=key)
    role, _made = Role.objects.get_or_create(key=key, defaults={"name": key.capitalize(), "position": keys.index(key)})
    return role


FORMER = "–"
"""The name of whoever worked here and whose own name is gone; what they did keeps its row."""


class User(AbstractBaseUser):
    """Someone who works here. Signs in by e-mail address, which is kept in lower case."""

    LANGUAGES: ClassVar[list[tuple[str, Any]]] = [("de", "Deutsch"), ("en", "English")]
    THEMES: ClassVar[list[tuple[str, Any]]] = [
        ("auto", _("As the device")),
        ("light", _("Light")),
        ("dark", _("Dark")),
    ]

    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120)
    language = models.CharField(_("language"), max_length=5, choices=LANGUAGES, default="de")
    theme = models.CharField(_("appearance"), max_length=5, choices=THEMES, default="auto")
    roles = models.ManyToManyField(Role, verbose_name=_("roles"), related_name="users", blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    date_joined = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    disabled_at = models.DateTimeField(_("disabled at"), null=True, blank=True, editable=False)
    last_seen = models.DateTimeField(_("last seen"), null=True, blank=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    # Django's admin and some libraries ask for these; rights in this house come from roles alone.
    is_staff = False
    is_superuser = False

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "pk"]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="staff_user_email_in_lower_case"),
        ]
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return f"User {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()

    @property
    def is_former(self) -> bool:
        """Whether nothing tells any more who this was."""
        return self.name == FORMER

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def permissions(self) -> frozenset[str]:
        """Every permission key the roles give; asked of the database once per instance."""
        if not self.is_active or self.pk is None:
            return frozenset()
        if not hasattr(self, "_permissions"):
            # Every page asks: who is recalled by their session brings them along.
            self._permissions = frozenset(self.granted if hasattr(self, "granted") else granted_to(self.pk))
        return self._permissions

    def may(self, permission: str) -> bool:
        """Whether one of the user's roles carries this permission."""
        return permission in self.permissions

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


class SignIn(models.Model):
    """One living browser session of a user, so that it can be listed and ended."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    device = models.CharField(_("device"), max_length=120, blank=True)
    started_at = models.DateTimeField(_("since"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["-seen_at", "pk"]
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")

    def __str__(self) -> str:
        return f"Sign-in {self.pk}"


class Invite(models.Model):
    """A link that lets its holder choose a first password, once. Only the hash of the link is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invites")
    token_hash = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("invite")
        verbose_name_plural = _("invites")

    def __str__(self) -> str:
        return f"Invite {self.pk}"


class StaffEvent(models.Model):
    """Who did what to whom among the staff; `detail` holds role and permission keys, never personal data."""

    class Kind(models.TextChoices):
        INVITED = "invited", _("invited")
        JOINED = "joined", _("accepted the invite")
        ROLES = "roles", _("roles changed")
        DISABLED = "disabled", _("disabled")
        ENABLED = "enabled", _("enabled")
        FACTOR_RESET = "factor_reset", _("second factor reset")
        FACTOR_ADDED = "factor_added", _("second factor added")
        FACTOR_REMOVED = "factor_removed", _("second factor removed")
        PASSWORD = "password", _("password changed")
        SESSIONS_ENDED = "sessions_ended", _("signed out everywhere")
        HANDED_OVER = "handed_over", _("open work handed over")
        MATRIX = "matrix", _("permissions changed")

    DETAILS: ClassVar[dict[str, Any]] = {
        "roles": _("roles"),
        "added": _("added"),
        "removed": _("taken away"),
        "granted": _("granted"),
        "taken": _("taken away"),
        "sessions": _("sessions"),
        "factors": _("second factors"),
        "type": _("kind"),
        "to": _("to user"),
        "moved": _("pieces"),
    }

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    subject = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="events")
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        verbose_name = _("staff event")
        verbose_name_plural = _("staff events")

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"

    @property
    def words(self) -> str:
        """The detail as a line for people: labels in their language, roles by name, permissions by key."""
        return " · ".join(
            f"{self.DETAILS.get(key, key)}: {self._said(value)}" for key, value in self.detail.items() if value
        )

    def _said(self, value: Any) -> str:
        if isinstance(value, dict):
            return ", ".join(f"{key} {number}" for key, number in value.items())
        values = value if isinstance(value, list) else [value]
        return ", ".join(str(Role.NAMES.get(one, one)) for one in values)
