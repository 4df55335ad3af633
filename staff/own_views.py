"""Pages about oneself: joining, profile, the switches of the menu, where one is signed in."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from staff.access import login_required_page, public_page, signed_in
from staff.forms import FirstPasswordForm, PreferencesForm, ProfileForm, posted
from staff.joining import hashed, join, open_invite
from staff.models import StaffEvent
from staff.sessions import end_session, end_sessions

INVITED = "staff_invited"


@require_GET
@never_cache
@public_page("An invited person has no account yet; the link itself is the key.")
def join_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address at once, so that it stays in no history."""
    request.session[INVITED] = hashed(token).hex()
    return redirect("staff:welcome")


@require_http_methods(["GET", "POST"])
@never_cache
@public_page("An invited person chooses a password here; the invite in the session is the key.")
def welcome(request: HttpRequest) -> HttpResponse:
    """Choose the first password."""
    opened = open_invite(bytes.fromhex(request.session.get(INVITED, "")))
    if opened is None:
        return render(request, "staff/join_closed.html", status=410)
    form = FirstPasswordForm(posted(request), user=opened.user)
    if request.method == "POST" and form.is_valid():
        try:
            join(opened, form.cleaned_data["password"])
        except ValidationError:
            return render(request, "staff/join_closed.html", status=410)
        del request.session[INVITED]
        messages.success(request, _("Your password is set. Please sign in now."))
        return redirect("account_login")
    return render(request, "staff/join.html", {"form": form, "invited": opened.user})


@require_http_methods(["GET", "POST"])
@login_required_page
def profile(request: HttpRequest) -> HttpResponse:
    """Own name, language and appearance."""
    form = ProfileForm(posted(request), instance=signed_in(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("staff:profile")
    if form.errors:
        # A refused name must not show in the menu of the page that says so.
        signed_in(request).refresh_from_db(fields=["name", "language", "theme"])
    return render(request, "staff/profile.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@login_required_page
def preferences(request: HttpRequest) -> HttpResponse:
    """The switches of the menu, which go back to the page they were pressed on."""
    form = PreferencesForm(request.POST)
    if form.is_valid():
        chosen = {name: value for name, value in form.cleaned_data.items() if value}
        for name, value in chosen.items():
            setattr(signed_in(request), name, value)
        if chosen:
            signed_in(request).save(update_fields=list(chosen))
    return back(request)


def back(request: HttpRequest) -> HttpResponseRedirect:
    """To the page of the house that the form names, to the start otherwise."""
    target = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if allowed else "/")


@require_GET
@login_required_page
def sign_ins(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    context = {"sign_ins": signed_in(request).sign_ins.all(), "own_key": request.session.session_key}
    return render(request, "staff/sign_ins.html", context)


@require_POST
@login_required_page
def end_sign_in(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own sessions."""
    end_session(get_object_or_404(signed_in(request).sign_ins.exclude(session_key=request.session.session_key), pk=pk))
    messages.success(request, _("This session has ended."))
    return redirect("staff:sign-ins")


@require_POST
@login_required_page
def end_other_sign_ins(request: HttpRequest) -> HttpResponse:
    """End all of one's own sessions but this one."""
    ended = end_sessions(signed_in(request), keep=request.session.session_key)
    StaffEvent.objects.create(
        kind=StaffEvent.Kind.SESSIONS_ENDED,
        actor=signed_in(request),
        subject=signed_in(request),
        detail={"sessions": ended},
    )
    messages.success(request, _("All other sessions have ended."))
    return redirect("staff:sign-ins")
