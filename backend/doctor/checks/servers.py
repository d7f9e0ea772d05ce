"""Checks of what the promises depend on: the server's settings, our sessions, clocks, keys and the broker."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from backend.config.checks import SECRET_KEY_LENGTH_MIN
from backend.db.dialect import is_sqlite
from backend.db.server_settings import (
    WrongSetting,
    read_variables,
    wrong_durability,
    wrong_packet,
    wrong_patience,
    wrong_session,
)
from backend.doctor.registry import Finding, Scope, check
from backend.health.probes import broker_answers

# Change cursors tolerate two minutes of difference between machines; the doctor warns long before.
CLOCK_DIFFERENCE_S_MAX = 5
# With these values a half-written page is not repaired; all other values of both vendors are safe.
BLIND_DOUBLEWRITES = {"OFF", "0", "DETECT_ONLY"}


@check(promise="P1", title="Un 202 est durable : le serveur écrit tout sur le disque avant de répondre", is_global=True)
def durability_settings(_scope: Scope) -> Iterator[Finding]:
    for wrong in wrong_durability(connection):
        yield _finding(wrong, "Une coupure de courant peut perdre des lots dont la caisse a déjà le reçu.")
    if is_sqlite(connection):
        return
    doublewrite = read_variables(connection, "innodb_doublewrite").get("innodb_doublewrite", "ON")
    if doublewrite in BLIND_DOUBLEWRITES:
        # This is right on a file system that writes whole pages, which the server cannot know.
        yield Finding(
            found=f"Le réglage innodb_doublewrite vaut {doublewrite}.",
            means="Sauf sur un système de fichiers qui écrit des pages entières, une coupure de courant peut abîmer une"
            " table sans remède que la sauvegarde.",
            is_note=True,
        )


@check(promise="P1", title="Le plus grand lot passe, et nos sessions ont les règles convenues", is_global=True)
def session_settings(_scope: Scope) -> Iterator[Finding]:
    for wrong in wrong_packet(connection):
        yield _finding(wrong, "Un grand lot ressemble à une ligne coupée : la caisse le renvoie sans fin.")
    for wrong in wrong_session(connection):
        yield _finding(wrong, "Les ventes sont enregistrées sous d'autres règles que celles qui ont été éprouvées.")


@check(promise="P10", title="Personne n'attend un processus figé plus de quelques secondes", is_global=True)
def session_patience(_scope: Scope) -> Iterator[Finding]:
    for wrong in wrong_patience(connection):
        yield _finding(wrong, "Un processus figé peut bloquer les ventes des autres caisses de sa boutique.")


@check(promise="P6", title="Le compte de l'application ne peut pas vider les tables de l'historique", is_global=True)
def account_privileges(_scope: Scope) -> Iterator[Finding]:
    """A note, not a fault: migrations need these rights, and small installations use one account for everything."""
    if is_sqlite(connection):
        return
    with connection.cursor() as cursor:
        cursor.execute("SHOW GRANTS")
        grants = [grant for (grant,) in cursor.fetchall()]
    if any(may_drop(grant, database=connection.settings_dict["NAME"]) for grant in grants):
        yield Finding(
            found="Le compte de la base a le droit DROP, donc TRUNCATE.",
            means="Les déclencheurs refusent UPDATE et DELETE, pas TRUNCATE : une erreur d'exploitation pourrait vider"
            " l'historique. En production, réservez DROP et ALTER au compte qui fait les migrations.",
            is_note=True,
        )


def may_drop(grant: str, *, database: str) -> bool:
    """Return whether this line of SHOW GRANTS lets its account drop the tables of `database`."""
    found = re.match(r"GRANT (?P<rights>.+?) ON (?P<where>\S+) TO ", grant)
    if found is None:
        return False
    where = found["where"].replace("`", "").replace("\\", "")
    rights = {right.strip() for right in found["rights"].split(",")}
    return bool(rights & {"DROP", "ALL PRIVILEGES"}) and where in {"*.*", f"{database}.*"}


@check(title="L'horloge de cette machine est celle de la base", is_global=True)
def machine_clock(_scope: Scope) -> Iterator[Finding]:
    if is_sqlite(connection):
        return
    before = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT UTC_TIMESTAMP(6)")
        theirs = cursor.fetchone()[0].replace(tzinfo=UTC)
    ours = before + (datetime.now(UTC) - before) / 2
    ahead_s = (ours - theirs).total_seconds()
    if abs(ahead_s) > CLOCK_DIFFERENCE_S_MAX:
        word = "avance" if ahead_s > 0 else "retarde"
        yield Finding(
            found=f"L'horloge de cette machine {word} de {abs(ahead_s):.0f} s sur celle de la base.",
            means="Au-delà de deux minutes, des changements resteraient invisibles aux caisses ; mettez les machines à"
            " l'heure (NTP).",
        )


@check(title="La clé secrète est assez longue", is_global=True)
def secret_key(_scope: Scope) -> Iterator[Finding]:
    length = len(settings.SECRET_KEY)
    if length < SECRET_KEY_LENGTH_MIN:
        yield Finding(
            found=f"La clé SECRET_KEY a {length} caractères, il en faut {SECRET_KEY_LENGTH_MIN}.",
            means="Qui la devine se fait passer pour n'importe qui sur les pages. Donnez-lui la sortie de"
            " « openssl rand -hex 32 ».",
        )


@check(promise="P10", title="Le courtier répond", is_global=True)
def broker(_scope: Scope) -> Iterator[Finding]:
    if not settings.BROKER_URL:
        yield Finding(
            found="Aucun courtier (BROKER_URL) dans cet environnement.",
            means="C'est permis : la ronde (manage.py sweep) enregistre les ventes, quelques secondes plus tard.",
            is_note=True,
        )
    elif not broker_answers(broker_url=settings.BROKER_URL):
        yield Finding(
            found="Le courtier nommé par BROKER_URL ne répond pas.",
            means="Rien n'est perdu : la ronde (manage.py sweep) enregistre seul, plus lentement que les ouvriers.",
        )


def _finding(wrong: WrongSetting, means: str) -> Finding:
    return Finding(found=f"Le réglage {wrong.name} vaut {wrong.found or 'rien'}, il faut {wrong.wanted}.", means=means)
