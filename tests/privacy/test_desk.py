"""The desk: deadlines on the board, stamps of each step, identity, extension, answer, refusal, closing."""

from __future__ import annotations

import errno
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from datamap.navigation import figures_of
from mail.models import Letter, Message
from privacy import closing, cockpit, handling, identifying
from privacy.board import LATE
from privacy.clock import deadline_for, explained, light_of
from privacy.erasing import ask_erasure
from privacy.models import Erasure, IdentityCopy, Policy, Request, RequestLetter
from privacy.steps import TRANSITIONS, StaleRequest, StepRefused
from privacy.tasks import retry_erasures
from staff import handover
from tests.privacy.making import days_ago, make_copy, person, take

pytestmark = pytest.mark.django_db


def post(client, name, case, **data):
    case.refresh_from_db()
    return client.post(reverse(f"privacy:{name}", args=[case.pk]), {"version": case.version, **data})


def kinds(case):
    return [event.kind for event in case.events.order_by("at", "pk")]


@pytest.fixture
def case(privacy):
    return take(privacy, customer=person())


def test_late_requests_come_first_with_their_light(privacy_client, privacy):
    new, late = take(privacy, name="Neu"), take(privacy, name="Spät", received_at=days_ago(60))
    soon = take(privacy, name="Bald", received_at=days_ago(26))
    page = privacy_client.get(reverse("privacy:requests"))
    shown = [(row.request.pk, row.light.color) for row in page.context["rows"]]
    assert shown == [(late.pk, "red"), (soon.pk, "amber"), (new.pk, "green")]
    assert figures_of([LATE], privacy) == [1]
    only = privacy_client.get(reverse("privacy:requests"), {"state": "overdue"})
    assert [row.request.pk for row in only.context["rows"]] == [late.pk]


@pytest.mark.parametrize(
    ("query", "count"), [({"kind": "erasure"}, 1), ({"owner": "mine"}, 2), ({"owner": "nobody"}, 1)]
)
def test_the_board_filters(privacy_client, privacy, query, count):
    take(privacy, kind="erasure", name="A")
    take(privacy, name="B")
    take(None, name="C")
    assert len(privacy_client.get(reverse("privacy:requests"), query).context["rows"]) == count


def test_a_filter_that_does_not_exist_is_a_bad_request(privacy_client):
    assert privacy_client.get(reverse("privacy:requests"), {"kind": "coffee"}).status_code == 400


def test_the_board_pages_by_keyset(privacy_client, privacy):
    for day in range(60):
        take(privacy, name="A", received_at=days_ago(day))
    first = privacy_client.get(reverse("privacy:requests"))
    second = privacy_client.get(reverse("privacy:requests") + first.context["next_url"])
    seen = [row.request.pk for page in (first, second) for row in page.context["rows"]]
    assert len(seen) == len(set(seen)) == 60


def test_the_operator_sees_the_board_without_names(client, signed_in, case):
    operator = type(case.owner).objects.create_user("op@obhut.example", name="Op", roles=["operator"])
    page = signed_in(operator).get(reverse("privacy:requests"))
    assert case.code in page.text
    assert "Groß" not in page.text
    assert signed_in(operator).get(reverse("privacy:request", args=[case.pk])).status_code == 403


def test_the_page_explains_the_deadline(privacy_client, case):
    page = privacy_client.get(reverse("privacy:request", args=[case.pk]))
    assert page.status_code == 200
    assert explained(case, deadline_for(case))[0] in page.text


def test_who_is_in_charge_is_not_asked_to_take_over_and_a_closed_case_has_one_light(privacy_client, privacy, case):
    handover_url = reverse("privacy:request_owner", args=[case.pk])
    Request.objects.update(owner=None)
    assert handover_url in privacy_client.get(reverse("privacy:request", args=[case.pk])).text
    post(privacy_client, "request_owner", case)
    assert handover_url not in privacy_client.get(reverse("privacy:request", args=[case.pk])).text
    post(privacy_client, "request_settle", case, method="known_facts")
    make_copy(case, privacy)
    post(privacy_client, "request_answer", case, decision="Anbei.", way="mail")
    post(privacy_client, "request_close", case)
    page = privacy_client.get(reverse("privacy:request", args=[case.pk])).text
    assert page.partition("</header>")[0].count('class="chip') == 1


