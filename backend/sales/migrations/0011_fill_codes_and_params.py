"""Fill in code and parameters where an older version kept a sentence: by the shapes that its pages knew it by.

Each row once, a chunk a transaction; begun again after it was killed, it finds what is left. Sales are posted
meanwhile: a row that changes between being read and being filled is left as it is. What has none of these shapes keeps
its sentence as a parameter. The shapes are a copy: what is written here must not change with the code.
"""

import json
import re

from django.db import migrations, transaction

from backend.db import dialect

CHUNK_ROWS = 1000
CHUNK_IDS = 20_000

OUTCOMES = (
    ("champ_invalide", "Champ invalide : %(reason)s"),
    ("champ_invalide", "Champ invalide : %(path)s (%(reason)s)"),
    ("type_inconnu", "Type inconnu : %(kind)s"),
    ("deja_existante", "Vente déjà existante"),
    ("numero_deja_pris", "Numéro déjà pris par une autre vente"),
    ("devise_inconnue", "Devise non acceptée par cette boutique : %(currency)s"),
    ("article_inconnu", "Article %(name)s non trouvé dans cette boutique"),
    ("unite_inconnue", "Unité non trouvée dans cette boutique"),
    ("unite_ambigue", "Unité ambiguë : %(reason)s"),
    ("stock_insuffisant", "Stock insuffisant pour %(name)s (demandé %(asked)s, disponible %(available)s)"),
    ("origine_invalide", "Vente d'origine invalide : %(reason)s"),
    ("origine_ambigue", "Vente d'origine ambiguë : plusieurs ventes portent ce numéro"),
    ("origine_inconnue", "Vente d'origine pas encore reçue : %(number)s"),
    ("deja_annulee", "Vente déjà annulée"),
    ("retour_excessif", "Retour supérieur à ce qui reste de la vente : %(name)s (demandé %(asked)s, reste %(left)s)"),
    ("paiement_excessif", "Paiement supérieur à ce qui est dû (payé %(asked)s, dû %(owed)s)"),
    ("ecartee", "Mise de côté par la boutique : %(detail)s"),
    ("echec_interne", "Erreur de notre côté (%(reason)s) ; la vente est gardée et sera reprise"),
)
# What stands in brackets or after a colon.
REASONS = (
    ("manquant", "manquant"),
    ("manquante", "manquante"),
    ("taux_manquant", "manquant : autre devise que celle de la vente"),
    ("unite_manquante", "article ou unité manquants"),
    ("nombre_attendu", "nombre attendu"),
    ("nombre_trop_grand", "nombre trop grand"),
    ("trop_de_chiffres", "trop de chiffres"),
    ("pas_positif", "doit être positif"),
    ("pas_positive", "doit être positive"),
    ("negatif", "ne peut pas être négatif"),
    ("plus_de_100", "supérieur à 100"),
    ("plus_que_la_vente", "supérieure au montant de la vente"),
    ("plus_que_la_ligne", "supérieure au montant de la ligne"),
    ("sans_ligne", "au moins une ligne"),
    ("trop", "plus de %(count)s"),
    ("trop_de_lignes", "plus de %(count)s lignes"),
    ("trop_de_paiements", "plus de %(count)s paiements"),
    ("trop_de_caracteres", "plus de %(count)s caractères"),
    ("trop_d_octets", "plus de %(count)s octets"),
    ("vente_trop_grande", "vente de plus de %(count)s octets"),
    ("caractere_interdit", "caractère interdit"),
    ("cle_illisible", "clé illisible"),
    ("cle_repetee", "clé répétée"),
    ("objet_attendu", "un objet est attendu"),
    ("valeur_inattendue", "type ou valeur inattendus"),
    ("json_illisible", "JSON illisible"),
    ("pas_en_utf8", "le texte n'est pas en UTF-8"),
    ("trop_profond", "imbriqué à plus de %(count)s niveaux"),
    ("uuid_illisible", "uuid illisible"),
    ("date_illisible", "date illisible"),
    ("instant_attendu", "date et heure attendues"),
    ("mode_illisible", "mode de paiement illisible"),
    ("devise_illisible", "code de trois lettres attendu"),
    ("devise_de_l_origine", "la vente d'origine est en %(currency)s"),
    ("pas_une_vente", "ce document n'est pas une vente"),
    ("ligne_inconnue", "elle n'a pas de ligne %(line)s"),
    ("enregistrement_illisible", "numéro d'enregistrement illisible"),
    ("vente_inconnue", "aucune vente de cette boutique ne porte ce numéro"),
    ("sans_unite_de_base", "l'article n'a pas d'unité de base"),
    ("unite_d_un_autre_article", "l'unité et l'article ne vont pas ensemble"),
    ("montant_sans_vente", "0 vente, mais un montant"),
    ("journee_sans_chiffres", "ventes, totaux ou caisse : au moins l'un des trois"),
    ("date_attendue", "une date est attendue : 2024-11-04"),
    ("annee_invraisemblable", "année de %(first)s à %(last)s attendue"),
    ("donne_deux_fois", "ce mode et cette devise sont déjà donnés"),
)
# Why an outcome was replaced, and what was set aside by no person.
CAUSES = (
    ("origine_arrivee", "La vente d'origine est arrivée"),
    ("nouvel_essai", "Nouvel essai"),
    ("stock_negatif_accepte", "Acceptée avec un stock négatif"),
    ("article_choisi", "Article choisi à la main"),
    ("acceptee_comme_autre", "Acceptée comme une autre vente"),
    ("corrigee", "Corrigée par une autre vente de même numéro (%(number)s)"),
    ("reprise", "Reprise"),
    ("reste_de_cote", "déjà mise de côté, elle le reste"),
    ("refusee_a_l_ecran", "Refusée à l'écran : %(detail)s"),
)

