"""What an older version kept as sentences reads as it read then, in French and in English, once it is migrated.

old_sentences.json was written by that version: each sentence that it could keep, with its English. Outcomes are
[code, path, French, English], the others [French, English].
"""

import html
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backend.inventory.comments import comment_of
from backend.inventory.models import MovementComment, StockMovement
from backend.localrun.stack import Stack
from backend.sales.errors import reason_of, sentence_of
from backend.sales.errors.refusals import SaleRefused
from backend.sales.models import Batch, OutcomeHistory, Sale, SaleOutcome
from backend.testing import Cast
from tests.old_databases import Run, insert, mariadb, sqlite
from tests.plugin import Rig
from tests.tills import Till, line, sale

OLD: dict[str, list[list[str]]] = json.loads((Path(__file__).parent / "old_sentences.json").read_text())
BEFORE = (("inventory", "0005"), ("sales", "0009"))
OF_A_SALE = "Vente #F-1 - Prix: 3.00 CDF"
KILLED = "l'enregistrement s'est interrompu plusieurs fois"
STATUS = {refusal.code: refusal.status for refusal in SaleRefused.__subclasses__()}


def insert_old_rows(run: Run) -> None:
    insert(run, "shops_shop", id=7, code="S")
    insert(run, "inventory_article", id=1, shop_id=7)
    insert(run, "inventory_articleunit", id=1, article_id=1)
    for pk in (3, 4):
        insert(run, "sales_batch", id=pk, receipt=f"{pk:08}-0000-4000-8000-000000000000")
    for position, (code, path, detail, _) in enumerate(OLD["outcomes"], start=1):
        insert(run, "sales_saleoutcome", batch_id=3, position=position, code=code, path=path, detail=detail,
               status="rejected")  # fmt: skip
        insert(run, "sales_outcomehistory", id=position, batch_id=3, position=position, code=code, detail=detail)
    insert(run, "sales_saleoutcome", batch_id=4, position=1, status="created")
    for pk, (reason, _) in enumerate(OLD["reasons"], start=1000):
        insert(run, "sales_outcomehistory", id=pk, batch_id=3, position=1, reason=reason)
    for pk, (reason, _) in enumerate(OLD["motives"], start=1):
        insert(run, "sales_sale", id=pk, kind="annulation", reason=reason, number=f"V-{pk}", batch_id=3, position=pk,
               registration_number=f"R-{pk}")  # fmt: skip
    for pk, (comment, _) in enumerate(OLD["movements"], start=1):
        insert(run, "inventory_stockmovement", id=pk, comment=comment, unit_id=1, shop_id=7)
    insert(run, "inventory_stockmovement", id=900, comment=OF_A_SALE, unit_id=1, shop_id=7, document_id=1, line=1)


def loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def check_outcomes(rows: list[tuple]) -> None:
    assert len(rows) == len(OLD["outcomes"])
    for (code, params, detail), (old_code, _, french, english) in zip(rows, OLD["outcomes"], strict=True):
        outcome = SaleOutcome(code=code, params=loaded(params), detail="is not read")
        assert outcome.params is not None
        assert (sentence_of(outcome, "fr"), sentence_of(outcome, "en")) == (french, english)
        assert detail == french, "processes of the version before still read it"
        assert code == ("echec_processus" if KILLED in french and old_code == "echec_interne" else old_code)


@pytest.mark.parametrize("database", [mariadb, sqlite])
def test_an_upgrade_keeps_what_each_outcome_reason_and_comment_says(
    rig: Rig, tmp_path: Path, database: Callable[[Path], Any]
) -> None:
    with database(tmp_path) as (url, run):
        environment = {"DATABASE_URL": url, "BROKER_URL": rig.broker_url}
        with Stack(folder=tmp_path, environment=environment) as stack:
            for app, migration in BEFORE:
                stack.run_once("migrate", app, migration)
            insert_old_rows(run)
            stack.run_once("migrate")
            # Killed in the midst of it and begun again.
            run("UPDATE sales_saleoutcome SET params = NULL WHERE position > 70")
            run("DELETE FROM inventory_movementcomment WHERE movement_id = 1")
            for app, migration in (("sales", "0010"), ("inventory", "0006")):
                stack.run_once("migrate", app, migration)
            stack.run_once("migrate")
        for table in ("sales_saleoutcome", "sales_outcomehistory"):
            check_outcomes(
                run(f"SELECT code, params, detail FROM {table} WHERE detail <> '' ORDER BY batch_id, position")
            )
        assert run("SELECT params FROM sales_saleoutcome WHERE batch_id = 4") == [(None,)]
        check_reasons(run("SELECT reason, reason_params FROM sales_outcomehistory WHERE id >= 1000 ORDER BY id"),
                      OLD["reasons"], OutcomeHistory)  # fmt: skip
        check_reasons(run("SELECT reason, reason_params FROM sales_sale ORDER BY id"), OLD["motives"], Sale)
        check_comments(run)
        with pytest.raises(Exception, match="append-only"):
            run("UPDATE sales_outcomehistory SET reason = 'x'")
        with pytest.raises(Exception, match="append-only"):
            run("UPDATE inventory_stockmovement SET comment = 'x'")


