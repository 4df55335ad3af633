"""The open matters of this app as the engine asks for them (datamap.holds): restrictions, and requests not closed.

By night both stop everything (domain.md 4.2). An erasure that the person asks for is another thing, and each has a
second question for it:

* A restriction stands at the person's own wish, and who asks for erasure no longer wishes it (Art. 18(1)(b)). Only what
  they need for claims of their own stays until they have it lifted (Art. 18(1)(c), 17(3)(e)).
* An unanswered request for a copy goes first: the answer tells what there was when it was asked for (Art. 12(3), 15).
  A wish to have data corrected or restricted is overtaken by the wish to have them erased, and an erasure is never
  held by the request that asks for it. Nor by one whose asker was asked who they are and has not shown it: anybody
  could keep somebody's data from being erased (Art. 12(6)). The question says so, and so does the later answer.
"""

from customers.models import Customer

_ART18 = """
SELECT customer_id, NULL::text AS order_number, NULL::bigint AS complaint_id,
    ((since AT TIME ZONE %(zone)s) + interval '12 months')::date AS review_on
FROM privacy_restriction WHERE customer_id = ANY(%(ids)s) AND lifted_at IS NULL
"""
# Art. 18(2): nothing is deleted while a restriction stands; somebody looks again after twelve months (domain.md 4.2).
ART18 = f"{_ART18} AND NOT \"case\" = 'c'"
ART18_CLAIMS = f"{_ART18} AND \"case\" = 'c'"

_REQUEST = """
SELECT customer_id, NULL::text AS order_number, NULL::bigint AS complaint_id, max(due_on) AS review_on
FROM privacy_request
WHERE customer_id = ANY(%(ids)s) AND closed_at IS NULL
"""
# What an answer needs is not purged meanwhile.
PROVEN = "NOT (identity_method = '' AND identity_asked_at IS NOT NULL)"
OWED_COPY = f"kind IN ('access', 'portability') AND state NOT IN ('answered', 'refused') AND {PROVEN}"
OPEN_COPY = f"{_REQUEST} AND {OWED_COPY} GROUP BY customer_id"
OPEN_REQUEST = f"""{_REQUEST} AND kind IN ('access', 'portability', 'rectification', 'restriction')
    AND NOT ({OWED_COPY}) GROUP BY customer_id
"""


def stop_endings(customer_id: int) -> bool:
    """Lock a person against whoever ends them or rows about them, before a matter of theirs is opened: they wait and
    see it, or it comes too late; False where the person is gone. In the caller's transaction, which has locked nothing
    of theirs before.

    FOR UPDATE, since the end of rows holds their persons by the weakest lock (`privacy.ending`).
    """
    return Customer.objects.select_for_update().filter(pk=customer_id).first() is not None
