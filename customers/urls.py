"""Routes of the pages of customers; lists and the customer page itself belong to the desk."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from customers.views import ending, entering, held, lists, remarks, settings

app_name = "customers"


class Number(StringConverter):
    """What a customer number in an address may hold: no control characters, which PostgreSQL would refuse."""

    regex = r"[^/\x00-\x1f\x7f]+"


register_converter(Number, "number")

urlpatterns = [
    path("new/", entering.create, name="create"),
    path("held/", held.held_list, name="held"),
    path("held/<int:pk>/", held.held_decide, name="held_decide"),
    path("claims/", lists.claims, name="claims"),
    path("suppression/", lists.suppression_list, name="suppression"),
    path("tags/", settings.tags, name="tags"),
    path("tags/<int:pk>/", settings.tag_edit, name="tag_edit"),
    path("tags/<int:pk>/delete/", settings.tag_delete, name="tag_delete"),
    path("number-range/", settings.number_range, name="number_range"),
    path("notes/<int:pk>/edit/", remarks.note_edit, name="note_edit"),
    path("notes/<int:pk>/delete/", remarks.note_delete, name="note_delete"),
    path("flags/<int:pk>/lift/", remarks.flag_lift, name="flag_lift"),
    path("<number:number>/edit/", entering.edit, name="edit"),
    path("<number:number>/deactivate/", ending.deactivate, name="deactivate"),
    path("<number:number>/reactivate/", ending.reactivate, name="reactivate"),
    path("<number:number>/note/", remarks.note_add, name="note_add"),
    path("<number:number>/flag/", remarks.flag_set, name="flag_set"),
]
