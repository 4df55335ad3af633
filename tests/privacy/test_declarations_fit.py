"""What the rules may ask of a row, the row can do."""

from __future__ import annotations

import pytest

from datamap.models import RetentionRule
from privacy.compiling import tables

pytestmark = pytest.mark.django_db


def test_every_row_that_a_rule_blocks_can_be_cut_from_its_person() -> None:
    blocked = set(RetentionRule.objects.filter(on_request="block").values_list("key", flat=True))
    unfit = {
        table.label
        for table in tables().values()
        for strand in table.strands
        if strand.group.subject_paths and blocked & set(strand.categories()) and not table.parent
        if not (table.blockable and table.model._meta.get_field(table.owner or "").null)
    }
    assert not unfit


def test_children_come_before_the_rows_they_hang_on() -> None:
    order = [table.model for table in tables().values()]
    assert order[-1]._meta.label == "customers.Customer"
    for table in tables().values():
        if table.parent:
            assert order.index(table.model) < order.index(table.parent)
