"""Routes of the rights of people."""

from django.urls import path

from privacy.views import acting, freezing, requests, taking

app_name = "privacy"

urlpatterns = [
    path("requests/", requests.board, name="requests"),
    path("requests/new/", taking.request_new, name="request_new"),
    path("requests/<int:pk>/", requests.detail, name="request"),
    path("requests/<int:pk>/owner/", requests.request_owner, name="request_owner"),
    path("requests/<int:pk>/assign/", requests.request_assign, name="request_assign"),
    path("requests/<int:pk>/link/", requests.request_link, name="request_link"),
    path("requests/<int:pk>/receipt/", requests.request_receipt, name="request_receipt"),
    path("requests/<int:pk>/identity/", acting.request_identity, name="request_identity"),
    path("requests/<int:pk>/identity/settle/", requests.request_settle, name="request_settle"),
    path("requests/<int:pk>/identity/copy/", requests.request_copy, name="request_copy"),
    path("requests/<int:pk>/extend/", acting.request_extend, name="request_extend"),
    path("requests/<int:pk>/answer/", acting.request_answer, name="request_answer"),
    path("requests/<int:pk>/refuse/", acting.request_refuse, name="request_refuse"),
    path("requests/<int:pk>/refusal/", acting.request_refusal, name="request_refusal"),
    path("requests/<int:pk>/rectify/", acting.request_rectify, name="request_rectify"),
    path("requests/<int:pk>/changes/", acting.request_changes, name="request_changes"),
    path("requests/<int:pk>/reopen/", requests.request_reopen, name="request_reopen"),
    path("requests/<int:pk>/close/", requests.request_close, name="request_close"),
    path("letters/<int:pk>/", acting.letter, name="letter"),
    path("identity-copies/<int:pk>/", acting.identity_copy, name="identity_copy"),
    path("restrictions/", freezing.restrictions, name="restrictions"),
    path("restrictions/<int:pk>/", freezing.restriction, name="restriction"),
    path("restrictions/<int:pk>/announce/", freezing.restriction_announce, name="restriction_announce"),
    path("restrictions/<int:pk>/lift/", freezing.restriction_lift, name="restriction_lift"),
    path("customers/<str:number>/", freezing.customer, name="customer"),
    path("customers/<str:number>/request/", taking.request_for, name="request_for"),
    path("customers/<str:number>/objection/", taking.objection, name="objection"),
    path("customers/<str:number>/restrict/", freezing.restrict, name="restrict"),
]
