"""Routes of the desk."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from portal.views import archive, customer, customers, dashboard, export, saved, search, tagging

app_name = "portal"


class CustomerNumber(StringConverter):
    """What a customer number in an address may hold: no control characters, which PostgreSQL would refuse."""

    regex = r"[^/\x00-\x1f\x7f]+"


register_converter(CustomerNumber, "customer_number")

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("search/", search.search, name="search"),
    path("archive/", archive.archive_search, name="archive"),
    path("archive/open/", archive.archive_open, name="archive_open"),
    path("archive/file/", archive.archive_file, name="archive_file"),
    path("customers/", customers.customer_list, name="customer_list"),
    path("customers/columns/", saved.column_choice, name="column_choice"),
    path("customers/export/", export.customer_export, name="customer_export"),
    path("customers/tag/", tagging.customer_tag, name="customer_tag"),
    path("customers/tag/names/", tagging.tag_options, name="tag_options"),
    path("customers/views/new/", saved.view_create, name="view_create"),
    path("customers/views/<int:pk>/", saved.view_edit, name="view_edit"),
    path("customers/views/<int:pk>/delete/", saved.view_delete, name="view_delete"),
    path("customers/<customer_number:number>/", customer.customer_detail, name="customer_detail"),
    path("customers/<customer_number:number>/timeline/", customer.customer_timeline, name="customer_timeline"),
    path("customers/<customer_number:number>/history/", customer.customer_history, name="customer_history"),
]
