"""Pages for people outside: signing up, confirming, unsubscribing. Links of mails work with and without a slash."""

from django.urls import path, re_path

from consents import public_views as views

app_name = "opt_in"
# Whatever a mail program has left of a link comes to the page that says so, and not to one of the staff's.
TOKEN = r"(?P<token>[^/]*)"

urlpatterns = [
    path("sign-up/", views.sign_up, name="sign_up"),
    path("sign-up/sent/", views.sign_up_sent, name="sign_up_sent"),
    path("privacy-notice/", views.privacy_notice, name="privacy_notice"),
    re_path(rf"^confirm/{TOKEN}/?$", views.confirm, name="confirm"),
    re_path(rf"^texts/{TOKEN}/?$", views.place, name="place"),
    re_path(rf"^u/{TOKEN}/?$", views.unsubscribe, name="unsubscribe"),
    re_path(rf"^u/{TOKEN}/all/?$", views.no_advertising, name="no_advertising"),
]
