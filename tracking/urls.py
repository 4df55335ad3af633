"""Routes of visits."""

from django.urls import path

from tracking import views

app_name = "tracking"
urlpatterns = [
    path("visits", views.visits, name="visits"),
    path("links", views.links, name="links"),
]
