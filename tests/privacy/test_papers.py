"""Record of processing, retention table, deletion concept and privacy notice: generated, kept, compared, printed."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from django.urls import reverse
from pypdf import PdfReader

from datamap.catalogue import period_in_words
from datamap.controlling import controller
from datamap.declarations import registry
from datamap.models import RetentionRule
from datamap.versioning import add_version, newest, successor
from privacy.models import PaperVersion, Policy
from privacy.papers import versions
from privacy.papers.concept import AT_COLLECTION, AT_END_OF_RELATION
from privacy.papers.rendering import as_markdown
from privacy.tasks import keep_first_papers
from tests.privacy.noting import make_recipient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
TODAY = date(2026, 11, 25)


@pytest.fixture
def shop():
    who = controller()
    who.name, who.street, who.city, who.officer_name = "Kaffeerösterei Nordlicht", "Kai 1", "Hamburg", "Petra Privat"
    who.save()
    return who


def text(kind: str, language: str = "en") -> str:
    return as_markdown(versions.build(kind, language, TODAY))


def test_the_record_has_all_that_art_30_lists_for_every_purpose(shop):
    make_recipient("Nordpost GmbH", "parcel")
    make_recipient("Mailer Inc.", "mail_provider", "processor", country="US", safeguard="clauses")
    paper = versions.build("record", "en", TODAY)
    activities = {section.title: dict(section.facts) for section in paper.sections if section.level == 3}
    assert set(activities) == {str(group.purpose) for _declaration, group in registry} | {
        str(store.purpose) for store in registry.stores()
    }
    for said in activities.values():
        assert all(said[name] for name in said), (
            said
        )  # (b) to (f): purpose, persons, data, recipients, transfers, periods
    said = text("record")
    assert "Kaffeerösterei Nordlicht" in said and "Petra Privat" in said  # (a)
    assert "Parcel service (Nordpost GmbH)" in said  # (d), by name
    assert "| Mailer Inc. | E-mail service provider | processor (Art. 28) |" in said
    assert "| US | standard contractual clauses (Art. 46(2)(c)) |" in said  # (e)
    assert "AES-256-GCM" in said  # (g)


def test_the_periods_of_the_record_are_those_of_the_rules():
    before = text("record")
    assert "Proof for tax and commercial law" in before and "8 years from the end of the year" in before
    rule = successor(newest("TICKET"))
    rule.number, rule.valid_from, rule.reason = 6, date(2026, 11, 1), "shorter"
    add_version(rule, user_id=None)
    assert text("record") != before
    assert period_in_words(rule) == "6 months" and "6 months" in text("table")


def test_the_table_names_every_key_that_anything_falls_under_and_what_is_to_come():
    rule = successor(newest("CART"))
    rule.number, rule.valid_from = 14, date(2027, 1, 1)
    add_version(rule, user_id=None)
    paper = versions.build("table", "en", TODAY)
    keys = {row[0].split(" ")[0] for row in paper.sections[0].table.rows}
    used = {key for _declaration, group in registry for key in group.categories}
    assert keys == used | {store.category for store in registry.stores()}
    assert [row[0] for row in paper.sections[1].table.rows] == ["CART"]


def test_the_concept_has_the_chapters_of_din_66398_and_puts_each_rule_into_one_class():
    Policy(warn_days=20).save()
    paper = versions.build("concept", "en", TODAY)
    titles = [section.title for section in paper.sections]
    assert titles[2:5] == ["Kinds of data and their rules", "Deletion classes", "Where the data lie"]
    assert {"Backups and restoring", "Holds and other exceptions", "Responsibilities and reviews"} <= set(titles)
    classes = paper.sections[3].table
    assert classes.head == ("Period", "collection or making", "end of a matter", "end of the relation")
    cells = [key for row in classes.rows for cell in row[1:] for key in cell.split(", ") if key]
    rules = [row[0].split(" ")[0] for row in paper.sections[2].table.rows]
    assert sorted(cells) == sorted(rules)
    assert "20 days before" in text("concept")
    assert "INV" in {row[0]: row[1] for row in classes.rows}["8 years from the end of the year"]


def test_the_notice_says_what_art_13_asks_for_and_speaks_of_customers_alone(shop):
    said = text("notice")
    for words in ("Kaffeerösterei Nordlicht", "Art. 15", "Art. 21", "Art. 77", "withdraw a consent", "Art. 22"):
        assert words in said
    assert "Security of the sign-in" not in said
    assert "Widerspruch" in text("notice", "de") or "widersprechen" in text("notice", "de")


@pytest.mark.parametrize("kind", PaperVersion.Kind.values)
def test_a_paper_speaks_one_language_at_a_time(kind):
    assert text(kind, "de") != text(kind, "en")
    assert "Art. 6(1)(b) GDPR" not in text(kind, "de")


def test_what_says_the_same_is_kept_once_and_what_differs_is_shown_word_by_word(officer):
    first, is_new = versions.keep("notice", officer)
    assert is_new and versions.changed_kinds() == []
    assert versions.keep("notice", officer) == (first, False)
    who = controller()
    who.name = "Teehaus Nordlicht"
    who.save()
    assert versions.changed_kinds() == ["notice"]
    changes = versions.differences(first.content["en"], text("notice"))
    gone = [piece for part in changes for line in part.lines for kind, piece in line.pieces if kind == "gone"]
    new = [piece for part in changes for line in part.lines for kind, piece in line.pieces if kind == "new"]
    assert "Teehaus Nordlicht" in " ".join(new)
    assert "not yet named" in " ".join(gone)
    second, is_new = versions.keep("notice", officer)
    assert is_new and second.by == officer and second.sha256 != first.sha256


def test_a_rule_that_changes_is_seen_in_the_concept_though_nobody_ever_kept_a_paper(officer_client) -> None:
    keep_first_papers()
    assert PaperVersion.objects.filter(by=None).count() == 4 and versions.changed_kinds() == []
    keep_first_papers()
    assert PaperVersion.objects.count() == 4
    after = successor(newest("TICKET"))
    after.number, after.valid_from, after.reason = 6, date(2026, 1, 1), "shorter"
    add_version(after, user_id=None)
    assert {"concept", "table", "record", "notice"} >= set(versions.changed_kinds()) >= {"concept", "table"}
    kept = versions.latest("concept")
    shown = officer_client.get(reverse("privacy:paper_changes", args=[kept.pk]) + "?language=en").text
    assert "<ins>6 months" in shown.replace("<ins class", "<ins") or "6 months" in shown
    gone = [piece for part in versions.differences(kept.content["en"], text("concept"))
            for line in part.lines for kind, piece in line.pieces if kind == "gone"]  # fmt: skip
    assert "12" in " ".join(gone)


def test_added_and_removed_lines_stand_under_their_heading():
    old = "# A\n\n## One\n\n- a\n- b\n\n## Two\n\n- c\n"
    new = "# A\n\n## One\n\n- a\n\n## Two\n\n- c\n- d e\n"
    found = versions.differences(old, new)
    assert [(part.heading, [line.pieces for line in part.lines]) for part in found] == [
        ("One", [[("gone", "b")]]),
        ("Two", [[("new", "d e")]]),
    ]
    assert versions.differences(old, old) == []
    (part,) = versions.differences("## T\n\n| a | b |\n", "## T\n\n| a | c\\|d |\n")
    assert part.lines[0].pieces == [("same", "a · "), ("gone", "b"), ("new", "c|d")]
    changed = versions.differences("## P\n\n- kept 6 months\n", "## P\n\n- kept 8 months\n")
    assert changed[0].lines[0].pieces == [("same", "kept "), ("gone", "6"), ("new", "8"), ("same", " months")]


@pytest.mark.parametrize("kind", PaperVersion.Kind.values)
def test_a_paper_is_a_pdf_for_archives_and_screen_readers(officer_client, shop, kind):
    shop.name = '#panic("x") \u202e'
    shop.save()
    answer = officer_client.get(reverse("privacy:paper_file", args=[kind, "pdf"]), {"language": "de"})
    assert answer["Content-Type"] == "application/pdf"
    pdf = PdfReader(io.BytesIO(answer.content))
    about = pdf.xmp_metadata.stream.get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in about and "<pdfaid:conformance>A</pdfaid:conformance>" in about
    assert "<pdfuaid:part>1</pdfuaid:part>" in about
    assert pdf.trailer["/Root"]["/Lang"].startswith("de")
    words = " ".join(page.extract_text() for page in pdf.pages)
    if kind != "table":
        assert '#panic("x")' in words  # data, never markup
    assert "\u202e" not in words


def test_files_of_a_paper(officer_client):
    answer = officer_client.get(reverse("privacy:paper_file", args=["table", "csv"]), {"language": "en"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:2] == ["Key", "Data"]
    assert any(row[0].startswith("INV") for row in rows)
    markdown = officer_client.get(reverse("privacy:paper_file", args=["record", "md"]), {"language": "en"})
    assert markdown.content.decode().startswith("# Record of processing activities\n")
    assert officer_client.get(reverse("privacy:paper_file", args=["table", "exe"])).status_code == 404
    assert officer_client.get(reverse("privacy:paper_file", args=["gossip", "pdf"])).status_code == 404


def test_papers_are_read_by_those_who_see_the_data_map_and_kept_by_privacy(
    officer_client, manager_client, agent_client, outsider_client
):
    page, keep = reverse("privacy:paper", args=["record"]), reverse("privacy:paper_keep", args=["record"])
    assert manager_client.get(page).status_code == 200
    assert manager_client.post(keep).status_code == 403
    for client in (agent_client, outsider_client):
        assert client.get(page).status_code == 403
        assert client.get(reverse("privacy:papers")).status_code == 403
    assert officer_client.post(keep).status_code == 302
    assert officer_client.get(keep).status_code == 405
    assert PaperVersion.objects.get().kind == "record"
    html = officer_client.get(page).content.decode()
    assert "Says the same as the version of" in html
    who = controller()
    who.name = "Teehaus"
    who.save()
    assert "Changed since the version of" in officer_client.get(page).content.decode()
    assert officer_client.get(reverse("privacy:papers")).context["rows"][0]["changed"]
    changes = officer_client.get(reverse("privacy:paper_changes", args=[PaperVersion.objects.get().pk]))
    assert "Teehaus" in changes.content.decode()
    assert officer_client.get(reverse("privacy:paper_changes", args=[0])).status_code == 404
    assert officer_client.get(reverse("privacy:paper", args=["gossip"])).status_code == 404


def test_every_start_of_the_catalogue_belongs_to_one_kind_of_start():
    known = set(RetentionRule.objects.values_list("start_event", flat=True))
    assert known >= AT_COLLECTION | AT_END_OF_RELATION
    assert not AT_COLLECTION & AT_END_OF_RELATION


@pytest.fixture
def bank():
    """A controller under financial supervision: its vouchers stay for ten years (HGB § 257(4) s. 2)."""
    who = controller()
    who.supervised_financial = True
    who.save()


@pytest.mark.usefixtures("bank")
def test_the_papers_of_a_supervised_shop_name_the_period_by_which_its_run_deletes():
    for kind in ("record", "notice"):
        periods = [part for part in text(kind).split("; ") if "financial business" in part]
        assert periods and all("10 years from the end of the year" in part for part in periods), kind
        assert "Invoices, credit notes, refund vouchers" not in text(kind)
    table = versions.build("table", "en", TODAY).sections[0].table
    assert [(row[0], row[5]) for row in table.rows if row[0].startswith("INV")] == [
        ("INV:supervised", "10 years from the end of the year")
    ]
    classes = versions.build("concept", "en", TODAY).sections[3].table
    assert [row[0] for row in classes.rows if any("INV" in cell for cell in row[1:])] == [
        "10 years from the end of the year"
    ]


@pytest.mark.parametrize("supervised", [False, True])
def test_the_table_tells_of_coming_versions_of_its_own_rules_alone(supervised: bool):
    who = controller()
    who.supervised_financial = supervised
    who.save()
    for key in ("INV", "INV:supervised"):
        rule = successor(newest(key))
        rule.number, rule.valid_from, rule.reason = 12, date(2027, 1, 1), "longer"
        add_version(rule, user_id=None)
    coming = versions.build("table", "en", TODAY).sections[1].table.rows
    assert [row[0] for row in coming] == ["INV:supervised" if supervised else "INV"]


def test_the_concept_tells_when_deletion_is_really_carried_out(shop):
    """DIN 66398: what is written is what is done, also where the shop gives its runs a margin or erasures a window."""
    assert "gets it at once" in text("concept") and "margin" not in text("concept")
    shop.execution_margin_days = 15
    shop.save()
    Policy(undo_hours=24, purge_share="0.125").save()
    said = text("concept")
    assert "15 days after the last day" in said
    assert "at once" not in said.split("Requests of the persons")[1].split("##")[0]
    assert "24 hours" in said
    assert "12.5 percent" in said and "12,5 Prozent" in text("concept", "de")
