"""The WSGI entry point that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# A page that takes longer is a fault; commands and workers may take their time.
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "15000")
# What every page asks in the same words is planned once for each connection. Not in commands and workers: what fills
# tables needs plans for tables that grow.
os.environ.setdefault("PREPARE_AFTER", "5")
application = get_wsgi_application()

# Only now are the apps loaded: wrong keys stop the server before it answers anybody.
from vault.proof import verify_keys  # noqa: E402

verify_keys()

# Every view is loaded before the first visitor comes; and since what is loaded stays, no collection of garbage needs to
# walk through it in the middle of somebody's page.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
