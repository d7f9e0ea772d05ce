"""The contract's answers about sales, compared key by key with real ones."""

from typing import Any

import pytest

from backend.testing import Cast
from tests.tills import FATES, RECEIPTS, STATE, SYNC, Till, line, sale, stock_of

pytestmark = pytest.mark.embedded

# The answer of the legacy endpoint: the receipt has all of its keys, and more.
OLD_ANSWER: dict[str, Any] = {
    "success": True,
    "message": "2 vente(s) synchronisée(s) avec succès",
    "ventes_creees": 2,
    "ventes_erreurs": 0,
    "details": {
        "creees": [
            {
                "numero_facture": "FAC-20241104-001",
                "status": "created",
                "id": 123,
                "boutique_id": 9,
                "boutique_nom": "Ma Boutique",
                "montant_total": "50000.00",
                "lignes_count": 1,
                "lignes": [],
            }
        ],
        "erreurs": [],
    },
    "boutique": {"id": 9, "nom": "Ma Boutique", "code": "BTQ-009"},
    "terminal": {"id": 5, "nom": "Terminal MAUI", "numero_serie": "0a1badae951f8473"},
    "statistiques": {"total_envoyees": 2, "reussies": 2, "erreurs": 0},
}


def two_sales(cast: Cast) -> list[dict[str, Any]]:
    cash = {"mode_paiement": "CASH", "paye": True}
    return [
        sale("FAC-20241104-001", line(cast.rice, quantity=2, price=25000.00), **cash),
        sale("FAC-20241104-002", line(cast.oil, quantity=1, price=75000.00), **cash),
    ]


def shop_and_terminal(cast: Cast) -> dict[str, Any]:
    return {
        "boutique": {"id": cast.shop.pk, "nom": "Ma Boutique", "code": "BTQ-009"},
        "terminal": {"id": cast.terminal.pk, "nom": "Terminal MAUI", "numero_serie": "0a1badae951f8473"},
    }


def test_a_batch_is_acknowledged_and_nothing_is_promised(cast: Cast, till: Till) -> None:
    answer = till.send_sales(*two_sales(cast))

    body = answer.json()
    assert answer.status_code == 202
    assert body == {
        "recu": body["recu"],
        "statut": "en_attente",
        "ventes_recues": 2,
        "url": f"/api/v2/simple/ventes/recus/{body['recu']}",
        "message": "2 vente(s) reçue(s), enregistrement en cours",
        **shop_and_terminal(cast),
    }
    assert answer["Location"] == body["url"]
    assert answer["Retry-After"] == "1"
    assert b"success" not in answer.content


def test_a_receipt_before_posting_says_that_every_sale_waits(cast: Cast, till: Till) -> None:
    receipt = till.receipt(till.hand_over(*two_sales(cast)))

    assert receipt == {
        "recu": receipt["recu"],
        "statut": "en_attente",
        "version": 0,
        "recu_le": receipt["recu_le"],
        "message": "0 vente(s) sur 2 traitée(s)",
        "ventes_creees": 0,
        "ventes_erreurs": 0,
        "details": {
            "creees": [],
            "erreurs": [],
            "en_attente": [
                {"index": 1, "numero_facture": "FAC-20241104-001", "status": "pending", "action": "attendre"},
                {"index": 2, "numero_facture": "FAC-20241104-002", "status": "pending", "action": "attendre"},
            ],
        },
        "trous": [],
        **shop_and_terminal(cast),
        "statistiques": {"total_envoyees": 2, "reussies": 0, "erreurs": 0, "doublons": 0},
    }


def first_entry(cast: Cast, entry: dict[str, Any]) -> dict[str, Any]:
    """Return what a receipt says of the first of the two sales; only its ids are taken from the answered `entry`."""
    return {
        "index": 1,
        "numero_facture": "FAC-20241104-001",
        "variante": 1,
        "status": "created",
        "action": "purger",
        "id": entry["id"],
        "numero_enregistrement": entry["numero_enregistrement"],
        "boutique_id": cast.shop.pk,
        "boutique_nom": "Ma Boutique",
        "montant_total": "50000.00",
        "devise": "CDF",
        "lignes_count": 1,
        "avertissements": ["sans_heure"],
        "lignes": [
            {
                "ligne": 1,
                "article_id": cast.rice.pk,
                "unite_uuid": str(cast.rice.base_unit.uuid),
                "quantite": 2,
                "prix_unitaire": "25000.00",
                "remise": "0.00",
                "montant": "50000.00",
                "stock_apres": 98,
            }
        ],
        "argent": [{"mode": "CASH", "devise": "CDF", "montant": "50000.00"}],
    }


