"""The purposes a shop begins with; it edits them, and adds its own."""

from __future__ import annotations

from typing import Any

from django.db import connections

from consents.models import Purpose

MINIMUM = {"DE": 16, "AT": 14}
# key, names, descriptions, basis, channels, advertising, class of mails, double opt-in, existing customers, age, stale
PURPOSES: list[tuple[Any, ...]] = [
    (
        "newsletter", "Newsletter", "Newsletter",
        "Wir schreiben Ihnen von neuen Waren, Angeboten und Neuigkeiten aus unserem Laden.",
        "We write to you about new goods, offers and news of our shop.",
        "consent", ["email", "sms", "whatsapp"], True, "advertising", True, True, MINIMUM, True,
    ),
    (
        "birthday", "Geburtstagsgruß", "Birthday greeting",
        "Wir gratulieren Ihnen zum Geburtstag, oft mit einem kleinen Vorteil. Dafür merken wir uns Tag und Monat.",
        "We wish you a happy birthday, often with a small advantage. For this we keep the day and the month.",
        "consent", ["email", "sms", "whatsapp"], True, "advertising", True, False, MINIMUM, True,
    ),
    (
        "profiling", "Persönliche Angebote", "Personal offers",
        "Wir werten aus, was Sie gekauft und angesehen haben, um Ihnen Passendes zu zeigen.",
        "We look at what you bought and viewed, to show you what suits you.",
        "consent", ["web"], True, "", False, False, MINIMUM, True,
    ),
    (
        "phone", "Anrufe", "Phone calls",
        "Wir rufen Sie an, um Ihnen Angebote zu machen.",
        "We call you to make you offers.",
        "consent", ["phone"], True, "", False, False, MINIMUM, True,
    ),
    (
        "post", "Werbung mit der Post", "Advertising by post",
        "Wir schicken Ihnen Kataloge und Angebote mit der Post. Sie können jederzeit widersprechen.",
        "We send you catalogues and offers by post. You may object at any time.",
        "interests", ["post"], True, "", False, False, {}, False,
    ),
    (
        "feedback", "Bitte um Bewertung", "Requests for feedback",
        "Wir fragen Sie nach einem Kauf, wie zufrieden Sie sind.",
        "After a purchase we ask you how satisfied you are.",
        "consent", ["email", "sms", "whatsapp"], True, "feedback", True, True, MINIMUM, True,
    ),
    (
        "tracking", "Besuche wiedererkennen", "Recognising visits",
        "Wir erkennen Ihr Gerät wieder und merken uns, welche Seiten Sie besuchen.",
        "We recognise your device and remember which pages you visit.",
        "consent", ["web"], False, "", False, False, MINIMUM, False,
    ),
    (
        "loyalty", "Treueprogramm", "Loyalty programme",
        "Wir führen Ihr Punktekonto und lösen Ihre Punkte ein.",
        "We keep your account of points and redeem them.",
        "contract", ["web"], False, "", False, False, {}, False,
    ),
    (
        "account", "Kundenkonto", "Customer account",
        "Wir führen Ihr Kundenkonto mit Ihren Bestellungen und Adressen.",
        "We keep your customer account with your orders and addresses.",
        "contract", ["web"], False, "", False, False, {}, False,
    ),
]  # fmt: skip


def plant(sender: Any = None, using: str = "default", **kwargs: Any) -> None:
    """Give a database without any purpose those of `PURPOSES`; a shop that has some keeps what it has."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass('consents_purpose')")
        if cursor.fetchone()[0] is None:
            return  # migrated back to before the table
    if Purpose.objects.using(using).exists():
        return
    Purpose.objects.using(using).bulk_create(_purposes(), ignore_conflicts=True)


def _purposes() -> list[Purpose]:
    made = []
    for place, one in enumerate(PURPOSES, start=1):
        key, name_de, name_en, text_de, text_en, basis, channels, advertising, mails, doi, existing, age, stale = one
        made.append(
            Purpose(
                key=key,
                name_de=name_de,
                name_en=name_en,
                description_de=text_de,
                description_en=text_en,
                basis=basis,
                channels=channels,
                advertising=advertising,
                message_class=mails,
                double_opt_in=doi,
                existing_customers=existing,
                minimum_age=age,
                warn_months=24 if stale else None,
                stale_months=36 if stale else None,
                position=10 * place,
            )
        )
    return made
