"""The register of breaches and its clock of 72 elapsed hours (Art. 33, 34 GDPR)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from privacy import breaches, cockpit
from privacy.models import Breach
from tests.privacy.noting import at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def noted(aware: str = "2026-10-24T10:00", **changed) -> Breach:
    said = {"title": "Laptop im Zug", "aware_at": at(aware), "facts": "Ein Laptop blieb liegen.", "risk": "risk"}
    return Breach.objects.create(**{**said, **changed})  # the past and the future alike


def test_p18_72_hours_across_the_end_of_summer_time(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 1, 12, tzinfo=UTC))
    breach = noted("2026-10-24T10:00")
    due = breaches.due_at(breach)
    assert due.isoformat() == "2026-10-27T09:00:00+01:00"
    breaches.decide(breach.pk, "notify", "Adressen von Kundinnen")
    with pytest.raises(breaches.BreachRefused) as refused:
        breaches.notified(breach.pk, at("2026-10-27T09:30"))
    assert refused.value.field == "late_reasons"
    late = breaches.notified(breach.pk, at("2026-10-27T09:30"), "Das Formular der Behörde war gestört.")
    assert breaches.is_late(late, late.notified_at)
    assert late.late_reasons == "Das Formular der Behörde war gestört."

    # On the last instant it is in time, and no reasons are demanded.
    other = noted("2026-10-24T10:00")
    breaches.decide(other.pk, "notify", "Adressen")
    assert breaches.notified(other.pk, due).late_reasons == ""

    # A second, risk-free incident stays in the register with the reasons for not telling.
    harmless = noted("2026-10-25T08:00", risk="none", title="Brief an alte Anschrift, ungeöffnet zurück")
    with pytest.raises(breaches.BreachRefused) as refused:
        breaches.decide(harmless.pk, "not", "")
    assert refused.value.field == "reasons"
    breaches.decide(harmless.pk, "not", "Ungeöffnet zurück, niemand hat etwas gelesen.")
    breaches.close(harmless.pk)
    harmless.refresh_from_db()
    assert (harmless.notified_at, harmless.closed_at is not None) == (None, True)
    assert set(Breach.objects.all()) == {breach, other, harmless}


def test_a_risk_must_be_told_to_the_authority():
    breach = noted()
    for risk in ("risk", "high"):
        Breach.objects.filter(pk=breach.pk).update(risk=risk)
        with pytest.raises(breaches.BreachRefused) as refused:
            breaches.decide(breach.pk, "not", "wird schon gut gehen")
        assert refused.value.field == "decision"


def test_a_risk_that_turns_out_later_starts_the_clock_again():
    breach = noted(risk="none")
    breaches.decide(breach.pk, "not", "Die Platte war verschlüsselt.")
    assert not breaches.running().exists()
    breaches.assess(breach.pk, facts="Der Schlüssel lag dabei.")
    assert not breaches.running().exists()
    breaches.assess(breach.pk, risk="high")
    assert breaches.running().get() == breach
    breach.refresh_from_db()
    assert (breach.decision, breach.reasons, breach.decided_at) == ("", "", None)
    assert "Die Platte war verschlüsselt." in breach.entries.get().text
    breaches.persons_told(breach.pk, timezone.now(), "Brief")
    with pytest.raises(breaches.BreachRefused) as refused:
        breaches.close(breach.pk)
    assert refused.value.field == "decision"


def test_nothing_is_told_before_anybody_knew_or_before_it_was_decided(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 1, 12, tzinfo=UTC))
    breach = noted()
    with pytest.raises(breaches.BreachRefused) as refused:
        breaches.notified(breach.pk, at("2026-10-24T09:59"))
    assert refused.value.field == "notified_at"
    with pytest.raises(breaches.BreachRefused):
        breaches.notified(breach.pk, at("2026-10-25T10:00"))  # no decision, no reasons
    with pytest.raises(breaches.BreachRefused):
        breaches.notified(breach.pk, at("2026-11-01T14:00"))  # still to come


def test_a_case_closes_when_everything_is_said(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 1, 12, tzinfo=UTC))
    breach = noted(risk="")
    missing = []
    steps = [
        lambda: breaches.decide(breach.pk, "notify", "Adressen"),
        lambda: breaches.notified(breach.pk, at("2026-10-25T10:00")),
        lambda: breaches.assess(breach.pk, risk="high"),
        lambda: breaches.persons_told(breach.pk, at("2026-10-26T10:00"), "E-Mail an alle 120"),
    ]
    for step in steps:
        with pytest.raises(breaches.BreachRefused) as refused:
            breaches.close(breach.pk)
        missing.append(refused.value.field)
        step()
    assert missing == ["decision", "notified_at", "risk", "persons_told"]
    breaches.close(breach.pk)
    with pytest.raises(breaches.BreachRefused):
        breaches.assess(breach.pk, facts="anders")
    with pytest.raises(breaches.BreachRefused):
        breaches.follow_up(breach.pk, "noch etwas", by=None)


def test_facts_that_make_a_telling_late_want_its_reasons(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 1, 12, tzinfo=UTC))
    breach = noted()
    breaches.decide(breach.pk, "notify", "Adressen")
    breaches.notified(breach.pk, at("2026-10-27T08:00"))
    with pytest.raises(breaches.BreachRefused) as refused:
        breaches.assess(breach.pk, aware_at=at("2026-10-20T10:00"))
    assert refused.value.field == "aware_at"


def test_free_text_lies_sealed():
    noted(facts="Frau Sommer verlor den Schlüssel")
    with connection.cursor() as cursor:
        cursor.execute("SELECT facts FROM privacy_breach")
        assert b"Sommer" not in bytes(cursor.fetchone()[0])


def form(**changed):
    said = {"title": "Fehlversand", "aware_at": "2026-11-20T10:00", "facts": "Eine Mail ging an alle.", "risk": "none"}
    return {**said, **changed}


def test_the_register_is_kept_by_the_privacy_role_alone(officer_client, manager_client, outsider_client):
    breach = noted()
    for name, arguments in (
        ("breaches", []),
        ("breach_new", []),
        ("breach", [breach.pk]),
        ("breach_edit", [breach.pk]),
    ):
        page = reverse(f"privacy:{name}", args=arguments)
        assert officer_client.get(page).status_code == 200
        assert manager_client.get(page).status_code == 403
        assert outsider_client.get(page).status_code == 403


def test_a_breach_is_worked_off_on_its_page(officer, officer_client):
    aware = timezone.localtime() - timedelta(hours=71, minutes=30)
    answer = officer_client.post(reverse("privacy:breach_new"), form(aware_at=aware.strftime("%Y-%m-%dT%H:%M")))
    breach = Breach.objects.get()
    page = reverse("privacy:breach", args=[breach.pk])
    assert (answer["Location"], breach.noted_by) == (page, officer)
    assert officer_client.get(page).context["clock"]["words"] == "0 hours left"
    assert officer_client.get(reverse("privacy:breaches")).context["rows"][0][1]["tone"] == "warn"

    def step(name, **said):
        return officer_client.post(reverse("privacy:breach_step", args=[breach.pk, name]), said).status_code

    assert step("close") == 422
    assert step("decide", decision="not", reasons="") == 422
    assert step("decide", decision="notify", reasons="Adressen") == 302
    soon = (timezone.localtime() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    assert step("notify", notified_at=soon) == 422
    assert step("notify", notified_at="") == 422
    assert step("notify", notified_at=timezone.localtime().strftime("%Y-%m-%dT%H:%M")) == 302
    assert step("persons", persons_told="") == 422
    assert step("persons", persons_told="nicht nötig: verschlüsselt (Art. 34(3))") == 302
    assert step("entry", text="") == 422
    assert step("entry", text="Es waren zwölf Empfänger.") == 302
    assert step("close") == 302
    assert step("entry", text="zu spät") == 422
    assert step("burn") == 404
    breach.refresh_from_db()
    assert breach.closed_at is not None and breach.entries.get().text == "Es waren zwölf Empfänger."


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"facts": ""}, "facts"),
        ({"aware_at": ""}, "aware_at"),
        ({"aware_at": "2026-02-30T10:00"}, "aware_at"),
        ({"aware_at": "2999-01-01T10:00"}, "aware_at"),
        ({"aware_at": "2026-03-29T02:30"}, "aware_at"),  # the hour that summer time skips
        ({"persons_count": "-1"}, "persons_count"),
        ({"risk": "enormous"}, "risk"),
    ],
)
def test_bad_input_is_answered_and_notes_nothing(officer_client, wrong, field):
    answer = officer_client.post(reverse("privacy:breach_new"), form(**wrong))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Breach.objects.exists()


def test_the_hour_that_comes_twice_is_the_earlier_one(officer_client):
    assert officer_client.post(reverse("privacy:breach_new"), form(aware_at="2025-10-26T02:30")).status_code == 302
    assert Breach.objects.get().aware_at.astimezone(UTC).isoformat() == "2025-10-26T00:30:00+00:00"


def test_two_who_complete_the_facts_do_not_overwrite_each_other_unasked(officer_client):
    breach = noted()
    page = reverse("privacy:breach_edit", args=[breach.pk])
    seen = officer_client.get(page).context["version"]
    assert officer_client.post(page, form(facts="Ein Rechner", version=seen)).status_code == 302
    late = officer_client.post(page, form(facts="Zwei Rechner", version=seen))
    assert late.status_code == 409
    assert "Somebody saved this meanwhile" in late.text and "Zwei Rechner" in late.text
    breach.refresh_from_db()
    assert breach.facts == "Ein Rechner"
    assert officer_client.post(page, form(facts="Zwei Rechner", version=late.context["version"])).status_code == 302


def entries(breach: Breach) -> list[tuple[str, str]]:
    return [(entry.text, entry.by.name if entry.by else "") for entry in breach.entries.order_by("at", "pk")]


def test_what_a_duty_was_reckoned_from_is_not_rewritten_without_a_trace(officer, officer_client):
    """Art. 33(5): the authority verifies by the register; who moves the beginning of the clock, lowers the risk, or
    decides or notes the telling anew leaves what stood there before, and their name."""
    breach = noted("2025-10-24T10:00", risk="high")
    page = reverse("privacy:breach_edit", args=[breach.pk])
    facts = {"title": breach.title, "facts": breach.facts, "aware_at": "2025-10-26T10:00", "risk": "none"}
    assert officer_client.post(page, facts | {"version": 1}).status_code == 302
    assert entries(breach) == [
        ("Corrected: until then it was noted as known since 24/10/2025 10:00.", officer.name),
        ("Assessed anew: until then it held: high risk.", officer.name),
    ]
    # What stays as it is leaves nothing.
    assert officer_client.post(page, facts | {"version": 2, "persons": "Kundschaft"}).status_code == 302
    assert len(entries(breach)) == 2

    def step(name: str, **said: str) -> int:
        return officer_client.post(reverse("privacy:breach_step", args=[breach.pk, name]), said).status_code

    assert step("decide", decision="not", reasons="verschlüsselt") == 302
    assert step("decide", decision="not", reasons="verschlüsselt") == 302
    assert len(entries(breach)) == 2
    assert step("decide", decision="notify", reasons="Der Schlüssel lag bei") == 302
    assert entries(breach)[2:] == [
        ("Decided anew. Until then it held: do not tell the authority. verschlüsselt", officer.name)
    ]
    assert step("notify", notified_at="2025-10-28T09:00") == 302
    assert len(entries(breach)) == 3
    assert step("notify", notified_at="2025-10-28T10:00") == 302
    assert entries(breach)[3][0] == "Corrected: until then the authority was noted as told on 28/10/2025 09:00."


def test_a_high_risk_waits_in_the_cockpit_until_the_persons_are_told(officer, officer_client):
    """Art. 34(1): without undue delay, also once the authority knows and its clock stands; or why not (Art. 34(3))."""
    told = {"decision": "notify", "notified_at": timezone.now(), "reasons": "Adressen"}
    breach = noted(risk="high", **told)
    noted(risk="risk", **told)
    noted(risk="high", closed_at=timezone.now(), **told)
    (item,) = [item for item in cockpit.items_for(officer) if item.key == "breaches_untold"]
    assert (item.count, item.severity) == (1, "stop")
    assert officer_client.get(item.url).content.decode().count("persons to be told") == 1
    assert "persons to be told" in officer_client.get(reverse("privacy:breach", args=[breach.pk])).content.decode()
    breaches.persons_told(breach.pk, None, "Art. 34(3)(a): verschlüsselt")
    assert "breaches_untold" not in [item.key for item in cockpit.items_for(officer)]
    assert "persons to be told" not in officer_client.get(item.url).content.decode()


def test_nobody_knows_of_a_breach_before_it_happened(officer_client):
    """A slip of the hand: the 72 hours would count from too early a day, or from none that can be."""
    said = {"title": "Laptop", "facts": "weg", "risk": "risk", "aware_at": "2025-03-01T10:00"}
    page = officer_client.post(reverse("privacy:breach_new"), said | {"happened_at": "2025-03-02T10:00"})
    assert page.status_code == 422 and "happened_at" in page.context["form"].errors
    assert (
        officer_client.post(reverse("privacy:breach_new"), said | {"happened_at": "2025-03-01T10:00"}).status_code
        == 302
    )
    breach = Breach.objects.get()
    edit = reverse("privacy:breach_edit", args=[breach.pk])
    wrong = said | {"happened_at": "2025-03-02T10:00", "version": breach.version}
    assert officer_client.post(edit, wrong).status_code == 422
    breach.refresh_from_db()
    assert breach.happened_at == breach.aware_at
