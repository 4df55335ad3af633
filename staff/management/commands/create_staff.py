"""Make a staff user from the command line: there are no default accounts, the first one comes from here."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from staff.joining import invite, invite_link
from staff.models import Role, User


class Command(BaseCommand):
    """Prints a link on which the person chooses a password; it works once and for 48 hours."""

    help = "Make a staff user and print a one-time link on which the person chooses a password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", action="append", required=True, choices=list(Role.NAMES), dest="roles")
        parser.add_argument("--name", default="", help="as shown to colleagues (default: the address)")
        parser.add_argument("--language", default="de", choices=["de", "en"])
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address.", returncode=2) from None
        if User.objects.filter(email=email).exists():
            raise CommandError(f"Somebody with the address {email} exists already.")
        user, token = invite(
            email, options["name"] or email, options["roles"], actor=None, language=options["language"]
        )
        if options["json"]:
            self.stdout.write(
                json.dumps({"id": user.pk, "roles": sorted(options["roles"]), "link": invite_link(token)})
            )
            return
        self.stdout.write("Open this link within 48 hours to choose a password; it works once:")
        self.stdout.write(invite_link(token))