KILLED = "l'enregistrement s'est interrompu plusieurs fois"
# Every other part is a name or somebody's words.
NUMBERS = frozenset({"count", "line", "first", "last"})
PART = re.compile(r"%\((\w+)\)s")


def expression(shape):
    found, end = "", 0
    for part in PART.finditer(shape):
        found += re.escape(shape[end : part.start()]) + f"(?P<{part[1]}>{'[0-9]+' if part[1] in NUMBERS else '.*?'})"
        end = part.end()
    return re.compile(found + re.escape(shape[end:]), re.DOTALL)


def patterns(shapes):
    """Those that say most come first, so that `Champ invalide : …` comes last."""
    in_order = sorted(shapes, key=lambda one: len(PART.sub("", one[1])), reverse=True)
    return [(code, expression(shape)) for code, shape in in_order]


KEPT = patterns((*OUTCOMES, *CAUSES))
ALL = patterns((*OUTCOMES, *CAUSES, *REASONS))


def phrase_in(text, known=KEPT):
    """Return the phrase that the text is, as it is kept; None for what somebody typed."""
    for code, pattern in known:
        found = pattern.fullmatch(text)
        if found:
            return killed({"code": code, **{name: part_of(name, part) for name, part in found.groupdict().items()}})
    return None


def part_of(name, part):
    if name in NUMBERS:
        return int(part) if str(int(part)) == part else part
    if name in ("reason", "detail"):
        return phrase_in(part, ALL if name == "reason" else KEPT) or part
    return part


def killed(phrase):
    """A sale that killed its process had no code of its own."""
    is_killed = phrase["code"] == "echec_interne" and phrase["reason"] == KILLED
    return {"code": "echec_processus"} if is_killed else phrase


def code_and_params(code, detail):
    """Return what is kept of an outcome from now on: its code, and the parameters as JSON."""
    phrase = phrase_in(detail)
    if phrase is None:
        return code, json.dumps({"sentence": detail})
    own = {name: part for name, part in phrase.items() if name != "code"}
    if phrase["code"] == code:
        return code, json.dumps(own)
    if code == "echec_interne" and phrase["code"] == "echec_processus":
        return "echec_processus", json.dumps(own)
    return code, json.dumps({"sentence": phrase})


def fill_outcomes(apps, schema_editor):
    connection = schema_editor.connection
    batch, position = 0, 0
    while True:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(
                "SELECT batch_id, position, code, detail FROM sales_saleoutcome WHERE batch_id >= %s"
                " AND (batch_id > %s OR position > %s) AND detail <> '' AND params IS NULL"
                " ORDER BY batch_id, position LIMIT %s",
                [batch, batch, position, CHUNK_ROWS],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            cursor.executemany(
                "UPDATE sales_saleoutcome SET code = %s, params = %s"
                " WHERE batch_id = %s AND position = %s AND params IS NULL AND detail = %s",
                [(*code_and_params(code, detail), *key, detail) for *key, code, detail in rows],
            )
        batch, position = rows[-1][:2]


def fill_history(apps, schema_editor):
    """History is never changed, but for this once: its trigger is away only while there is something to fill."""
    connection = schema_editor.connection
    History = apps.get_model("sales", "OutcomeHistory")
    rows = History.objects.using(connection.alias).filter(params__isnull=True).exclude(detail="")
    replaced = History.objects.using(connection.alias).filter(reason_params__isnull=True).exclude(reason="")
    last = max((row for found in (rows, replaced) for row in found.order_by("-pk").values_list("pk", flat=True)[:1]),
               default=0)  # fmt: skip
    if not last:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER IF EXISTS {dialect.trigger_name('sales_outcomehistory', 'update')}")
    try:
        for first in range(0, last, CHUNK_IDS):
            chunk = {"pk__gt": first, "pk__lte": first + CHUNK_IDS}
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                kept = list(rows.filter(**chunk).values_list("pk", "code", "detail"))
                said = list(replaced.filter(**chunk).values_list("pk", "reason"))
                cursor.executemany(
                    "UPDATE sales_outcomehistory SET code = %s, params = %s WHERE id = %s",
                    [(*code_and_params(code, detail), pk) for pk, code, detail in kept],
                )
                cursor.executemany(
                    "UPDATE sales_outcomehistory SET reason_params = %s WHERE id = %s",
                    [(json.dumps(phrase), pk) for pk, reason in said if (phrase := phrase_in(reason))],
                )
    finally:
        dialect.install_triggers(connection)


def fill_voids(apps, schema_editor):
    """What the repair desk wrote on the document by which one sale replaced another."""
    alias = schema_editor.connection.alias
    Sale = apps.get_model("sales", "Sale")
    last = Sale.objects.using(alias).order_by("-pk").values_list("pk", flat=True).first() or 0
    for first in range(0, last, CHUNK_IDS):
        voids = Sale.objects.using(alias).filter(pk__gt=first, pk__lte=first + CHUNK_IDS, kind="annulation")
        ours = voids.filter(reason_params__isnull=True, reason__startswith="Corrigée par une autre vente de même numéro (")
        for pk, reason in list(ours.values_list("pk", "reason")):
            phrase = phrase_in(reason)
            if phrase:
                Sale.objects.using(alias).filter(pk=pk).update(reason_params=phrase)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sales", "0010_sentences_as_codes")]

    operations = [
        migrations.RunPython(fill_outcomes, migrations.RunPython.noop),
        migrations.RunPython(fill_history, migrations.RunPython.noop),
        migrations.RunPython(fill_voids, migrations.RunPython.noop),
    ]