def test_the_board_calls_an_erased_person_erased(privacy_client, case):
    Request.objects.update(customer=None, blocked_at=timezone.now())
    page = privacy_client.get(reverse("privacy:requests")).text
    assert "noch kein Kunde" not in page
    assert '<span class="soft">gelöscht</span>' in page


def test_a_request_that_is_not_there_is_404(privacy_client):
    assert privacy_client.get(reverse("privacy:request", args=[987654])).status_code == 404
    assert privacy_client.get(reverse("privacy:letter", args=[987654])).status_code == 404
    assert privacy_client.get(reverse("privacy:identity_copy", args=[987654])).status_code == 404


def test_every_step_is_stamped_with_actor_and_reason(privacy_client, privacy, case):
    post(privacy_client, "request_owner", case)
    post(privacy_client, "request_settle", case, method="known_facts", reason="Bestellnummer genannt")
    make_copy(case, privacy)
    post(privacy_client, "request_answer", case, decision="Anbei.", way="mail")
    post(privacy_client, "request_close", case)
    case.refresh_from_db()
    assert case.state == "closed"
    assert kinds(case) == ["registered", "owner", "identity_settled", "answered", "letter", "closed"]
    assert {event.actor for event in case.events.all()} == {privacy}
    assert case.events.get(kind="identity_settled").reason == "Bestellnummer genannt"
    assert case.closed_at is not None


def test_a_stale_page_changes_nothing(privacy_client, privacy, case):
    handling.take_over(case, privacy, version=case.version, by=privacy)
    answer = privacy_client.post(
        reverse("privacy:request_settle", args=[case.pk]), {"version": 1, "method": "call_back"}
    )
    assert answer.status_code == 409
    case.refresh_from_db()
    assert case.identity_method == ""
    with pytest.raises(StaleRequest):
        handling.take_over(case, privacy, version=1, by=privacy)
    assert privacy_client.post(reverse("privacy:request_owner", args=[case.pk]), {"version": "x"}).status_code == 409


def test_no_answer_before_identity_is_settled(privacy_client, case):
    page = post(privacy_client, "request_answer", case, decision="", way="mail")
    assert page.status_code == 422
    case.refresh_from_db()
    assert case.state == "received"
    assert not Message.objects.exists()


def test_identity_is_asked_for_with_a_reason_only_and_stops_the_clock(privacy_client, case):
    assert post(privacy_client, "request_identity", case, doubt=" ", way="mail").status_code == 422
    assert post(privacy_client, "request_identity", case, doubt="Andere Adresse", way="mail").status_code == 302
    case.refresh_from_db()
    assert (case.state, case.clock_stopped) == ("identity_pending", True)
    assert case.letters.get().kind == "identity"
    assert "Andere Adresse" in case.letters.get().body
    # Ten days later nobody has answered: the last day has moved by ten days.
    later = timezone.localdate() + timedelta(days=10)
    assert deadline_for(case, as_of=later).suspended_days == 10
    assert light_of(case, deadline_for(case, as_of=later), later).color == "grey"
    assert post(privacy_client, "request_identity", case, doubt="noch einmal", way="mail").status_code == 422
    post(privacy_client, "request_settle", case, method="call_back")
    case.refresh_from_db()
    assert (case.state, case.clock_stopped) == ("in_progress", False)


@pytest.mark.parametrize("days", [0, 3])
def test_who_is_found_after_the_question_is_settled_by_a_person(privacy_client, privacy, days):
    customer = person()
    customer.contact_points.filter(kind="email").update(verified_at=timezone.now())
    case = take(privacy, email="zoe@laden.example", received_at=days_ago(days))
    post(privacy_client, "request_identity", case, doubt="Unbekannt", way="mail")
    assert post(privacy_client, "request_assign", case, other=customer.number).status_code == 302
    case.refresh_from_db()
    assert (case.customer, case.state, case.identity_method) == (customer, "identity_pending", "")
    post(privacy_client, "request_settle", case, method="verified_mail")
    make_copy(case, privacy)
    assert post(privacy_client, "request_answer", case, decision="Anbei.", way="mail").status_code == 302
    case.refresh_from_db()
    assert case.state == "answered"


def test_a_late_question_does_not_stop_the_clock(privacy, privacy_client):
    case = take(privacy, customer=person(), received_at=days_ago(9))
    post(privacy_client, "request_identity", case, doubt="Andere Adresse", way="mail")
    case.refresh_from_db()
    assert not case.clock_stopped
    assert deadline_for(case).suspended_days == 0


