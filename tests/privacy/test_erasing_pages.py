"""The pages of erasures: the plan before the button, the second person, the way back, the receipt, the letter."""

from __future__ import annotations

import json
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from customers.models import ContactPoint, Customer, Note
from datamap.models import AccessLog
from orders.models import Document, Order
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure, Policy, Request
from privacy.views.erasing import sums
from staff.models import Role, User
from tests.privacy.making import make_contact, make_order, make_paper, make_person, take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("eager", "english")]


@pytest.fixture
def customer(db: None) -> Customer:
    """Somebody with an invoice that stays, a ticket that goes, an old order that becomes a figure."""
    found = make_person()
    make_paper(make_order(found, "2024-05-20"), "invoice", "2024-06-01")
    make_contact(found, "2026-01-10")
    return found


@pytest.fixture
def desk(fresh, officer: User) -> Client:
    """The browser of the privacy role, which gave its password a moment ago."""
    return fresh(officer)


def page_of(customer: Customer) -> str:
    return reverse("privacy:erase", args=[customer.number])


def asked(desk: Client, customer: Customer) -> Erasure:
    """Press the button; the erasure that the page leads to."""
    answer = desk.post(page_of(customer))
    assert answer.status_code == 302
    return Erasure.objects.get(pk=answer["Location"].split("/")[-2])


