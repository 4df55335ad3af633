"""The legal texts of the demo shop, in our own words, and where they are due: an example, no legal advice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from consents.models import LegalText, Placement, Purpose
from consents.texts import publish, save_draft

VALID_FROM = date(2024, 1, 1)
_KIND, _DEMAND = LegalText.Kind, Placement.Demand


@dataclass(frozen=True)
class Text:
    """One text with its wording in both languages."""

    key: str
    kind: str
    title_de: str
    body_de: str
    title_en: str
    body_en: str
    purpose: str = ""


TEXTS = (
    Text(
        "newsletter",
        _KIND.CONSENT,
        "Newsletter per E-Mail",
        "Ja, das Kaffeekontor Alster darf mir an diese Adresse E-Mails über neue Kaffees, Angebote und Neuigkeiten "
        "aus dem Laden schicken, höchstens zweimal im Monat.\n"
        "Ich kann das jederzeit mit Wirkung für die Zukunft widerrufen: über den Link in jeder E-Mail, auf den "
        "Datenschutzseiten oder mit einer Nachricht an kontor@kaffeekontor.example. Das kostet nichts.\n"
        "Dafür werden meine Adresse und der Zeitpunkt meiner Einwilligung gespeichert, bis ich widerrufe; der Nachweis "
        "bleibt danach drei Jahre zum Jahresende.",
        "Newsletter by e-mail",
        "Yes, Kaffeekontor Alster may send me e-mails about new coffees, offers and news of the shop to this address, "
        "twice a month at most.\n"
        "I may withdraw this at any time for the future: by the link in each e-mail, on the privacy pages or with a "
        "message to kontor@kaffeekontor.example. It costs nothing.\n"
        "For this my address and the moment of my consent are kept until I withdraw; the proof stays three years more, "
        "to the end of the year.",
        "newsletter",
    ),
    Text(
        "anrufe",
        _KIND.CONSENT,
        "Anrufe zu Angeboten",
        "Ja, das Kaffeekontor Alster darf mich unter dieser Nummer anrufen, um mir Angebote zu machen.\n"
        "Ich kann das jederzeit widerrufen, auch gleich im Gespräch.",
        "Calls about offers",
        "Yes, Kaffeekontor Alster may call me at this number to make me offers.\n"
        "I may withdraw this at any time, also during the call itself.",
        "phone",
    ),
    Text(
        "besuche",
        _KIND.CONSENT,
        "Besuche wiedererkennen",
        "Ja, das Kaffeekontor Alster darf auf meinem Gerät eine zufällige Nummer speichern und sich merken, welche "
        "Seiten des Ladens ich damit besuche. Bin ich angemeldet, wird das meinem Kundenkonto zugeordnet, damit mir "
        "Passendes gezeigt wird.\n"
        "Nach 13 Monaten wird jeder Besuch gelöscht. Ich kann das jederzeit widerrufen, auf dem Gerät oder auf den "
        "Datenschutzseiten; dann werden die Nummer und alle Besuche sofort gelöscht.",
        "Recognising visits",
        "Yes, Kaffeekontor Alster may store a random number on my device and remember which pages of the shop I visit "
        "with it. While I am signed in this is put to my customer account, to show me what suits me.\n"
        "Each visit is deleted after 13 months. I may withdraw this at any time, on the device or on the privacy "
        "pages; then the number and all visits are deleted at once.",
        "tracking",
    ),
    Text(
        "datenschutz",
        _KIND.PRIVACY_NOTICE,
        "Datenschutzhinweise",
        "Verantwortlich ist die Kaffeekontor Alster GmbH, Brooksweg 12, 20457 Hamburg.\n"
        "Wir nutzen Ihre Angaben, um Ihre Bestellung anzunehmen, zu liefern und abzurechnen (Art. 6 Abs. 1 Buchst. b "
        "DSGVO), und bewahren Rechnungen so lange auf, wie das Steuerrecht es verlangt.\n"
        "Werbung per E-Mail, SMS oder Telefon bekommen Sie nur, wenn Sie eingewilligt haben, oder als Bestandskunde "
        "zu ähnlichen Waren, solange Sie nicht widersprechen. Der Werbung mit der Post können Sie jederzeit "
        "widersprechen.\n"
        "Sie haben das Recht auf Auskunft, Berichtigung, Löschung, Einschränkung, Übertragbarkeit und Widerspruch, "
        "und Sie können sich bei der Aufsichtsbehörde in Hamburg beschweren.",
        "Privacy notice",
        "Kaffeekontor Alster GmbH, Brooksweg 12, 20457 Hamburg, is answerable.\n"
        "We use what you tell us to accept, deliver and settle your order (Art. 6(1)(b) GDPR), and keep invoices as "
        "long as tax law demands.\n"
        "You get advertising by e-mail, text message or phone only if you have consented, or as an existing customer "
        "about similar goods while you do not object. You may object to advertising by post at any time.\n"
        "You have the right to access, rectification, erasure, restriction, portability and objection, and may "
        "complain to the supervisory authority in Hamburg.",
    ),
    Text(
        "agb",
        _KIND.TERMS,
        "Allgemeine Geschäftsbedingungen",
        "Der Vertrag kommt zustande, wenn wir Ihre Bestellung bestätigen oder die Ware absenden.\n"
        "Alle Preise enthalten die Umsatzsteuer; die Versandkosten nennen wir vor der Bestellung.\n"
        "Wir liefern in der Regel in zwei bis vier Werktagen. Bis zur Bezahlung bleibt die Ware unser Eigentum.\n"
        "Es gelten die gesetzlichen Rechte bei Mängeln.",
        "Terms and conditions",
        "The contract is made when we confirm your order or send the goods.\n"
        "All prices include VAT; we name the costs of shipping before you order.\n"
        "We usually deliver in two to four working days. The goods remain ours until they are paid for.\n"
        "The statutory rights in case of defects apply.",
    ),
    Text(
        "widerruf",
        _KIND.WITHDRAWAL,
        "Widerrufsbelehrung",
        "Sie können Ihre Bestellung binnen vierzehn Tagen ohne Angabe von Gründen widerrufen. Die Frist beginnt an dem "
        "Tag, an dem Sie die Ware erhalten haben.\n"
        "Eine eindeutige Erklärung genügt, zum Beispiel per Brief oder E-Mail. Die Frist ist gewahrt, wenn Sie sie "
        "vor ihrem Ablauf absenden.\n"
        "Wir erstatten alle Zahlungen samt der gewöhnlichen Lieferkosten binnen vierzehn Tagen; die Ware schicken Sie "
        "in derselben Zeit zurück.",
        "Right of withdrawal",
        "You may withdraw from your order within fourteen days without giving reasons. The period begins on the day on "
        "which you have received the goods.\n"
        "A clear statement is enough, by letter or e-mail for example. It is in time if you send it before the period "
        "is over.\n"
        "We pay back all payments with the usual costs of delivery within fourteen days; you return the goods in the "
        "same time.",
    ),
    Text(
        "bestandskunden",
        _KIND.SALE_NOTICE,
        "Hinweis zu E-Mails über ähnliche Waren",
        "Wir schicken Ihnen an die Adresse, die Sie bei diesem Kauf angegeben haben, gelegentlich E-Mails über "
        "ähnliche Waren aus unserem Laden. Sie können dem jederzeit widersprechen, etwa mit einer Nachricht an "
        "kontor@kaffeekontor.example, ohne dass dafür andere als die Übermittlungskosten nach den Basistarifen "
        "entstehen.",
        "Notice about e-mails on similar goods",
        "To the address that you gave with this purchase we send you e-mails now and then about similar goods of our "
        "shop. You may object at any time, with a message to kontor@kaffeekontor.example for example, at no other "
        "cost than that of sending it at the basic rates.",
        "newsletter",
    ),
)
_PLACES = (
    ("sign_up", "datenschutz", _DEMAND.SHOW),
    ("first_start", "agb", _DEMAND.ACCEPT),
    ("first_start", "datenschutz", _DEMAND.SHOW),
)
_WITH_EACH_ORDER = (
    ("agb", _DEMAND.ACCEPT),
    ("widerruf", _DEMAND.SHOW),
    ("datenschutz", _DEMAND.SHOW),
    ("bestandskunden", _DEMAND.SHOW),
)


def publish_texts(order_types: Iterable[int]) -> None:
    """Publish what is missing of the texts, and place them; whatever the shop has under a key is left."""
    made = {text.key: _made(text) for text in TEXTS}
    due = [*_PLACES, *((f"order:{pk}", key, demand) for pk in order_types for key, demand in _WITH_EACH_ORDER)]
    for position, (place, key, demand) in enumerate(due):
        Placement.objects.get_or_create(
            place=place, text=made[key], defaults={"demand": demand, "position": 10 * (position + 1)}
        )


def _made(text: Text) -> LegalText:
    purpose = Purpose.objects.filter(key=text.purpose).first() if text.purpose else None
    found, new = LegalText.objects.get_or_create(key=text.key, defaults={"kind": text.kind, "purpose": purpose})
    if new:
        words = {name: getattr(text, name) for name in ("title_de", "body_de", "title_en", "body_en")}
        publish(save_draft(found, words, VALID_FROM).pk, None)
    return found
