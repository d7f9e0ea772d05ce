"""Loads the demo shop: the ids that docs and examples name, a second shop that owns article 999, a till with a token.

days.py loads its last days. A second load changes nothing, so that a restart keeps the sales made meanwhile.
"""

from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from backend.inventory.comments import Comment
from backend.inventory.models import Article, ArticleUnit, MovementType, UnitLevel
from backend.inventory.stock import move_stock
from backend.shops.devices import hash_token, register_device
from backend.shops.models import AuthMode, Device, Membership, Role, Shop, Terminal

SERIAL = "0a1badae951f8473"
TOKEN_SERIAL = "demo-jeton-0001"  # noqa: S105 - a serial
OTHER_SERIAL = "demo-autre-0001"
SILENT_SERIAL = "demo-caisse-0003"
OPENING_STOCK = 100
# The author of the demo's deliveries: its manager.
OPENED_BY = "gerant"

USERS = (
    # username, shop code, role
    ("demo", "BTQ-009", Role.OWNER),
    ("gerant", "BTQ-009", Role.MANAGER),
    ("lecteur", "BTQ-009", Role.VIEWER),
    ("autre", "BTQ-777", Role.OWNER),
)
# A user who sees no shop, but the operations page and the administration.
OPERATOR = "exploitant"
ARTICLE_FIELDS = ("code", "name", "mark", "price", "vat_rate", "stock")
ARTICLES = (
    # id, shop id, then ARTICLE_FIELDS
    (15, 9, "RIZ25", "Riz 25 kg", "SAC", 25000, 16, OPENING_STOCK),
    (18, 9, "HUI20", "Huile 20 L", "BID", 75000, 16, OPENING_STOCK),
    (19, 9, "SUC50", "Sucre 50 kg", "SAC", 82000, 16, 40),
    (20, 9, "SAV01", "Savon de ménage", "PCE", 1500, 16, 240),
    (999, 10, "FAR50", "Farine 50 kg", "SAC", 50000, 16, OPENING_STOCK),
)


@transaction.atomic
def load_demo(*, password: str, token: str) -> None:
    """Create what is missing of the demo. `password`: for new users. `token`: for the second till, if it is new."""
    _shop(9, code="BTQ-009", name="Ma Boutique")
    _shop(10, code="BTQ-777", name="Autre Boutique")
    _till(5, 9, name="Terminal MAUI", serial=SERIAL, auth_mode=AuthMode.SERIAL)
    _till(6, 9, name="Caisse 2", serial=TOKEN_SERIAL, auth_mode=AuthMode.TOKEN, token=token)
    _till(7, 10, name="Caisse unique", serial=OTHER_SERIAL, auth_mode=AuthMode.SERIAL)
    for article_id, shop_id, *rest in ARTICLES:
        fields: dict[str, Any] = dict(zip(ARTICLE_FIELDS, rest, strict=True))
        _article(article_id, shop_id, **fields)
    for username, shop_code, role in USERS:
        _user(username, password)
        _member(username, shop_code, role)
    _user(OPERATOR, password, is_staff=True, is_superuser=True)


def load_silent_till(shop: Shop) -> None:
    """Create a till that stops calling during the simulated days, as a lost device would. Nothing can call as it."""
    if not Device.objects.filter(serial=SILENT_SERIAL).exists():
        register_device(terminal=Terminal.objects.create(shop=shop, name="Caisse 3"), serial=SILENT_SERIAL)


def _shop(shop_id: int, *, code: str, name: str) -> None:
    Shop.objects.get_or_create(pk=shop_id, defaults={"code": code, "name": name})


def _till(terminal_id: int, shop_id: int, *, name: str, serial: str, auth_mode: str, token: str = "") -> None:
    terminal, _ = Terminal.objects.get_or_create(pk=terminal_id, defaults={"shop_id": shop_id, "name": name})
    if Device.objects.filter(serial=serial).exists():
        return
    device = register_device(terminal=terminal, serial=serial, auth_mode=auth_mode)
    if token:
        device.token_hash = hash_token(token)
        device.save(update_fields=["token_hash"])


def _article(
    article_id: int, shop_id: int, *, code: str, name: str, mark: str, price: int, vat_rate: int, stock: int
) -> None:
    article, is_new = Article.objects.get_or_create(
        pk=article_id, defaults={"shop_id": shop_id, "code": code, "name": name}
    )
    if not is_new:
        return
    unit = ArticleUnit.objects.create(
        article=article, shop_id=shop_id, level=UnitLevel.PIECE, mark=mark, price=price, vat_rate=vat_rate
    )
    article.base_unit = unit
    article.save(update_fields=["base_unit"])
    move_stock(
        unit=unit,
        quantity=Decimal(stock),
        movement_type=MovementType.ENTRY,
        author="Démonstration",
        comment=Comment.FIRST_STOCK(),
    )


def _user(username: str, password: str, **powers: bool) -> None:
    user, is_new = get_user_model().objects.get_or_create(username=username, defaults=powers)
    if is_new:
        user.set_password(password)
        user.save(update_fields=["password"])


def _member(username: str, shop_code: str, role: str) -> None:
    user = get_user_model().objects.get(username=username)
    Membership.objects.get_or_create(user=user, shop=Shop.objects.get(code=shop_code), defaults={"role": role})
