"""Routes of contacts, complaints and follow-ups."""

from django.urls import path

from interactions import views

app_name = "interactions"
urlpatterns = [
    path("", views.interaction_list, name="list"),
    path("<int:pk>/", views.interaction_detail, name="detail"),
    path("<int:pk>/close/", views.interaction_close, name="close"),
    path("attachment/<int:pk>/", views.attachment_download, name="attachment"),
    path("log/<str:number>/", views.interaction_log, name="log"),
    path("follow-ups/", views.followups, name="followups"),
    path("follow-ups/hand-over/", views.followup_hand_over, name="hand_over"),
    path("follow-ups/<int:pk>/done/", views.followup_done, name="followup_done"),
    path("follow-ups/<int:pk>/postpone/", views.followup_postpone, name="followup_postpone"),
    path("complaints/", views.complaint_list, name="complaints"),
    path("complaints/open/<str:number>/", views.complaint_open, name="complaint_open"),
    path("complaints/<int:pk>/", views.complaint_detail, name="complaint"),
    path("complaints/<int:pk>/keep/", views.complaint_keep, name="complaint_keep"),
    path("complaints/<int:pk>/<str:verb>/", views.complaint_move, name="complaint_move"),
    path("evaluation/", views.evaluation, name="evaluation"),
]
