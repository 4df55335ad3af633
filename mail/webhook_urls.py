"""Where mail providers report to: a door for each that anymail reads, open once its reports prove themselves."""

from __future__ import annotations

import logging
from functools import wraps
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailWebhookValidationFailure
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django.urls import path

from datamap.guard import View, public_page
from mail.providers import DOORS, proves_itself

log = logging.getLogger(__name__)

UNREADABLE = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
"""What anymail stumbles over in a body that is no report: it takes the form of one for granted. A time that no
calendar has is an OverflowError or an OSError."""


def reporting(name: str, view: View) -> View:
    """A provider's door: closed where nothing proves who reports; a batch is stored whole or not at all.

    What is wrong with a report that is not taken goes into no log: the words quote addresses, and some the secret.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not proves_itself(name):
            raise Http404
        try:
            with transaction.atomic():
                return view(request, *args, **kwargs)
        except (AnymailWebhookValidationFailure, AnymailAPIError):
            return HttpResponseBadRequest()
        except AnymailConfigurationError:  # Mandrill's key is missing, or mails that came in were sent here
            raise Http404 from None
        except UNREADABLE as error:
            log.warning("a report of %s cannot be read: %s", name, type(error).__name__)
            return HttpResponseBadRequest()

    return public_page("Mail providers report here; they prove themselves with a secret of their own.")(guarded)


app_name = "anymail"
urlpatterns = [path(f"{name}/tracking/", reporting(name, door), name=name) for name, door in DOORS.items()]
