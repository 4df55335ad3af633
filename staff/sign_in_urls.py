"""Addresses of signing in: those of allauth's views that this house uses, each with its door.

There is no sign-up, no e-mail management and no sign-in by code, so their views have no address.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path, re_path

from staff.access import login_required_page, public_page

signing_in = public_page("Whoever is signing in is not signed in yet.")
forgotten = public_page("Whoever forgot the password cannot sign in.")

urlpatterns = [
    path("login/", signing_in(account.login), name="account_login"),
    path("logout/", public_page("Signing out twice is no error.")(account.logout), name="account_logout"),
    path("inactive/", signing_in(account.account_inactive), name="account_inactive"),
    path("reauthenticate/", login_required_page(account.reauthenticate), name="account_reauthenticate"),
    path("password/change/", login_required_page(account.password_change), name="account_change_password"),
    path("password/set/", login_required_page(account.password_set), name="account_set_password"),
    path("password/reset/", forgotten(account.password_reset), name="account_reset_password"),
    path("password/reset/done/", forgotten(account.password_reset_done), name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        forgotten(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        forgotten(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path("2fa/", login_required_page(mfa.index), name="mfa_index"),
    path("2fa/authenticate/", signing_in(mfa.authenticate), name="mfa_authenticate"),
    path("2fa/reauthenticate/", login_required_page(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", login_required_page(totp.activate_totp), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", login_required_page(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "2fa/recovery-codes/",
        login_required_page(recovery_codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/generate/",
        login_required_page(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/download/",
        login_required_page(recovery_codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path("2fa/webauthn/", login_required_page(webauthn.list_webauthn), name="mfa_list_webauthn"),
    path("2fa/webauthn/add/", login_required_page(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path(
        "2fa/webauthn/reauthenticate/",
        login_required_page(webauthn.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "2fa/webauthn/keys/<int:pk>/remove/",
        login_required_page(webauthn.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path(
        "2fa/webauthn/keys/<int:pk>/edit/",
        login_required_page(webauthn.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
    path("2fa/webauthn/login/", signing_in(webauthn.login_webauthn), name="mfa_login_webauthn"),
]
