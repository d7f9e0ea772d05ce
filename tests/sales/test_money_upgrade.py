"""What was recorded before the ledger of money gets its movements from what the tills sent, once."""

import json
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backend.localrun.stack import Stack
from tests.old_databases import Run, insert, mariadb, sqlite
from tests.plugin import Rig

DAY = "2026-03-02"
LINE = {"article_id": 1, "quantite": 1, "prix_unitaire": 25000}
USD_AND_CDF = [{"devise": "USD", "montant": 5, "taux": 2850}, {"montant": 10750}]

# (id, what the till sent, the columns that the older version wrote, its money by mode and currency from now on,
# whether it was reckoned otherwise before).
Case = tuple[int, dict[str, Any], dict[str, Any], dict[str, str], bool]
CASES: list[Case] = [
    (1, {"lignes": [LINE]}, {"total": 25000}, {"CASH CDF": "25000"}, False),
    (2, {"lignes": [LINE], "mode_paiement": "mobile_money"}, {"total": 25000, "payment_mode": "mobile_money"},
     {"MOBILE_MONEY CDF": "25000"}, False),
    (3, {"type": "annulation"}, {"total": 25000, "origin_id": 2}, {"MOBILE_MONEY CDF": "-25000"}, True),
    (4, {"lignes": [LINE], "paiements": USD_AND_CDF}, {"total": 25000, "has_payments": 1},
     {"CASH USD": "5", "CASH CDF": "10750"}, False),
    (5, {"type": "annulation"}, {"total": 25000, "origin_id": 4}, {"CASH USD": "-5", "CASH CDF": "-10750"}, True),
    (6, {"lignes": [LINE], "paye": False}, {"total": 25000, "is_paid": 0, "paid_later": 25000}, {}, False),
    (7, {"type": "paiement", "montant": 25000, "mode_paiement": "CARTE"},
     {"total": 25000, "origin_id": 6, "payment_mode": "CARTE"}, {"CARTE CDF": "25000"}, False),
    (8, {"type": "retour", "lignes": [{"ligne": 1, "quantite": 1}]}, {"total": 25000, "is_paid": 0, "origin_id": 6},
     {"CARTE CDF": "-25000"}, True),
    (9, {"lignes": [LINE], "mode_paiement": "CREDIT"}, {"total": 25000, "payment_mode": "CREDIT"}, {}, True),
    (10, {"lignes": [LINE], "paye": False, "paiements": [{"devise": "CDF", "montant": 5000, "taux": 2850}]},
     {"total": 25000, "is_paid": 0, "has_payments": 1}, {"CASH CDF": "5000"}, True),
    (11, {"lignes": [LINE], "mode_paiement": "CARTE"}, {"total": 25000, "payment_mode": "CARTE"},
     {"CARTE CDF": "25000"}, False),
    # The till said that it gave cash back: as it was reckoned before.
    (12, {"type": "annulation", "mode_paiement": "CASH"}, {"total": 25000, "origin_id": 11}, {"CASH CDF": "-25000"},
     False),
]  # fmt: skip
PAYMENTS = {4: [("CASH", "USD", 5, 2850), ("CASH", "CDF", 10750, 1)], 10: [("CASH", "CDF", 5000, 2850)]}


