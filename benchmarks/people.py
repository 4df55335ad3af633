"""Made-up people for the benchmarks, the same for the same seed: as a file, or as rows set into the database."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from customers.indexing import searched_words
from customers.normalizing import fold
from customers.sealing import Sealer

HEADER = [
    "external_id", "salutation", "first_name", "last_name", "email", "phone", "street", "postcode", "city", "country",
    "birthday", "registered_at",
]  # fmt: skip
FIRST = [
    "Anna",
    "Änne",
    "Ben",
    "Bärbel",
    "Carl",
    "Clara",
    "Dieter",
    "Dörte",
    "Emil",
    "Emma",
    "Felix",
    "Frieda",
    "Georg",
    "Grete",
    "Hans",
    "Heike",
    "Ida",
    "Ingo",
    "Jörg",
    "Jana",
    "Karl",
    "Käthe",
    "Lars",
    "Lena",
    "Mats",
    "Mia",
    "Nils",
    "Nora",
    "Otto",
    "Olga",
    "Paul",
    "Petra",
    "Rolf",
    "Rosa",
    "Sven",
    "Söhnke",
    "Tim",
    "Tanja",
    "Uwe",
    "Uta",
    "Volker",
    "Vera",
]
ONSETS = [
    "b",
    "br",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "pf",
    "r",
    "s",
    "sch",
    "schl",
    "schw",
    "sp",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "z",
]
VOWELS = ["a", "ä", "e", "ei", "i", "ie", "o", "ö", "u", "ü", "au", "eu"]
CODAS = [
    "ck",
    "ff",
    "g",
    "hl",
    "hn",
    "k",
    "l",
    "ll",
    "lz",
    "m",
    "mm",
    "n",
    "nn",
    "nd",
    "ng",
    "p",
    "r",
    "rg",
    "rt",
    "s",
    "ss",
    "st",
    "t",
    "tt",
    "tz",
    "x",
]
ENDINGS = ("", "", "er", "mann", "meier", "sen", "berg", "feld", "hoff", "le", "ke")
CITIES = [
    "Berlin",
    "Hamburg",
    "München",
    "Köln",
    "Leipzig",
    "Bremen",
    "Dresden",
    "Gießen",
    "Fürth",
    "Görlitz",
    "Bautzen",
    "Münster",
    "Kassel",
    "Trier",
    "Jena",
]
STREETS = [
    "Hauptstraße",
    "Bahnhofstr.",
    "Gartenweg",
    "Lindenallee",
    "Kirchplatz",
    "Mühlgasse",
    "Schulstraße",
    "Ringstr.",
    "Am",
    "Anger",
]


def surname(chance: random.Random) -> str:
    """One of many thousand surnames that sound German."""
    return (chance.choice(ONSETS) + chance.choice(VOWELS) + chance.choice(CODAS) + chance.choice(ENDINGS)).capitalize()


def write_file(path: Path, size: int, seed: int = 7, bad: float = 0.0125) -> Path:
    """A CSV file of customers, some of whose values cannot be read."""
    chance = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(size):
            first, last = chance.choice(FIRST), surname(chance)
            wrong = chance.random() < bad
            writer.writerow(
                [
                    f"{seed}{number:09}",
                    chance.choice(("Herr", "Frau", "")),
                    first,
                    last,
                    "no address" if wrong else f"{seed}.{number}.{fold(last)}@mail{number % 50}.example",
                    f"+49 171 {chance.randrange(10**6, 10**7)}",
                    f"{chance.choice(STREETS)} {chance.randrange(1, 200)}",
                    f"{chance.randrange(1067, 99998):05}",
                    chance.choice(CITIES),
                    "Deutschland",
                    f"{chance.randrange(1940, 2005)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
                    f"{chance.randrange(2018, 2026)}-0{chance.randrange(1, 10)}-11T09:00:00+01:00",
                ]
            )
    return path


def fill(connection, size: int, seed: int = 11) -> None:
    """Set so many searchable customers into the database, beside those it holds; names are folded once, then joined.

    Every hundredth has an e-mail address and a phone number, for the searches by blind index.
    """
    chance = random.Random(seed)
    surnames = sorted({surname(chance) for _ in range(60_000)})
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bench_first (n int PRIMARY KEY, name text, words text)")
        cursor.execute("CREATE TEMP TABLE bench_last (n int PRIMARY KEY, name text, words text, sort text)")
        cursor.execute("CREATE TEMP TABLE bench_city (n int PRIMARY KEY, name text, words text)")
        for table, names in (("bench_first", FIRST), ("bench_city", CITIES)):
            rows = [(n, name, " ".join(searched_words(name))) for n, name in enumerate(names)]
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s)", rows)
        rows = [(n, name, " ".join(searched_words(name)), fold(name)) for n, name in enumerate(surnames)]
        with cursor.copy("COPY bench_last FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            """
            CREATE TEMP TABLE bench_made AS
            SELECT nextval(pg_get_serial_sequence('customers_customer', 'id')) AS id, 'B' || (9000000 + i) AS number,
                f.name AS first_name, l.name AS last_name, l.sort || ' ' || split_part(f.words, ' ', 1) AS sort_name,
                l.words || ' ' || f.words || ' b' || (9000000 + i) || ' ' || c.words || ' ' || p.code AS text, p.code
            FROM (SELECT i, (random() * %(firsts)s)::int AS a, (power(random(), 2) * %(lasts)s)::int AS b,
                         (random() * %(cities)s)::int AS c, (1067 + random() * 98000)::int AS d
                  FROM generate_series(1, %(size)s) AS i) AS r
            JOIN bench_first f ON f.n = r.a JOIN bench_last l ON l.n = r.b JOIN bench_city c ON c.n = r.c
            CROSS JOIN LATERAL (SELECT lpad(r.d::text, 5, '0') AS code) p
            """,
            {"firsts": len(FIRST) - 1, "lasts": len(surnames) - 1, "cities": len(CITIES) - 1, "size": size},
        )
        cursor.execute(
            "INSERT INTO customers_customer (id, number, kind, status, salutation, title, first_name, last_name, "
            "company, "
            "vat_id, language, sort_name, version, created_at) SELECT id, number, 'person', 'account', '', '', "
            "first_name, "
            "last_name, '', '', 'de', sort_name, 1, now() FROM bench_made"
        )
        cursor.execute(
            "INSERT INTO customers_searchentry (customer_id, text, phonetic, postcode) SELECT id, text, '', code "
            "FROM bench_made"
        )
        cursor.execute(
            "INSERT INTO customers_searchword (word, entries) SELECT DISTINCT w, 1 FROM (SELECT words FROM bench_last "
            "UNION ALL SELECT words FROM bench_first UNION ALL SELECT words FROM bench_city) t, "
            "unnest(string_to_array(t.words, ' ')) w WHERE length(w) > 3 AND w !~ '-' ON CONFLICT DO NOTHING"
        )
        _points(cursor)
        cursor.execute("DROP TABLE bench_first, bench_last, bench_city, bench_made")
        cursor.execute(
            "ANALYZE customers_customer, customers_searchentry, customers_searchword, customers_contactpoint"
        )


def _points(cursor) -> None:
    cursor.execute("SELECT id FROM bench_made WHERE id % 100 = 0 ORDER BY id")
    ids = [id_ for (id_,) in cursor.fetchall()]
    sealer = Sealer()
    columns = "customer_id, kind, value, whole_index, part_index, match_index, label, is_primary, created_at"
    with cursor.copy(f"COPY customers_contactpoint ({columns}) FROM STDIN") as copy:
        for id_ in ids:
            email, phone = email_of(id_), phone_of(id_)
            now = "2026-01-01T00:00:00+00:00"
            indexes = sealer.email_indexes(email)
            copy.write_row((id_, "email", sealer.value(email.encode()), *indexes, "", True, now))
            indexes = sealer.phone_indexes(phone.removeprefix("+"))
            copy.write_row((id_, "phone", sealer.value(phone.encode()), *indexes, "", True, now))


def email_of(id_: int) -> str:
    """The address of a made-up customer."""
    return f"person{id_}@mail{id_ % 50}.example"


def phone_of(id_: int) -> str:
    """The number of a made-up customer."""
    return f"+49171{id_ % 10_000_000:07}"
