"""Stores outside the database that hold personal data for a while, and what ends them."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, register_store
from ops import stores

register_store(
    "ops.web_log",
    _("Log of the web server and the workers"),
    _("Finding faults and attacks"),
    Basis.LEGITIMATE_INTERESTS,
    "WEBLOG",
    note=_("Addresses and user ids only, never names or contents; the service manager rotates it."),
)
register_store(
    "ops.broker",
    _("Messages and rate limits in Valkey or Redis"),
    _("Waking workers, slowing down attacks"),
    Basis.LEGITIMATE_INTERESTS,
    "WEBLOG",
    erase=stores.forget_in_broker,
    note=_("Row ids and caller addresses; every entry expires by itself. An erasure looks whether that is true."),
)
register_store(
    "ops.mail_spool",
    _("Mails written to files in development"),
    _("Looking at mails without sending them"),
    Basis.LEGITIMATE_INTERESTS,
    "IMPORT",
    erase=stores.forget_in_spool,
    expire=stores.expire_spool,
    note=_("Only where EMAIL_URL names a folder; production hands mails to the server."),
)
register_store(
    "ops.uploads",
    _("Uploads while a request is under way"),
    _("Receiving files"),
    Basis.AS_SOURCE,
    "IMPORT",
    sealed=True,
    note=_("Up to 1 MB in memory, more in a temporary file without a name, sealed as it comes; gone with the request."),
)
register_store(
    "ops.backups",
    _("Backups of the database and the files"),
    _("Recovery after a fault"),
    Basis.LEGITIMATE_INTERESTS,
    "BACKUP",
    sealed=True,
    # No erase: nobody can be taken out of a sealed whole (domain.md 4, Backups).
    note=_(
        "Sealed as a whole: nobody can be taken out of one. They are deleted after their period, and a restore replays "
        "erasures before anybody works."
    ),
)
