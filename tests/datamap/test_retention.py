"""The law's own numbers: periods, the change from ten to eight years, repairs, versions to come."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from datamap import seed
from datamap.catalogue import (
    AskAnotherKey,
    UnfitFacts,
    UnknownRule,
    cutoff,
    explain,
    period_in_words,
    rule_for,
)
from datamap.models import ImmutableRule, RetentionRule

D = date.fromisoformat
RULES = [RetentionRule(**row) for row in seed.rows()]
TODAY = date(2026, 11, 22)


def of(key: str, start: str, as_of: str | date = TODAY, **facts):
    rules = facts.pop("rules", RULES)
    return explain(key, D(start), as_of=D(as_of) if isinstance(as_of, str) else as_of, rules=rules, **facts)


def test_p05_invoice_of_2016_before_and_after_the_eight_year_rule() -> None:
    before, after = of("INV", "2016-03-10", "2024-12-31"), of("INV", "2016-03-10", "2025-01-01")
    assert (before.rule_version, before.end, before.deletable_from) == (1, D("2026-12-31"), D("2027-01-01"))
    assert (after.rule_version, after.end, after.deletable_from) == (2, D("2024-12-31"), D("2025-01-01"))
    assert "EGAO Art. 97 § 19a(2)" in after.statute
    assert "UStG § 27(40)" in after.statute
    assert "19a" not in before.statute


def test_p06_no_retroactive_deletion_date() -> None:
    assert of("INV", "2015-11-30", "2025-06-01").deletable_from == D("2025-01-01")
    assert of("INV", "2015-11-30", "2025-06-01").end == D("2023-12-31")


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2014-06-01", "2025-01-01"),
        ("2015-06-01", "2025-01-01"),
        ("2016-06-01", "2025-01-01"),
        ("2017-06-01", "2026-01-01"),
        ("2018-02-01", "2027-01-01"),
        ("2026-09-15", "2035-01-01"),
    ],
)
def test_invoices_around_the_transition(start: str, due: str) -> None:
    assert of("INV", start).deletable_from == D(due)


def test_a_period_that_had_run_out_keeps_its_old_version_and_is_not_revived() -> None:
    found = of("INV", "2013-05-05", "2026-01-01")
    assert (found.rule_version, found.end, found.deletable_from) == (1, D("2023-12-31"), D("2024-01-01"))


def test_p07_the_legal_date_is_the_local_one() -> None:
    local = datetime.fromisoformat("2026-12-31T23:30:00+01:00")
    assert explain("INV", local, as_of=TODAY, rules=RULES).deletable_from == D("2035-01-01")
    stored = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    found = explain("INV", stored, as_of=TODAY, rules=RULES)
    assert (found.start_date, found.deletable_from) == (D("2027-01-01"), D("2036-01-01"))


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError):
        explain("INV", datetime(2026, 1, 1), as_of=TODAY, rules=RULES)


def test_p08_letters_and_invoices_of_one_mail_go_on_their_own_days() -> None:
    assert of("LETTER", "2020-05-04").deletable_from == D("2027-01-01")
    assert of("INV", "2020-05-05").deletable_from == D("2029-01-01")


def test_p13_each_call_extends_the_proof_of_phone_consent() -> None:
    found = of("CONSENT-TEL", "2024-02-29", last_use=D("2026-10-15"))
    assert (found.end, found.deletable_from) == (D("2031-10-15"), D("2031-10-16"))
    assert of("CONSENT", "2026-11-01").deletable_from == D("2030-01-01")
    assert of("CONSENT-TEL", "2024-02-29").end == D("2029-02-28")  # C2 clips
    assert of("CONSENT-TEL", "2024-02-29", last_use=D("2023-01-01")).start_date == D("2024-02-29")


def later(**changes):
    row = next(row for row in seed.rows() if row["key"] == "INV" and row["version"] == 2)
    return RetentionRule(**{**row, "version": 3, "transition": "not_yet_expired", **changes})


def test_a_future_lengthening_spares_what_had_expired_and_lengthens_what_runs() -> None:
    rules = [*RULES, later(number=12, valid_from=D("2028-01-01"), transition_statute="New Act § 1")]
    assert of("INV", "2019-01-01", "2028-06-01", rules=rules).deletable_from == D("2028-01-01")
    assert of("INV", "2019-01-01", "2028-06-01", rules=rules).rule_version == 2
    running = of("INV", "2020-01-01", "2028-06-01", rules=rules)
    assert (running.rule_version, running.end, running.deletable_from) == (
        3,
        D("2032-12-31"),
        D("2033-01-01"),
    )
    assert "New Act § 1" in running.statute
    assert of("INV", "2020-01-01", "2027-12-31", rules=rules).deletable_from == D("2029-01-01")
    born_later = of("INV", "2030-01-01", "2030-06-01", rules=rules)
    assert (born_later.deletable_from, "New Act" in born_later.statute) == (D("2043-01-01"), False)


def test_a_future_shortening_takes_effect_on_its_first_day_and_not_before() -> None:
    rules = [*RULES, later(number=5, valid_from=D("2028-03-01"))]
    assert of("INV", "2021-01-01", "2028-02-29", rules=rules).deletable_from == D("2030-01-01")
    assert of("INV", "2021-01-01", "2028-03-01", rules=rules).deletable_from == D("2028-03-01")
    assert of("INV", "2025-01-01", "2028-03-01", rules=rules).deletable_from == D("2031-01-01")
    # Shortened once by the act of 2024 and expired then: it stays so.
    assert of("INV", "2016-01-01", "2028-03-01", rules=rules).deletable_from == D("2025-01-01")


def test_a_supervised_business_keeps_vouchers_ten_years() -> None:
    found = of("INV", "2016-03-10", "2025-01-01", supervised=True)
    assert (found.variant, found.deletable_from) == ("supervised", D("2027-01-01"))
    assert "HGB § 257(4)" in found.statute
    plain = of("LETTER", "2016-03-10", supervised=True)
    assert (plain.variant, plain.deletable_from) == (None, D("2023-01-01"))


def test_at_once_means_the_day_itself_and_open_means_no_day() -> None:
    now = of("IDDOC", "2026-11-20")
    assert now.end == now.start_date == now.deletable_from == D("2026-11-20")
    never = of("SUPPRESS", "2026-11-20")
    assert (never.end, never.deletable_from) == (None, None)


def test_the_first_version_holds_from_ever() -> None:
    assert of("DELNOTE", "2010-01-05", "2012-01-01").deletable_from == D("2010-01-05")
    assert of("WARR", "2020-01-20", "2021-01-01").deletable_from == D("2022-01-21")


@pytest.mark.parametrize(
    ("key", "start", "due"),
    [
        ("CART", "2026-01-30", "2026-03-02"),
        ("REFUSAL", "2026-10-31", "2027-03-01"),  # 31 Oct + 4 months clips to 28 Feb
        ("QUOTE", "2026-08-31", "2027-03-01"),
        ("ACCOUNT", "2024-02-29", "2026-03-01"),
        ("PAYTOK", "2026-01-31", "2027-04-01"),
        ("WARR", "2025-01-20", "2027-01-21"),
        ("BACKUP", "2026-11-01", "2026-12-07"),
        ("BOOK", "2020-12-31", "2031-01-01"),
        ("BREACH", "2026-01-01", "2032-01-01"),
        ("SENDLOG", "2026-05-01", "2030-01-01"),
        ("SENDLOG-TRACE", "2026-01-01", "2026-04-02"),
        ("STAFF:session", "2026-01-01", "2026-01-16"),
        ("TRACK", "2026-01-31", "2027-03-01"),
    ],
)
def test_periods_count_from_the_day_after_and_clip_to_the_month(key: str, start: str, due: str) -> None:
    assert of(key, start).deletable_from == D(due)


def test_one_repair_extends_the_warranty_of_newer_contracts_once() -> None:
    facts = {"contract": D("2026-08-01"), "repaired": D("2027-03-01")}
    found = of("WARR", "2026-08-10", **facts)
    assert (found.end, found.deletable_from) == (D("2029-08-10"), D("2029-08-11"))
    assert "475e" in found.statute
    assert of("WARR", "2026-08-10", contract=D("2026-07-31"), repaired=D("2027-03-01")).end == D("2029-08-10")
    assert of("WARR", "2026-08-10", contract=D("2026-07-30"), repaired=D("2027-03-01")).end == D("2028-08-10")
    assert of("WARR", "2026-08-10", contract=D("2026-08-01")).end == D("2028-08-10")
    late = of("WARR", "2026-08-10", contract=D("2026-08-01"), repaired=D("2028-08-11"))
    assert late.end == D("2028-08-10")


def test_facts_a_rule_does_not_use_are_refused() -> None:
    with pytest.raises(UnfitFacts):
        of("INV", "2026-01-01", last_use=D("2026-02-01"))
    with pytest.raises(UnfitFacts):
        of("INV", "2026-01-01", repaired=D("2026-02-01"), contract=D("2026-01-01"))
    with pytest.raises(UnfitFacts):
        of("WARR", "2026-08-10", repaired=D("2026-09-01"))
    with pytest.raises(UnfitFacts):
        of("WARR", "2026-08-10", contract=D("2026-08-01"), repaired=D("2026-07-01"))


@pytest.mark.parametrize(
    ("key", "ask"), [("PREF", "ACCOUNT"), ("MINOR", "ORDER"), ("HISTORY", "row"), ("VOUCHER:redeemed", "INV")]
)
def test_keys_that_live_as_another_row_name_the_key_to_ask(key: str, ask: str) -> None:
    with pytest.raises(AskAnotherKey) as refusal:
        of(key, "2026-01-01")
    assert refusal.value.ask == ask
    with pytest.raises(AskAnotherKey):
        cutoff(key, TODAY, rules=RULES)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(UnknownRule):
        of("NOPE", "2026-01-01")
    with pytest.raises(UnknownRule):
        of("INV:nope", "2026-01-01")


@pytest.mark.parametrize("key", sorted(seed.FULL_KEYS))
def test_every_key_of_the_catalogue_evaluates_or_refuses(key: str) -> None:
    rule = rule_for(key, TODAY, rules=RULES)
    assert rule.statute
    assert period_in_words(rule)
    if rule.lives_as:
        with pytest.raises(AskAnotherKey):
            of(key, "2024-05-05")
        return
    found = of(key, "2024-05-05")
    assert found.why
    assert (found.deletable_from is None) == (rule.number is None)
    assert found.deletable_from is None or found.deletable_from >= D("2024-05-05")


@settings(max_examples=150, deadline=None)
@given(
    key=st.sampled_from(["INV", "INV:supervised", "LETTER", "REFUSAL", "WARR", "CART", "IDDOC", "ACCOUNT"]),
    as_of=st.dates(D("2020-01-01"), D("2040-12-31")),
    margin=st.sampled_from([0, 15]),
)
def test_the_cutoff_is_the_last_start_that_is_due(key: str, as_of: date, margin: int) -> None:
    last = cutoff(key, as_of, margin_days=margin, rules=RULES)
    assert last is not None
    wait = timedelta(days=margin)
    assert explain(key, last, as_of=as_of, rules=RULES).deletable_from + wait <= as_of
    after = explain(key, last + timedelta(days=1), as_of=as_of, rules=RULES).deletable_from
    assert after + wait > as_of


def test_an_open_rule_has_no_cutoff() -> None:
    assert cutoff("SUPPRESS", TODAY, rules=RULES) is None


@pytest.mark.django_db
def test_the_database_holds_the_catalogue_and_refuses_edits() -> None:
    held = set(RetentionRule.objects.values_list("key", "variant", "version"))
    assert held >= {(row["key"], row["variant"], row["version"]) for row in seed.rows()}
    rule = RetentionRule.objects.ladder("INV").last()
    assert explain("INV", D("2016-03-10"), as_of=D("2025-01-01")).rule_version == rule.version
    for forbidden in (rule.save, rule.delete, RetentionRule.objects.all().delete):
        with pytest.raises(ImmutableRule):
            forbidden()
    with pytest.raises(ImmutableRule):
        RetentionRule.objects.update(number=1)


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_gets_its_catalogue_back() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert RetentionRule.objects.count() == len(RULES)
