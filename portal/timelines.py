"""Reads the timeline (placeholder until the registry lands)."""

from types import SimpleNamespace


def types_for(user):
    return []


def read_timeline(customer, user, kind, cursor):
    return SimpleNamespace(entries=[], older="")
