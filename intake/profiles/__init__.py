"""Which exports can be read, and which one a header belongs to."""

from django.utils.translation import gettext as _

from intake.profiles import cdnow, hubspot, magento, mailchimp, plain, shopify, shopware, woocommerce
from intake.profiles.declaring import ORDERS, Profile

_PROFILES: tuple[Profile, ...] = (
    *shopify.PROFILES,
    *woocommerce.PROFILES,
    *shopware.PROFILES,
    *hubspot.PROFILES,
    *mailchimp.PROFILES,
    *magento.PROFILES,
    *cdnow.PROFILES,
)


class UnknownProfile(Exception):
    """No profile fits; the text says what to do."""


def profiles(root: str) -> list[Profile]:
    """The profiles of `customers` or `orders`, plain last."""
    return [*(profile for profile in _PROFILES if profile.root == root), plain_profile(root)]


def plain_profile(root: str) -> Profile:
    """The profile that reads by mapping alone."""
    return plain.ORDERS_PROFILE if root == ORDERS else plain.CUSTOMERS_PROFILE


def profile_for(key: str, root: str) -> Profile:
    """The profile of this key. Raises UnknownProfile."""
    for profile in profiles(root):
        if profile.key == key:
            return profile
    raise UnknownProfile(
        _("There is no profile “%(key)s” here; there are: %(keys)s.")
        % {"key": key[:40], "keys": ", ".join(profile.key for profile in profiles(root))}
    )


def detect(header: list[str], root: str) -> Profile | None:
    """The profile whose columns are there, the most telling first. Raises UnknownProfile for the other kind of file."""
    best = max(_PROFILES, key=lambda profile: profile.fits(header))
    if not best.fits(header):
        return None
    if best.root != root:
        raise UnknownProfile(
            _("This is a file of orders; please import it as orders.")
            if best.root == ORDERS
            else _("This is a file of customers; please import it as customers.")
        )
    return best
