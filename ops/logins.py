"""The sign-ins of the demo shop: one for each role, and a second privacy officer for approvals."""

from typing import NamedTuple

from staff.models import Role

# Known to everybody on purpose; the demo refuses to run outside development.
DEMO_PASSWORD = "obhut-zum-ausprobieren"  # noqa: S105


class DemoLogin(NamedTuple):
    """One person of the demo shop."""

    email: str
    role: str
    name: str
    password: str


_NAMES = {
    Role.SERVICE: "Sabine Lorenz",
    Role.MARKETING: "Mehmet Aydin",
    Role.MANAGER: "Katharina Vogt",
    Role.TAX: "Jörg Petersen",
    Role.PRIVACY: "Dr. Miriam Stein",
    Role.OPERATOR: "Tobias Krüger",
}


def demo_logins() -> list[DemoLogin]:
    """Whom the demo creates and `dev` prints."""
    logins = [DemoLogin(f"{role}@obhut.example", role, name, DEMO_PASSWORD) for role, name in _NAMES.items()]
    second = DemoLogin("privacy2@obhut.example", Role.PRIVACY, "Anke Sommer", DEMO_PASSWORD)
    return [*logins, second]
