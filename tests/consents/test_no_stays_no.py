"""A no stays a no: whatever the shop changes, whatever has had its day, whatever is restored."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

import consents
from consents import unsubscribing
from consents.audience import allowed_among
from consents.models import Purpose, Record, State
from consents.opting_in import confirm
from consents.rebuilding import compare_states, rebuild_states
from consents.tokens import Ticket
from consents.withdrawing import replay, withdraw
from customers import suppression
from customers.models import Customer, Flag
from datamap import journal
from mail.events import work_off_events
from mail.models import ProviderEvent
from mail.sending import deliver_due
from mail.verdicts import bounce_of
from tests.consents.making import ON_EMAIL, moment, say
from tests.consents.signing_up import advertise, ask, person, publish, token_of
from tests.privacy.making import make_person
from tests.vault.conftest import key_text
from vault.keyring import load, replaced

pytestmark = pytest.mark.django_db

LONG_AGO = moment("2026-01-01T10:00:00+01:00")


@pytest.fixture
def alma() -> Customer:
    return make_person("4711")


def test_a_channel_that_a_purpose_lost_can_still_be_ended(alma):
    say(alma)
    Purpose.objects.filter(key="newsletter").update(channels=["sms"])
    assert withdraw(alma, "newsletter", "email", source="rfc8058") == 1
    assert State.objects.get().state == "withdrawn"


def test_an_objection_outlives_its_proof(alma):
    """BGB §§ 195, 199: the proof goes after three years to the year's end; what was said holds on."""
    say(alma, "refused", "post", channel="post", endpoint="", at=moment("2021-03-01T10:00:00+01:00"))
    assert consents.may(alma, "post", "post").reason == "refused"
    call_command("purge_expired", "--rule", "CONSENT", "--as-of", "2025-01-01", "--json")
    assert not Record.objects.exists()
    assert consents.may(alma, "post", "post").reason == "refused"
    assert consents.may(alma, "post", "post", at=timezone.now() - timedelta(days=1)).reason == "refused"
    assert allowed_among([alma.pk], Purpose.objects.get(key="post"), "post") == set()
    assert compare_states().ok
    rebuild_states()
    assert State.objects.get().state == "refused"


def test_an_objection_where_nothing_was_asked_survives_a_restore(alma):
    entry = {
        "customer": alma.pk, "purpose": "post", "channel": "post", "endpoint": "",
        "at": "2026-11-20T10:00:00+01:00", "source": "desk",
    }  # fmt: skip
    with journal.replaying(1):
        assert replay([entry]) == 1
        assert replay([entry]) == 0
    assert consents.may(alma, "post", "post").reason == "refused"


@pytest.mark.parametrize("kind", ["refused", "withdrawn"])
def test_every_no_stands_in_the_journal(alma, kind):
    say(alma, kind, "post", channel="post", endpoint="")
    last = list(journal.entries())[-1]
    assert (last.kind, last.payload["customer"], last.payload["purpose"]) == ("consent_withdrawal", alma.pk, "post")


@pytest.mark.parametrize("basis", ["interests", "contract"])
def test_no_purpose_lets_advertising_out_without_a_yes(alma, basis):
    Purpose.objects.create(key="sneaky", basis=basis, channels=["email", "phone"], advertising=True)
    assert consents.may(alma, "sneaky", "email").reason == "never_asked"
    assert consents.may(alma, "sneaky", "phone").reason == "never_asked"


def test_a_yes_that_is_proven_late_goes_before_a_question(alma):
    say(alma, "requested", at=moment("2026-03-01T10:00:00+01:00"))
    say(alma, at=moment("2026-01-15T10:00:00+01:00"), late=True, confirmed=True)
    assert consents.may(alma, "newsletter", "email").reason == "consent"
    assert compare_states().ok


def test_a_no_that_was_dated_before_the_yes_begins_the_period_of_the_proof(alma):
    say(alma)
    say(alma, "withdrawn", at=timezone.now() - timedelta(hours=1))
    assert State.objects.get().state == "withdrawn"
    assert not Record.objects.filter(ended_at=None).exists()


def test_a_mail_that_rests_on_a_notice_leaves_the_states_as_the_ledger_has_them(alma, mail_server):
    say(alma, "noticed", source="sale", at=timezone.now() - timedelta(days=9), late=True)
    advertise(alma)
    deliver_due(10)
    assert len(mail_server.accepted) == 1
    assert Record.objects.get().used_at > timezone.now() - timedelta(minutes=5)
    assert compare_states().ok


