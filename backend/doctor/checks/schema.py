"""Checks of the schema: the keys that the promises hang on, triggers, forgotten migrations, engines and collations."""

from collections.abc import Iterator
from functools import partial

from django.db import connection, models
from django.db.migrations.loader import MigrationLoader

from backend.db.dialect import KeyField, exact_collation, install_triggers, is_sqlite, missing_triggers
from backend.doctor import tables
from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import listed, sentence
from backend.inventory.models import ArticleUnit
from backend.sales.models import InvoiceSequence


@check(promise="P6", title="La base refuse elle-même de changer l'historique", is_global=True)
def append_only_triggers(_scope: Scope) -> Iterator[Finding]:
    missing = missing_triggers(connection)
    if missing:
        yield Finding(
            sentence(f"il manque des déclencheurs : {listed(missing)}"),
            "Rien n'empêche plus un script ou une main de changer des lots et des mouvements déjà enregistrés.",
            Repair("Recréer les déclencheurs qui manquent.", _install_triggers, is_transactional=False),
        )


def _install_triggers() -> dict[str, object]:
    return {"before": "missing", "after": install_triggers(connection)}


@check(promise="P7", title="Le compteur du registre est unique par boutique, année et mois", is_global=True)
def sequence_uniqueness(_scope: Scope) -> Iterator[Finding]:
    yield from _look_at_uniques(
        InvoiceSequence,
        narrow="Chaque boutique n'a alors qu'un seul mois : dès le mois suivant, aucune de ses ventes ne s'enregistre.",
        missing="Deux compteurs d'un même mois donneraient deux fois le même numéro d'enregistrement.",
    )


@check(promise="P11", title="Une unité est unique par article et niveau, jamais par sa marque", is_global=True)
def unit_uniqueness(_scope: Scope) -> Iterator[Finding]:
    yield from _look_at_uniques(
        ArticleUnit,
        narrow="La marque est un libellé qu'on renomme : une clé qui la contient laisse deux unités du même niveau, et"
        " un nom renommé ou repris refuse du travail juste.",
        missing="Un article peut avoir deux unités du même niveau : ventes et annulations n'atteignent plus le même"
        " stock.",
    )


@check(title="Les clés que les modèles déclarent existent, et aucune autre n'est unique", is_global=True)
def declared_uniqueness(_scope: Scope) -> Iterator[Finding]:
    for model in _models_with_tables():
        # These two have their own checks.
        if model not in (InvoiceSequence, ArticleUnit):
            yield from _look_at_uniques(
                model,
                narrow="Une clé que le programme ne connaît pas refuse des lignes justes.",
                missing="Rien n'empêche plus des doublons, sur lesquels le programme compte.",
                is_known_fault=False,
            )


def _look_at_uniques(
    model: type[models.Model], *, narrow: str, missing: str, is_known_fault: bool = True
) -> Iterator[Finding]:
    """Yield the declared keys that are missing, then the unique indexes that are not declared.

    In this order, so that the right key exists before the wrong one is dropped: a foreign key may need either of them.
    An index that is not declared is dropped only if it is a known fault: another may be there on purpose.
    """
    table = model._meta.db_table
    declared = tables.declared_uniques(model)
    primary = frozenset(tables.primary_key_of(model))
    uniques = [key for key in tables.keys_of(table) if key.is_unique]
    present = {frozenset(key.columns) for key in uniques}
    for columns, name in declared.items():
        if columns not in present:
            yield _missing_unique(model, columns, name, missing)
    for key in uniques:
        if frozenset(key.columns) in declared or frozenset(key.columns) == primary:
            continue
        drop = partial(_drop_unique, table, key)
        yield Finding(
            sentence(f"la table {table} a un index unique de trop : {key.name} ({', '.join(key.columns)})"),
            narrow,
            Repair(f"Supprimer l'index {key.name}.", drop, is_transactional=False) if is_known_fault else None,
        )


def _missing_unique(model: type[models.Model], columns: frozenset[str], name: str, means: str) -> Finding:
    table = model._meta.db_table
    ordered = _in_declared_order(model, columns)
    found = f"la table {table} n'a pas sa clé unique {name} ({', '.join(ordered)})"
    twice = tables.duplicates(table, ordered)
    if twice:
        values = listed(" / ".join(str(value) for value in row[:-1]) + f" ({row[-1]} fois)" for row in twice)
        by_hand = " Une personne décide d'abord laquelle des lignes en double reste ; puis relancez --fix."
        return Finding(sentence(f"{found}, et des lignes y sont en double : {values}"), means + by_hand)
    create = partial(_create, table, name, ordered, is_unique=True)
    repair = Repair(f"Créer la clé unique {name} ({', '.join(ordered)}).", create, is_transactional=False)
    return Finding(sentence(found), means, repair)


def _in_declared_order(model: type[models.Model], columns: frozenset[str]) -> tables.Columns:
    for constraint in model._meta.total_unique_constraints:
        ordered = tables.columns_of(model, constraint.fields)
        if frozenset(ordered) == columns:
            return ordered
    return tuple(one.column for one in model._meta.local_concrete_fields if one.column in columns)


def _drop_unique(table: str, key: tables.Key) -> dict[str, object]:
    tables.drop_index(table, name=key.name)
    return {"before": f"{table}.{key.name} {key.columns}", "after": None}


