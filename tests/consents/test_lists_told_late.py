"""A list that tells of an earlier no than the one that stands changes the answers about the time between."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

import consents
from consents.audience import allowed_among, audience_ids
from consents.models import Purpose
from customers.models import Address, Customer, Origin, Suppression, SuppressionMention
from customers.postal import note_marks, postal_key
from customers.suppression import suppress
from tests.consents.making import moment, say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

SIGNED_UP = moment("2026-01-10T10:00:00+01:00")
FIRST = moment("2026-03-01T10:00:00+01:00")
SECOND = moment("2026-06-01T10:00:00+02:00")
DAY = timedelta(days=1)
HEADER = "Email Address,First Name,MEMBER_RATING,UNSUB_TIME,LEID\n"


@pytest.fixture
def alma() -> Customer:
    """Somebody who consented, and of whom a first list says that she unsubscribed in June."""
    alma = make_person("4711")
    say(alma, at=SIGNED_UP)
    return alma


def bring(folder: Path, *rows: tuple[str, datetime], dry_run: bool = False) -> dict[str, Any]:
    """What the command says of a list of unsubscribed addresses."""
    path, out = folder / "unsubscribed.csv", StringIO()
    path.write_text(HEADER + "".join(f"{address},A,2,{at.isoformat()},{n}\n" for n, (address, at) in enumerate(rows)))
    call_command("import_customers", str(path), "--json", *(["--dry-run"] if dry_run else []), stdout=out)
    said = json.loads(out.getvalue())
    return {name: said[name] for name in ("created", "updated", "unchanged", "error_count", "batch")}


def counted(found: dict[str, Any]) -> tuple[int, int, int]:
    return found["created"], found["updated"], found["unchanged"]


def reason(customer: Customer, at: datetime | None = None) -> str:
    return consents.may(customer, "newsletter", "email", at=at).reason


def test_an_earlier_date_counts_for_the_time_between(alma: Customer, tmp_path: Path) -> None:
    assert counted(bring(tmp_path, ("alma4711@laden.example", SECOND))) == (1, 0, 0)
    assert [reason(alma, at) for at in (FIRST, SECOND - DAY, SECOND)] == ["consent", "consent", "withdrawn"]

    earlier = [("Alma4711@Laden.example ", FIRST)]
    assert counted(bring(tmp_path, *earlier, dry_run=True)) == (0, 1, 0)
    assert reason(alma, SECOND - DAY) == "consent"  # tried out, not told
    assert counted(bring(tmp_path, *earlier)) == (0, 1, 0)

    asked = [FIRST - DAY, FIRST, SECOND - DAY, SECOND]
    assert [reason(alma, at) for at in asked] == ["consent", "suppressed", "suppressed", "withdrawn"]
    assert consents.may(alma, "newsletter", "email", at=SECOND - DAY).since == FIRST
    assert not allowed_among([alma.pk], Purpose.objects.get(key="newsletter"), "email")


def test_an_entry_that_no_file_brought_is_told_of_alike(alma: Customer, tmp_path: Path) -> None:
    suppress("email", "alma4711@laden.example", reason="objection", since=SECOND)
    earlier = [("alma4711@laden.example", FIRST)]
    assert counted(bring(tmp_path, *earlier, dry_run=True)) == counted(bring(tmp_path, *earlier)) == (0, 1, 0)
    # Her consent stood until then in the ledger, so that it ends there as well.
    assert [reason(alma, at) for at in (FIRST - DAY, SECOND - DAY)] == ["consent", "withdrawn"]


def test_the_same_list_again_is_no_news(alma: Customer, tmp_path: Path) -> None:
    bring(tmp_path, ("alma4711@laden.example", SECOND))
    bring(tmp_path, ("alma4711@laden.example", FIRST))
    before = Origin.objects.count(), SuppressionMention.objects.count()
    for at in (FIRST, FIRST + DAY, SECOND, SECOND + DAY):
        again = [("alma4711@laden.example", at)]
        assert counted(bring(tmp_path, *again, dry_run=True)) == counted(bring(tmp_path, *again)) == (0, 0, 1)
    assert (Origin.objects.count(), SuppressionMention.objects.count()) == before


def test_an_undo_takes_the_earlier_date_back_and_leaves_the_entry(alma: Customer, tmp_path: Path) -> None:
    bring(tmp_path, ("alma4711@laden.example", SECOND))
    batch = bring(tmp_path, ("alma4711@laden.example", FIRST))["batch"]
    call_command("undo_import", batch, "--json", stdout=StringIO())
    assert reason(alma, SECOND - DAY) == "consent"
    assert list(Suppression.objects.values_list("since", "ended_at")) == [(SECOND, None)]


def test_what_is_told_without_a_file_counts_as_well(alma: Customer) -> None:
    for at in (SECOND, SECOND - DAY, FIRST):
        suppress("email", "alma4711@laden.example", reason="unsubscribed", since=at)
    assert [reason(alma, at) for at in (FIRST - DAY, FIRST, SECOND - DAY)] == ["consent", "suppressed", "suppressed"]
    assert consents.may(alma, "newsletter", "email").since == FIRST


@pytest.mark.parametrize("noted", [False, True])
def test_by_post_whoever_came_in_after_the_earlier_date_is_stopped_alike(noted: bool) -> None:
    bert = make_person("4712")
    Address.objects.filter(customer=bert).delete()
    Address.objects.create(customer=bert, street="Elbchaussee 12", postcode="22767", city="Hamburg")
    came = Customer.objects.get(pk=bert.pk).created_at
    post, home = Purpose.objects.get(key="post"), postal_key("Elbchaussee 12", "22767")
    suppress("post", home, reason="erasure", since=came + DAY)
    assert consents.may(bert, "post", "post").allowed

    suppress("post", home, reason="objection", since=came - DAY)

    assert not noted or note_marks() == 1
    assert consents.may(bert, "post", "post").reason == "suppressed"
    assert not allowed_among([bert.pk], post, "post")
    assert bert.pk not in {pk for page in audience_ids(post, "post") for pk in page}


def test_a_list_dated_ahead_moves_nothing_into_the_future(alma: Customer, tmp_path: Path) -> None:
    before = timezone.now()
    bring(tmp_path, ("alma4711@laden.example", moment("2199-01-01T00:00:00+01:00")))
    assert before <= Suppression.objects.get().since <= timezone.now()
