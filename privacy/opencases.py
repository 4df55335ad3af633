"""The open matters of this app as the engine asks for them (datamap.holds): restrictions, and requests not closed."""

# Art. 18(2): nothing is deleted while a restriction stands; somebody looks again after twelve months (domain.md 4.2).
ART18 = """
SELECT customer_id, NULL::text AS order_number, NULL::bigint AS complaint_id,
    ((since AT TIME ZONE %(zone)s) + interval '12 months')::date AS review_on
FROM privacy_restriction WHERE customer_id = ANY(%(ids)s) AND lifted_at IS NULL
"""
# What an answer needs is not purged meanwhile; an erasure needs nothing but itself.
OPEN_REQUEST = """
SELECT customer_id, NULL::text AS order_number, NULL::bigint AS complaint_id, max(due_on) AS review_on
FROM privacy_request
WHERE customer_id = ANY(%(ids)s) AND closed_at IS NULL
    AND kind IN ('access', 'portability', 'rectification', 'restriction')
GROUP BY customer_id
"""
