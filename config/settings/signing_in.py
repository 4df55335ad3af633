"""How staff sign in, and how long they stay so."""

from config.settings.environment import DEBUG, env

AUTH_USER_MODEL = "staff.User"
AUTHENTICATION_BACKENDS = ["staff.recalling.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=True)
STAFF_IDLE_SECONDS = 1800
STAFF_ABSOLUTE_SECONDS = 43200
ACCOUNT_ADAPTER = "staff.adapters.AccountAdapter"
MFA_ADAPTER = "staff.adapters.MFAAdapter"
MFA_FORMS = {
    "activate_totp": "staff.code_forms.ActivateTOTPForm",
    "authenticate": "staff.code_forms.AuthenticateForm",
    "reauthenticate": "staff.code_forms.ReauthenticateForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no mail to strangers
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key", "reauthenticate": "5/m/user"}
PASSWORD_RESET_TIMEOUT = 600
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Obhut"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an invite has proved the address
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be off by half a minute
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
