"""Routes of packages, taken into `privacy.urls`."""

from django.urls import path

from privacy.packages import views

urlpatterns = [
    path("packages/", views.package_list, name="packages"),
    path("packages/new/<number:number>/", views.package_create, name="package_create"),
    path("requests/<int:pk>/package/", views.package_for_case, name="package_for_case"),
    path("packages/<uuid:uuid>/", views.package_detail, name="package"),
    path("packages/<uuid:uuid>/review/", views.package_review, name="package_review"),
    path("packages/<uuid:uuid>/download/", views.package_download, name="package_download"),
    path("packages/<uuid:uuid>/again/", views.package_again, name="package_again"),
    path("packages/<uuid:uuid>/link/", views.package_link, name="package_link"),
    path("get/<str:secret>/", views.package_fetch, name="package_fetch"),
]
