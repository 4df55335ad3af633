"""Where mail providers report to: anymail reads them, behind the secret of MAIL_WEBHOOK_SECRET."""

from __future__ import annotations

from functools import wraps
from typing import Any

from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.mailtrap import MailtrapTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import path

from datamap.guard import View, public_page


def reporting(view: View) -> View:
    """A provider's door: closed where no secret is set; a batch of reports is stored whole or not at all."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
            raise Http404
        with transaction.atomic():
            return view(request, *args, **kwargs)

    return public_page("Mail providers report here; they prove themselves with a secret of their own.")(guarded)


app_name = "anymail"
urlpatterns = [
    path("brevo/tracking/", reporting(BrevoTrackingWebhookView.as_view()), name="brevo"),
    path("mailjet/tracking/", reporting(MailjetTrackingWebhookView.as_view()), name="mailjet"),
    path("mailtrap/tracking/", reporting(MailtrapTrackingWebhookView.as_view()), name="mailtrap"),
    path("postmark/tracking/", reporting(PostmarkTrackingWebhookView.as_view()), name="postmark"),
    path("sendgrid/tracking/", reporting(SendGridTrackingWebhookView.as_view()), name="sendgrid"),
    path("sparkpost/tracking/", reporting(SparkPostTrackingWebhookView.as_view()), name="sparkpost"),
]
