"""Indexes the words of the search text whole, as the dictionary of misspelt ones asks for them."""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Func


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0013_versions_of_notes")]

    operations = [
        AddIndexConcurrently(
            model_name="searchentry",
            index=django.contrib.postgres.indexes.GinIndex(
                Func("text", models.Value(" "), function="string_to_array"), name="customers_search_words"
            ),
        ),
    ]
