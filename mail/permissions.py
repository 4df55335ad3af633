"""What staff may do with mails and letters, and which roles do so in a fresh installation."""

from django.utils.translation import gettext_lazy as _

from staff.permissions import declare

declare("mail.view", _("See which mails were sent"), roles=["service", "manager", "privacy", "operator"])
declare("mail.decide", _("Decide about mails that failed or are in doubt"), roles=["manager", "privacy"])
declare("mail.letters", _("Read letters that were sent"), roles=["service", "manager", "privacy"])
