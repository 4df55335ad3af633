"""Doors and menu: one mechanism, declared once, asked everywhere."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from datamap.guard import any_staff, declare, declared_permissions, public_page, requires
from datamap.navigation import entries_for, register_menu


class Reader:
    is_active = True

    def may(self, permission: str) -> bool:
        return permission == "datamap.view"


def view(request):
    return None


def test_each_guard_leaves_its_mark() -> None:
    assert requires("datamap.view")(view).required_permission == "datamap.view"
    assert any_staff(view).required_permission
    assert public_page("sign-in")(view).public_reason == "sign-in"


def test_a_permission_declared_twice_and_differently_fails_at_start() -> None:
    known = declared_permissions()["datamap.view"]
    assert declare("datamap.view", known.label, known.roles) == known
    with pytest.raises(ImproperlyConfigured):
        declare("datamap.view", "else")


def test_the_menu_shows_what_a_person_may_open() -> None:
    keys = [entry.key for entry in entries_for(Reader())]
    assert {"data_map", "rules"} <= set(keys)
    assert not {"controller", "access_log"} & set(keys)
    assert all(entry.url.startswith("/") for entry in entries_for(Reader()))


def test_an_unknown_icon_or_a_key_used_twice_fails_at_start() -> None:
    with pytest.raises(ImproperlyConfigured):
        register_menu("x", "X", "datamap:rules", "unicorn", "datamap.view", "", 1)
    with pytest.raises(ImproperlyConfigured):
        register_menu("rules", "Other", "datamap:rules", "clock", "datamap.view", "", 1)