def test_a_receipt_in_progress_separates_recorded_refused_and_waiting_sales(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(
        *two_sales(cast)[:1],
        sale("FAC-TEST-004", line(cast.rice, quantity=1000)),
        sale("FAC-20241104-009", line(cast.oil)),
    )
    till.post_next(2)

    body = till.receipt(receipt)

    created = body["details"]["creees"][0]
    assert body == {
        "recu": receipt,
        "statut": "en_cours",
        "version": 2,
        "recu_le": body["recu_le"],
        "message": "2 vente(s) sur 3 traitée(s)",
        "ventes_creees": 1,
        "ventes_erreurs": 1,
        "details": {
            "creees": [first_entry(cast, created)],
            "erreurs": [
                {
                    "index": 2,
                    "numero_facture": "FAC-TEST-004",
                    "status": "rejected",
                    "action": "garder",
                    "code": "stock_insuffisant",
                    "chemin": "lignes[0].quantite",
                    "erreur": "Stock insuffisant pour Riz 25 kg (demandé 1000, disponible 98)",
                }
            ],
            "en_attente": [
                {"index": 3, "numero_facture": "FAC-20241104-009", "status": "pending", "action": "attendre"}
            ],
        },
        "trous": [],
        **shop_and_terminal(cast),
        "statistiques": {"total_envoyees": 3, "reussies": 1, "erreurs": 1, "doublons": 0},
    }
    assert created["numero_enregistrement"].endswith("-000001")
    assert b"success" not in till.get(f"{RECEIPTS}/{receipt}").content


def test_a_settled_receipt_has_every_key_of_the_old_answer(cast: Cast, till: Till) -> None:
    receipt = till.settle(*two_sales(cast))

    def missing(old: Any, new: Any, path: str = "") -> list[str]:
        if isinstance(old, dict):
            gone = [f"{path}.{key}" for key in old if key not in new]
            return gone + [one for key in old if key in new for one in missing(old[key], new[key], f"{path}.{key}")]
        if isinstance(old, list) and old:
            return missing(old[0], new[0], f"{path}[0]")
        return [] if type(old) is type(new) else [f"{path} is {type(new)}"]

    assert missing(OLD_ANSWER, receipt) == []
    same = ("success", "message", "ventes_creees", "ventes_erreurs")
    assert {key: receipt[key] for key in same} == {key: OLD_ANSWER[key] for key in same}
    assert receipt["statut"] == "traite"
    assert receipt["details"]["en_attente"] == []
    assert receipt["traite_le"] >= receipt["recu_le"]
    assert receipt["statistiques"] == {"total_envoyees": 2, "reussies": 2, "erreurs": 0, "doublons": 0}


def test_the_list_of_receipts_has_one_line_for_each(cast: Cast, till: Till) -> None:
    till.settle(*two_sales(cast))
    waiting = till.hand_over(sale("FAC-3", line(cast.rice)))

    both = till.get(RECEIPTS).json()
    still_open = till.get(f"{RECEIPTS}?ouverts=1").json()

    assert [one["statut"] for one in both["recus"]] == ["en_attente", "traite"]
    assert still_open == {
        "recus": [
            {
                "recu": waiting,
                "statut": "en_attente",
                "version": 0,
                "recu_le": both["recus"][0]["recu_le"],
                "ventes_recues": 1,
                "ventes_creees": 0,
                "ventes_erreurs": 0,
                "url": f"{RECEIPTS}/{waiting}",
            }
        ],
        "suivant": None,
    }


def test_statuses_are_looked_up_by_number_with_get_and_post(cast: Cast, till: Till) -> None:
    receipt = till.settle(sale("A", line(cast.rice)), sale("B", line(cast.rice, quantity=1000)))
    waiting = till.hand_over(sale("C", line(cast.rice)))
    created = receipt["details"]["creees"][0]

    answer = till.get(f"{FATES}?numero_facture=A&numero_facture=B&numero_facture=C&numero_facture=D").json()

    assert answer == {
        "ventes": [
            {
                "numero_facture": "A",
                "status": "created",
                "action": "purger",
                "recu": receipt["recu"],
                "index": 1,
                "id": created["id"],
                "numero_enregistrement": created["numero_enregistrement"],
            },
            {
                "numero_facture": "B",
                "status": "rejected",
                "action": "garder",
                "recu": receipt["recu"],
                "index": 2,
                "code": "stock_insuffisant",
                "erreur": "Stock insuffisant pour Riz 25 kg (demandé 1000, disponible 99)",
            },
            {"numero_facture": "C", "status": "pending", "action": "attendre", "recu": waiting, "index": 1},
            {"numero_facture": "D", "status": "unknown", "action": "renvoyer"},
        ]
    }
    assert till.look_up_statuses("A", "B", "C", "D") == answer["ventes"]


def test_the_state_has_the_time_the_limits_and_what_is_open(cast: Cast, till: Till) -> None:
    till.settle(sale("A", line(cast.rice, quantity=1000), sequence=7), sale("B", line(cast.rice), sequence=10))
    till.hand_over(sale("C", line(cast.rice)), sale("D", line(cast.rice)))

    state = till.get(STATE).json()

    assert state == {
        "heure": state["heure"],
        "ecart_horloge_s": None,
        **shop_and_terminal(cast),
        "mode_reponse": "recu",
        "limites": {"ventes_par_lot": 1000, "octets": 5242880, "lignes_par_vente": 200, "lots_en_attente": 20},
        "en_attente": {"lots": 1, "ventes": 2},
        "a_corriger": 1,
        "trous": [{"de": 8, "a": 9}],
        "pause": False,
    }


def test_a_problem_has_its_code_and_its_sentence_twice(till: Till) -> None:
    answer = till.send(b'{"numero_facture": "FAC-TEST-006"}')

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/docs/erreurs#tableau_attendu",
        "title": "Un tableau est attendu",
        "status": 400,
        "detail": "Format invalide: un tableau de ventes est attendu",
        "code": "tableau_attendu",
        "error": "Format invalide: un tableau de ventes est attendu",
    }


