"""The retention catalogue an installation starts with (German law as of November 2026), as data.

Texts are English message ids, translated where they are shown; statutes are citations and stay as they are.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils.translation import gettext_noop as _

REVIEW = date(2027, 11, 1)
BLOCK, ANONYMIZE, DELETE, KEEP = "block", "anonymize", "delete", "keep"
THEN_DELETE = "block_delete"

# key[:variant] | category | purpose | basis | start event | counts from | period | action | on request |
# statute | what else the row stores
RULES: list[tuple[Any, ...]] = [
    ("INV", _("Invoices, credit notes, refund vouchers"), _("Proof for tax and commercial law"), "6(1)(c)",
     "issued_at", _("date of issue"), "Y10E", THEN_DELETE, BLOCK,
     "AO § 147(3),(4); HGB § 257(4); UStG § 14b (text until 2024-12-31)"),
    ("INV", _("Invoices, credit notes, refund vouchers"), _("Proof for tax and commercial law"), "6(1)(c)",
     "issued_at", _("date of issue"), "Y8E", THEN_DELETE, BLOCK,
     "AO § 147(3),(4); HGB § 257(4); UStG § 14b", {"version": 2, "valid_from": date(2025, 1, 1),
     "transition": "not_yet_expired", "transition_statute": "EGAO Art. 97 § 19a(2); UStG § 27(40)",
     "reason": "BEG IV, BGBl. 2024 I Nr. 323"}),
    ("INV:supervised", _("Invoices of a supervised financial business"),
     _("Proof for tax and commercial law"), "6(1)(c)", "issued_at", _("date of issue"), "Y10E", THEN_DELETE,
     BLOCK, "HGB § 257(4) s. 2; EGAO Art. 97 § 19a(3)"),
    ("BOOK", _("Ledgers, liability for points"), _("Accounts"), "6(1)(c)", "last_entry_at", _("last entry"),
     "Y10E", THEN_DELETE, BLOCK, "AO § 147(1) no. 1,(3),(4); HGB § 257(1) no. 1,(4)"),
    ("LETTER", _("Orders, confirmations, withdrawals, complaints, contract mail"),
     _("Proof for commercial law"), "6(1)(c)", "sent_or_received_at", _("sent or received"), "Y6E",
     THEN_DELETE, BLOCK, "AO § 147(1) no. 2,3,(3),(4); HGB § 257(1) no. 2,3,(4)"),
    ("TAXDOC", _("Other papers that matter for taxes"), _("Taxes"), "6(1)(c)", "created_at", _("creation"),
     "Y6E", DELETE, BLOCK, "AO § 147(1) no. 5,(3),(4)"),
    ("DELNOTE", _("Delivery notes that are no vouchers"), _("Delivery"), "6(1)(b)", "invoiced_at",
     _("invoice sent"), "D0", DELETE, DELETE, "AO § 147(3) s. 4", {"valid_from": date(2017, 1, 1)}),
    ("ORDER", _("Operational record of an order"), _("Performance of the contract, claims"), "6(1)(b),(f)",
     "delivered_at", _("delivery"), "Y3E", ANONYMIZE, ANONYMIZE, "BGB §§ 195, 199"),
    ("WARR", _("Warranty data"), _("Claims for defects"), "6(1)(b)", "delivered_at", _("delivery"), "Y2",
     DELETE, DELETE, "BGB §§ 438(1) no. 3,(2), 475e", {"valid_from": date(2026, 7, 31),
     "transition_statute": "BGB § 475e(5); EGBGB Art. 229 § 72",
     "note": _("Twelve months more, once, after a repair under a contract made on or after 31 July 2026.")}),
    ("CART", _("Abandoned basket"), _("Steps before a contract"), "6(1)(b)", "changed_at", _("last change"),
     "D30", DELETE, DELETE, "POLICY"),
    ("QUOTE", _("Offer without an order"), _("Steps before a contract"), "6(1)(b)", "expired_at",
     _("end of the offer"), "M6", DELETE, DELETE, "POLICY"),
    ("ACCOUNT", _("Master data of an account, sign-in"), _("Customer account"), "6(1)(a),(b)",
     "last_activity_at", _("last activity"), "M24", DELETE, DELETE, "POLICY; DSK 2022-03",
     {"note": _("The customer is told one month before; what has a rule of its own stays for that rule.")}),
    ("GUEST", _("Master data of a guest"), _("One order"), "6(1)(b)", "withdrawal_ended_at",
     _("end of the withdrawal period"), "D30", DELETE, DELETE, "DSK 2022-03",
     {"note": _("Document fields stay blocked for INV and LETTER, the order for the rest of ORDER.")}),
    ("TICKET", _("General enquiries, notes, calls"), _("Customer service"), "6(1)(f)", "closed_at",
     _("matter closed"), "M12", DELETE, DELETE, "POLICY"),
    ("CLAIM", _("Disputes, warranty cases and their attachments"), _("Claims"), "6(1)(f)", "settled_at",
     _("settlement"), "Y3E", THEN_DELETE, BLOCK, "BGB §§ 195, 199, 203"),
    ("CONSENT", _("Proof of consent to e-mail, text message, tracking"), _("Proof of consent"),
     "7(1), 6(1)(f)", "ended_at", _("withdrawal or end"), "Y3E", THEN_DELETE, BLOCK,
     "GDPR Art. 7(1), 17(3)(e); BGB § 195"),
    ("CONSENT-TEL", _("Proof of consent to calls"), _("Proof of consent"), "6(1)(c)",
     "granted_or_last_used_at", _("consent or its last use"), "Y5", THEN_DELETE, BLOCK, "UWG § 7a",
     {"valid_from": date(2021, 10, 1), "note": _("CONSENT applies as well; the later day wins.")}),
    ("DOI-PEND", _("Unconfirmed opt-in"), _("Request for consent"), "6(1)(f)", "requested_at",
     _("form sent"), "D30", DELETE, DELETE, "POLICY"),
    ("SUPPRESS", _("Blocklist for advertising (keyed fingerprint)"), _("Respect of an objection"),
     "6(1)(f),(c)", "objected_at", _("objection"), "OPEN", DELETE, KEEP, "GDPR Art. 21(3)",
     {"note": _("Reviewed every year; ends with a new confirmed consent for that scope.")}),
    ("TOMB", _("Mark of an erased person (keyed fingerprint)"), _("Effective erasure"), "6(1)(c)",
     "erased_at", _("erasure"), "Y3E", DELETE, KEEP, "GDPR Art. 5(2), 17",
     {"note": _("At least until the last blocked row of that person is gone.")}),
    ("SENDLOG", _("Who received which campaign"), _("Proof, claims"), "6(1)(f)", "sent_at", _("sending"),
     "Y3E", ANONYMIZE, ANONYMIZE, "POLICY"),
    ("SENDLOG-TRACE", _("Opens and clicks of a campaign"), _("Report"), "6(1)(a)", "occurred_at",
     _("event"), "D90", DELETE, DELETE, "POLICY"),
    ("TRACK", _("Cookie and device ids, visits"), _("Analytics, advertising"), "6(1)(a)", "last_event_at",
     _("last event; at once on withdrawal"), "M13", DELETE, DELETE, "TDDDG § 25; POLICY"),
    ("SEGMENT", _("Scores and segments"), _("Selection for advertising"), "6(1)(a),(f)", "computed_at",
     _("computation; at once on objection"), "M12", DELETE, DELETE, "GDPR Art. 21(3)"),
    ("LOYALTY", _("Membership in the bonus scheme"), _("Contract"), "6(1)(b)", "ended_at",
     _("end of membership"), "Y3E", DELETE, BLOCK, "BGB §§ 195, 199"),
    ("POINTS-B", _("Movements of points behind entries"), _("Accounts"), "6(1)(c)", "booked_at",
     _("booking"), "Y8E", THEN_DELETE, BLOCK, "AO § 147(1) no. 4,(3),(4)",
     {"valid_from": date(2025, 1, 1)}),
    ("POINTS", _("Other movements of points"), _("Contract"), "6(1)(b)", "ended_at", _("end of membership"),
     "Y3E", DELETE, BLOCK, "BGB §§ 195, 199"),
    ("VOUCHER", _("Gift vouchers"), _("Claims"), "6(1)(b)", "issued_at", _("issue"), "Y3E", DELETE, BLOCK,
     "BGB §§ 195, 199", {"note": _("A redeemed voucher is kept as INV.")}),
    ("VOUCHER:redeemed", _("Redeemed gift vouchers"), _("Proof for tax and commercial law"), "6(1)(c)",
     "issued_at", _("as the invoice"), "as INV", THEN_DELETE, BLOCK, "AO § 147(1) no. 4"),
    ("BDAY", _("Birthday for a campaign"), _("Marketing"), "6(1)(a)", "withdrawn_at", _("withdrawal"), "D0",
     DELETE, DELETE, "GDPR Art. 7(3)"),
    ("AGECHK", _("What was entered for an age check"), _("Protection of minors"), "6(1)(c)", "checked_at",
     _("check done"), "D0", DELETE, DELETE, "TDDDG § 20", {"note": _("The result is kept as MINOR.")}),
    ("MINOR", _("Result of an age check"), _("Protection of minors"), "6(1)(c)", "delivered_at",
     _("as the order"), "as ORDER", DELETE, DELETE, "TDDDG § 20"),
    ("FEEDBACK", _("Ratings, answers, comments"), _("Quality"), "6(1)(a),(f)", "received_at", _("receipt"),
     "M24", ANONYMIZE, ANONYMIZE, "POLICY"),
    ("FEEDBACK:published", _("Published ratings"), _("Quality"), "6(1)(a),(f)", "received_at", _("receipt"),
     "OPEN", ANONYMIZE, ANONYMIZE, "POLICY", {"note": _("Until erasure or objection.")}),
    ("PAYTOK", _("Payment token, direct debit mandate"), _("Payment"), "6(1)(b)", "last_collected_at",
     _("last collection"), "M14", DELETE, DELETE, "BGB § 676b(2)"),
    ("DUNNING", _("Receivables"), _("Claims"), "6(1)(f)", "paid_at", _("payment"), "Y3E", THEN_DELETE,
     BLOCK, "BGB §§ 195, 197"),
    ("DUNNING:title", _("Receivables with a court title"), _("Claims"), "6(1)(f)", "titled_at", _("title"),
     "Y30", THEN_DELETE, BLOCK, "BGB § 197(1) no. 3"),
    ("REFUSAL", _("Refused order or payment method and its reasons"),
     _("Defence under the equal treatment act"), "6(1)(f)", "refused_at", _("refusal told"), "M4", DELETE,
     BLOCK, "AGG § 21(5); POLICY"),
    ("FRAUD", _("Fraud flags"), _("Prevention of fraud"), "6(1)(f)", "set_at", _("flag set"), "M24", DELETE,
     DELETE, "POLICY", {"note": _("Reviewed every year.")}),
    ("REQUEST", _("Privacy requests and their answers"), _("Accountability"), "6(1)(c),(f)", "closed_at",
     _("request closed"), "Y3E", THEN_DELETE, BLOCK, "OWiG § 31(2); BGB § 195"),
    ("IDDOC", _("Copy of an identity card"), _("Identity"), "6(1)(c)", "checked_at", _("check done"), "D0",
     DELETE, DELETE, "GDPR Art. 12(6)"),
    ("DSARPKG", _("Packages with a person's data"), _("Delivery of the answer"), "6(1)(c)", "provided_at",
     _("package provided"), "D14", DELETE, DELETE, "POLICY"),
    ("DISCLOSE", _("Disclosures to recipients"), _("Accountability"), "6(1)(c)", "erased_at",
     _("erasure of the data"), "Y3E", DELETE, BLOCK, "GDPR Art. 15, 19; C-553/07"),
    ("DELLOG", _("Deletion log"), _("Accountability"), "6(1)(c)", "run_at", _("run"), "Y3E", DELETE, KEEP,
     "GDPR Art. 5(2)", {"note": _("Counts and opaque ids, no content.")}),
    ("BREACH", _("Register of breaches"), _("Accountability"), "6(1)(c)", "closed_at", _("case closed"),
     "Y5E", DELETE, KEEP, "GDPR Art. 33(5); POLICY"),
    ("SECLOG", _("Security log"), _("Security"), "6(1)(f)", "occurred_at", _("event"), "D90", DELETE, KEEP,
     "GDPR Art. 32; POLICY"),
    ("WEBLOG", _("IP addresses in the web log"), _("Security"), "6(1)(f)", "occurred_at", _("event"), "D14",
     DELETE, KEEP, "POLICY"),
    ("IMPORT", _("Files that were imported or exported"), _("Transfer of data"), "as source",
     "processed_at", _("processing"), "D30", DELETE, DELETE, "POLICY"),
    ("BACKUP", _("Backups"), _("Recovery"), "6(1)(f)", "made_at", _("backup made"), "D35", "overwrite",
     KEEP, "POLICY; SDM 60"),
    ("LEAD", _("Prospects without consent"), _("Winning customers"), "6(1)(f)", "last_contact_at",
     _("last contact"), "M12", DELETE, DELETE, "POLICY"),
    ("APPLIC", _("Job applicants"), _("Recruiting"), "6(1)(b)", "rejected_at", _("rejection"), "M6", DELETE,
     DELETE, "AGG § 15(4); ArbGG § 61b"),
    ("STAFF", _("Staff users and their roles"), _("Employment, security"), "6(1)(b),(f)", "closed_at",
     _("account closed"), "M6", ANONYMIZE, KEEP, "POLICY"),
    ("STAFF:session", _("Sessions of staff"), _("Security"), "6(1)(f)", "last_used_at", _("last use"),
     "D14", DELETE, KEEP, "POLICY"),
    ("PREF", _("Preferences, tags, interests"), _("Customer service"), "6(1)(b),(f)", "last_activity_at",
     _("as the account"), "as ACCOUNT", DELETE, DELETE, "POLICY"),
    ("HISTORY", _("Change history of a row"), _("Accountability"), "as source", "as_row", _("as the row"),
     "as row", DELETE, DELETE, "POLICY", {"cap_months": 24,
     "note": _("At most 24 months for rows without tax relevance.")}),
    ("CLAIM-OPTIN", _("Unproven opt-ins of an import"), _("To be proven or dropped"), "6(1)(f)",
     "imported_at", _("import"), "M6", DELETE, DELETE, "GDPR Art. 7(1); POLICY"),
    ("EVENT", _("Raw events of platforms, staging rows, quarantine"), _("Transfer of data"), "as source",
     "processed_at", _("processing"), "D30", DELETE, DELETE, "POLICY"),
    ("ACCESSLOG", _("Who opened which customer"), _("Security, answers to the person"), "6(1)(f)",
     "occurred_at", _("event"), "M12", DELETE, ANONYMIZE, "GDPR Art. 32; POLICY"),
    ("MERGE", _("Log of merged records"), _("Accountability"), "6(1)(f)", "merged_at", _("merge"), "M12",
     DELETE, DELETE, "POLICY"),
]  # fmt: skip

KEYS = frozenset(row[0].partition(":")[0] for row in RULES)
FULL_KEYS = frozenset(row[0] for row in RULES)


def rows() -> Iterator[dict[str, Any]]:
    """The catalogue as keyword arguments of RetentionRule."""
    for full_key, category, purpose, basis, event, label, period, action, on_request, statute, *more in RULES:
        key, _sep, variant = full_key.partition(":")
        row = {
            "key": key,
            "variant": variant,
            "version": 1,
            "category": category,
            "purpose": purpose,
            "basis": basis,
            "start_event": event,
            "start_label": label,
            "action": action,
            "on_request": on_request,
            "statute": statute,
            "policy": "POLICY" in statute,
            "review_on": REVIEW,
        }
        yield {**row, **period_of(period), **(more[0] if more else {})}


def period_of(code: str) -> dict[str, Any]:
    """The deletion class of DIN 66398 as number, unit and year end: Y8E, M24, D30, OPEN, "as ORDER"."""
    if code == "OPEN":
        return {"number": None, "unit": ""}
    if code.startswith("as "):
        return {"number": None, "unit": "", "lives_as": code[3:]}
    found = re.fullmatch(r"([DMY])(\d+)(E?)", code)
    if found is None:
        raise ValueError(f"{code} is no deletion class.")
    return {"number": int(found[2]), "unit": found[1].lower(), "year_end": bool(found[3])}


def plant(rule_model: Any) -> int:
    """Write the rules that are missing; answers how many. Takes the model, as migrations bring their own."""
    known = set(rule_model.objects.values_list("key", "variant", "version"))
    missing = [row for row in rows() if (row["key"], row["variant"], row["version"]) not in known]
    rule_model.objects.bulk_create([rule_model(**row) for row in missing])
    return len(missing)
