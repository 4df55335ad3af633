"""Django's SMTP backend, which also notes whether a mail's content has left this machine."""

from __future__ import annotations

import smtplib
from typing import Any

from django.core.mail.backends import smtp


class _Noting:
    """After a broken connection one thing counts: before DATA the server cannot have taken the mail."""

    handed_over = False

    def mail(self, *args: Any, **kwargs: Any) -> Any:
        """MAIL FROM: a new mail begins."""
        self.handed_over = False
        return super().mail(*args, **kwargs)  # type: ignore[misc]

    def data(self, *args: Any, **kwargs: Any) -> Any:
        """DATA: from here on the server may have it."""
        self.handed_over = True
        return super().data(*args, **kwargs)  # type: ignore[misc]


class NotingSMTP(_Noting, smtplib.SMTP):
    """A plain connection, or one that STARTTLS encrypts."""


class NotingSMTPS(_Noting, smtplib.SMTP_SSL):
    """A connection encrypted from its first byte."""


class EmailBackend(smtp.EmailBackend):
    """The backend behind EMAIL_URL=smtp://…"""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """Which client is used."""
        return NotingSMTPS if self.use_ssl else NotingSMTP
