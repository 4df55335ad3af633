"""The words the people of the demo are named with: several thousand surnames, as real lists have them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


def _words(text: str) -> list[str]:
    return text.split()


WOMEN = _words("""
Anna Andrea Angelika Anja Anke Annette Antje Astrid Barbara Bärbel Beate Bettina Birgit Brigitte Britta Carla
Carolin Charlotte Christa Christine Claudia Clara Cornelia Dagmar Daniela Doris Elena Elisabeth Elke Ella Emilia
Emma Erika Eva Franziska Frieda Friederike Gabriele Gerda Gisela Greta Gudrun Hannah Heike Helga Hildegard Ilse Ina
Ines Ingrid Irene Iris Jana Janina Jasmin Johanna Judith Julia Jutta Karin Karla Katharina Kathrin Katja Kerstin
Kirsten Lara Laura Lea Lena Leonie Lina Lisa Luisa Maja Manuela Margarete Maria Marie Marion Marlene Martina
Mathilda Meike Melanie Mia Miriam Monika Nadine Nadja Natalie Nele Nicole Nina Nora Petra Pia Ramona Rebecca Regina
Renate Rita Rosemarie Ruth Sabine Sabrina Sandra Sarah Silke Silvia Simone Sina Sofie Sonja Stefanie Susanne Svenja
Swantje Tanja Tatjana Theresa Ulrike Ursula Ute Vanessa Vera Veronika Victoria Wiebke Yvonne Zoë Ayşe Fatma Elif
Zeynep Emine Hatice Meryem Büşra Derya Gülsüm Özlem Şeyma Agnieszka Małgorzata Katarzyna Ewa Joanna Magdalena Zofia
Wioletta Aurélie Chloé Élodie Françoise Hélène Amélie Noémie Giulia Chiara Olga Svetlana Irina Ludmila Thi Linh
Aisha Leila Yasmin Mina Ingeborg Liselotte Anneliese Waltraud
""")
MEN = _words("""
Achim Albert Alexander Alfred Andreas Anton Arne Arthur August Axel Ben Benedikt Benjamin Bernd Bernhard Björn
Bruno Burkhard Carl Carsten Christian Christoph Clemens Constantin Daniel David Detlef Dieter Dietmar Dirk Dominik
Eckhard Emil Erich Ernst Erik Fabian Felix Finn Florian Frank Franz Frederik Friedrich Georg Gerd Gerhard Gregor
Günter Günther Hannes Hans Harald Hartmut Heiko Heiner Heinrich Heinz Helmut Hendrik Henning Henry Herbert Hermann
Holger Horst Ingo Jakob Jan Jannik Jens Joachim Jochen Johann Johannes Jonas Jonathan Jörg Josef Julian Jürgen Kai
Karl Karsten Kevin Kilian Klaus Konrad Konstantin Kurt Lars Leo Leon Leopold Lennard Linus Lorenz Louis Lothar
Lukas Malte Manfred Marc Marcel Mario Markus Martin Marvin Mathias Maximilian Michael Moritz Nico Niklas Nils Noah
Norbert Ole Oliver Oskar Otto Pascal Patrick Paul Peter Philipp Rainer Ralf Reinhard René Robert Robin Roland Rolf
Rüdiger Rudolf Sascha Sebastian Siegfried Simon Stefan Steffen Sven Theo Thomas Thorsten Till Tim Timo Tobias Tom
Torben Uli Ulrich Uwe Valentin Viktor Vincent Volker Volkmar Walter Werner Wilhelm Winfried Wolfgang Yannick Mehmet
Mustafa Ahmet Ali Hüseyin İbrahim Emre Murat Özgür Ümit Piotr Krzysztof Andrzej Tomasz Paweł Michał Stanisław
Łukasz François Jérôme Benoît Étienne Gaël Rémi Luca Matteo Giovanni Dmitri Igor Sergej Minh Tuan Omar Yusuf Karim
""")
COMMON = _words("""
Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf
Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier Lehmann
Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn
Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster
Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich Brandt
Haas Schreiber Graf Schulte Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt Sauer Arnold
Wolff Pfeiffer Weiss Heß Voß Götz Böttcher Jansen Janßen Petersen Hansen Lindemann Carstens Claußen Nissen Paulsen
Thießen Behrens Ahrens Harms Lüders Lührs Tietjen Wulff Brüggemann Grünewald Dröge Dörr Rößler Bößenecker Süß
Fleißner
""")
SLAVIC = _words("""
Kowalski Nowak Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Jankowski
Mazur Krawczyk Piotrowski Grabowski Pawłowski Michalski Zając Król Wieczorek Jabłoński Wróbel Majewski Olszewski
Stępień Malinowski Jaworski Adamczyk Dudek Novák Svoboda Dvořák Černý Procházka Horvat Marković Jovanović Petrović
Ivanov Petrow Kusnezow Sokolow Popow Lebedew Morosow Schewtschenko Bondarenko Kowalenko
""")
TURKISH = _words("""
Yılmaz Kaya Demir Çelik Şahin Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara Koç Kurt
Özkan Şimşek Polat Korkmaz Çakır Erdoğan Acar Güneş Aksoy Bulut Taş Kaplan Yavuz Türk Güler Avcı Işık Ünal Bozkurt
Tekin Sarı Keskin Turan Gül Özer Uysal Tunç Bayram
""")
ROMANCE = _words("""
Dubois Lefèvre Moreau Girard Bonnet François Mercier Chevalier Gauthier Perrin Clément Nguyên Rousseau Fournier
Lambert Fontaine Bernard Béranger Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco García
Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Núñez Silva Santos Ferreira Gonçalves Simões Nguyen
Tran Le Pham Haddad Mansour Khalil Rahimi Ahmadi Hosseini Okafor Mensah Adeyemi Singh Sharma Patel
""")
HEADS = _words("""
Ahl Alt Apfel Berg Birken Blum Boden Brand Breit Brem Bruck Brunn Buch Burg Damm Dorn Dürr Eber Eck Eichen Einsied
Erl Esch Feld Felsen Finken Flach Freuden Frohn Fürst Gold Gras Grün Gut Hagen Hasel Heid Heiden Hell Hirsch Hoch
Höll Holz Kalten Kalk Katz Kern Kirch Klein Kloster Königs Kron Kupfer Lang Leder Lich Linden Loh Lust Mark Mittel
Moos Mühl Nagel Neu Nieder Nuß Ober Pfaff Platz Rauch Reben Reich Rinder Rosen Roth Sand Schaf Schön Schwarz See
Silber Sonn Spiegel Stadt Stein Stock Stolz Süß Tal Tann Teich Thal Trauten Ulm Vogel Wald Wasser Weiden Wein Weiß
Wiesen Wild Winkel Wolf Zell Ziegen
""")
TAILS = _words("""
acker bach bauer baum beck berg berger brink brock bruch burg burger dorf dorfer egger eisen feld felder furt
garten gruber haus hauser hausen heim heimer hoff hofer holz huber kamp kemper lage land leitner loh mann maier
meier meyer moser müller ner otter rath reiter reuter richter rieder roth scheid schmidt schneider schütz sieder
stein steiner stedt straßer tal thaler traut wald walder weber weiler wieser zeller
""")
PARTICLES = ("von ", "von der ", "van ", "van der ", "zu ", "von und zu ", "vom ", "de ")
FIRM_HEADS = ("Café", "Rösterei", "Bäckerei", "Hotel", "Kantine", "Büroservice", "Praxis", "Weinhaus",
    "Gasthof", "Kaffeehaus", "Konditorei", "Agentur", "Kanzlei", "Buchhandlung", "Restaurant", "Autohaus",
    "Tischlerei")  # fmt: skip
FIRM_TAILS = ("GmbH", "GmbH", "GmbH & Co. KG", "e. K.", "OHG", "AG", "UG (haftungsbeschränkt)", "GbR", "KG", "eG")
POSITIONS = ("Einkauf", "Geschäftsführung", "Buchhaltung", "Assistenz", "Küchenleitung", "Empfang")
TITLES = ("Dr.", "Dr.", "Dr.", "Prof. Dr.", "Dr. med.", "Dipl.-Ing.")
STREETS = """
Hauptstraße Schulstraße Gartenstraße Bahnhofstraße Dorfstraße Bergstraße Birkenweg Lindenstraße Kirchstraße Waldstraße
Ringstraße Schillerstraße Amselweg Goethestraße Jahnstraße Buchenweg Wiesenweg Mühlenweg Eichenweg Gartenweg
Rosenstraße Friedhofstraße Finkenweg Blumenstraße Tannenweg Mozartstraße Beethovenstraße Drosselweg Ahornweg Lerchenweg
Kastanienallee Mühlstraße Friedrichstraße Rathausstraße Uhlandstraße Feldstraße Parkstraße Bismarckstraße Kantstraße
Lessingstraße Sonnenstraße Talstraße Wilhelmstraße Marktplatz Burgstraße Poststraße Elbchaussee Lange Reihe
Schloßstraße Breite Straße Nordstraße Südstraße Weststraße Brückenstraße Hafenstraße Schützenstraße Königstraße
Karlstraße Ludwigstraße Luisenstraße Nelkenweg Fliederweg Ulmenweg Heideweg Steinweg Kiefernweg Brunnenstraße
Marienstraße Bachstraße Industriestraße Heinrich-Heine-Straße Thomas-Mann-Straße Clara-Zetkin-Straße Dr.-Külz-Ring
Am Sportplatz Am Bahnhof Im Winkel Auf der Höhe An der Alten Mühle Zum Weiher Unter den Eichen Große Bleichen
""".replace(" Reihe", "\0Reihe").replace("Breite Straße", "Breite\0Straße")  # fmt: skip


def _streets() -> list[str]:
    head, last = STREETS.strip().rsplit("\n", 1)
    phrases = ("Am Sportplatz", "Am Bahnhof", "Im Winkel", "Auf der Höhe", "An der Alten Mühle", "Zum Weiher",
        "Unter den Eichen", "Große Bleichen")  # fmt: skip
    return [word.replace("\0", " ") for word in head.split()] + [p for p in phrases if p in last]


STREET_NAMES = _streets()
# Composed as the real ones are; the common ones come often, each of these rarely.
COMPOSED = sorted({
    head + tail for head in HEADS for tail in TAILS if not (head[-1] == tail[0] or head.lower() == tail)
})  # fmt: skip
_LATIN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l", "ı": "i", "ø": "o", "đ": "d", " ": "", "'": ""}
)


@lru_cache(maxsize=50_000)
def latin(word: str) -> str:
    """The word as people write it in an e-mail address."""
    text = unicodedata.normalize("NFKD", word.lower().translate(_LATIN))
    return "".join(c for c in text if c.isascii() and (c.isalnum() or c in "-."))
