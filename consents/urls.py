"""Routes of consents, purposes, legal texts and the ledger."""

from django.urls import path

from consents.views import answers, customers, ledger, overview, purposes, texts

app_name = "consents"
urlpatterns = [
    path("", overview.overview_page, name="overview"),
    path("customer/<str:number>/", customers.customer, name="customer"),
    path("customer/<str:number>/take-down/", customers.consent_take_down, name="take_down"),
    path("customer/<str:number>/withdraw/", customers.consent_withdraw, name="withdraw"),
    path("customer/<str:number>/ask/", customers.consent_ask, name="ask_opt_in"),
    path("customer/<str:number>/answer/", answers.answer_page, name="answer"),
    path("customer/<str:number>/answer.json", answers.answer_json, name="answer_json"),
    path("customer/<str:number>/answer.pdf", answers.answer_pdf, name="answer_pdf"),
    path("scan/<int:pk>/", customers.scan_download, name="scan"),
    path("purposes/", purposes.purpose_list, name="purposes"),
    path("purposes/new/", purposes.purpose_new, name="purpose_new"),
    path("purposes/<int:pk>/", purposes.purpose_edit, name="purpose"),
    path("purposes/<int:pk>/retire/", purposes.purpose_retire, name="purpose_retire"),
    path("texts/", texts.text_list, name="texts"),
    path("texts/new/", texts.text_new, name="text_new"),
    path("texts/<int:pk>/", texts.text_detail, name="text"),
    path("texts/<int:pk>/draft/", texts.draft_edit, name="draft"),
    path("texts/<int:pk>/compare/", texts.text_compare, name="compare"),
    path("texts/versions/<int:pk>/", texts.version_read, name="version"),
    path("texts/versions/<int:pk>/publish/", texts.version_publish, name="publish"),
    path("texts/versions/<int:pk>/discard/", texts.version_discard, name="discard"),
    path("texts/versions/<int:pk>/seen/", texts.version_seen, name="seen"),
    path("texts/places/", texts.placement_list, name="places"),
    path("texts/places/<int:pk>/remove/", texts.placement_remove, name="place_remove"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("ledger/<int:pk>/", ledger.ledger_entry, name="entry"),
    path("claims/", overview.claim_imports, name="claims"),
    path("claims/<int:pk>/", overview.claim_list, name="claim_list"),
    path("claims/<int:pk>/prove/", overview.claims_prove, name="claims_prove"),
    path("claims/<int:pk>/drop/", overview.claims_drop, name="claims_drop"),
    path("claim/<int:pk>/", overview.claim, name="claim"),
    path("claim/<int:pk>/drop/", overview.claim_drop, name="claim_drop"),
]
