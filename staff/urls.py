"""Addresses of the staff pages."""

from django.urls import path

from staff import own_views, views

app_name = "staff"

urlpatterns = [
    path("", views.user_list, name="list"),
    path("invite/", views.user_invite, name="invite"),
    path("roles/", views.role_matrix, name="matrix"),
    path("events/", views.event_list, name="events"),
    path("<int:pk>/", views.user_detail, name="detail"),
    path("<int:pk>/roles/", views.user_roles, name="roles"),
    path("<int:pk>/disable/", views.user_disable, name="disable"),
    path("<int:pk>/enable/", views.user_enable, name="enable"),
    path("<int:pk>/invite/", views.user_reinvite, name="reinvite"),
    path("<int:pk>/second-factor/", views.user_factors, name="factors"),
    path("<int:pk>/sign-out/", views.user_sign_out, name="sign-out"),
    path("me/", own_views.profile, name="profile"),
    path("me/preferences/", own_views.preferences, name="preferences"),
    path("me/sign-ins/", own_views.sign_ins, name="sign-ins"),
    path("me/sign-ins/others/end/", own_views.end_other_sign_ins, name="end-others"),
    path("me/sign-ins/<int:pk>/end/", own_views.end_sign_in, name="end"),
    path("join/", own_views.welcome, name="welcome"),
    path("join/<str:token>/", own_views.join_link, name="join"),
]
