"""Cookies, TLS and headers, and which other pages may report to us."""

from urllib.parse import urlsplit

from config.settings.environment import DEBUG, SITE_URL, env
from config.settings.signing_in import STAFF_ABSOLUTE_SECONDS

# The __Host- prefix needs TLS, which a developer's machine has not.
COOKIE_PREFIX = "" if DEBUG else "__Host-"
SESSION_ENGINE = "staff.recalling"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}obhut-session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = STAFF_ABSOLUTE_SECONDS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}obhut-csrf"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}obhut-language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(SITE_URL))]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
# A mail program that unsubscribes follows no redirect (RFC 8058).
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^c/u/"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 63072000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many proxies of ours stand before the app, for the caller's address in rate limits.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # Bootstrap's arrows and the QR code of the second factor
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}
# Pages that may report visits, and what signs whom a device belongs to; without them those doors are closed.
TRACKING_ORIGINS = env.list("TRACKING_ORIGINS", default=[])
TRACKING_LINK_SECRETS = env.list("TRACKING_LINK_SECRETS", default=[])  # several while one is replaced