def test_a_click_of_somebody_who_was_erased_ends_what_was_agreed_since(alma):
    say(alma, confirmed=True)
    mark = suppression.hasher("email")(suppression.key_of("email", ON_EMAIL.format("4711")))
    ticket = Ticket(0, Purpose.objects.get(key="newsletter").pk, uuid4(), mark)
    unsubscribing.unsubscribe(ticket)
    assert consents.may(alma, "newsletter", "email").reason == "withdrawn"


def test_unsubscribing_from_what_rests_on_a_notice_ends_it_for_all_mails_of_its_kind(alma):
    for purpose in ("newsletter", "feedback"):
        say(alma, "noticed", purpose, source="sale")
    mark = suppression.hasher("email")(suppression.key_of("email", ON_EMAIL.format("4711")))
    ticket = Ticket(alma.pk, Purpose.objects.get(key="newsletter").pk, uuid4(), mark)
    unsubscribing.unsubscribe(ticket)
    suppression.end("email", ON_EMAIL.format("4711"))
    assert consents.may(alma, "feedback", "email").reason == "withdrawn"


def test_what_a_flagged_child_confirms_never_counts():
    publish()
    child = person()
    Flag.objects.create(customer=child, kind="minor", reason="x", review_on="2027-01-15")
    confirm(token_of(ask()))
    Flag.objects.update(lifted_at=timezone.now())
    assert not State.objects.filter(granted=True).exists()


@pytest.mark.parametrize(
    ("kind", "reject", "event", "wanted"),
    [
        ("bounced", "spam", {"msys": {"message_event": {"bounce_class": "51"}}}, "soft"),
        ("bounced", "bounced", {"msys": {"message_event": {"bounce_class": "22"}}}, "soft"),
        ("bounced", "bounced", {"msys": {"message_event": {"bounce_class": "10"}}}, "hard"),
        ("complained", "spam", {}, "complaint"),
        ("rejected", "unsubscribed", {}, ""),
    ],
)
def test_a_filter_of_the_receiver_is_no_complaint_of_the_person(kind, reject, event, wanted):
    assert bounce_of(kind, {"reject_reason": reject, "event": event}) == wanted


def test_a_withdrawal_holds_while_the_index_key_changes():
    """docs/keys.md: people work on while `vault_rotate --index` runs."""
    with replaced(load(key_text())):
        alma = make_person("4711")
        say(alma)
    with replaced(load(key_text(index=(1, 2)))):
        assert withdraw(alma, "newsletter", "email", source="rfc8058") == 1
        assert withdraw(alma, "newsletter", "email", source="rfc8058") == 0
        assert State.objects.get().state == "withdrawn"
        assert consents.may(alma, "newsletter", "email").reason == "withdrawn"
        assert allowed_among([alma.pk], Purpose.objects.get(key="newsletter"), "email") == set()
        assert suppression.suppressed("email", ON_EMAIL.format("4711"))


def test_a_restore_revives_no_withdrawal_though_the_index_key_has_changed_since_the_backup():
    """Of two consents at one address one was withdrawn, so that the list of addresses says nothing of it."""
    with replaced(load(key_text())):
        alma = make_person("4711")
        say(alma)
        say(alma, purpose="birthday")
        backup = dict(State.objects.values_list("pk", "endpoint_index"))
    with replaced(load(key_text(index=(1, 2)))):
        withdraw(alma, "newsletter", "email", source="rfc8058")
        (payload,) = [one.payload for one in journal.entries() if one.kind == "consent_withdrawal"]
        for pk, index in backup.items():  # as the backup has it
            State.objects.filter(pk=pk).update(endpoint_index=index, state="given", granted=True, since=LONG_AGO)
        assert replay([payload]) == 1
        assert {state.purpose.key for state in State.objects.filter(granted=True)} == {"birthday"}


def test_a_report_dated_ahead_ends_no_consent_that_is_confirmed_after_it_came():
    """The clock of a provider, or the zone it leaves out: what it reports happened when it came, at the latest."""
    publish("newsletter")
    publish("birthday")
    alma, address = make_person("4711"), ON_EMAIL.format("4711")
    say(alma)
    ahead = timezone.now() + timedelta(hours=2)
    ProviderEvent.objects.create(
        provider="Brevo", kind="unsubscribed", occurred_at=ahead,
        raw={"event": {}, "reject_reason": None, "recipient": address, "message_id": "", "metadata": {}},
    )  # fmt: skip
    work_off_events()
    assert suppression.Suppression.objects.get().since < timezone.now()
    # Whatever else dated it: agreeing now is the later word.
    suppression.Suppression.objects.update(since=ahead)
    confirm(token_of(ask(address, "birthday", customer=alma)))
    assert consents.may(alma, "birthday", "email").allowed
    assert consents.may(alma, "newsletter", "email").reason == "withdrawn"
    assert compare_states().ok