def test_a_copy_of_an_identity_card_is_gone_with_its_check(privacy_client, case, django_capture_on_commit_callbacks):
    upload = SimpleUploadedFile("ausweis.png", b"\x89PNG\r\n\x1a\n0123", content_type="image/png")
    assert post(privacy_client, "request_copy", case, file=upload).status_code == 422  # nobody has asked for it
    post(privacy_client, "request_identity", case, doubt="Andere Adresse", way="mail")
    upload.seek(0)
    assert post(privacy_client, "request_copy", case, file=upload).status_code == 302
    copy = IdentityCopy.objects.get()
    storage, name = copy.file.storage, copy.file.name
    assert storage.exists(name)
    answer = privacy_client.get(reverse("privacy:identity_copy", args=[copy.pk]))
    assert b"".join(answer.streaming_content).endswith(b"0123")
    assert "attachment" in answer["Content-Disposition"]
    with django_capture_on_commit_callbacks(execute=True):
        post(privacy_client, "request_settle", case, method="id_copy")
    assert not IdentityCopy.objects.exists()
    assert not storage.exists(name)
    assert "copy_deleted" in kinds(case)


def test_other_files_are_no_copy(privacy_client, case):
    post(privacy_client, "request_identity", case, doubt="Andere Adresse", way="mail")
    page = post(privacy_client, "request_copy", case, file=SimpleUploadedFile("a.png", b"<html>nein"))
    assert page.status_code == 422
    assert post(privacy_client, "request_settle", case, method="id_copy").status_code == 422


def test_an_extension_in_time_counts_three_months_from_receipt(privacy_client, case):
    assert post(privacy_client, "request_extend", case, reasons="", way="mail").status_code == 422
    assert post(privacy_client, "request_extend", case, reasons="Viele Bestände", way="mail").status_code == 302
    case.refresh_from_db()
    deadline = deadline_for(case)
    assert (case.state, deadline.status, deadline.months) == ("extended", "extended", 3)
    assert case.due_on == deadline.due
    assert "Viele Bestände" in case.letters.get(kind="extension").body
    assert post(privacy_client, "request_extend", case, reasons="Noch einmal", way="mail").status_code == 422


def test_a_late_notice_extends_nothing_and_is_stamped_so(privacy_client, privacy):
    case = take(privacy, customer=person(), received_at=days_ago(40))
    first = deadline_for(case).due
    told = {"way": "told", "announced_on": timezone.localdate().isoformat()}
    post(privacy_client, "request_extend", case, reasons="Zu spät bemerkt", **told)
    case.refresh_from_db()
    deadline = deadline_for(case)
    assert (deadline.due, deadline.status, deadline.notice_late) == (first, "overdue", True)
    assert case.state == "received"
    assert "extended_late" in kinds(case)


@pytest.mark.parametrize(("days", "late"), [(27, False), (40, True)])
def test_no_letter_extends_after_the_first_month(privacy_client, privacy, days, late):
    case = take(privacy, customer=person(), received_at=days_ago(days))
    page = post(privacy_client, "request_extend", case, reasons="Viele Bestände", way="mail")
    assert page.status_code == (422 if late else 302)
    case.refresh_from_db()
    assert ("innerhalb des ersten Monats" in page.text) == late
    assert (case.letters.exists(), Message.objects.exists()) == (not late, not late)
    assert (case.state, case.extension_announced_on is None) == ("received" if late else "extended", late)


@pytest.mark.parametrize("offset", [-5, 1])
def test_a_notice_goes_out_between_receipt_and_today(privacy_client, case, offset):
    day = (timezone.localdate() + timedelta(days=offset)).isoformat()
    page = post(privacy_client, "request_extend", case, reasons="Umfang", way="told", announced_on=day)
    assert page.status_code == 422
    case.refresh_from_db()
    assert case.extension_announced_on is None


def test_a_notice_on_a_day_that_does_not_exist(privacy_client, case):
    page = post(privacy_client, "request_extend", case, reasons="Umfang", way="told", announced_on="2026-02-30")
    assert page.status_code == 422


