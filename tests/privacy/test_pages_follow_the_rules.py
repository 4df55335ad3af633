"""Pages say the period of the rule of today: what they say by themselves is the first version of the catalogue."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consents.opting_in import Outcome, confirm
from datamap.versioning import add_version, newest, successor
from intake.models import Batch
from intake.running import plan_of
from intake.tables import UnreadableFile
from privacy.models import Breach
from tests.consents.signing_up import ask, link_of, publish, token_of
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


def _now(key: str, number: int, unit: str = "d") -> None:
    """The privacy role makes the period of a rule another one, in force long since."""
    rule = successor(newest(key))
    rule.number, rule.unit, rule.valid_from, rule.reason = number, unit, date(2020, 1, 1), "as the shop needs it"
    add_version(rule, user_id=None)


def _pages(officer_client: Client, manager_client: Client) -> dict[str, str]:
    customer = make_person("4711")
    breach = Breach.objects.create(title="Fehlversand", aware_at=timezone.now())
    shown = {
        "package": officer_client.get(reverse("privacy:package_create", args=[customer.number])),
        "link": Client(headers={"accept-language": "en"}).get(reverse("privacy:package_fetch", args=["x" * 43])),
        "breach": officer_client.get(reverse("privacy:breach", args=[breach.pk])),
        "upload": manager_client.get(reverse("intake:upload")),
        "held": manager_client.get(reverse("customers:held")),
    }
    return {name: " ".join(page.text.split()) for name, page in shown.items()}


def test_pages_say_what_the_catalogue_says_at_first(officer_client, manager_client) -> None:
    said = _pages(officer_client, manager_client)
    assert "deleted after 14 days" in said["package"]
    assert "once and for 14 days" in said["link"]
    assert "five years from the end of the year" in said["breach"]
    assert "30 Tagen" in said["upload"] and "30 Tage" in said["held"]


def test_pages_say_the_periods_that_the_privacy_role_has_set(officer_client, manager_client) -> None:
    for key, number, unit in (("DSARPKG", 7, "d"), ("BREACH", 6, "y"), ("IMPORT", 10, "d"), ("EVENT", 2, "m")):
        _now(key, number, unit)
    said = _pages(officer_client, manager_client)
    assert "7 days" in said["package"] and "14 days" not in said["package"]
    assert "7 days" in said["link"] and "14 days" not in said["link"]
    assert "6 years from the end of the year" in said["breach"] and "five years" not in said["breach"]
    assert "10 Tage" in said["upload"] and "30 Tage" not in said["upload"]
    assert "2 Monate" in said["held"] and "30 Tage" not in said["held"]


@pytest.mark.parametrize(("days", "said"), [(30, "30 Tage"), (10, "10 Tage")])
def test_who_goes_on_with_an_import_whose_file_is_gone_is_told_the_period(days: int, said: str) -> None:
    if days != 30:
        _now("IMPORT", days)
    with pytest.raises(UnreadableFile) as refused:
        plan_of(Batch(kind="customers"))
    assert said in str(refused.value)


@pytest.mark.parametrize("days", [10, 60])
def test_a_link_that_confirms_lives_as_long_as_its_row_and_the_mail_says_so(client: Client, days: int) -> None:
    publish()
    _now("DOI-PEND", days)
    over = ask(at=timezone.now() - timedelta(days=days, seconds=5))
    young = ask("andere@laden.example", at=timezone.now() - timedelta(days=days - 1))
    assert over is not None
    assert f"nach {days} Tagen" in " ".join(over.evidence["mail"]["text"].split())
    page = client.post(link_of(over))
    assert page.status_code == 410
    assert f"{days} Tage" in page.text
    assert confirm(token_of(young)) is Outcome.CONFIRMED
