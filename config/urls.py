"""All routes of the house, one line per app."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from config.health import healthz
from datamap.guard import public_page

choose_language = public_page("The language may be chosen before signing in.")(set_language)

ROUTES = {
    "customers": "customers/",
    "mail": "mail/",
    "consents": "consents/",
    "orders": "orders/",
    "interactions": "interactions/",
    "privacy": "privacy/",
    "tracking": "t/",
    "intake": "import/",
    "staff": "staff/",
    "datamap": "datamap/",
    "portal": "",
}

handler500 = "config.outages.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("language/", choose_language, name="set_language"),
    path("accounts/", include("staff.sign_in_urls")),
    path("consents/receipts/", include("consents.receipt_urls")),
    path("anymail/", include("mail.webhook_urls")),
    path("c/", include("consents.public_urls")),
    *(path(prefix, include(f"{app}.urls")) for app, prefix in ROUTES.items() if find_spec(f"{app}.urls")),
]
