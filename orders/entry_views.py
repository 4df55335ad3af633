"""Pages on which staff enter and correct orders, and say what the order form asks for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from orders.access import hides_gift, order_for
from orders.entering import edit_order, enter_order, why_fixed
from orders.entry_forms import LineFormSet, OrderForm, initial_line, initial_of, line_inputs
from orders.forms import OrderTypeForm
from orders.models import Order, OrderType
from orders.refusing import Refused, Stale
from orders.views import refused
from staff.access import permission_required

EMPTY_LINES = 3


@require_http_methods(["GET", "POST"])
@permission_required("orders.edit")
def order_new(request: HttpRequest) -> HttpResponse:
    order_type = _type_of(request)
    if request.method != "POST":
        initial = {"customer_number": request.GET.get("customer", ""), "type": order_type}
        form = _form(request, order_type, initial=initial)
        return _page(request, form, LineFormSet(prefix="lines", initial=[{} for _n in range(EMPTY_LINES)]))
    form, lines = _form(request, order_type, data=request.POST), LineFormSet(request.POST, prefix="lines")
    if "more" in request.POST:
        return _page(request, _unbound(form, request), _longer(request))
    if not (form.is_valid() & lines.is_valid()):
        return _page(request, form, lines, status=422)
    try:
        data = form.order_input(line_inputs(lines))
        order = enter_order(data, token=form.cleaned_data["token"], user_id=request.user.pk)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form, lines, status=422)
    messages.success(request, _("Order %s is stored.") % order.number)
    return redirect("orders:detail", order.pk)


@require_http_methods(["GET", "POST"])
@permission_required("orders.edit")
def order_edit(request: HttpRequest, pk: int) -> HttpResponse:
    order = order_for(request, pk, page="orders.edit", permission="orders.edit")
    if reason := why_fixed(order):
        return refused(request, order, reason)
    if request.method != "POST":
        form = _form(request, order.type, order=order, initial=initial_of(order))
        initial = [initial_line(line) for line in order.lines.all()] + [{}]
        return _page(request, form, LineFormSet(prefix="lines", initial=initial), order)
    form = _form(request, order.type, order=order, data=request.POST)
    lines = LineFormSet(request.POST, prefix="lines")
    if "more" in request.POST:
        return _page(request, _unbound(form, request), _longer(request), order)
    if not (form.is_valid() & lines.is_valid()) or form.cleaned_data["version"] is None:
        return _page(request, form, lines, order, status=422)
    return _save(request, order, form, lines)


def _save(request: HttpRequest, order: Order, form: OrderForm, lines: Any) -> HttpResponse:
    try:
        edit_order(
            order.pk,
            form.order_input(line_inputs(lines)),
            version=form.cleaned_data["version"],
            user_id=request.user.pk,
        )
    except Stale as stale:
        return _stale(request, stale.current, form, lines)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form, lines, order, status=422)
    messages.success(request, _("Saved."))
    return redirect("orders:detail", order.pk)


def _stale(request: HttpRequest, current: Order, form: OrderForm, lines: Any) -> HttpResponse:
    """Both versions side by side: what was typed stays in the form, and saving again overwrites knowingly."""
    theirs = initial_of(current)
    given = {name: form.data.get(name, "") for name in form.data}
    given["version"] = str(current.version)
    again = _form(request, current.type, order=current, data=given)
    again.is_valid()
    differing = [
        (field.label, theirs.get(field.name, ""), again.cleaned_data.get(field.name) or "")
        for field in again.visible_fields()
        if field.name != "placed_at"
        and str(theirs.get(field.name) or "") != str(again.cleaned_data.get(field.name) or "")
    ]
    context = {"theirs": current, "their_lines": list(current.lines.all()), "differing": differing}
    return _page(request, again, lines, current, status=409, **context)


def _page(
    request: HttpRequest,
    form: OrderForm,
    lines: Any,
    order: Order | None = None,
    *,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    types = [] if order else list(OrderType.objects.filter(retired_at=None))
    context |= {"form": form, "lines": lines, "order": order, "types": types, "type": form.order_type}
    return render(request, "orders/form.html", context, status=status)


def _form(request: HttpRequest, order_type: OrderType | None, **given: Any) -> OrderForm:
    user: Any = request.user
    order: Order | None = given.get("order")
    hidden = order is not None and hides_gift(request, order.gift_recipient)
    return OrderForm(user=user, order_type=order_type, gift_hidden=hidden, **given)


def _unbound(form: OrderForm, request: HttpRequest) -> OrderForm:
    """The same form with what was typed, and without a word about what is still missing."""
    typed = {name: request.POST.get(name, "") for name in form.fields}
    return _form(request, form.order_type, order=form.order, initial=typed)


def _longer(request: HttpRequest) -> Any:
    """The lines as typed, and some empty ones more (the way without JavaScript)."""
    lines = LineFormSet(request.POST, prefix="lines")
    typed = [{name: form[name].value() for name in form.fields} for form in lines.forms]
    return LineFormSet(prefix="lines", initial=typed + [{} for _n in range(EMPTY_LINES)])


def _type_of(request: HttpRequest) -> OrderType | None:
    asked = request.POST.get("type") or request.GET.get("type") or ""
    types = OrderType.objects.prefetch_related("rules")
    # Only what can be an id: other digits than these, or more of them, are no type of ours.
    if asked.isascii() and asked.isdigit() and len(asked) < 19:
        return get_object_or_404(types, pk=int(asked))
    return types.filter(retired_at=None).first()


@require_http_methods(["GET", "POST"])
@permission_required("orders.settings")
def order_types(request: HttpRequest) -> HttpResponse:
    """All types and a form for a new one."""
    form = OrderTypeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
        messages.success(request, _("Saved."))
        return redirect("orders:types")
    context = {"form": form, "types": OrderType.objects.prefetch_related("rules")}
    return render(request, "orders/types.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("orders.settings")
def order_type(request: HttpRequest, pk: int) -> HttpResponse:
    changed = get_object_or_404(OrderType, pk=pk)
    form = OrderTypeForm(request.POST or None, instance=changed)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
        messages.success(request, _("Saved."))
        return redirect("orders:types")
    context = {"form": form, "type": changed}
    return render(request, "orders/type.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("orders.settings")
def order_type_retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a type out of the form, or back in, as the button said; orders of it keep it."""
    changed, wanted = get_object_or_404(OrderType, pk=pk), request.POST.get("retired", "")
    if wanted not in ("yes", "no"):
        raise BadRequest
    if (wanted == "yes") != bool(changed.retired_at):
        changed.retired_at = timezone.now() if wanted == "yes" else None
        changed.save(update_fields=["retired_at"])
    messages.success(request, _("Saved."))
    return redirect("orders:types")