def check_reasons(rows: list[tuple], old: list[list[str]], model: type[OutcomeHistory | Sale]) -> None:
    for (reason, params), (french, english) in zip(rows, old, strict=True):
        kept = model(reason=reason, reason_params=loaded(params))
        assert (reason, reason_of(kept, "fr"), reason_of(kept, "en")) == (french, french, english)
        kept.reason = "is not read"
        assert params is None or reason_of(kept, "fr") == french


def check_comments(run: Run) -> None:
    """The movements are as they were; beside them stands which of their comments are ours."""
    rows = run(
        "SELECT m.id, m.comment, c.phrase FROM inventory_stockmovement m LEFT JOIN inventory_movementcomment c"
        " ON c.movement_id = m.id ORDER BY m.id"
    )
    assert rows.pop() == (900, OF_A_SALE, None)
    for (_, comment, phrase), (french, english) in zip(rows, OLD["movements"], strict=True):
        movement = StockMovement(comment=comment)
        if phrase is not None:
            movement.kept_comment = MovementComment(movement=movement, phrase=json.loads(phrase))
            assert french != english
        assert (comment, comment_of(movement, "fr"), comment_of(movement, "en")) == (french, french, english)


@pytest.mark.embedded
@pytest.mark.parametrize("is_filled", [True, False], ids=["migrated", "as an older worker leaves it meanwhile"])
def test_receipts_and_pages_say_what_they_said(cast: Cast, till: Till, client: Client, is_filled: bool) -> None:
    till.settle_one(sale("FAC-1", line(cast.rice)))
    pages = [OLD["outcomes"][:75], OLD["outcomes"][75:]]
    batches = [make_old_batch(cast, rows) for rows in pages]
    if is_filled:
        fill = importlib.import_module("backend.sales.migrations.0011_fill_codes_and_params")
        # SQLite refuses to make its editor inside a transaction, and only the connection is asked of it.
        fill.fill_outcomes(apps, SimpleNamespace(connection=connection))
        assert SaleOutcome.objects.get(params__isnull=True).status == "created"
    client.force_login(cast.alice)
    for batch, old in zip(batches, pages, strict=True):
        receipt = till.receipt(str(batch.receipt))
        assert [entry["erreur"] for entry in receipt["details"]["erreurs"]] == [row[2] for row in old]
        address = reverse("web:batch", args=[batch.receipt])
        for language, column in (("fr", 2), ("en", 3 if is_filled else 2)):
            client.cookies["django_language"] = language
            page = html.unescape(client.get(address).content.decode())
            assert [row[column] for row in old if f"<p>{row[column]}</p>" not in page] == []


def make_old_batch(cast: Cast, rows: list[list[str]]) -> Batch:
    now = timezone.now()
    batch = Batch.objects.create(
        terminal=cast.terminal, shop=cast.shop, device=cast.device, sha256="", sale_count=len(rows),
        next_position=len(rows) + 1, error_count=len(rows), received_at=now, moved_at=now, settled_at=now,
    )  # fmt: skip
    SaleOutcome.objects.bulk_create(
        SaleOutcome(
            batch=batch, position=position, shop=cast.shop, terminal=cast.terminal, status=STATUS[code], code=code,
            path=path, detail=detail, version=1, at=now, document=Sale.objects.get(),
        )
        for position, (code, path, detail, _) in enumerate(rows, start=1)
    )  # fmt: skip
    return batch
