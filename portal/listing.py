"""What one request for the customer list is about: stored search, view, order, columns, addresses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.models import Tag
from customers.searching import COUNTED, search
from datamap.preparing import ask
from portal.columns import chosen
from portal.filtering import active_filters
from portal.models import SavedView
from portal.querying import DEFAULT_ORDER, ORDERS, Selection
from portal.states import Stale, recall
from staff.models import User


@dataclass
class Listing:
    """One list as its address describes it."""

    user: User
    stored: dict[str, Any] = field(default_factory=dict)
    state: str = ""
    view: SavedView | None = None
    views: list[SavedView] = field(default_factory=list)
    order: str = DEFAULT_ORDER
    columns: list[str] = field(default_factory=list)
    stale: bool = False

    def selection(self, cap: int = COUNTED) -> Selection:
        """Whom the list is about, with up to `cap` customers looked up for the searched words."""
        restricted_too = self.user.may("customers.restricted")
        if not (words := self.stored.get("words", "")):
            return Selection(self.stored, restricted_too)
        found = search(words, restricted_too=restricted_too, cap=cap)
        return Selection(self.stored, restricted_too, found.ids, found.more)

    def chips(self) -> list[tuple[str, str]]:
        """Name and words of each filter in use."""
        if not self.stored:
            return []
        tag = Tag.objects.filter(pk=self.stored["tag"]).first() if "tag" in self.stored else None
        return list(active_filters(self.stored, tag.name if tag else _("that is gone")))

    def query(self, **changes: str) -> str:
        """The query string of this list with changes; it never holds what was searched for."""
        parts = {
            "s": self.state,
            "v": str(self.view.pk) if self.view and not self.state else "",
            "o": self.order if self.order != self.usual_order else "",
            **changes,
        }
        return urlencode({key: value for key, value in parts.items() if value})

    def address(self, **changes: str) -> str:
        """The address of this list with changes."""
        query = self.query(**changes)
        return f"{self.base}?{query}" if query else self.base

    @cached_property
    def base(self) -> str:
        """The address of the list of all customers."""
        return reverse("portal:customer_list")

    @property
    def usual_order(self) -> str:
        """The order where the address names none."""
        return self.view.order if self.view and self.view.order in ORDERS else DEFAULT_ORDER

    @property
    def may_edit_view(self) -> bool:
        """Whether the open view is this person's to rename, share or delete."""
        if self.view is None or self.view.owner_id == self.user.pk:
            return self.view is not None
        return editable_views(self.user).filter(pk=self.view.pk).exists()


def say_if_ended(request: HttpRequest, listing: Listing) -> None:
    """Say so where the search that an address names has ended: the list it leads to is wider than what was seen."""
    if listing.stale:
        messages.warning(request, _("That search has ended. Its words and filters no longer narrow this list."))


def editable_views(user: User) -> QuerySet[SavedView]:
    """The named views a person may change: their own, and with `views.manage` shared ones whose owner has left."""
    whose = Q(owner=user)
    if user.may("views.manage"):
        whose |= Q(owner__is_active=False, shared_at__isnull=False)
    return SavedView.objects.exclude(name="").filter(whose)


# Without the sealed query: only the view that is open needs it, and loads it when asked.
_VIEWS = """
select id, owner_id, name, "order", columns, shared_at from portal_savedview
where owner_id = %s or shared_at is not null order by name, id
"""


def views_of(user: User) -> list[SavedView]:
    """The views a person sees as tabs, and the nameless one with their own columns."""
    names = ("id", "owner_id", "name", "order", "columns", "shared_at")
    return [
        SavedView.from_db(DEFAULT_DB_ALIAS, names, (*plain, json.loads(columns), shared_at))
        for *plain, columns, shared_at in ask(_VIEWS, [user.pk])
    ]


def listing_of(request: HttpRequest, source: QueryDict) -> Listing:
    """Read a list's address, or the hidden fields of its forms. 404 for a view that is not theirs."""
    user: Any = request.user
    listing = Listing(user, views=views_of(user))
    if wanted := source.get("v", ""):
        listing.view = next((view for view in listing.views if str(view.pk) == wanted and view.name), None)
        if listing.view is None:
            raise Http404
        listing.stored = dict(listing.view.query or {})
    if signed := source.get("s", ""):
        try:
            state = recall(user, signed)
        except Stale:
            listing.stale = True
        else:
            listing.state, listing.stored = signed, dict(state.query)
            listing.view = next((view for view in listing.views if view.pk == state.view_id), None)
    order = source.get("o", "")
    listing.order = order if order in ORDERS else listing.usual_order
    own = next((view for view in listing.views if not view.name and view.owner_id == user.pk), None)
    listing.columns = chosen((listing.view or own or SavedView()).columns)
    return listing
