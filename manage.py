#!/usr/bin/env python
"""Django's command line for Obhut."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import OperationalError

from config.commands import run

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        run(sys.argv)
    except ImproperlyConfigured as refusal:
        sys.exit(f"Obhut does not start.\n{refusal}")
    except OperationalError as fault:
        # A refused connection has no state of SQL; any other fault keeps its trace.
        if getattr(fault.__cause__, "sqlstate", None):
            raise
        sys.exit(
            "The database does not answer: start it (on a developer's machine: make services) or mend DATABASE_URL."
        )
