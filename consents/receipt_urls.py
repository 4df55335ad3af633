"""Receipts as files."""

from django.urls import path

from consents import receipt_views as views

app_name = "receipts"

urlpatterns = [
    path("<int:pk>/", views.receipt, name="receipt"),
    path("<int:pk>/checkpoint/", views.checkpoint, name="checkpoint"),
    path("key/", views.key, name="key"),
]
