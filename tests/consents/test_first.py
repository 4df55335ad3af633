from datetime import timedelta

import pytest
from django.utils import timezone

import consents
from consents.audience import audience_ids, count_audience
from consents.checkpoints import sign_checkpoint
from consents.events import Event, Wording
from consents.models import *
from consents.rebuilding import compare_states, rebuild_states
from consents.recording import record, record_many
from consents.sealing import seal_pending
from consents.verifying import verify
from consents.withdrawing import withdraw
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


def test_it_all():
    c = make_person("4711")
    mail = "alma4711@laden.example"
    assert consents.may(c, "newsletter", "email").reason == "never_asked"
    record(
        Event(
            "given",
            c.pk,
            c.number,
            "newsletter",
            "email",
            mail,
            source="double_opt_in",
            confirmed=True,
            wording=Wording("a" * 64, "nl:1", "de"),
            actor="self",
        )
    )
    d = consents.may(c, "newsletter", "email")
    assert d.allowed and d.reason == "consent", d
    p = Purpose.objects.get(key="newsletter")
    assert count_audience(p, "email") == 1
    assert list(audience_ids(p, "email")) == [[c.pk]]
    assert compare_states().ok
    assert seal_pending() == 1
    assert sign_checkpoint().size == 1
    v = verify()
    assert v.ok, v
    before = timezone.now()
    assert withdraw(c, "newsletter", "email", source="rfc8058") == 1
    assert withdraw(c, "newsletter", "email", source="rfc8058") == 0
    assert consents.may(c, "newsletter", "email").reason == "withdrawn"
    assert consents.may(c, "newsletter", "email", at=before).reason == "consent"
    assert count_audience(p, "email") == 0
    seal_pending()
    sign_checkpoint()
    v = verify()
    assert v.ok and v.entries == 2 and v.seals == 2, v
    assert compare_states().ok
    State.objects.all().delete()
    assert rebuild_states().missing == 1
    assert compare_states().ok, compare_states()
    people = [make_person(str(5000 + i)) for i in range(30)]
    record_many(
        [
            Event(
                "given",
                x.pk,
                x.number,
                "newsletter",
                "email",
                f"alma{x.number}@laden.example",
                source="import",
                late=True,
                at=timezone.now() - timedelta(days=400),
                actor="import",
            )
            for x in people
        ]
    )
    assert count_audience(p, "email") == 30
    assert compare_states().ok, compare_states()
    seal_pending()
    assert verify().ok
