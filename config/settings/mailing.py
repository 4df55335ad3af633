"""How mails go out, and who may report what became of them."""

from config.settings.environment import DEBUG, VAR_DIR, env

MAIL = env.email_url("EMAIL_URL", default=f"filemail:///{VAR_DIR}/mail" if DEBUG else "smtp://localhost:25")
# Ours also notes how far a mail had come when the connection broke.
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_BACKEND = "mail.smtp.EmailBackend" if MAIL["EMAIL_BACKEND"] == SMTP_BACKEND else MAIL["EMAIL_BACKEND"]
if provider := env.str("MAIL_PROVIDER", default=""):  # brevo, postmark, …: mails go through its web interface
    EMAIL_BACKEND = f"anymail.backends.{provider}.EmailBackend"
EMAIL_FILE_PATH = MAIL["EMAIL_FILE_PATH"]
EMAIL_HOST, EMAIL_PORT = MAIL["EMAIL_HOST"], MAIL["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL["EMAIL_HOST_USER"], MAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.get("EMAIL_USE_TLS", False), MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
# Keys of the provider as JSON, and who may report to us ("user:password", several while one is replaced).
ANYMAIL = {
    "IGNORE_UNSUPPORTED_FEATURES": True,
    "REQUESTS_TIMEOUT": EMAIL_TIMEOUT,
    **env.json("ANYMAIL", default={}),
    "WEBHOOK_SECRET": env.list("MAIL_WEBHOOK_SECRET", default=[]),
}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="obhut@localhost")
