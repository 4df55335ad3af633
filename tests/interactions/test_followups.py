"""Wiedervorlagen: mine, all, overdue; done, postponed, handed over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from interactions.models import FollowUp
from staff import handover
from staff.forms import SuccessorForm
from staff.models import Role, RolePermission, StaffEvent, User
from staff.roles import set_matrix
from tests.interactions.factories import make_contact, make_customer

pytestmark = pytest.mark.django_db
LIST = "interactions:followups"


def _step(owner, days=0, **fields):
    customer = fields.pop("customer", None) or make_customer()
    due = timezone.localdate() + timedelta(days=days)
    return FollowUp.objects.create(customer=customer, step="call", due_on=due, owner=owner, **fields)


def _shown(client, show):
    return [row.pk for row in client.get(reverse(LIST), {"show": show}).context["page"].rows]


def test_each_list_shows_its_own_soonest_first(agent_client, agent, manager):
    late, today, theirs = _step(agent, -2), _step(agent), _step(manager, -1)
    done = _step(agent, done_at=timezone.now())
    assert _shown(agent_client, "mine") == [late.pk, today.pk]
    assert _shown(agent_client, "all") == [late.pk, theirs.pk, today.pk]
    assert _shown(agent_client, "overdue") == [late.pk, theirs.pk]
    assert done.pk not in _shown(agent_client, "all")


def test_steps_of_restricted_customers_are_left_out(agent_client, agent):
    _step(agent, customer=make_customer(restricted_at=timezone.now()))
    assert _shown(agent_client, "mine") == []


def test_pages_follow_each_other_without_gap_or_repeat(agent_client, agent):
    customer = make_customer()
    expected = [_step(agent, n // 4, customer=customer).pk for n in range(120)]
    seen, url = [], reverse(LIST) + "?show=mine"
    while url:
        response = agent_client.get(url)
        seen += [row.pk for row in response.context["page"].rows]
        url = response.context["next_url"] and reverse(LIST) + response.context["next_url"]
    assert seen == expected


def test_a_forged_cursor_starts_from_the_beginning(agent_client, agent):
    step = _step(agent)
    response = agent_client.get(reverse(LIST), {"show": "mine", "after": "1:forged"})
    assert [row.pk for row in response.context["page"].rows] == [step.pk]


def test_queries_do_not_grow_with_rows(agent_client, agent, django_assert_max_num_queries):
    for _ in range(3):
        _step(agent)
    with django_assert_max_num_queries(30) as few:
        agent_client.get(reverse(LIST))
    for _ in range(30):
        _step(agent)
    with django_assert_max_num_queries(len(few)):
        agent_client.get(reverse(LIST))


def test_done_is_done_once_and_by_somebody(agent_client, agent, manager_client):
    step = _step(agent)
    url = reverse("interactions:followup_done", args=[step.pk])
    agent_client.post(url, {"show": "mine"})
    manager_client.post(url, {"show": "mine"})
    step.refresh_from_db()
    assert step.done_at is not None
    assert step.done_by == agent


def test_a_step_moves_to_another_day_but_not_into_the_past(agent_client, agent):
    step = _step(agent)
    url = reverse("interactions:followup_postpone", args=[step.pk])
    later = timezone.localdate() + timedelta(days=9)
    assert agent_client.post(url, {"due_on": "2020-01-01"}).status_code == 422
    moved = agent_client.post(url, {"due_on": later.isoformat()}, follow=True)
    assert f"Der Schritt ist jetzt am {later:%d.%m.%Y} fällig." in moved.text
    step.refresh_from_db()
    assert step.due_on == later


def test_a_manager_hands_over_what_is_chosen(manager_client, agent, manager):
    chosen, other = _step(agent), _step(agent)
    form = {"step": [chosen.pk], "owner": manager.pk, "show": "all"}
    manager_client.post(reverse("interactions:hand_over"), form)
    chosen.refresh_from_db()
    other.refresh_from_db()
    assert (chosen.owner, other.owner) == (manager, agent)


def test_everybody_hands_over_their_own_steps_and_nobody_elses(agent_client, agent, manager):
    mine, theirs = _step(agent), _step(manager)
    colleague = User.objects.create_user("kollege@obhut.example", name="Kollege", roles=[Role.SERVICE])
    assert agent_client.get(reverse(LIST), {"show": "mine"}).context["hand_over"]
    assert not agent_client.get(reverse(LIST), {"show": "all"}).context["hand_over"]
    agent_client.post(reverse("interactions:hand_over"), {"step": [mine.pk, theirs.pk], "owner": colleague.pk})
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.owner, theirs.owner) == (colleague, manager)


def test_the_page_of_a_contact_ends_its_steps_and_keeps_them_when_a_form_is_refused(agent_client, agent):
    contact = make_contact(make_customer(), agent, closed=False)
    step = _step(agent, customer=contact.customer, interaction=contact)
    refused = agent_client.post(reverse("interactions:close", args=[contact.pk]), {"outcome": ""})
    assert refused.status_code == 422
    assert step.step in refused.text
    done = agent_client.post(reverse("interactions:followup_done", args=[step.pk]), {"back": "contact"})
    assert done["Location"] == reverse("interactions:detail", args=[contact.pk])


def test_nobody_gets_work_who_has_left(manager_client, agent, outsider):
    step = _step(agent)
    outsider.is_active = False
    outsider.save()
    manager_client.post(reverse("interactions:hand_over"), {"step": [step.pk], "owner": outsider.pk})
    step.refresh_from_db()
    assert step.owner == agent


def test_steps_go_only_to_who_may_work_on_them(manager_client, agent, manager):
    accountant = User.objects.create_user("tax@obhut.example", name="Tax", roles=[Role.TAX])
    step = _step(agent)
    offered = manager_client.get(reverse(LIST)).context["hand_over"].fields["owner"].queryset
    assert set(offered) == {agent, manager}
    manager_client.post(reverse("interactions:hand_over"), {"step": [step.pk], "owner": accountant.pk})
    step.refresh_from_db()
    assert step.owner == agent
    successors = SuccessorForm(leaving=agent, needed=True).fields["successor"].queryset
    assert set(successors) == {manager}


def test_open_steps_go_along_when_staff_leave(agent, manager):
    step, done = _step(agent), _step(agent, done_at=timezone.now())
    assert [number for _kind, number in handover.open_work(agent)] == [1]
    handover.hand_over(agent, manager)
    step.refresh_from_db()
    done.refresh_from_db()
    assert (step.owner, done.owner) == (manager, agent)


def test_somebody_without_a_role_sees_nothing(outsider_client, client):
    assert outsider_client.get(reverse(LIST)).status_code == 403
    assert client.get(reverse(LIST)).status_code == 302


def test_steps_that_are_no_ids_hand_nothing_over(manager_client, manager, agent):
    step = _step(agent)
    answer = manager_client.post(
        reverse("interactions:hand_over"), {"step": ["9" * 5000, "\u00b2", "-1"], "owner": manager.pk}
    )
    assert answer.status_code == 302
    step.refresh_from_db()
    assert step.owner == agent


def test_whoever_loses_the_role_hands_the_open_steps_over(fresh, agent, manager):
    operator = User.objects.create_user("operator@obhut.example", name="Operator", roles=[Role.OPERATOR])
    browser, tax = fresh(operator), Role.objects.get(key=Role.TAX)
    step, done = _step(agent), _step(agent, done_at=timezone.now())
    url = reverse("staff:roles", args=[agent.pk])

    asked = browser.post(url, {"roles": [tax.pk]})
    assert [number for _label, number in asked.context["receipt"]] == [1]
    assert list(asked.context["form"].fields["successor"].queryset) == [manager]
    assert f'name="roles" value="{tax.pk}"' in asked.content.decode()
    assert browser.post(url, {"roles": [tax.pk], "confirm": "1"}).status_code == 422
    assert browser.post(url, {"roles": [tax.pk], "confirm": "1", "successor": operator.pk}).status_code == 422
    assert [role.key for role in agent.roles.all()] == [Role.SERVICE]

    assert browser.post(url, {"roles": [tax.pk], "confirm": "1", "successor": manager.pk}).status_code == 302
    assert [role.key for role in User.objects.get(pk=agent.pk).roles.all()] == [Role.TAX]
    step.refresh_from_db()
    done.refresh_from_db()
    assert (step.owner, done.owner) == (manager, agent)
    trail = StaffEvent.objects.get(kind=StaffEvent.Kind.HANDED_OVER, subject=agent)
    assert trail.detail == {"to": manager.pk, "moved": {"followups": 1}}


def test_a_role_that_may_still_do_the_steps_keeps_them(fresh, agent, manager):
    operator = User.objects.create_user("operator@obhut.example", name="Operator", roles=[Role.OPERATOR])
    step = _step(agent)
    privacy = Role.objects.get(key=Role.PRIVACY)
    assert fresh(operator).post(reverse("staff:roles", args=[agent.pk]), {"roles": [privacy.pk]}).status_code == 302
    step.refresh_from_db()
    assert step.owner == agent


def test_steps_left_by_a_change_of_the_matrix_are_shown_and_handed_over(fresh, agent, manager):
    operator = User.objects.create_user("operator@obhut.example", name="Operator", roles=[Role.OPERATOR])
    browser, service = fresh(operator), Role.objects.get(key=Role.SERVICE)
    step = _step(agent)
    page = reverse("staff:detail", args=[agent.pk])
    assert not browser.get(page).context["stranded"]
    RolePermission.objects.filter(role=service, permission="interactions.log").update(granted=False)
    assert [number for _kind, number in browser.get(page).context["stranded"]] == [1]
    form = {"roles": [service.pk], "confirm": "1", "successor": manager.pk}
    browser.post(reverse("staff:roles", args=[agent.pk]), form)
    step.refresh_from_db()
    assert step.owner == manager


def _ticked() -> dict[str, list[str]]:
    ticked: dict[str, list[str]] = {}
    for cell in RolePermission.objects.filter(granted=True):
        ticked.setdefault(f"role-{cell.role_id}", []).append(cell.permission)
    return ticked


def test_a_matrix_that_takes_open_work_from_people_asks_who_takes_it_over(fresh, agent, manager):
    operator = User.objects.create_user("operator@obhut.example", name="Operator", roles=[Role.OPERATOR])
    both = User.objects.create_user("both@obhut.example", name="Both", roles=[Role.SERVICE, Role.MANAGER])
    browser, service, url = fresh(operator), Role.objects.get(key=Role.SERVICE), reverse("staff:matrix")
    step, kept = _step(agent), _step(both)
    ticked, mine = _ticked(), f"successor-{agent.pk}"
    ticked[f"role-{service.pk}"].remove("interactions.log")

    asked = browser.post(url, ticked)
    assert asked.status_code == 200
    assert list(asked.context["form"].fields) == [mine]
    assert set(asked.context["form"].fields[mine].queryset) == {manager, both}
    text = asked.content.decode()
    assert "1" in str(asked.context["form"].fields[mine].help_text)
    assert f'name="role-{service.pk}" value="interactions.log"' not in text
    assert f'name="role-{service.pk}" value="customers.view"' in text
    for given in ({}, {mine: operator.pk}, {mine: agent.pk}):
        assert browser.post(url, ticked | {"confirm": "1"} | given).status_code == 422
    assert User.objects.get(pk=agent.pk).may("interactions.log")

    assert browser.post(url, ticked | {"confirm": "1", mine: manager.pk}).status_code == 302
    assert not User.objects.get(pk=agent.pk).may("interactions.log")
    step.refresh_from_db()
    kept.refresh_from_db()
    assert (step.owner, kept.owner) == (manager, both)
    trail = StaffEvent.objects.get(kind=StaffEvent.Kind.HANDED_OVER, subject=agent)
    assert (trail.actor, trail.detail) == (operator, {"to": manager.pk, "moved": {"followups": 1}})
    # What nobody loses anything by is saved without a question.
    assert browser.post(url, ticked).status_code == 302


def test_a_matrix_by_which_nobody_could_do_the_open_work_is_not_saved(fresh, agent, manager):
    operator = User.objects.create_user("operator@obhut.example", name="Operator", roles=[Role.OPERATOR])
    browser, url = fresh(operator), reverse("staff:matrix")
    _step(agent)
    ticked = {role: [key for key in keys if key != "interactions.log"] for role, keys in _ticked().items()}
    asked = browser.post(url, ticked)
    assert not asked.context["form"].fields[f"successor-{agent.pk}"].queryset.exists()
    assert browser.post(url, ticked | {"confirm": "1"}).status_code == 422
    with pytest.raises(ValidationError):
        set_matrix(operator, {(int(role[5:]), key) for role, keys in ticked.items() for key in keys})
    assert User.objects.get(pk=agent.pk).may("interactions.log")