def test_the_answer_is_mailed_as_a_letter_of_the_request_with_its_pdf(privacy_client, privacy, case):
    post(privacy_client, "request_settle", case, method="not_needed")
    make_copy(case, privacy)
    post(privacy_client, "request_answer", case, decision="Wir haben nichts weiter.", way="mail")
    message, letter = Message.objects.get(), Letter.objects.get()
    assert (message.message_class, letter.kept_as) == ("letter", "REQUEST")
    assert message.customer == case.customer
    assert "Wir haben nichts weiter." in RequestLetter.objects.get().body
    with letter.enclosures.get().file.open("rb") as file:
        assert file.read(5) == b"%PDF-"
    post(privacy_client, "request_close", case)
    letter.refresh_from_db()
    case.refresh_from_db()
    assert letter.closed_at == case.closed_at


def test_an_answer_in_part_keeps_the_case_open(privacy_client, privacy, case):
    post(privacy_client, "request_settle", case, method="not_needed")
    make_copy(case, privacy)
    post(privacy_client, "request_answer", case, decision="Teil eins", partly="on", way="mail")
    case.refresh_from_db()
    assert case.state == "partially_answered"
    post(privacy_client, "request_answer", case, decision="Teil zwei", way="mail")
    case.refresh_from_db()
    assert case.state == "answered"
    assert case.letters.count() == 2


def test_a_refusal_needs_reason_evidence_and_a_second_person(privacy_client, privacy, second, signed_in, case):
    post(privacy_client, "request_settle", case, method="not_needed")
    refuse = {"ground": "excessive", "reason": "Elfte Anfrage im Monat", "evidence": "DS-1 bis DS-10", "way": "mail"}
    for missing in ("reason", "evidence", "ground"):
        assert post(privacy_client, "request_refuse", case, **(refuse | {missing: ""})).status_code == 422
    assert post(privacy_client, "request_refuse", case, **refuse).status_code == 302
    case.refresh_from_db()
    assert case.state == "received" or case.state == "in_progress"
    assert not case.letters.exists()
    # Not the one who proposed it.
    assert post(privacy_client, "request_refusal", case, way="mail", approve="1").status_code == 422
    assert post(signed_in(second), "request_refusal", case, way="mail", approve="1").status_code == 302
    case.refresh_from_db()
    assert (case.state, case.refusal_proposed_by, case.refusal_approved_by) == ("refused", privacy, second)
    body = case.letters.get(kind="refusal").body
    assert "Elfte Anfrage im Monat" in body
    assert "DS-1 bis DS-10" not in body
    assert "Art. 77" in body
    assert "Art. 79" in body


def test_a_refusal_that_is_not_approved_goes_on(privacy_client, second, signed_in, case):
    post(privacy_client, "request_refuse", case, ground="unfounded", reason="Unsinn", evidence="Mail", way="mail")
    post(signed_in(second), "request_refusal", case, way="mail", decline="1", reason="Das genügt nicht")
    case.refresh_from_db()
    assert case.is_open
    assert case.refusal_proposed_by is None
    assert "refusal_declined" in kinds(case)
    assert signed_in(second).get(reverse("privacy:request_refusal", args=[case.pk])).status_code == 404


def test_where_the_shop_has_one_privacy_person_the_policy_lets_them_refuse(privacy_client, case):
    Policy(refusal_needs_second=False).save()
    post(privacy_client, "request_refuse", case, ground="unfounded", reason="Unsinn", evidence="Mail", way="mail")
    case.refresh_from_db()
    assert case.state == "refused"


def test_only_the_privacy_role_approves(agent_client, case):
    url = reverse("privacy:request_refusal", args=[case.pk])
    assert agent_client.post(url, {"approve": "1"}).status_code == 403


def test_a_case_closes_only_when_nothing_is_open(privacy_client, privacy, case):
    post(privacy_client, "request_settle", case, method="not_needed")
    assert post(privacy_client, "request_close", case).status_code == 422  # not answered yet
    make_copy(case, privacy)
    post(privacy_client, "request_answer", case, decision="", way="mail")
    told = []
    with closing.registered_temporarily():
        closing.register_open_point(
            "recipients", "Recipients", lambda request: told, lambda: Q(pk__gt=0) if told else Q(pk=0)
        )
        told.append("The carrier has not been told.")
        page = post(privacy_client, "request_close", case)
        assert page.status_code == 409
        assert "The carrier has not been told." in page.text
        told.clear()
        assert post(privacy_client, "request_close", case).status_code == 302
    assert post(privacy_client, "request_close", case).status_code == 422


