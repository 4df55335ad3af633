"""The door to packages: through the customer's, which writes the access log; by the mark where the person is erased."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.access import customer_for
from datamap import accesslog
from privacy.models import Package

HANDLES = "privacy.packages"

accesslog.name_pages(
    {
        "privacy:package_create": _("Make a data package"),
        "privacy:package": _("Data package"),
        "privacy:package_review": _("Review a data package"),
        "privacy:package_download": _("Download a data package"),
    }
)


def package_for(request: HttpRequest, uuid: UUID, *, page: str) -> Package:
    """The package, or 404; the opening of its customer is written to the access log. PermissionDenied is 403."""
    if not request.user.may(HANDLES):  # type: ignore[union-attr]
        raise PermissionDenied
    package = Package.objects.select_related("customer", "request", "asked_by", "released_by").filter(uuid=uuid).first()
    if package is None:
        raise Http404
    if package.customer is not None:
        customer_for(request, package.customer.number, page=page, permission=HANDLES)
    else:
        accesslog.record(request.user.pk, str(package.subject_ref), page)
    return package
