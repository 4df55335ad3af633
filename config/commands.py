"""Runs `manage.py` commands; those that write refuse to work in a database in quarantine."""

from typing import Any

from django.core.management import ManagementUtility, get_commands
from django.utils.module_loading import import_string

# What only reads, or leads out of the quarantine. A command that nobody lists here is taken to write.
ALLOWED = {
    "backup",
    "deadline",
    "dev",
    "doctor",
    "explain_retention",
    "reapply_erasures",
    "restore",
    "services",
    "vault_status",
    "verify_ledger",
}
# Django's own commands change tables or files, but for these, which change rows.
REFUSED = {"changepassword", "clearsessions", "createsuperuser", "flush", "loaddata", "remove_stale_contenttypes"}


class Utility(ManagementUtility):
    """Django's utility with one question before the command."""

    def fetch_command(self, subcommand: str) -> Any:
        """The command, or exit 3 with one sentence where it may not run now."""
        command = super().fetch_command(subcommand)
        if _writes(subcommand) and not {"-h", "--help"} & set(self.argv):
            # By name: the apps are loaded only now.
            import_string("datamap.quarantine.refuse_command")()
        return command


def _writes(subcommand: str) -> bool:
    if get_commands().get(subcommand, "").startswith("django."):
        return subcommand in REFUSED
    return subcommand not in ALLOWED


def run(arguments: list[str]) -> None:
    """Run the command that these arguments of the command line name."""
    Utility(arguments).execute()