def test_an_answered_case_is_taken_up_again_with_a_reason(privacy_client, privacy, case):
    post(privacy_client, "request_settle", case, method="not_needed")
    make_copy(case, privacy)
    post(privacy_client, "request_answer", case, decision="", way="mail")
    assert post(privacy_client, "request_reopen", case, reason="").status_code == 422
    post(privacy_client, "request_reopen", case, reason="Ein Anhang fehlte")
    case.refresh_from_db()
    assert case.state == "in_progress"


def test_requests_about_one_matter_are_linked(privacy_client, privacy, case):
    again = take(privacy, customer=case.customer)
    page = privacy_client.get(reverse("privacy:request", args=[again.pk]))
    assert case.code in page.text
    assert post(privacy_client, "request_link", again, to=case.pk).status_code == 302
    again.refresh_from_db()
    assert again.duplicate_of == case
    assert post(privacy_client, "request_link", case, to=again.pk).status_code == 422
    stranger = take(privacy, kind="erasure", name="Fremd")
    assert post(privacy_client, "request_link", again, to=stranger.pk).status_code == 422


def test_no_step_leads_out_of_a_closed_case():
    assert TRANSITIONS["closed"] == frozenset()
    assert set(TRANSITIONS) == set(Request.State.values)


def test_assigning_nobody_is_refused(privacy_client, privacy):
    case = take(privacy, name="Fremd", email="fremd@laden.example")
    assert post(privacy_client, "request_assign", case, other="gibt-es-nicht").status_code == 422
    assert post(privacy_client, "request_assign", case).status_code == 422


def test_who_has_left_hands_the_cases_over(privacy, second, case):
    assert handover.hand_over(privacy, second)["privacy_requests"] == 1
    case.refresh_from_db()
    assert case.owner == second


def test_a_copy_whose_file_cannot_be_removed_now_is_removed_later(
    case, privacy, monkeypatch, django_capture_on_commit_callbacks
):
    identifying.ask(case, "Zweifel", way="mail", version=None, by=privacy)
    copy = identifying.add_copy(case, SimpleUploadedFile("ausweis.pdf", b"%PDF-1.7 x"), by=privacy)
    file, storage = Path(copy.file.path), copy.file.storage
    with monkeypatch.context() as disk, django_capture_on_commit_callbacks(execute=True):
        disk.setattr(type(storage), "delete", _read_only)
        identifying.settle(case, "id_copy", version=None, by=privacy)
    assert not IdentityCopy.objects.exists() and file.exists()
    retry_erasures()
    assert not file.exists()


def _read_only(_storage, _name):
    raise OSError(errno.EROFS, "Read-only file system")


def test_the_file_of_a_copy_stays_when_the_step_is_rolled_back(case, privacy):
    identifying.ask(case, "Zweifel", way="mail", version=None, by=privacy)
    upload = SimpleUploadedFile("ausweis.pdf", b"%PDF-1.7 x")
    copy = identifying.add_copy(case, upload, by=privacy)
    with pytest.raises(StepRefused), transaction.atomic():
        identifying.settle(case, "id_copy", version=None, by=privacy)
        identifying.settle(case, "id_copy", version=None, by=privacy)
    assert copy.file.storage.exists(copy.file.name)
    assert IdentityCopy.objects.exists()


def test_a_refusal_taken_up_again_is_proposed_anew(privacy, second, case):
    identifying.settle(case, "not_needed", version=None, by=privacy)
    handling.propose_refusal(case, "excessive", "Elfte Anfrage", "DS-1", way="mail", version=None, by=privacy)
    handling.approve_refusal(case, way="mail", version=None, by=second)
    handling.reopen(case, "doch nicht", version=None, by=privacy)
    assert "refusals" not in {item.key for item in cockpit.items_for(second)}
    with pytest.raises(StepRefused):
        handling.approve_refusal(case, way="mail", version=None, by=second)
    assert case.events.get(kind="refusal_proposed").actor == privacy


