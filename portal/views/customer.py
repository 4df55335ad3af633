"""One customer (placeholder until timeline and history land)."""

from django.http import HttpRequest, HttpResponse

from staff.access import permission_required


@permission_required("customers.view")
def customer_detail(request: HttpRequest, number: str) -> HttpResponse:
    return HttpResponse(number)


customer_timeline = customer_history = customer_detail
