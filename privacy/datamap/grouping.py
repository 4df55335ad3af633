"""What the declarations of this app share: purposes, bases, and who of the staff decided."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group

ACCOUNTABILITY = _("Proving that a request was answered and how")
DUTY = (Basis.LEGAL_OBLIGATION, Basis.LEGITIMATE_INTERESTS)


def staff_of(*fields: str, category: str, start: str) -> list[Group]:
    """Each member of staff whom a row names is a person of their own."""
    return [
        Group(
            fields=(field,),
            subject=field,
            person="staff",
            purpose=_("Accountability for what was decided"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category=category,
            start=start,
            source=_("Made by the portal"),
            anonymize={field: None},
        )
        for field in fields
    ]
