"""Routes of the rights of people and of accountability, one line each."""

from django.urls import path

from privacy import breach_views, cockpit_views, hold_views, paper_views, recipient_views

app_name = "privacy"

urlpatterns = [
    path("", cockpit_views.cockpit, name="cockpit"),
    path("settings/", cockpit_views.policy, name="policy"),
    path("holds/", hold_views.hold_list, name="holds"),
    path("holds/new/", hold_views.hold_new, name="hold_new"),
    path("holds/<int:pk>/", hold_views.hold_detail, name="hold"),
    path("holds/<int:pk>/extend/", hold_views.hold_extend, name="hold_extend"),
    path("holds/<int:pk>/release/", hold_views.hold_release, name="hold_release"),
    path("recipients/", recipient_views.recipient_list, name="recipients"),
    path("recipients/new/", recipient_views.recipient_new, name="recipient_new"),
    path("recipients/<int:pk>/", recipient_views.recipient_edit, name="recipient"),
    path("notices/", recipient_views.notice_list, name="notices"),
    path("notices/<int:pk>/", recipient_views.notice_detail, name="notice"),
    path("notices/<int:pk>/<slug:outcome>/", recipient_views.notice_settle, name="notice_settle"),
    path("customers/<str:number>/disclosures/", recipient_views.disclosures, name="disclosures"),
    path("customers/<str:number>/disclosures/new/", recipient_views.disclosure_new, name="disclosure_new"),
    path("customers/<str:number>/hold/", hold_views.hold_customer, name="hold_customer"),
    path("breaches/", breach_views.breach_list, name="breaches"),
    path("breaches/new/", breach_views.breach_new, name="breach_new"),
    path("breaches/<int:pk>/", breach_views.breach_detail, name="breach"),
    path("breaches/<int:pk>/edit/", breach_views.breach_edit, name="breach_edit"),
    path("breaches/<int:pk>/<slug:step>/", breach_views.breach_step, name="breach_step"),
    path("papers/", paper_views.paper_list, name="papers"),
    path("papers/versions/<int:pk>/", paper_views.paper_changes, name="paper_changes"),
    path("papers/<slug:kind>/", paper_views.paper_read, name="paper"),
    path("papers/<slug:kind>/keep/", paper_views.paper_keep, name="paper_keep"),
    path("papers/<slug:kind>/file.<slug:suffix>", paper_views.paper_file, name="paper_file"),
]
