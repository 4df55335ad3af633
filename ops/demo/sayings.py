"""What is said between the demo's customers and its staff: content and outcome by kind of contact."""

from __future__ import annotations

# (content, outcome); {product} and {number} are filled where the contact is about an order.
ORDER_CALLS = (
    (
        "Fragt, wo das Paket mit {product} bleibt (Bestellung {number}).",
        "Sendung liegt im Paketzentrum, Zustellung morgen zugesagt.",
    ),
    (
        "Möchte zu Bestellung {number} die Lieferanschrift ändern.",
        "Noch nicht versandt, Anschrift geändert und bestätigt.",
    ),
    ("Hat eine Frage zur Zubereitung mit {product}.", "Kurz beraten und Anleitung als PDF nachgereicht."),
    ("Fragt, wie {product} am besten aufbewahrt wird.", "Kühl und trocken empfohlen, meldet sich bei Bedarf wieder."),
    ("Möchte {product} zurücksenden, versehentlich doppelt bestellt.", "Rücksendeschein per E-Mail geschickt."),
    ("Bestellt {product} gern noch einmal, findet den Artikel nicht.", "Artikelnummer durchgegeben."),
)
ORDER_MAILS = (
    (
        "Guten Tag, auf der Rechnung zu {number} fehlt unsere Kostenstelle. Können Sie das ergänzen?",
        "Hinweis an die Buchhaltung gegeben, Rechnung bleibt unverändert; Schreiben mit Kostenstelle geschickt.",
    ),
    ("Hallo, wann kommt {product}? Ich bin ab Freitag im Urlaub.", "Lieferung auf die Woche danach verschoben."),
    (
        "Sehr geehrtes Team, wir sind mit {product} sehr zufrieden. Gibt es bei größeren Mengen Rabatt?",
        "Staffelpreise ab 10 Stück geschickt.",
    ),
    (
        "Die Verpackung von {product} war eingerissen, Inhalt in Ordnung.",
        "Für den Hinweis gedankt, Gutschein über 5 EUR.",
    ),
    ("Bitte schicken Sie mir zu {number} noch einmal die Rechnung.", "Rechnung erneut versandt."),
)
CALLS = (
    ("Fragt, ob der Laden am Samstag geöffnet hat.", "Öffnungszeiten genannt."),
    ("Sucht eine Mühle für Filterkaffee bis 100 EUR.", "Handmühle Buche empfohlen, kommt zum Ausprobieren vorbei."),
    ("Erkundigt sich nach dem nächsten Barista-Kurs.", "Zwei Termine genannt, überlegt mit der Schwester."),
    ("Angebot für die Büroversorgung (30 Personen) gewünscht.", "Angebot bis Ende der Woche zugesagt."),
    ("Neue Telefonnummer mitgeteilt.", "Stammdaten geändert."),
)
MAILS = (
    ("Hallo, liefern Sie auch nach Dänemark?", "Leider noch nicht, auf die Liste der Interessenten gesetzt."),
    (
        "Guten Tag, welche Bohnen haben besonders wenig Säure?",
        "Espresso Speicherstadt und Brasilien Cerrado empfohlen.",
    ),
    (
        "Wir möchten 40 Geschenksets für unsere Kundschaft bestellen, gibt es Mengenrabatt?",
        "12 % ab 30 Sets angeboten.",
    ),
    ("Meine Anschrift hat sich geändert, bitte passen Sie das an.", "Anschrift geändert."),
)
CHATS = (
    ("Passt der Tamper auf einen 58er-Siebträger?", "Ja, bestätigt."),
    ("Ist der Vollautomat wieder lieferbar?", "Lieferbar ab nächster Woche, benachrichtigt sich selbst."),
    ("Wie entkalke ich die Maschine richtig?", "Anleitung verlinkt."),
)
VISITS = (
    ("War im Laden und hat drei Röstungen verkostet.", "Kolumbien Huila gefiel am besten, bestellt online."),
    ("Mühle zur Reparatur abgegeben, Mahlwerk blockiert.", "Mahlwerk gereinigt, kostenlos."),
    ("Beratung zu Siebträgern, Küche 60 cm tief.", "Siebträger Kompakt vermessen, Entscheidung nach dem Urlaub."),
)
LETTERS = (
    ("Schriftliche Kündigung des Kaffee-Abos zum Monatsende.", "Bestätigt, Abo endet zum Monatsende."),
    ("Anfrage eines Vereins nach einer Sachspende für die Tombola.", "Zwei Geschenksets zugesagt."),
)
COMPLAINTS = (
    ("{product} beschädigt angekommen", "Ersatz versandt, beschädigte Ware abgeholt."),
    ("Lieferung unvollständig: {product} fehlt", "Fehlmenge nachgeliefert, entschuldigt."),
    ("Qualität von {product} enttäuscht", "Charge geprüft, Ware ersetzt."),
    ("Falscher Artikel statt {product} geliefert", "Tausch auf unsere Kosten."),
    ("Lieferung kam neun Tage zu spät", "Versandkosten erstattet."),
    ("Freundlichkeit am Telefon bemängelt", "Gespräch mit dem Team geführt, Kundin angerufen."),
)
REJECTED = "Nach Prüfung kein Mangel feststellbar; ausführlich erklärt."
STEPS = (
    "Angebot nachfassen",
    "Zurückrufen: Entscheidung zur Siebträgermaschine",
    "Ersatzlieferung prüfen",
    "Rechnung mit Kostenstelle nachreichen",
    "Nach der Verkostung anrufen",
    "Retoure im Lager suchen",
    "Kurstermin bestätigen",
    "Kulanz mit der Leitung klären",
)
