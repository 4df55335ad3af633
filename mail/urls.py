"""Routes of the outbox, letters and templates."""

from django.urls import path

from mail import views

app_name = "mail"
urlpatterns = [
    path("", views.message_list, name="list"),
    path("<int:pk>/", views.message_detail, name="detail"),
    path("<int:pk>/decide/", views.message_decide, name="decide"),
    path("decide-all/<slug:decision>/", views.message_decide_all, name="decide_all"),
    path("trial/", views.trial, name="trial"),
    path("letters/<int:pk>/", views.letter_detail, name="letter"),
    path("enclosures/<int:pk>/", views.enclosure_download, name="enclosure"),
    path("templates/", views.template_list, name="templates"),
    path("templates/<slug:key>/", views.template_preview, name="template"),
    path("templates/<slug:key>/html/", views.template_html, name="template_html"),
]