def test_the_cases_of_the_sources_in_their_order(cast: Cast, till: Till) -> None:
    both = till.settle(*two_sales(cast))["details"]["creees"]
    assert [(one["status"], one["montant_total"]) for one in both] == [("created", "50000.00"), ("created", "75000.00")]
    assert (stock_of(cast.rice), stock_of(cast.oil)) == (98, 99)

    elsewhere = till.settle_one(sale("FAC-TEST-003", line(cast.other_article, price=50000.00)))
    assert (elsewhere["status"], elsewhere["code"]) == ("rejected", "article_inconnu")
    assert elsewhere["erreur"] == f"Article {cast.other_article.pk} non trouvé dans cette boutique"
    assert stock_of(cast.other_article) == 100

    too_many = till.settle_one(sale("FAC-TEST-004", line(cast.rice, quantity=1000)))
    assert (too_many["status"], too_many["code"]) == ("rejected", "stock_insuffisant")
    assert too_many["erreur"] == "Stock insuffisant pour Riz 25 kg (demandé 1000, disponible 98)"
    assert stock_of(cast.rice) == 98

    first = till.settle_one(sale("FAC-TEST-005", line(cast.rice)))
    again = till.settle(sale("FAC-TEST-005", line(cast.rice)))
    assert first["status"] == "created"
    assert again["details"]["erreurs"] == [
        {
            "index": 1,
            "numero_facture": "FAC-TEST-005",
            "status": "duplicate",
            "action": "purger",
            "code": "deja_existante",
            "erreur": "Vente déjà existante",
            "id": first["id"],
            "numero_enregistrement": first["numero_enregistrement"],
        }
    ]
    assert (again["success"], again["message"]) == (True, "0 vente(s) synchronisée(s) avec succès, 1 déjà existante(s)")
    assert again["statistiques"] == {"total_envoyees": 1, "reussies": 0, "erreurs": 1, "doublons": 1}
    assert stock_of(cast.rice) == 97

    batches = till.batches()
    assert till.call("POST", SYNC, b'{"numero_facture": "FAC-TEST-006", "lignes": []}').status_code == 400
    assert till.batches() == batches
