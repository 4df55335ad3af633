"""Addresses of orders: always the row's own id, since numbers of two platforms may be equal."""

from django.urls import path

from orders import entry_views, paper_views, views

app_name = "orders"

urlpatterns = [
    path("", views.order_list, name="list"),
    path("search/", views.order_search, name="search"),
    path("new/", entry_views.order_new, name="new"),
    path("types/", entry_views.order_types, name="types"),
    path("types/<int:pk>/", entry_views.order_type, name="type"),
    path("types/<int:pk>/retire/", entry_views.order_type_retire, name="type_retire"),
    path("customers/<str:number>/", views.customer_orders, name="customer"),
    path("documents/<int:pk>/", paper_views.document_detail, name="document"),
    path("documents/<int:pk>/credit/", paper_views.document_credit, name="credit"),
    path("returns/<int:pk>/receive/", paper_views.return_receive, name="return_receive"),
    path("returns/<int:pk>/refund/", paper_views.return_refund, name="return_refund"),
    path("<int:pk>/", views.order_detail, name="detail"),
    path("<int:pk>/edit/", entry_views.order_edit, name="edit"),
    path("<int:pk>/cancel/", views.order_cancel, name="cancel"),
    path("<int:pk>/step/<slug:step>/", views.order_step, name="step"),
    path("<int:pk>/issue/", paper_views.document_issue, name="issue"),
    path("<int:pk>/return/", paper_views.return_new, name="return"),
]
