"""What happens to few consents is found in the ledger without walking through all of it."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("consents", "0013_age_checks_of_opt_ins")]

    operations = [
        AddIndexConcurrently(
            "entry",
            models.Index(
                condition=models.Q(("kind__in", ["erased", "expired", "invalidated", "lapsed", "refused", "revoked"])),
                fields=["kind", "id"],
                include=("purpose",),
                name="consents_entry_seldom",
            ),
        ),
    ]