def _create(table: str, name: str, columns: tables.Columns, *, is_unique: bool) -> dict[str, object]:
    tables.create_index(table, name=name, columns=columns, is_unique=is_unique)
    return {"before": None, "after": f"{table}.{name} {columns}"}


@check(title="Les index que les modèles déclarent existent", is_global=True)
def declared_indexes(_scope: Scope) -> Iterator[Finding]:
    """An index counts as present if another begins with its columns: the server drops an index that a longer one
    covers."""
    for model in _models_with_tables():
        table = model._meta.db_table
        present = [key.columns for key in tables.keys_of(table)] + [tables.primary_key_of(model)]
        for columns, name in tables.declared_indexes(model).items():
            if not any(other[: len(columns)] == columns for other in present):
                create = partial(_create, table, name, columns, is_unique=False)
                yield Finding(
                    sentence(f"la table {table} n'a pas l'index {name} ({', '.join(columns)})"),
                    "Tout reste juste, mais de plus en plus lent à mesure que la table grandit.",
                    Repair(f"Créer l'index {name}.", create, is_transactional=False),
                )


@check(promise="P2", title="Les clés étrangères que les modèles déclarent existent", is_global=True)
def declared_references(_scope: Scope) -> Iterator[Finding]:
    for model in _models_with_tables():
        table = model._meta.db_table
        present = {key.columns: key.refers_to for key in tables.keys_of(table) if key.refers_to}
        for column, target in tables.declared_references(model).items():
            if present.get((column,)) != target:
                yield Finding(
                    sentence(f"la colonne {table}.{column} n'a pas de clé étrangère vers {target[0]}.{target[1]}"),
                    f"La base laisserait supprimer une ligne de {target[0]} dont {table} parle encore. Quand aucune"
                    f" ligne n'est orpheline : ALTER TABLE {table} ADD FOREIGN KEY ({column})"
                    f" REFERENCES {target[0]} ({target[1]}).",
                )


@check(title="Chaque modèle a sa table, et toutes les migrations sont faites", is_global=True)
def unapplied_migrations(_scope: Scope) -> Iterator[Finding]:
    loader = MigrationLoader(connection)
    # All of them, not only the latest: a restored table of migrations may lack one in the middle, which `migrate` would
    # not notice.
    plan = sorted(set(loader.graph.nodes) - set(loader.applied_migrations))
    if plan:
        names = listed(".".join(migration) for migration in plan)
        yield Finding(
            sentence(f"migrations qui restent à faire : {names}"),
            "Le programme est plus récent que la base : ce qu'il écrit peut être refusé. Lancez « manage.py migrate ».",
        )
    present = _present_tables()
    for model in tables.our_models():
        if model._meta.db_table not in present and not plan:
            yield Finding(
                sentence(f"la table {model._meta.db_table} n'existe pas"),
                "Elle a été supprimée après sa migration : elle est à reprendre d'une sauvegarde.",
            )


@check(promise="P1", title="Toutes les tables sont InnoDB et utf8mb4", is_global=True)
def table_storage(_scope: Scope) -> Iterator[Finding]:
    if is_sqlite(connection):
        return
    names = {model._meta.db_table for model in tables.our_models()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, engine, table_collation FROM information_schema.tables"
            " WHERE table_schema = DATABASE() ORDER BY table_name"
        )
        rows = [row for row in cursor.fetchall() if row[0] in names]
    for table, engine, collation in rows:
        if engine != "InnoDB":
            yield Finding(
                sentence(f"la table {table} est {engine}"),
                f"{engine} ne connaît ni transaction ni verrou de ligne : une vente peut y rester à moitié. Pendant un"
                f" arrêt : ALTER TABLE {table} ENGINE=InnoDB.",
            )
        if not (collation or "").startswith("utf8mb4"):
            yield Finding(
                sentence(f"la table {table} est en {collation}"),
                "Un nom d'article ou de client avec un signe hors de ce jeu fait échouer sa vente. Pendant un arrêt :"
                f" ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4, puis relancez le docteur.",
            )


@check(promise="P3", title="Les textes qui identifient se comparent octet par octet", is_global=True)
def key_collations(_scope: Scope) -> Iterator[Finding]:
    """For MariaDB and MySQL. SQLite compares bytes by default, and no migration changes that."""
    if is_sqlite(connection):
        return
    wanted = exact_collation(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"
        )
        found = {(table, column): collation for table, column, collation in cursor.fetchall()}
    for model in _models_with_tables():
        for one in model._meta.local_concrete_fields:
            place = (model._meta.db_table, one.column)
            if isinstance(one, KeyField) and found.get(place, wanted) != wanted:
                yield Finding(
                    sentence(f"la colonne {place[0]}.{place[1]} se compare selon {found[place]}, et non {wanted}"),
                    "FAC-1 et fac-1 deviendraient le même numéro, Zoé et Zoe le même client : une vente juste passerait"
                    " pour un doublon, et l'argent de deux personnes ou de deux modes s'additionnerait. Pendant"
                    f" un arrêt : ALTER TABLE {place[0]} MODIFY {place[1]} avec COLLATE {wanted}.",
                )


def _models_with_tables() -> Iterator[type[models.Model]]:
    present = _present_tables()
    for model in tables.our_models():
        if model._meta.db_table in present:
            yield model


def _present_tables() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))