def command(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("erase_person", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_who_sees_what(desk, fresh, agent, manager, outsider, client, customer) -> None:
    operator = User.objects.create_user("betrieb@obhut.example", name="Bo Betrieb", roles=[Role.OPERATOR])
    erasure = ask_erasure(customer)
    receipt = reverse("privacy:erasure", args=[erasure.pk])
    for address in (page_of(customer), receipt, reverse("privacy:erasures")):
        assert desk.get(address).status_code == 200
        assert client.get(address).status_code == 302
        for person in (agent, manager, outsider):
            assert fresh(person).get(address).status_code == 403
    # The operator follows the erasures, learns nobody's name, and has no button.
    page = fresh(operator).get(receipt)
    assert page.status_code == 200
    assert customer.number not in page.text and '<form method="post" action="/privacy/' not in page.text
    for person in (agent, manager, outsider, operator):
        for address in (page_of(customer), f"{receipt}approve/", f"{receipt}cancel/"):
            assert fresh(person).post(address).status_code == 403
    assert Customer.objects.filter(pk=customer.pk).exists()
    assert Erasure.objects.get().state == Erasure.State.SCHEDULED


def test_erasing_and_approving_ask_for_a_fresh_sign_in(signed_in, officer, customer) -> None:
    officer.set_password("korrekt-pferd-batterie")
    officer.save()
    client = signed_in(officer)
    erasure = Erasure.objects.create(customer=customer, as_of=date(2026, 11, 1), state="waiting")
    for address in (page_of(customer), reverse("privacy:erasure_approve", args=[erasure.pk])):
        answer = client.post(address)
        assert answer.status_code == 302 and "reauthenticate" in answer["Location"]
    assert Erasure.objects.get().state == Erasure.State.WAITING
    assert Customer.objects.filter(pk=customer.pk).exists()


def test_the_page_shows_the_plan_of_the_command_and_the_receipt_corresponds_to_it(desk, customer) -> None:
    page = desk.get(page_of(customer))
    planned = command(customer.number, "--dry-run")
    rows = {(row["model"], row["action"], row["until"]): row["count"] for row in page.context["rows"] if "model" in row}
    live = [item for item in planned["items"] if "Historical" not in item["model"]]
    assert rows == {(item["model"], item["action"], item["until"]): item["count"] for item in live}
    assert page.context["sums"] == sums(planned["items"])
    assert ("orders.Document", "block", "2033-01-01") in rows  # 2024 and eight years
    assert "AO" in page.text and "Alma Kanarienvogel" in page.text
    assert AccessLog.objects.filter(customer_number=customer.number, page="privacy:erase").count() == 1

    erasure = asked(desk, customer)
    assert erasure.state == Erasure.State.DONE
    assert sums(erasure.items)["block"] == sums(planned["items"])["block"]
    assert not Customer.objects.exists()
    receipt = desk.get(reverse("privacy:erasure", args=[erasure.pk]))
    assert str(erasure.receipt) in receipt.text
    assert {
        (row["model"], row["action"], row["until"]) for row in receipt.context["rows"] if "model" in row
    } >= rows.keys()
    assert "Kanarienvogel" not in receipt.text and "laden.example" not in receipt.text


def test_a_plan_has_one_item_per_model_action_day_and_statute(customer) -> None:
    """As commands.md promises, though two rules are behind the two contacts that go."""
    make_contact(customer, "2014-02-03", "letter")
    items = command(customer.number, "--dry-run")["items"]
    keys = [(item["model"], item["action"], item["until"], item["statute"]) for item in items]
    assert len(keys) == len(set(keys))
    gone = next(item for item in items if item["model"] == "interactions.Interaction")
    assert (gone["action"], gone["count"]) == ("delete", 2)
    # An auditor reads of how many each reason is true: nobody may call over what still runs.
    assert "1 of them: The period is over (" in gone["reason"]
    assert "1 of them: Nothing requires it any longer." in gone["reason"]


def test_the_receipt_gives_its_reasons_in_the_language_of_whoever_reads_it(desk, officer, customer) -> None:
    """Kept as keys: an erasure that ran in English is read in German, and the other way round."""
    erasure = asked(desk, customer)
    receipt = reverse("privacy:erasure", args=[erasure.pk])

    def reasons(language: str) -> set[str]:
        User.objects.filter(pk=officer.pk).update(language=language)
        return {row["reason"] for row in desk.get(receipt).context["rows"]}

    english, german = reasons("en"), reasons("de")
    assert {
        "Nothing requires it any longer.",
        "Stays as a figure about nobody.",
        "History goes with its row.",
    } <= english
    assert any(reason.startswith("Kept for: ") for reason in english)
    assert not english & german and len(german) == len(english)
    with translation.override("de"):
        assert {item["reason"] for item in command(customer.number)["items"]} == german
    # A receipt of a time before there were keys says what it said then.
    Erasure.objects.update(items=[{**item, "reason": "Damals gesagt."} | {"why": []} for item in erasure.items])
    assert "Damals gesagt." in reasons("en")


def test_asked_again_the_receipt_of_the_first_time_is_shown(desk, customer) -> None:
    erasure = asked(desk, customer)
    for answer in (desk.get(page_of(customer)), desk.post(page_of(customer))):
        assert answer.status_code == 302
        assert answer["Location"] == reverse("privacy:erasure", args=[erasure.pk])
    assert Erasure.objects.count() == 1


def test_the_receipt_names_the_mark_that_the_archive_asks_for(desk, fresh, officer, customer) -> None:
    erasure = asked(desk, customer)
    erasure.refresh_from_db()
    page = desk.get(reverse("privacy:erasure", args=[erasure.pk]))
    assert str(erasure.subject_ref) in page.text
    assert "Refresh" not in page  # it is done
    looked = desk.post(reverse("portal:archive"), {"mark": str(erasure.subject_ref), "purpose": "tax audit"})
    assert "Invoice" in looked.text
    operator = User.objects.create_user("betrieb@obhut.example", name="Bo Betrieb", roles=[Role.OPERATOR])
    watched = fresh(operator).get(reverse("privacy:erasure", args=[erasure.pk]))
    assert str(erasure.subject_ref) not in watched.text  # opens no archive
    Erasure.objects.filter(pk=erasure.pk).update(state=Erasure.State.RUNNING)
    assert "Refresh" in desk.get(reverse("privacy:erasure", args=[erasure.pk]))


def test_a_number_that_never_was_is_404(desk, customer) -> None:
    assert desk.get(reverse("privacy:erase", args=["0815"])).status_code == 404
    assert desk.post(reverse("privacy:erase", args=["0815"])).status_code == 404
    for name in ("erasure", "erasure_approve", "erasure_cancel"):
        address = reverse(f"privacy:{name}", args=[987654321])
        answer = desk.get(address) if name == "erasure" else desk.post(address)
        assert answer.status_code == 404


def test_where_the_policy_says_so_a_second_person_approves_and_sees_what_goes(desk, fresh, officer, customer) -> None:
    Policy(erasure_needs_second=True).save()
    assert "A second person has to approve." in desk.get(page_of(customer)).text
    erasure = asked(desk, customer)
    assert erasure.state == Erasure.State.WAITING and erasure.requested_by == officer
    address, approve = (reverse(f"privacy:{name}", args=[erasure.pk]) for name in ("erasure", "erasure_approve"))
    assert approve not in desk.get(address).text
    answer = desk.post(approve)
    assert answer.status_code == 409
    assert "Whoever asked for an erasure does not approve it." in answer.text
    with pytest.raises(CommandError) as waits:
        call_command("erase_person", customer.number)
    assert waits.value.returncode == 3
    assert Customer.objects.filter(pk=customer.pk).exists()

    second = fresh(
        User.objects.create_user("zwei@obhut.example", name="Zoran Zweit", language="en", roles=[Role.PRIVACY])
    )
    page = second.get(address)
    assert approve in page.text and customer.number in page.text
    assert page.context["sums"] == sums(command(customer.number, "--dry-run")["items"])
    assert second.post(approve).status_code == 302
    erasure.refresh_from_db()
    assert erasure.state == Erasure.State.DONE and erasure.approved_by.name == "Zoran Zweit"
    assert "Zoran Zweit" in second.get(address).text
    again = second.post(approve)
    assert again.status_code == 409 and "does not wait for approval" in again.text


def test_before_the_run_it_can_be_undone(desk, fresh, second, customer) -> None:
    Policy(undo_hours=24).save()
    erasure = asked(desk, customer)
    assert erasure.state == Erasure.State.SCHEDULED
    assert timedelta(hours=23) < erasure.run_after - timezone.now() <= timedelta(hours=24)
    cancel = reverse("privacy:erasure_cancel", args=[erasure.pk])
    assert cancel in desk.get(reverse("privacy:erasure", args=[erasure.pk])).text
    assert fresh(second).post(cancel).status_code == 302
    erasure.refresh_from_db()
    assert erasure.state == Erasure.State.CANCELLED and erasure.cancelled_by == second
    assert "Zoran Zweit" in desk.get(reverse("privacy:erasure", args=[erasure.pk])).text
    assert run_erasure(erasure.pk, now=True).state == Erasure.State.CANCELLED
    assert ContactPoint.objects.filter(customer=customer).count() == 2
    # And it can be asked for anew.
    assert asked(desk, customer).pk != erasure.pk


def test_after_approval_the_undo_window_still_runs(desk, fresh, second, customer) -> None:
    Policy(erasure_needs_second=True, undo_hours=24).save()
    erasure = asked(desk, customer)
    assert fresh(second).post(reverse("privacy:erasure_approve", args=[erasure.pk])).status_code == 302
    erasure.refresh_from_db()
    assert erasure.state == Erasure.State.SCHEDULED
    assert Customer.objects.filter(pk=customer.pk).exists()


def test_once_begun_it_is_not_undone(desk, customer) -> None:
    erasure = asked(desk, customer)
    cancel = reverse("privacy:erasure_cancel", args=[erasure.pk])
    assert cancel not in desk.get(reverse("privacy:erasure", args=[erasure.pk])).text
    answer = desk.post(cancel)
    assert answer.status_code == 409
    assert "The erasure has begun; it cannot be undone." in answer.text
    assert Erasure.objects.get().state == Erasure.State.DONE


def test_asked_for_by_two_people_it_is_one_erasure(desk, fresh, second, customer) -> None:
    Policy(undo_hours=24).save()
    first = asked(desk, customer)
    assert asked(fresh(second), customer) == first
    assert Erasure.objects.get().requested_by == first.requested_by
    page = desk.get(page_of(customer))
    assert "An erasure of this person was asked for before." in page.text
    assert "btn-danger" not in page.text


def test_with_an_open_order_only_that_case_stays(desk, customer) -> None:
    kept = make_order(customer, "2026-11-20", status="processing", delivered_at=None)
    note = Note.objects.create(customer=customer, text="Ruft gern an.")
    page = desk.get(page_of(customer))
    assert f"order {kept.number}" in page.text
    erasure = asked(desk, customer)
    assert erasure.state == Erasure.State.HELD
    assert set(Order.objects.exclude(number="").values_list("number", flat=True)) == {kept.number}
    assert not Note.objects.filter(pk=note.pk).exists()
    assert not Document.objects.exists()  # the invoice of the other order is blocked
    shown = desk.get(reverse("privacy:erasure", args=[erasure.pk])).text
    assert f"order {kept.number}" in shown and "What is in the way" in shown


def test_a_request_leads_to_its_erasure_and_is_answered_by_a_letter_to_print(desk, officer, customer) -> None:
    case = take(officer, kind="erasure", customer=customer, text="Bitte alles löschen.")
    page = reverse("privacy:request", args=[case.pk])
    assert page_of(customer) in desk.get(page).text
    case.refresh_from_db()
    desk.post(reverse("privacy:request_settle", args=[case.pk]), {"method": "not_needed", "version": case.version})
    case.refresh_from_db()
    answer = reverse("privacy:request_answer", args=[case.pk])
    early = desk.post(answer, {"way": "mail", "version": case.version, "decision": ""})
    assert early.status_code == 422 and "Carry out the erasure first" in early.text

    erasure = asked(desk, customer)
    assert erasure.request_id == case.pk
    # The file is blocked already, and stays on the desk until the answer is out and the case is closed.
    assert not Request.objects.exists()
    assert case.code in desk.get(reverse("privacy:requests")).text
    shown = desk.get(page)
    assert reverse("privacy:erasure", args=[erasure.pk]) in shown.text
    assert AccessLog.objects.filter(customer_number=str(erasure.subject_ref), page="privacy:request").exists()
    case = Request.on_desk().get(pk=case.pk)
    told = desk.post(answer, {"way": "mail", "version": case.version, "decision": ""})
    assert told.status_code == 302, told.context and told.context["form"].errors
    letter = case.letters.get()
    assert "2033" in letter.body and "AO" in letter.body
    pdf = desk.get(reverse("privacy:letter", args=[letter.pk]))
    assert pdf["Content-Type"] == "application/pdf" and pdf.content.startswith(b"%PDF-")
    assert customer.number not in pdf["Content-Disposition"]
    assert "the answer is still owed" not in desk.get(page).text
    case.refresh_from_db()
    closed = desk.post(reverse("privacy:request_close", args=[case.pk]), {"version": case.version}, follow=True)
    # The file is blocked now: whoever closed it stands before the list, and is told so.
    assert closed.redirect_chain == [(reverse("privacy:requests"), 302)]
    assert closed.status_code == 200 and "The request is closed." in closed.text
    assert not Request.on_desk().exists()
    assert desk.get(page).status_code == 404
    receipt = desk.get(reverse("privacy:erasure", args=[erasure.pk])).text
    assert case.code in receipt and page not in receipt


def test_whom_we_do_not_know_is_not_told_of_an_erasure(desk, officer) -> None:
    case = take(officer, kind="erasure", name="Frida Fremd", email="fremd@laden.example", language="en")
    draft = desk.get(reverse("privacy:request_answer", args=[case.pk])).context["draft"]
    assert "have found none" in draft.body and "have erased" not in draft.body


def test_the_list_shows_the_newest_first_and_names_nobody(desk, customer) -> None:
    asked(desk, customer)
    other = make_person("4712")
    Policy(undo_hours=1).save()
    asked(desk, other)
    page = desk.get(reverse("privacy:erasures"))
    assert [row.customer_id for row in page.context["page"].rows] == [other.pk, None]
    assert "Kanarienvogel" not in page.text
