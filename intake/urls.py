"""Routes of imports; nothing in them names a file or a person."""

from django.urls import path

from intake import views

app_name = "intake"
urlpatterns = [
    path("", views.batch_list, name="list"),
    path("new/", views.upload, name="upload"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/columns/", views.columns, name="columns"),
    path("<uuid:pk>/start/", views.start, name="start"),
    path("<uuid:pk>/undo/", views.undo, name="undo"),
    path("<uuid:pk>/discard/", views.discard, name="discard"),
    path("<uuid:pk>/problems.csv", views.problems, name="problems"),
]
