"""Real German, Austrian and Swiss cities with postcodes of theirs; phone numbers that belong to nobody."""

from __future__ import annotations

from typing import NamedTuple


class City(NamedTuple):
    """A city, one of its postcodes and its country."""

    postcode: str
    name: str
    country: str


# Big cities stand here with several postcodes, so that they come more often.
_GERMAN = """
10115 Berlin;10178 Berlin;10245 Berlin;10405 Berlin;10551 Berlin;10623 Berlin;10777 Berlin;10961 Berlin
12043 Berlin;12163 Berlin;13347 Berlin;14057 Berlin;20095 Hamburg;20144 Hamburg;20249 Hamburg;20357 Hamburg
22085 Hamburg;22303 Hamburg;22529 Hamburg;22765 Hamburg;22587 Hamburg;80331 München;80469 München;80538 München
80634 München;80796 München;81369 München;81541 München;81667 München;50667 Köln;50674 Köln;50733 Köln
50823 Köln;50937 Köln;60311 Frankfurt am Main;60316 Frankfurt am Main;60487 Frankfurt am Main
60594 Frankfurt am Main;70173 Stuttgart;70178 Stuttgart;70565 Stuttgart;40213 Düsseldorf;40477 Düsseldorf
40545 Düsseldorf;04109 Leipzig;04229 Leipzig;04315 Leipzig;44135 Dortmund;44225 Dortmund;45127 Essen;45130 Essen
28195 Bremen;28203 Bremen;28757 Bremen;01067 Dresden;01099 Dresden;01309 Dresden;30159 Hannover;30449 Hannover
90402 Nürnberg;90419 Nürnberg;47051 Duisburg;44787 Bochum;42103 Wuppertal;33602 Bielefeld;53111 Bonn
48143 Münster;76133 Karlsruhe;68159 Mannheim;86150 Augsburg;65183 Wiesbaden;45879 Gelsenkirchen
41061 Mönchengladbach;38100 Braunschweig;09111 Chemnitz;24103 Kiel;52062 Aachen;06108 Halle (Saale)
39104 Magdeburg;79098 Freiburg im Breisgau;47798 Krefeld;23552 Lübeck;46045 Oberhausen;99084 Erfurt;55116 Mainz
18055 Rostock;34117 Kassel;58095 Hagen;66111 Saarbrücken;59065 Hamm;14467 Potsdam;67059 Ludwigshafen am Rhein
51373 Leverkusen;26122 Oldenburg;49074 Osnabrück;42651 Solingen;69117 Heidelberg;44623 Herne;41460 Neuss
64283 Darmstadt;33098 Paderborn;93047 Regensburg;85049 Ingolstadt;97070 Würzburg;90762 Fürth;38440 Wolfsburg
89073 Ulm;74072 Heilbronn;75175 Pforzheim;37073 Göttingen;46236 Bottrop;54290 Trier;45657 Recklinghausen
72764 Reutlingen;27568 Bremerhaven;56068 Koblenz;51465 Bergisch Gladbach;07743 Jena;42853 Remscheid
91052 Erlangen;47441 Moers;57072 Siegen;31134 Hildesheim;38226 Salzgitter;03046 Cottbus;67655 Kaiserslautern
45468 Mülheim an der Ruhr;33330 Gütersloh;58452 Witten;07545 Gera;58636 Iserlohn;63450 Hanau;19053 Schwerin
73728 Esslingen am Neckar;71638 Ludwigsburg;52349 Düren;08056 Zwickau;24937 Flensburg;78462 Konstanz
72070 Tübingen;67547 Worms;95444 Bayreuth;96047 Bamberg;94032 Passau;84028 Landshut;87435 Kempten (Allgäu)
88045 Friedrichshafen;83022 Rosenheim;21335 Lüneburg;25813 Husum;26603 Aurich;26721 Emden;29221 Celle
31785 Hameln;32756 Detmold;32423 Minden;35037 Marburg;35390 Gießen;36037 Fulda;38640 Goslar;49808 Lingen (Ems)
17489 Greifswald;18439 Stralsund;17033 Neubrandenburg;02826 Görlitz;06844 Dessau-Roßlau
06886 Lutherstadt Wittenberg;99423 Weimar;98527 Suhl;15230 Frankfurt (Oder);16816 Neuruppin;23966 Wismar
25980 Sylt;23769 Fehmarn;82467 Garmisch-Partenkirchen;86720 Nördlingen;91541 Rothenburg ob der Tauber
97877 Wertheim;76530 Baden-Baden;66740 Saarlouis;54516 Wittlich;56410 Montabaur;59494 Soest;48653 Coesfeld
46395 Bocholt;47533 Kleve
"""
_ABROAD = """
1010 Wien AT;1070 Wien AT;5020 Salzburg AT;6020 Innsbruck AT;8010 Graz AT;4020 Linz AT;8001 Zürich CH;4051 Basel CH
3011 Bern CH;6003 Luzern CH;2513 Twann CH;1011 Amsterdam NL;67000 Strasbourg FR;1855 Luxembourg LU;4700 Eupen BE
"""


def _read() -> tuple[list[City], list[City]]:
    home, abroad = [], []
    for entry in _GERMAN.strip().replace("\n", ";").split(";"):
        postcode, name = entry.split(" ", 1)
        home.append(City(postcode, name, "DE"))
    for entry in _ABROAD.strip().replace("\n", ";").split(";"):
        postcode, name, country = entry.split(" ")
        abroad.append(City(postcode, name, country))
    return home, abroad


HOME, ABROAD = _read()
# Kept free for films by the Bundesnetzagentur ("Drama-Nummern"): calling them reaches nobody.
_BLOCKS = ("+493023125", "+494066969", "+496990009", "+498999998", "+492214710")
_MOBILE = "+4917139200"
_MOBILES = ("+4915228817386", "+4915228895456")


def phone_number(n: int) -> str:
    """The n-th number of the demo; after five thousand they carry an extension, so that each is another one."""
    if n % 40 == 17 and n < 40_000:
        k = n // 40 % 102
        return _MOBILES[k - 100] if k >= 100 else f"{_MOBILE}{k:02d}"
    block, rest = _BLOCKS[n % 5], n // 5
    extension = rest // 1000
    return f"{block}{rest % 1000:03d}{extension if extension else ''}"
