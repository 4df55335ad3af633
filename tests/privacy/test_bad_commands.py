"""Commands that destroy or hand out meet bad arguments with exit code 2 and one sentence, and do nothing."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from privacy.models import Erasure, Package, RetentionRun
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


def refused(*line: str, **options: Any) -> str:
    """What a command says that refuses; it prints nothing else."""
    out = StringIO()
    with pytest.raises(CommandError) as said:
        call_command(*line, stdout=out, **options)
    assert out.getvalue() == ""
    assert said.value.returncode == 2 or "Error: argument" in str(said.value)  # argparse itself ends with 2
    return str(said.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("erase_person 4711 --as-of 2026-02-30", "no date"),
        ("erase_person 4711 --dry-run --as-of heute", "no date"),
        ("erase_person 0815", "keinen Kunden"),
        ("erase_person 0815 --dry-run", "keinen Kunden"),
        ("erase_person 47\0", "keinen Kunden"),
        ("purge_expired --as-of 2026-02-30", "no date"),
        ("purge_expired --rule NIRGENDS", "NIRGENDS"),
        ("purge_expired --rule INV:nirgends", "INV:nirgends"),
        ("purge_expired --allow-share 7", "von 0 bis 1"),
        ("purge_expired --allow-share -0.1", "von 0 bis 1"),
        ("purge_expired --allow-share NaN", "von 0 bis 1"),
        ("purge_expired --allow-share viel", "von 0 bis 1"),
        ("export_person 0815 --kind access --output /tmp/nowhere.zip", "keinen Kunden"),
        ("export_person 4711 --kind everything --output /tmp/nowhere.zip", "invalid choice"),
        ("export_person 4711 --kind access --output /nowhere/at/all.zip", "keine Datei"),
    ],
)
def test_bad_arguments_are_refused_and_nothing_happens(line: str, words: str) -> None:
    make_person("4711", last_activity="2020-01-01")
    assert words in refused(*line.split(" "), **({"json": True} if "--as-of" not in line else {}))
    assert Customer.objects.count() == 1
    for model in (Erasure, RetentionRun, Package):
        assert not model.objects.exists()


def test_a_day_given_by_another_program_is_read_like_one_that_is_typed() -> None:
    make_person("4711")
    assert "no date" in refused("erase_person", "4711", as_of="2026-02-30")
    assert "no date" in refused("purge_expired", as_of="gestern")


def test_a_future_day_deletes_nothing_in_production(settings: Any) -> None:
    settings.DEBUG = False
    make_person("4711")
    assert "künftiger Tag" in refused("erase_person", "4711", "--as-of", "2999-01-01")
    assert "künftiger Tag" in refused("purge_expired", "--as-of", "2999-01-01")
    assert Customer.objects.count() == 1