def insert_old_rows(run: Run) -> None:
    insert(run, "shops_shop", id=7, code="S", currencies="CDF,USD")
    insert(run, "sales_batch", id=3, receipt="00000003-0000-4000-8000-000000000000", terminal_id=5, shop_id=7)
    sent = [
        {"numero_facture": f"F-{pk}", "origine": {"vente_id": columns.get("origin_id", 1)}, **document}
        for pk, document, columns, _, _ in CASES
    ]
    insert(run, "sales_batchbody", batch_id=3, shop_id=7, deflated=zlib.compress(json.dumps(sent).encode()))
    for pk, document, columns, _, _ in CASES:
        whole = {
            "kind": document.get("type", "vente"), "number": f"F-{pk}", "registration_number": f"R-{pk}",
            "register_number": pk, "register_year": 2026, "register_month": 3, "batch_id": 3, "position": pk,
            "shop_id": 7, "terminal_id": 5, "payment_mode": "CASH", "is_paid": 1, "currency": "CDF",
            "business_day": DAY, "till_day": DAY, "cashier_code": "C1", "variant": 1, **columns,
        }  # fmt: skip
        insert(run, "sales_sale", id=pk, **whole)
    # What an older version recorded without its bytes: its columns are all that is known.
    insert(run, "sales_sale", id=90, kind="vente", number="F-90", shop_id=7, terminal_id=5, total=300, is_paid=1,
           payment_mode="CASH", currency="CDF", business_day=DAY, till_day=DAY, variant=1)  # fmt: skip
    for document_id, rows in PAYMENTS.items():
        for position, (mode, currency, amount, rate) in enumerate(rows, start=1):
            insert(run, "sales_salepayment", document_id=document_id, shop_id=7, position=position, mode=mode,
                   currency=currency, amount=amount, rate=rate)  # fmt: skip
    insert(run, "sales_daytotal", shop_id=7, day=DAY, marks=1, added_up_at_marks=1, figures="{}")


def money_of(run: Run, document_id: int) -> dict[str, str]:
    rows = run(
        "SELECT mode, currency, amount FROM sales_moneymovement WHERE document_id = %s ORDER BY position", document_id
    )
    return {f"{mode} {currency}": f"{Decimal(str(amount)):.0f}" for mode, currency, amount in rows}


@pytest.mark.parametrize("database", [mariadb, sqlite])
def test_an_upgrade_writes_the_money_of_what_was_recorded(
    rig: Rig, tmp_path: Path, database: Callable[[Path], Any]
) -> None:
    with database(tmp_path) as (url, run):
        environment = {"DATABASE_URL": url, "BROKER_URL": rig.broker_url}
        with Stack(folder=tmp_path, environment=environment) as stack:
            stack.run_once("migrate", "sales", "0011")
            stack.run_once("migrate", "inventory")
            insert_old_rows(run)
            said = stack.run_once("migrate")
            for pk, _, _, expected, _ in CASES:
                assert money_of(run, pk) == expected, pk
            different = [pk for pk, *_, is_different in CASES if is_different]
            for pk, *_ in CASES:
                assert (f"number=F-{pk} " in said) == (pk in different), said
            assert f"read_differently={len(different)}" in said
            assert money_of(run, 90) == {"CASH CDF": "300"}
            assert [bool(is_paid) for (is_paid,) in run("SELECT is_paid FROM sales_sale WHERE id IN (1, 9)")] == [
                True,
                False,
            ]
            paid = {pk: float(total) for pk, total in run("SELECT id, paid_total FROM sales_sale")}
            assert (paid[2], paid[4], paid[6], paid[10], paid[11]) == (0, 0, 0, 5000, 0)
            assert run("SELECT added_up_at_marks FROM sales_daytotal") == [(None,)]
            assert run("SELECT DISTINCT terminal_id, cashier FROM sales_moneymovement WHERE document_id < 90") == [
                (5, "C1")
            ]
            # Begun again: what is there stays. A process of the version before recorded a sale meanwhile.
            insert(run, "sales_sale", id=91, kind="vente", number="F-91", shop_id=7, terminal_id=5, total=40,
                   is_paid=1, payment_mode="CASH", currency="CDF", business_day=DAY, till_day=DAY, variant=1,
                   registration_number="R-91")  # fmt: skip
            before = run("SELECT COUNT(*), SUM(amount) FROM sales_moneymovement")
            stack.run_once("migrate", "sales", "0012")
            stack.run_once("migrate")
            [(count, amount)] = run("SELECT COUNT(*), SUM(amount) FROM sales_moneymovement")
            assert (count - before[0][0], float(amount) - float(before[0][1])) == (1, 40)
