"""What is declared of contacts: when a dispute's period begins, and whom a follow-up names."""

from __future__ import annotations

from datamap.declarations import as_paths, registry
from interactions.models import Complaint, FollowUp, Interaction


def _starts(model, index=0):
    return registry.declaration_for(model).groups[index].start


def test_the_period_of_a_dispute_begins_when_it_is_settled():
    # CLAIM counts from "settled, year end" (domain.md 5): a contact of a complaint follows the complaint.
    assert as_paths(_starts(Interaction).resolve("claim"))[0] == "complaint__closed_at"
    assert as_paths(_starts(Interaction).resolve("letter")) == ("occurred_at",)
    assert as_paths(_starts(Complaint)) == ("closed_at",)


def test_everybody_whom_a_follow_up_names_is_a_person_of_their_own():
    groups = registry.declaration_for(FollowUp).groups
    assert {group.subject for group in groups} == {"customer", "owner", "created_by", "done_by"}
