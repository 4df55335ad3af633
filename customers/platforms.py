"""What people read for a platform that rows came from."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_NAMES: dict[str, str | Promise] = {
    "shopify": "Shopify",
    "woocommerce": "WooCommerce",
    "shopware": "Shopware",
    "hubspot": "HubSpot",
    "mailchimp": "Mailchimp",
    "magento": "Magento",
    "cdnow": "CDNOW",
    "plain": _("own columns"),
}


def platform_name(platform: str) -> str:
    """The name of the system; one that a mapping made up is called as it is written there."""
    return str(_NAMES.get(platform, platform))
