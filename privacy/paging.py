"""The link to the next page of a list, with whatever the list was narrowed by."""

from django.http import HttpRequest


def next_url(request: HttpRequest, cursor: str) -> str:
    """The address of the next page, "" on the last one."""
    if not cursor:
        return ""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f"?{query.urlencode()}"
