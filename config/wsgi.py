"""The WSGI entry point that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

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
