"""The contract's heartbeat and end of day: each request as written there, each answer key by key."""

import json
from datetime import UTC, datetime

import pytest

from backend.sales.models import Batch, Heartbeat
from backend.testing import Cast
from tests.tills import BASE, STATE, Till, line, sale

pytestmark = pytest.mark.embedded

HEARTBEAT = """{"heure": "2024-11-04T18:00:00+01:00", "a_envoyer": {"nombre": 12,
 "montants": [{"devise": "CDF", "montant": "184000.00"}], "plus_ancienne": "2024-11-04T15:10:00+01:00"},
 "sequence": 1857}"""

END_OF_DAY = """{"jour": "2024-11-04", "ventes": [{"numero_facture": "FAC-20241104-001", "montant": "50000.00"},
   {"numero_facture": "FAC-20241104-012", "montant": "1000.00"},
   {"numero_facture": "FAC-TEST-004", "montant": "25000000.00"}],
 "totaux": [{"mode": "CASH", "devise": "CDF", "nombre": 12, "montant": "184000.00"}],
 "caisse": {"caissier": "C2", "fond_ouverture": [{"devise": "CDF", "montant": "20000.00"}],
            "sorties": [{"motif": "transport", "devise": "CDF", "montant": "3000.00"}],
            "especes_comptees": [{"devise": "CDF", "montant": "201000.00"}]}}"""

NOVEMBER = {"date_vente": "2024-11-04T17:42:10+01:00"}


def test_a_heartbeat_is_answered_with_the_state(cast: Cast, till: Till) -> None:
    answer = till.call("POST", STATE, HEARTBEAT.encode())

    state = answer.json()
    server = datetime.fromisoformat(state["heure"])
    assert answer.status_code == 200
    assert state == {
        "heure": state["heure"],
        # The till's 17:00:00 in UTC against our clock: behind us, as -3.2 would be.
        "ecart_horloge_s": round((datetime(2024, 11, 4, 17, tzinfo=UTC) - server).total_seconds(), 3),
        "boutique": {"id": cast.shop.pk, "nom": "Ma Boutique", "code": "BTQ-009"},
        "terminal": {"id": cast.terminal.pk, "nom": "Terminal MAUI", "numero_serie": "0a1badae951f8473"},
        "mode_reponse": "recu",
        "limites": {"ventes_par_lot": 1000, "octets": 5242880, "lignes_par_vente": 200, "lots_en_attente": 20},
        "en_attente": {"lots": 0, "ventes": 0},
        "a_corriger": 0,
        "trous": [],
        "pause": False,
    }
    assert state["ecart_horloge_s"] < 0
    kept = Heartbeat.objects.get()
    assert (kept.held_count, kept.sequence) == (12, 1857)
    assert kept.held_amounts == [{"currency": "CDF", "amount": "184000.00"}]


def test_the_end_of_a_day_is_answered_with_exactly_what_differs(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(
        sale("FAC-20241104-001", line(cast.rice, price=49000), **NOVEMBER),
        sale("FAC-20241104-002", line(cast.oil, price=123000), **NOVEMBER),
        sale("FAC-TEST-004", line(cast.rice, quantity=1000), **NOVEMBER),
    )
    Batch.objects.filter(receipt=receipt).update(received_at=datetime(2024, 11, 4, 18, tzinfo=UTC))
    till.post_all()

    answer = till.call("POST", BASE + "ventes/rapprochement", END_OF_DAY.encode())

    body = answer.json()
    assert answer.status_code == 200
    assert body == {
        "jour": "2024-11-04",
        "resultat": "ecart",
        "manquantes": ["FAC-20241104-012"],
        "en_trop": ["FAC-20241104-002"],
        "differentes": [
            {"numero_facture": "FAC-20241104-001", "montant_caisse": "50000.00", "montant_serveur": "49000.00"}
        ],
        "en_attente": [],
        "a_corriger": ["FAC-TEST-004"],
        "totaux": [{"mode": "CASH", "devise": "CDF", "nombre": 2, "montant": "172000.00"}],
        "caisse": [{"devise": "CDF", "attendu": "189000.00", "compte": "201000.00", "ecart": "12000.00"}],
        "rapprochement": body["rapprochement"],
    }
    assert list(body) == [
        "jour", "resultat", "manquantes", "en_trop", "differentes", "en_attente", "a_corriger", "totaux", "caisse",
        "rapprochement",
    ]  # fmt: skip


def test_a_day_that_agrees_is_equal_in_everything(cast: Cast, till: Till) -> None:
    till.settle(sale("FAC-20241104-001", line(cast.rice, price=50000), **NOVEMBER))
    report = json.loads(END_OF_DAY)
    report["ventes"] = report["ventes"][:1]
    report["totaux"][0] |= {"nombre": 1, "montant": 50000}
    report["caisse"]["especes_comptees"][0]["montant"] = 67000

    body = till.call("POST", BASE + "ventes/rapprochement", json.dumps(report).encode()).json()

    assert body == {
        "jour": "2024-11-04",
        "resultat": "egal",
        "manquantes": [],
        "en_trop": [],
        "differentes": [],
        "en_attente": [],
        "a_corriger": [],
        "totaux": [{"mode": "CASH", "devise": "CDF", "nombre": 1, "montant": "50000.00"}],
        "caisse": [{"devise": "CDF", "attendu": "67000.00", "compte": "67000.00", "ecart": "0.00"}],
        "rapprochement": body["rapprochement"],
    }
