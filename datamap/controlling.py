"""Answers who the shop is and how its dates are computed."""

from zoneinfo import ZoneInfo

from datamap.models import Controller


def controller() -> Controller:
    """The one row, or its defaults where nobody has saved it yet.

    It is read each time by primary key: a page asks once, and a cached copy would let a worker compute dates
    with
    settings that have been changed elsewhere. Set-wise work asks once and passes the answer on.
    """
    return Controller.objects.filter(pk=1).first() or Controller(pk=1)


def legal_zone(who: Controller | None = None) -> ZoneInfo:
    """The zone whose calendar counts (C1)."""
    return ZoneInfo((who or controller()).zone)
