"""The routes of the house, a bare page behind the same sign-in, and the admin's change list of customers."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import urlpatterns as house
from customers.models import Customer
from staff.access import login_required_page


@login_required_page
def bare(request: HttpRequest) -> HttpResponse:
    """The least that a page behind the sign-in can do."""
    return HttpResponse("<!doctype html><title>bare</title>")


class Site(admin.AdminSite):
    """The admin as a shop would switch it on; staff of this house have no Django permissions."""

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated


class CustomerAdmin(admin.ModelAdmin):
    """The usual way to list customers."""

    list_display = ("number", "last_name", "first_name", "company", "status", "registered_at", "revenue")
    list_select_related = ("summary",)
    list_per_page = 50
    list_filter = ("status", "kind")
    ordering = ("sort_name", "id")
    search_fields = ("number", "first_name", "last_name", "company")

    def revenue(self, customer: Customer) -> Any:
        return customer.summary.revenue

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


site = Site(name="admin")
site.register(Customer, CustomerAdmin)

urlpatterns = [path("bench/bare/", bare), path("bench/admin/", site.urls), *house]
