"""Routes of the ground floor's pages."""

from django.urls import path

from datamap import views

app_name = "datamap"

urlpatterns = [
    path("", views.data_map, name="data_map"),
    path("rules/", views.rules, name="rules"),
    path("rules/<str:key>/", views.rule, name="rule"),
    path("controller/", views.controller_settings, name="controller"),
    path("accesses/", views.access_log, name="access_log"),
]
