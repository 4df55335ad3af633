"""One mailbox is one endpoint however it is typed; with a tag it is another.

RFC 5321 2.4: domains know no capitals, and nobody keeps two mailboxes that differ by them. RFC 5233: what follows the
plus is a name of its own.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

import consents
from consents.models import Entry, PendingOptIn, State
from consents.rebuilding import compare_states
from consents.unsubscribing import unsubscribe_url
from customers.models import ContactPoint, Customer, OptInClaim, Suppression
from customers.suppression import suppressed
from mail.models import Message
from tests.consents.making import moment, say
from tests.consents.signing_up import advertise, ask, form_of, link_of, person, publish
from tests.consents.test_intake import UNSUBSCRIBED, audience, line
from tests.intake.importing import import_file, write_csv
from tests.mail.test_events import SECRET, brevo, report

pytestmark = pytest.mark.django_db

TYPED, FOLDED, BARE = "Anna+Shop@Laden.Example", "anna+shop@laden.example", "anna@laden.example"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture(autouse=True)
def _wording(db, settings):
    publish()
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": [SECRET]}


def reasons(customer: Customer) -> list[str]:
    """What may be sent to the three spellings, in their order."""
    return [consents.may(customer, "newsletter", "email", one).reason for one in (TYPED, FOLDED, BARE)]


def agreed(customer: Customer, address: str = TYPED) -> None:
    assert Client().post(link_of(ask(address))).status_code == 200
    assert compare_states().ok


def agreed_long_ago(customer: Customer, *addresses: str) -> None:
    """Before what a provider or a file reports of the autumn of 2026."""
    for address in addresses:
        say(customer, endpoint=address, confirmed=True, at=moment("2026-01-10T10:00:00+01:00"))


def sign_up(client: Client, address: str) -> None:
    sent = form_of(client, email=address, **{"yes-newsletter": "on"})
    assert client.post(reverse("opt_in:sign_up"), sent)["Location"] == reverse("opt_in:sign_up_sent")


def test_the_account_is_found_by_either_spelling_and_not_without_the_tag(client) -> None:
    anna = person("K-1", FOLDED)
    agreed(anna, TYPED)
    agreed(anna, FOLDED)
    assert Customer.objects.get() == anna and anna.contact_points.count() == 1
    assert State.objects.count() == 1
    assert reasons(anna) == ["consent", "consent", "never_asked"]
    assert Client().post(link_of(ask(BARE))).status_code == 200
    other = Customer.objects.exclude(pk=anna.pk).get()
    assert (other.status, other.contact_points.get().value) == ("prospect", BARE)
    assert reasons(other) == ["never_asked", "never_asked", "consent"]


def test_the_form_counts_both_spellings_as_one_mailbox(client) -> None:
    """The third mail of an hour to one address is the last: capitals are no way round it."""
    for address in (TYPED, FOLDED, TYPED.upper(), FOLDED):
        ask(address)
    assert PendingOptIn.objects.count() == 3
    ask(BARE)
    assert PendingOptIn.objects.count() == 4


def test_unsubscribing_under_one_spelling_ends_the_other_and_leaves_the_mailbox_without_the_tag() -> None:
    anna = person("K-1", TYPED)
    ContactPoint.objects.create(customer=anna, kind="email", value=BARE)
    agreed(anna, FOLDED)
    agreed(anna, BARE)
    link = urlsplit(unsubscribe_url(advertise(anna))).path
    for _twice in range(2):
        assert Client().post(link, ONE_CLICK).status_code == 200
    assert reasons(anna) == ["withdrawn", "withdrawn", "consent"]
    assert Entry.objects.filter(kind="withdrawn").count() == 1
    assert suppressed("email", TYPED) and suppressed("email", FOLDED) and not suppressed("email", BARE)
    assert Suppression.objects.count() == 1
    assert compare_states().ok


@pytest.mark.parametrize(("happened", "reason"), [("unsubscribe", "withdrawn"), ("hard_bounce", "suppressed")])
def test_a_provider_that_reports_the_address_in_small_letters_means_the_same(happened: str, reason: str) -> None:
    anna = person("K-1", TYPED)
    ContactPoint.objects.create(customer=anna, kind="email", value=BARE)
    agreed_long_ago(anna, TYPED, BARE)
    for address in (FOLDED, TYPED):
        assert report("brevo", brevo(happened, address)) == 200
    assert reasons(anna) == [reason, reason, "consent"]
    assert Suppression.objects.count() == 1
    assert Entry.objects.filter(kind="withdrawn").count() <= 1
    assert compare_states().ok


def test_a_file_with_both_spellings_brings_one_person_and_one_consent(tmp_path: Path) -> None:
    path = audience(tmp_path, line(TYPED), line(FOLDED), line(BARE, leid=2, first="Berta"))
    import_file("customers", path)
    import_file("customers", path)
    anna = Customer.objects.get(contact_points__whole_index=FOLDED)
    berta = Customer.objects.get(contact_points__whole_index=BARE)
    assert Customer.objects.count() == 2 and ContactPoint.objects.count() == 2
    assert reasons(anna) == ["consent", "consent", "never_asked"]
    assert reasons(berta) == ["never_asked", "never_asked", "consent"]
    assert Entry.objects.filter(kind="given").count() == 2
    assert compare_states().ok


def test_a_file_under_the_other_spelling_revives_no_withdrawal(tmp_path: Path) -> None:
    anna = person("K-1", TYPED)
    agreed(anna)
    link = urlsplit(unsubscribe_url(advertise(anna))).path
    assert Client().post(link, ONE_CLICK).status_code == 200
    import_file("customers", audience(tmp_path, line(f"  {FOLDED.upper()} ")))
    assert Customer.objects.get() == anna
    assert reasons(anna)[:2] == ["withdrawn", "withdrawn"]
    assert not OptInClaim.objects.exists()


def test_a_list_of_the_unsubscribed_stops_either_spelling_and_not_the_mailbox_without_the_tag(tmp_path: Path) -> None:
    anna = person("K-1", FOLDED)
    ContactPoint.objects.create(customer=anna, kind="email", value=BARE)
    agreed_long_ago(anna, FOLDED, BARE)
    rows = [f"{one},2,2026-03-01 10:00:00,{n}" for n, one in enumerate((TYPED, FOLDED), 1)]
    import_file("customers", write_csv(tmp_path, "\n".join([UNSUBSCRIBED, *rows]) + "\n", "unsubscribed.csv"))
    assert suppressed("email", FOLDED) and not suppressed("email", BARE)
    assert Suppression.objects.count() == 1
    assert reasons(anna)[2] == "consent" and not {"consent"} & set(reasons(anna)[:2])


def test_the_page_answers_the_same_for_each_and_asks_each_mailbox_once(client) -> None:
    for address in (TYPED, FOLDED):
        sign_up(client, address)
    sign_up(client, BARE)
    indexes = [bytes(one) for one in PendingOptIn.objects.order_by("pk").values_list("address_index", flat=True)]
    assert len(indexes) == 3 and indexes[0] == indexes[1] != indexes[2]
    assert Message.objects.count() == 3
    for pending in list(PendingOptIn.objects.order_by("pk"))[:2]:
        assert client.post(link_of(pending)).status_code == 200
    assert State.objects.count() == 1 and ContactPoint.objects.count() == 1
