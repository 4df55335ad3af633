"""Routes of the rights of people."""

from privacy.packages.routes import urlpatterns as package_routes

app_name = "privacy"

urlpatterns = [*package_routes]
