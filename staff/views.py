"""Pages on which staff are invited, given roles, disabled, and their trail is read."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datamap.guard import declared_permissions
from datamap.keyset import page_of
from staff.access import permission_required, recent_login_required, signed_in
from staff.forms import InviteForm, MatrixSuccessorsForm, RolesForm, RoleSuccessorForm, SuccessorForm, posted
from staff.handover import Work, open_work, stranded, stranded_by_matrix
from staff.joining import disable, enable, invite, mail_invite, reinvite, reset_factors
from staff.models import FORMER, Invite, Role, StaffEvent, User
from staff.roles import assign_roles, matrix, set_matrix
from staff.sessions import end_sessions

EVENTS_PER_PAGE = 50


@require_GET
@permission_required("staff.manage")
def user_list(request: HttpRequest) -> HttpResponse:
    """Everybody who works here or did."""
    factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    waiting = Invite.objects.filter(user=OuterRef("pk"), used_at=None, expires_at__gt=timezone.now())
    users = User.objects.annotate(protected=Exists(factors), waiting=Exists(waiting))
    users = users.prefetch_related("roles").order_by("-is_active", "name", "pk")
    return render(request, "staff/user_list.html", {"users": users})


@require_http_methods(["GET", "POST"])
@permission_required("staff.manage")
@recent_login_required
def user_invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody by e-mail."""
    form = InviteForm(posted(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        user, token = invite(
            data["email"], data["name"], data["roles"], actor=signed_in(request), language=data["language"]
        )
        _say_of_invite(request, sent=mail_invite(user, token))
        return redirect("staff:detail", user.pk)
    return render(request, "staff/user_invite.html", {"form": form})


def _say_of_invite(request: HttpRequest, *, sent: bool) -> None:
    if sent:
        messages.success(request, _("The invitation is on its way. The link is good for 48 hours."))
    else:
        messages.error(request, _("The invitation could not be sent. Send it again once the mail server answers."))


@require_GET
@permission_required("staff.manage")
def user_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: roles, protection, sessions, what happened."""
    user = get_object_or_404(User, pk=pk)
    return render(request, "staff/user_detail.html", detail_of(user) | {"form": RolesForm(instance=user)})


def detail_of(user: User) -> dict[str, object]:
    """What the page of one person shows."""
    return {
        "person": user,
        "factors": Authenticator.objects.filter(user=user).order_by("created_at"),
        "sign_ins": user.sign_ins.all(),
        "invited": user.invites.filter(used_at=None, expires_at__gt=timezone.now()).first(),
        "events": user.events.select_related("actor")[:20],
        "stranded": stranded(user, user.roles.all()),
    }


@require_POST
@permission_required("staff.manage")
@recent_login_required
def user_roles(request: HttpRequest, pk: int) -> HttpResponse:
    """Give somebody other roles; the person has to sign in again. Who takes over lost work is asked first."""
    user = get_object_or_404(User, pk=pk)
    form = RolesForm(request.POST, instance=user)
    if form.is_valid():
        roles = list(form.cleaned_data["roles"])
        successor = None
        if work := stranded(user, roles):
            taking = _taking_over(request, user, roles, work)
            if not taking.is_valid():
                return _ask_who_takes_over(request, user, taking, work)
            successor = taking.cleaned_data["successor"]
        keep = request.session.session_key if user == signed_in(request) else ""
        try:
            if assign_roles(signed_in(request), user, roles, keep_session=keep or "", successor=successor):
                messages.success(request, _roles_changed(successor is not None))
            return redirect("staff:detail", user.pk)
        except ValidationError as refused:
            form.add_error(None, refused)
    return render(request, "staff/user_detail.html", detail_of(user) | {"form": form}, status=422)


def _roles_changed(handed_over: bool) -> str:
    if handed_over:
        return _("The roles are saved and the open work is handed over.")
    return _("The roles are changed. The person has to sign in again.")


def _taking_over(request: HttpRequest, user: User, roles: list[Role], work: Work) -> RoleSuccessorForm:
    """The form that asks for the successor; empty the first time."""
    answered = request.POST if "confirm" in request.POST else None
    return RoleSuccessorForm(answered, leaving=user, needed=True, work=work, initial={"roles": roles})


def _ask_who_takes_over(request: HttpRequest, user: User, form: RoleSuccessorForm, work: Work) -> HttpResponse:
    receipt = [(kind.label, number) for kind, number in work]
    context = {"person": user, "form": form, "receipt": receipt}
    return render(request, "staff/user_roles.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("staff.manage")
@recent_login_required
def user_disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what disabling ends and hands over, then do it."""
    user = get_object_or_404(User, pk=pk, is_active=True)
    work = open_work(user)
    form = SuccessorForm(posted(request), leaving=user, needed=bool(work))
    if request.method == "POST" and form.is_valid():
        try:
            disable(user, actor=signed_in(request), successor=form.cleaned_data.get("successor"))
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, _("The person can no longer sign in; every session has ended."))
            return redirect("staff:detail", user.pk)
    receipt = [(_("Sessions that end"), user.sign_ins.count())]
    receipt += [(kind.label, number) for kind, number in work]
    context = {"person": user, "form": form, "receipt": receipt}
    return render(request, "staff/user_disable.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("staff.manage")
@recent_login_required
def user_enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody in again."""
    enable(get_object_or_404(User.objects.exclude(name=FORMER), pk=pk, is_active=False), actor=signed_in(request))
    messages.success(request, _("The person may sign in again."))
    return redirect("staff:detail", pk)


@require_POST
@permission_required("staff.manage")
@recent_login_required
def user_reinvite(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a new link to somebody who never used the first."""
    user = get_object_or_404(User, pk=pk, is_active=True)
    if user.has_usable_password():
        messages.warning(request, _("This person has joined already and can set a new password at the sign-in."))
        return redirect("staff:detail", pk)
    _say_of_invite(request, sent=mail_invite(user, reinvite(user, actor=signed_in(request))))
    return redirect("staff:detail", pk)


@require_http_methods(["GET", "POST"])
@permission_required("staff.manage")
@recent_login_required
def user_factors(request: HttpRequest, pk: int) -> HttpResponse:
    """Reset the lost second factor of a colleague."""
    user = get_object_or_404(User, pk=pk)
    own = user.pk == signed_in(request).pk
    if request.method == "POST":
        try:
            reset_factors(user, actor=signed_in(request))
        except ValidationError as refused:
            messages.error(request, refused.messages[0])
            return redirect("staff:detail", pk)
        messages.success(request, _("The second factor is gone. The person sets up a new one at the next sign-in."))
        return redirect("staff:detail", pk)
    numbers = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).count()
    receipt = [(_("Second factors that go"), numbers), (_("Sessions that end"), user.sign_ins.count())]
    return render(request, "staff/user_factors.html", {"person": user, "receipt": receipt, "own": own})


@require_POST
@permission_required("staff.manage")
@recent_login_required
def user_sign_out(request: HttpRequest, pk: int) -> HttpResponse:
    """End every session of a colleague."""
    user = get_object_or_404(User, pk=pk)
    ended = end_sessions(user, keep=request.session.session_key if user == signed_in(request) else "")
    detail = {"sessions": ended}
    StaffEvent.objects.create(
        kind=StaffEvent.Kind.SESSIONS_ENDED, actor=signed_in(request), subject=user, detail=detail
    )
    said = ngettext("%(number)d session has ended.", "%(number)d sessions have ended.", ended)
    messages.success(request, said % {"number": ended})
    return redirect("staff:detail", pk)


@require_http_methods(["GET", "POST"])
@permission_required("staff.manage")
@recent_login_required
def role_matrix(request: HttpRequest) -> HttpResponse:
    """What each role may do, as a table to tick."""
    roles = list(Role.objects.all())
    status = 200
    if request.method == "POST":
        ticked = {(role.pk, key) for role in roles for key in request.POST.getlist(f"role-{role.pk}")}
        successors: dict[int, User] = {}
        if work := stranded_by_matrix(ticked):
            taking = MatrixSuccessorsForm(
                request.POST if "confirm" in request.POST else None, work=work, granted=ticked
            )
            if not taking.is_valid():
                return _ask_who_take_over(request, taking, ticked)
            successors = taking.successors
        try:
            changed = set_matrix(signed_in(request), ticked, successors)
        except ValidationError as refused:
            messages.error(request, refused.messages[0])
            status = 422
        else:
            said = ngettext("%(number)d permission changed.", "%(number)d permissions changed.", changed)
            messages.success(request, said % {"number": changed})
            return redirect("staff:matrix")
    return render(request, "staff/role_matrix.html", {"roles": roles, "areas": areas(roles)}, status=status)


def _ask_who_take_over(request: HttpRequest, form: MatrixSuccessorsForm, ticked: set[tuple[int, str]]) -> HttpResponse:
    context = {"form": form, "ticked": sorted(ticked)}
    return render(request, "staff/role_matrix_successors.html", context, status=422 if form.errors else 200)


def areas(roles: list[Role]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rows of the matrix by the app whose pages they open."""
    cells = matrix()
    found: dict[str, list[dict[str, Any]]] = {}
    for permission in declared_permissions().values():
        ticks = [(role, cells.get((role.pk, permission.key), False)) for role in roles]
        row = {"key": permission.key, "label": permission.label, "ticks": ticks}
        found.setdefault(permission.key.split(".")[0], []).append(row)
    return list(found.items())


@require_GET
@permission_required("staff.manage")
def event_list(request: HttpRequest) -> HttpResponse:
    """Who did what to whom among the staff, newest first."""
    events = StaffEvent.objects.select_related("actor", "subject")
    page = page_of(events, "pk", cursor=request.GET.get("before", ""), size=EVENTS_PER_PAGE)
    older = f"?before={page.next_cursor}" if page.next_cursor else ""
    return render(request, "staff/event_list.html", {"events": page.rows, "older": older})
