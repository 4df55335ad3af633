"""Saved views: private or shared, renamed and deleted by their owner, or once the owner has left by who may."""

import pytest
from django.urls import reverse

from portal.models import ListState, SavedView
from tests.portal.factories import make_customer
from tests.portal.test_customer_list import LIST, narrow, numbers

pytestmark = pytest.mark.django_db


def save(client, name: str, shared: bool = False, **filters: str) -> SavedView:
    address = narrow(client, **filters).redirect_chain[-1][0]
    query = address.partition("?")[2]
    data = {"name": name} | ({"shared": "on"} if shared else {})
    answer = client.post(f"{reverse('portal:view_create')}?{query}", data)
    assert answer.status_code == 302
    return SavedView.objects.get(name=name)


def test_a_view_keeps_filters_order_and_columns(manager_client, manager):
    make_customer("1", revenue=100)
    make_customer("2", revenue=300)
    view = save(manager_client, "Stammkunden", revenue_from="200", o="-revenue")
    assert view.owner == manager
    assert view.query == {"revenue_from": "200"}
    assert view.order == "-revenue"
    assert numbers(manager_client.get(LIST, {"v": view.pk})) == ["2"]


def test_a_private_view_is_seen_by_its_owner_alone(manager_client, agent_client):
    view = save(manager_client, "Meine", status="account")
    assert "Meine" in manager_client.get(LIST).content.decode()
    assert "Meine" not in agent_client.get(LIST).content.decode()
    assert agent_client.get(LIST, {"v": view.pk}).status_code == 404


def test_a_shared_view_is_seen_by_everyone_and_changed_by_its_owner(manager_client, agent_client, outsider_client):
    view = save(manager_client, "Für alle", shared=True, status="account")
    assert view.shared_at
    assert agent_client.get(LIST, {"v": view.pk}).status_code == 200
    for name in ("portal:view_edit", "portal:view_delete"):
        url = reverse(name, args=[view.pk])
        assert agent_client.post(url, {"name": "Anders"}).status_code == 404
        assert outsider_client.post(url, {"name": "Anders"}).status_code == 403
    assert SavedView.objects.get(pk=view.pk).name == "Für alle"


def test_a_shared_view_whose_owner_has_left_is_taken_over_by_who_may(
    manager_client, agent_client, signed_in, manager, privacy
):
    theirs = signed_in(privacy)
    view, private = save(theirs, "Erbe", shared=True, status="account"), save(theirs, "Meine", status="guest")
    save(manager_client, "Belegt", status="account")
    edit, delete = (reverse(f"portal:view_{verb}", args=[view.pk]) for verb in ("edit", "delete"))
    assert manager_client.get(edit).status_code == 404
    assert edit not in manager_client.get(LIST, {"v": view.pk}).content.decode()

    privacy.is_active = False
    privacy.save()

    assert edit in manager_client.get(LIST, {"v": view.pk}).content.decode()
    assert edit not in agent_client.get(LIST, {"v": view.pk}).content.decode()
    assert agent_client.get(edit).status_code == agent_client.post(delete).status_code == 404
    assert manager_client.get(reverse("portal:view_edit", args=[private.pk])).status_code == 404
    assert manager_client.post(edit, {"name": "Belegt", "shared": "on"}).status_code == 422
    assert manager_client.post(edit, {"name": "Unser", "shared": "on"}).status_code == 302
    view.refresh_from_db()
    assert (view.owner, view.name, view.shared_at is not None) == (manager, "Unser", True)


def test_a_shared_view_whose_owner_has_left_can_be_removed(manager_client, signed_in, privacy):
    view = save(signed_in(privacy), "Alt", shared=True, status="account")
    privacy.is_active = False
    privacy.save()
    assert manager_client.post(reverse("portal:view_delete", args=[view.pk])).status_code == 302
    assert not SavedView.objects.filter(pk=view.pk).exists()


def test_sharing_needs_its_permission(agent_client):
    assert save(agent_client, "Versuch", shared=True, status="account").shared_at is None


def test_renaming_and_deleting(manager_client):
    view = save(manager_client, "Alt", status="account")
    manager_client.post(reverse("portal:view_edit", args=[view.pk]), {"name": "Neu", "shared": "on"})
    view.refresh_from_db()
    assert view.name == "Neu"
    assert view.shared_at
    assert manager_client.get(reverse("portal:view_delete", args=[view.pk])).status_code == 200
    assert SavedView.objects.filter(pk=view.pk).exists()
    manager_client.post(reverse("portal:view_delete", args=[view.pk]))
    assert not SavedView.objects.filter(pk=view.pk).exists()


def test_a_name_is_used_once_per_person(manager_client, agent_client):
    save(manager_client, "Gleich", status="account")
    answer = manager_client.post(reverse("portal:view_create"), {"name": "Gleich"})
    assert answer.status_code == 422
    assert save_count("Gleich") == 1
    agent_client.post(reverse("portal:view_create"), {"name": "Gleich"})
    assert save_count("Gleich") == 2


def save_count(name: str) -> int:
    return SavedView.objects.filter(name=name).count()


def test_columns_are_kept_per_view(manager_client):
    make_customer("1")
    view = save(manager_client, "Schmal", status="account")
    manager_client.post(reverse("portal:column_choice"), {"v": view.pk, "column": ["number"]})
    view.refresh_from_db()
    assert view.columns == ["number", "name"]
    assert not SavedView.objects.filter(name="").exists()
    assert 'data-label="Umsatz"' not in manager_client.get(LIST, {"v": view.pk}).content.decode()


def test_a_search_that_has_ended_is_not_kept_as_a_view_of_everybody(manager_client):
    make_customer("1", revenue=300)
    query = narrow(manager_client, revenue_from="200").redirect_chain[-1][0].partition("?")[2]
    ListState.objects.all().delete()
    url = f"{reverse('portal:view_create')}?{query}"
    for answer in (manager_client.get(url), manager_client.post(url, {"name": "Stammkunden"})):
        assert (answer.status_code, answer.url) == (302, LIST)
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("field", ["active_from", "active_to"])
@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_view_kept_with_a_day_at_the_end_of_the_calendar_still_opens(manager_client, manager, field, day):
    """The form takes such days no more; views that were kept before that are still there."""
    make_customer("1")
    view = SavedView.objects.create(owner=manager, name="Alt", query={field: day})
    assert manager_client.get(LIST, {"v": view.pk}).status_code == 200
    query = f"?v={view.pk}"
    file = manager_client.post(reverse("portal:customer_export") + query, {"file_format": "csv"})
    assert b"".join(file.streaming_content)
