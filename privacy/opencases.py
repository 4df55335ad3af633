"""The open matters of this app as the engine asks for them (datamap.holds): restrictions, and requests not closed.

By night both stop everything of the person (domain.md 4.2). An erasure that the person asks for is another thing, and
each has a second question for it:

* A restriction stands at the person's own wish, and who asks for erasure no longer wishes it (Art. 18(1)(b)). Only what
  they need for claims of their own stays until they have it lifted (Art. 18(1)(c), 17(3)(e)).
* An unanswered request for a copy goes first: the answer tells what there was when it was asked for (Art. 12(3), 15).
  A wish to have data corrected or restricted is overtaken by the wish to have them erased, and an erasure is never
  held by the request that asks for it. Nor by one whose asker was asked who they are and has not shown it: anybody
  could keep somebody's data from being erased (Art. 12(6)). The question says so, and so does the later answer.

Who speaks for a company is another person than the company. What they have had restricted, in any of the cases a to d,
or asked a copy of, does not end because the company ends or asks for its erasure: it wishes nothing for them. But it
keeps their row alone, and the file of the company in which that stands; orders, papers and contacts of the company go.
"""

from datetime import date

from django.db.models.expressions import RawSQL

from customers.models import ContactPerson, Customer
from datamap.holds import FILE_ONLY, StandingHold, reason_of, standing
from privacy.models import Request, Restriction

_ART18 = """
SELECT {matter}customer_id, NULL::text AS order_number, {complaint}::bigint AS complaint_id,
    coalesce(review_on, ((since AT TIME ZONE %(zone)s) + interval '12 months')::date) AS review_on
FROM privacy_restriction WHERE {persons} AND lifted_at IS NULL AND {whose}
"""
_THESE = {"matter": "", "persons": "customer_id = ANY(%(ids)s)"}
_EVERYBODY = {"matter": "id AS matter, ", "persons": "customer_id IS NOT NULL"}
_OF_CUSTOMER = {"complaint": "NULL", "whose": "contact_person IS NULL"}
_OF_SPEAKER = {"complaint": str(FILE_ONLY), "whose": "contact_person IS NOT NULL"}
_NO_CLAIMS, _CLAIMS = " AND NOT \"case\" = 'c'", " AND \"case\" = 'c'"
# Art. 18(2): nothing is deleted while a restriction stands; somebody looks again after twelve months, and
# from then on at the day that they set (domain.md 4.2).
ART18 = _ART18.format(**_THESE, **_OF_CUSTOMER) + _NO_CLAIMS
ART18_CLAIMS = _ART18.format(**_THESE, **_OF_CUSTOMER) + _CLAIMS
ART18_SPEAKER = _ART18.format(**_THESE, **_OF_SPEAKER)
EVERY_ART18 = _ART18.format(**_EVERYBODY, **_OF_CUSTOMER) + _NO_CLAIMS
EVERY_ART18_CLAIMS = _ART18.format(**_EVERYBODY, **_OF_CUSTOMER) + _CLAIMS
EVERY_ART18_SPEAKER = _ART18.format(**_EVERYBODY, **_OF_SPEAKER)

_REQUEST = """
SELECT customer_id, NULL::text AS order_number, {complaint}::bigint AS complaint_id, max(due_on) AS review_on
FROM privacy_request
WHERE customer_id = ANY(%(ids)s) AND closed_at IS NULL AND {whose}
"""
# What an answer needs is not purged meanwhile.
PROVEN = "NOT (identity_method = '' AND identity_asked_at IS NOT NULL)"
OWED_COPY = f"kind IN ('access', 'portability') AND state NOT IN ('answered', 'refused') AND {PROVEN}"
_OPEN_REQUEST = f"""{_REQUEST} AND kind IN ('access', 'portability', 'rectification', 'restriction')
    AND NOT ({OWED_COPY}) GROUP BY customer_id
"""
OPEN_COPY = f"{_REQUEST.format(**_OF_CUSTOMER)} AND {OWED_COPY} GROUP BY customer_id"
OPEN_COPY_SPEAKER = f"{_REQUEST.format(**_OF_SPEAKER)} AND {OWED_COPY} GROUP BY customer_id"
OPEN_REQUEST = _OPEN_REQUEST.format(**_OF_CUSTOMER)
OPEN_REQUEST_SPEAKER = _OPEN_REQUEST.format(**_OF_SPEAKER)


def stop_endings(customer_id: int) -> bool:
    """Lock a person against whoever ends them or rows about them, before a matter of theirs is opened: they wait and
    see it, or it comes too late; False where the person is gone. In the caller's transaction, which has locked nothing
    of theirs before.

    FOR UPDATE, since the end of rows holds their persons by the weakest lock (`privacy.ending`).
    """
    return Customer.objects.select_for_update().filter(pk=customer_id).first() is not None


def cases_of_speaker(person: ContactPerson, day: date) -> list[StandingHold]:
    """What is in the way of an erasure that a contact person asks for: matters about the whole company, since one order
    or complaint does not live by who spoke for it, and of their own the same as in the way of a customer's."""
    found = [case for case in standing([person.customer_id], day) if case.is_whole]
    own = []
    if Restriction.objects.filter(contact_person=person.pk, lifted_at=None, case=Restriction.Case.CLAIMS).exists():
        own.append(("art18_claims", "art18_hold"))
    owed = Request.objects.filter(contact_person=person.pk, closed_at=None).annotate(owed=RawSQL(OWED_COPY, []))  # noqa: S611
    if owed.filter(owed=True).exists():
        own.append(("open_copy", "open_request"))
    return found + [
        StandingHold(kind, person.customer_id, None, FILE_ONLY, reason_of(source), None, source) for source, kind in own
    ]