@pytest.mark.parametrize(
    ("told", "grounds"),
    [
        ({"kind": "objection", "objects_to": "advertising"}, {"unidentifiable"}),
        ({"kind": "withdrawal"}, {"unidentifiable", "conditions"}),
    ],
)
def test_what_is_weighed_against_nothing_is_not_refused(privacy_client, privacy, told, grounds):
    """Art. 21(3): no ground goes before an objection to advertising; Art. 7(3): nor before a withdrawal."""
    case = take(privacy, customer=person(), **told)
    page = privacy_client.get(reverse("privacy:request_refuse", args=[case.pk]))
    assert {value for value, _label in page.context["form"].fields["ground"].choices} == grounds
    for ground in ("claims", "unfounded", "excessive", "legal_duty", "others"):
        said = {"ground": ground, "reason": "Nein", "evidence": "Akte", "way": "mail"}
        assert post(privacy_client, "request_refuse", case, **said).status_code == 422
        with pytest.raises(StepRefused):
            handling.propose_refusal(case, ground, "Nein", "Akte", way="mail", version=None, by=privacy)
    case.refresh_from_db()
    assert case.refusal_proposed_by is None and case.is_open


@pytest.mark.parametrize(
    ("kind", "others"),
    [
        ("access", {"others"}),  # Art. 15(4)
        ("portability", {"others"}),  # Art. 20(4)
        ("rectification", set()),
        ("restriction", set()),
        ("erasure", {"legal_duty", "claims"}),  # Art. 17(3)
    ],
)
def test_the_exceptions_of_one_right_refuse_no_other(privacy_client, privacy, kind, others):
    """Art. 12(5) and 11(2) stand for all rights; Art. 17(3) keeps data from erasure, not from being told."""
    case = take(privacy, customer=person(), kind=kind)
    page = privacy_client.get(reverse("privacy:request_refuse", args=[case.pk]))
    offered = {value for value, _label in page.context["form"].fields["ground"].choices}
    assert offered == {"unfounded", "excessive", "unidentifiable", "conditions"} | others
    for ground in {"legal_duty", "claims", "others"} - others:
        with pytest.raises(StepRefused):
            handling.propose_refusal(case, ground, "Nein", "Akte", way="mail", version=None, by=privacy)


def test_what_was_asked_is_not_noted_as_never_asked(privacy_client, privacy):
    """The letter names a doubt: the file says how it was dispelled (Art. 12(6), 5(2))."""
    case = take(privacy, customer=person())
    identifying.ask(case, "Andere Adresse", way="mail", version=None, by=privacy)
    fresh = take(privacy, customer=person("10002", email="zwei@laden.example"))
    pages = [privacy_client.get(reverse("privacy:request", args=[one.pk])) for one in (case, fresh)]
    # What a browser sends of a list that nobody touched.
    assert [page.context["settle_form"].fields["method"].choices[0][0] for page in pages] == ["", "not_needed"]
    assert post(privacy_client, "request_settle", case, method="not_needed").status_code == 422
    case.refresh_from_db()
    assert case.state == "identity_pending"
    reason = "Sie ist umgezogen und hat es uns vor Wochen geschrieben."
    assert post(privacy_client, "request_settle", case, method="not_needed", reason=reason).status_code == 302


def test_an_earlier_request_with_others_linked_to_it_stays_the_first(privacy_client, privacy, case):
    """Else the third would lead over the second to the first, and the page shows one step alone."""
    second, third = take(privacy, customer=case.customer), take(privacy, customer=case.customer)
    assert post(privacy_client, "request_link", third, to=second.pk).status_code == 302
    assert post(privacy_client, "request_link", second, to=case.pk).status_code == 422
    second.refresh_from_db()
    assert second.duplicate_of is None


def test_an_erasure_on_its_way_is_not_refused_beside_it(privacy_client, second, signed_in, privacy):
    """The letter would say that everything stays, and in the night everything would go (Art. 12(4), 17)."""
    case = take(privacy, customer=person(), kind="erasure")
    refuse = {"ground": "claims", "reason": "Prozess", "evidence": "Akte", "way": "mail"}
    # Proposed before somebody carries it out: the second person meets it.
    assert post(privacy_client, "request_refuse", case, **refuse).status_code == 302
    erasure = ask_erasure(case.customer, request=case)
    assert erasure.state == Erasure.State.SCHEDULED
    assert post(signed_in(second), "request_refusal", case, way="mail", approve="1").status_code == 422
    assert post(privacy_client, "request_refuse", case, **refuse).status_code == 422
    case.refresh_from_db()
    assert case.is_open and not case.letters.exists()
    Erasure.objects.update(state=Erasure.State.CANCELLED)
    assert post(signed_in(second), "request_refusal", case, way="mail", approve="1").status_code == 302
    case.refresh_from_db()
    assert case.state == "refused"
