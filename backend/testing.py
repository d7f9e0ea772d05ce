"""The cast of the tests, and factories for what surrounds it.

Alice owns a shop with one till and two articles. Bob manages it, Victor may only look. Charlie owns another shop and
must see nothing of Alice's.
"""

import itertools
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from backend.inventory.models import Article, ArticleUnit, MovementType, UnitLevel
from backend.inventory.stock import move_stock
from backend.shops.devices import accepts_token, issue_token, register_device
from backend.shops.models import AnswerMode, AuthMode, Device, Membership, Role, Shop, Terminal

PASSWORD = "un-mot-de-passe-de-test"  # noqa: S105 - of accounts that live as long as a test
_counter = itertools.count(1)


def make_shop(**fields: object) -> Shop:
    number = next(_counter)
    return Shop.objects.create(**{"code": f"BTQ-T{number:03}", "name": f"Boutique {number}", **fields})


def make_terminal(shop: Shop | None, **fields: object) -> Terminal:
    return Terminal.objects.create(**{"shop": shop, "name": f"Caisse {next(_counter)}", **fields})


def make_device(terminal: Terminal, **fields: object) -> Device:
    """Make a device in auth mode `serial`, so that a test of something else need not carry a token."""
    wanted: dict[str, Any] = {"serial": f"serie-{next(_counter):06}", "auth_mode": AuthMode.SERIAL, **fields}
    return register_device(terminal=terminal, **wanted)


def make_article(
    shop: Shop,
    *,
    stock: Decimal | int = 100,
    price: Decimal | int = 1000,
    vat_rate: Decimal | int = 0,
    **fields: object,
) -> Article:
    """Make an article with its base unit, and the movement that brought its stock."""
    number = next(_counter)
    article = Article.objects.create(**{"shop": shop, "code": f"ART{number}", "name": f"Article {number}", **fields})
    unit: dict[str, Any] = {
        "level": UnitLevel.PIECE,
        "mark": "PCE",
        "stock": stock,
        "price": price,
        "vat_rate": vat_rate,
    }
    article.base_unit = add_unit(article, **unit)
    article.save(update_fields=["base_unit"])
    return article


def add_unit(article: Article, *, level: UnitLevel, stock: Decimal | int = 0, **fields: object) -> ArticleUnit:
    shop = article.shop
    unit = ArticleUnit.objects.create(article=article, shop=shop, level=level, currency=shop.currency, **fields)
    if stock:
        move_stock(unit=unit, quantity=Decimal(stock), movement_type=MovementType.ENTRY, author="test")
        unit.refresh_from_db()
    return unit


def make_user(username: str, *shops: Shop, role: Role = Role.OWNER) -> User:
    user = get_user_model().objects.create_user(username, password=PASSWORD)
    for shop in shops:
        Membership.objects.create(user=user, shop=shop, role=role)
    return user


class Cast:
    """Alice's world and Charlie's, as attributes."""

    def __init__(self) -> None:
        self.shop = make_shop(code="BTQ-009", name="Ma Boutique")
        self.terminal = make_terminal(self.shop, name="Terminal MAUI")
        self.device = make_device(self.terminal, serial="0a1badae951f8473")
        self.token_device = make_device(make_terminal(self.shop), auth_mode=AuthMode.TOKEN)
        self.token = issue_token(self.token_device)
        # In use: its first call has been made.
        accepts_token(self.token_device, self.token)
        self.token_device.refresh_from_db(fields=["token_hash", "next_token_hash"])
        self.complete_device = make_device(make_terminal(self.shop), answer_mode=AnswerMode.COMPLETE)
        self.rice = make_article(self.shop, name="Riz 25 kg", code="RIZ25", price=25000)
        self.oil = make_article(self.shop, name="Huile 20 L", code="HUI20", price=75000)
        self.alice = make_user("alice", self.shop)
        self.bob = make_user("bob", self.shop, role=Role.MANAGER)
        self.victor = make_user("victor", self.shop, role=Role.VIEWER)
        self.other_shop = make_shop(code="BTQ-777", name="Autre Boutique")
        self.other_terminal = make_terminal(self.other_shop)
        self.other_device = make_device(self.other_terminal)
        self.other_article = make_article(self.other_shop)
        self.charlie = make_user("charlie", self.other_shop)
