"""The contract's answers of the three calls that only read, compared key by key with real ones."""

from decimal import Decimal
from typing import Any

import pytest

from backend.inventory.models import Article, ArticleUnit, StockMovement, UnitLevel
from backend.sales.models import Sale, SaleOutcome
from backend.sales.wire.vocabulary import timestamp
from backend.testing import Cast, add_unit, make_article
from tests.tills import BASE, Till, line, sale

pytestmark = pytest.mark.embedded


@pytest.fixture
def beans(cast: Cast) -> Article:
    """Sold by the piece, with price, barcode and threshold, and by the carton, with few fields set."""
    beans = make_article(
        cast.shop, name="Haricots 1 kg", code="HAR1", barcode="6130001112223", price=Decimal("4500.5"), vat_rate=16
    )
    ArticleUnit.objects.filter(pk=beans.base_unit_id).update(mark="SACHET", low_stock_threshold=Decimal("12.5"))
    add_unit(beans, level=UnitLevel.CARTON, mark="CTN", stock=4, holds=Decimal(20), price=85000)
    return beans


def body_of(till: Till, path: str) -> dict[str, Any]:
    answer = till.get(BASE + path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return answer.json()


def test_the_catalogue(cast: Cast, till: Till, beans: Article) -> None:
    till.settle(sale("FAC-1", line(beans, quantity="0.25", price="4500.50")))
    piece, carton = beans.units.order_by("pk")

    body = body_of(till, "articles")

    [article] = [article for article in body["articles"] if article["id"] == beans.pk]
    assert list(body) == ["articles", "curseur", "fin"]
    assert (body["fin"], type(body["curseur"])) == (True, str)
    assert article == {
        "id": beans.pk,
        "uuid": str(beans.uuid),
        "code": "HAR1",
        "code_barres": "6130001112223",
        "nom": "Haricots 1 kg",
        "actif": True,
        "unite_base": str(piece.uuid),
        "unites": [
            {
                "uuid": str(piece.uuid),
                "niveau": "PIECE",
                "marque": "SACHET",
                "contient": None,
                "prix": "4500.50",
                "devise": "CDF",
                "taux_tva": "16.00",
                "stock": 99.75,
                "seuil": 12.5,
            },
            {
                "uuid": str(carton.uuid),
                "niveau": "CARTON",
                "marque": "CTN",
                "contient": 20,
                "prix": "85000.00",
                "devise": "CDF",
                "taux_tva": "0.00",
                "stock": 4,
                "seuil": None,
            },
        ],
    }
    # 4 and not 4.0.
    assert b'"stock":4,' in till.get(BASE + "articles").content.replace(b": ", b":")


def test_an_article_without_a_barcode_or_off_sale(cast: Cast, till: Till) -> None:
    Article.objects.filter(pk=cast.oil.pk).update(is_active=False)
    by_code = {article["code"]: article for article in body_of(till, "articles")["articles"]}
    assert (by_code["RIZ25"]["code_barres"], by_code["RIZ25"]["actif"]) == (None, True)
    assert by_code["HUI20"]["actif"] is False


def test_the_movements(cast: Cast, till: Till, beans: Article) -> None:
    till.settle(sale("FAC-20241104-001", line(beans, quantity=2, price="4500.50")))
    sold = StockMovement.objects.latest("pk")

    assert body_of(till, f"stock/mouvements?article_id={beans.pk}&limit=1") == {
        "success": True,
        "boutique_id": cast.shop.pk,
        "boutique_nom": "Ma Boutique",
        "count": 1,
        "mouvements": [
            {
                "id": sold.pk,
                "article_id": beans.pk,
                "article_nom": "Haricots 1 kg",
                "article_code": "HAR1",
                "unite_uuid": str(beans.base_unit.uuid),
                "type_mouvement": "VENTE",
                "quantite": -2,
                "stock_avant": 100,
                "stock_apres": 98,
                "reference_document": "FAC-20241104-001",
                "commentaire": "Vente #FAC-20241104-001 - Prix: 4500.50 CDF",
                "date_mouvement": timestamp(sold.at),
                "utilisateur": "Terminal MAUI",
            }
        ],
        "suivant": f"/api/v2/simple/stock/mouvements?article_id={beans.pk}&limit=1&curseur={sold.pk}",
    }
    assert body_of(till, f"stock/mouvements?article_id={beans.pk}")["suivant"] is None


def test_no_movement_at_all(cast: Cast, till: Till) -> None:
    assert body_of(till, "stock/mouvements?date_fin=2001-01-01") == {
        "success": True,
        "boutique_id": cast.shop.pk,
        "boutique_nom": "Ma Boutique",
        "count": 0,
        "mouvements": [],
        "suivant": None,
    }


def test_the_changes(cast: Cast, till: Till) -> None:
    receipt = till.hand_over(sale("FAC-A", line(cast.rice)), sale("FAC-B", line(cast.rice, quantity=300)), {"x": 1})
    till.post_all()
    document = Sale.objects.get(number="FAC-A")
    unreadable = SaleOutcome.objects.get(position=3)

    body = body_of(till, "ventes/changements")

    assert body == {
        "ventes": [
            {
                "recu": receipt,
                "index": 1,
                "numero_facture": "FAC-A",
                "status": "created",
                "action": "purger",
                "id": document.pk,
            },
            {
                "recu": receipt,
                "index": 2,
                "numero_facture": "FAC-B",
                "status": "rejected",
                "action": "garder",
                "code": "stock_insuffisant",
                "erreur": "Stock insuffisant pour Riz 25 kg (demandé 300, disponible 99)",
            },
            {
                "recu": receipt,
                "index": 3,
                "numero_facture": "N/A",
                "status": "rejected",
                "action": "corriger",
                "code": "champ_invalide",
                "erreur": unreadable.detail,
            },
        ],
        "curseur": body["curseur"],
        "fin": True,
    }


INVALID = (400, "parametre_invalide", "Paramètre invalide")
UNKNOWN = (404, "introuvable", "Introuvable")


@pytest.mark.parametrize(
    ("path", "problem", "detail"),
    [
        ("articles?limit=1001", INVALID, "limit : un nombre entier de 1 à 1000 est attendu"),
        (
            "ventes/changements?depuis=hier",
            INVALID,
            "depuis : un curseur donné par une réponse de cet appel est attendu",
        ),
        (
            "stock/mouvements?date_fin=demain",
            INVALID,
            "date_fin : une date AAAA-MM-JJ, ou un instant ISO 8601 avec son décalage (+ s'écrit %2B), est attendu",
        ),
        (
            "stock/mouvements?article_id=987654",
            UNKNOWN,
            "article_id : article 987654 non trouvé dans cette boutique",
        ),
    ],
)
def test_a_refusal(till: Till, path: str, problem: tuple[int, str, str], detail: str) -> None:
    status, code, title = problem
    answer = till.get(BASE + path)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json() == {
        "type": f"/docs/erreurs#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "error": detail,
    }


@pytest.mark.parametrize("path", ["articles", "stock/mouvements", "ventes/changements"])
def test_only_known_devices_may_read_and_nobody_may_write(cast: Cast, till: Till, token_till: Till, path: str) -> None:
    assert till.get(BASE + path).status_code == token_till.get(BASE + path).status_code == 200
    assert till.get(BASE + path, X_Device_Serial=None).json()["code"] == "header_manquant"
    assert till.get(BASE + path, X_Device_Serial="inconnu").json()["code"] == "terminal_inconnu"
    assert token_till.get(BASE + path, Authorization=None).json()["code"] == "jeton_manquant"
    assert token_till.get(BASE + path, Authorization="Bearer faux").json()["code"] == "jeton_invalide"
    refused = till.call("POST", BASE + path, b"{}")
    assert (refused.status_code, refused.json()["code"]) == (405, "methode_non_permise")
    assert "GET" in refused["Allow"]
