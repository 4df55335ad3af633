"""The page that a load balancer and `dev` ask whether this process can serve."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from datamap import quarantine
from datamap.guard import public_page


@public_page("A load balancer has no sign-in; the answer says nothing but yes or no.")
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and may be worked with, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database unreachable\n", status=503, content_type="text/plain")
    if quarantine.current().active:
        return HttpResponse("quarantine: run reapply_erasures\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
