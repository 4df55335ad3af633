"""Lets several notices of one kind follow from one request: each change is told to the recipients (Art. 19 GDPR)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("privacy", "0009_no_check_of_copies")]

    operations = [migrations.RemoveConstraint("notice", "privacy_notice_request_once")]
