"""What the API is compared with: the legacy synchronous endpoint on this project's tables, and empty answers.

The loop is the old fleet's `sync_ventes_simple` with two improvements in its favour: one transaction a sale, movements
with the stock before and after. Every choice left open is made in its favour: no DRF, no token, no log
lines, no registration number, no fingerprint, no outcome, no receipt.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.inventory.models import Article, MovementType, StockMovement
from backend.sales.models import Sale, SaleKind, SaleLine
from backend.shops.models import Device, Terminal


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


class EmptyCall(APIView):
    """An empty 200 behind everything that runs before each call of the API: authentication, throttling, parsing."""

    def get(self, request: Request) -> Response:
        return Response()


@csrf_exempt
def synchronous_sync(request: HttpRequest) -> HttpResponse:
    """Record every sale of the body while the till waits; answer 201 with what became of each."""
    serial = request.headers.get("X-Device-Serial", "")
    terminal = Device.objects.select_related("terminal__shop").get(serial=serial).terminal
    created, errors = [], []
    for index, wire in enumerate(json.loads(request.body, parse_float=Decimal), start=1):
        try:
            with transaction.atomic():
                created.append(_record(terminal, wire))
        except (ValueError, LookupError, Article.DoesNotExist) as error:
            errors.append({"index": index, "numero_facture": wire.get("numero_facture", "N/A"), "erreur": str(error)})
    shop = terminal.shop
    answer = {
        "success": True,
        "message": f"{len(created)} vente(s) synchronisée(s) avec succès",
        "ventes_creees": len(created),
        "ventes_erreurs": len(errors),
        "details": {"creees": created, "erreurs": errors},
        "boutique": {"id": shop.pk, "nom": shop.name, "code": shop.code},
    }
    return JsonResponse(answer, status=201)


def _record(terminal: Terminal, wire: dict) -> dict:
    shop, number = terminal.shop, wire["numero_facture"]
    if Sale.objects.filter(number=number, terminal=terminal).first():
        raise ValueError("Vente déjà existante")
    now = datetime.now(UTC)
    sale = Sale.objects.create(
        kind=SaleKind.SALE,
        shop=shop,
        terminal=terminal,
        number=number,
        currency=shop.currency,
        total=Decimal(0),
        payment_mode=wire.get("mode_paiement", "CASH"),
        is_paid=wire.get("paye", True),
        received_at=now,
        recorded_at=now,
        business_day=now.date(),
        till_day=now.date(),
        fingerprint="",
    )
    lines = [_line(sale, terminal, position, line) for position, line in enumerate(wire["lignes"], start=1)]
    sale.total = sum(line.total for line in lines)
    sale.save(update_fields=["total"])
    return {
        "numero_facture": number,
        "status": "created",
        "id": sale.pk,
        "boutique_id": shop.pk,
        "boutique_nom": shop.name,
        "montant_total": str(sale.total),
        "lignes_count": len(lines),
        "lignes": [{"article_id": line.unit.article_id, "quantite": str(line.quantity)} for line in lines],
    }


def _line(sale: Sale, terminal: Terminal, position: int, wire: dict) -> SaleLine:
    articles = Article.objects.select_related("base_unit")
    article = articles.get(id=wire["article_id"], shop=terminal.shop, is_active=True)
    unit, quantity, price = article.base_unit, Decimal(wire["quantite"]), Decimal(wire["prix_unitaire"])
    before = unit.stock
    if before < quantity:
        raise ValueError(f"Stock insuffisant pour {article.name}")
    unit.stock = before - quantity
    unit.save(update_fields=["stock"])
    StockMovement.objects.create(
        unit=unit,
        shop=terminal.shop,
        type=MovementType.SALE,
        quantity=-quantity,
        stock_before=before,
        stock_after=unit.stock,
        reference=sale.number,
        author=terminal.name,
        document=sale,
        line=position,
        comment=f"Vente #{sale.number} - Prix: {price} {sale.currency}",
        at=sale.recorded_at,
    )
    return SaleLine.objects.create(
        document=sale,
        shop=terminal.shop,
        position=position,
        unit=unit,
        article_name=article.name,
        unit_mark=unit.mark,
        quantity=quantity,
        unit_price=price,
        total=quantity * price,
    )
