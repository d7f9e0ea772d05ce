"""Actions without a network: sell, void, take back, take a payment, list."""

import argparse
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandError

from backend.example_till import Till
from backend.example_till.console.console import (
    Action,
    Console,
    add_change,
    add_handed_over,
    add_sale_named,
    number,
)


def _sell_arguments(parser: argparse.ArgumentParser) -> None:
    named = parser.add_mutually_exclusive_group(required=True)
    named.add_argument("--code", help="code ou code-barres, après `till articles`")
    named.add_argument("--article", type=int, help="identifiant de l'article")
    named.add_argument("--unit", help="uuid de l'unité")
    parser.add_argument("--level", help="avec --code : CARTON, MILLIER, PIECE, au lieu de l'unité de base")
    parser.add_argument("--quantity", type=number, default=Decimal(1))
    parser.add_argument("--price", type=number, help="prix unitaire, taxe comprise ; avec --code, celui du catalogue")
    parser.add_argument("--discount", type=number, default=Decimal(0), help="remise sur la ligne")
    parser.add_argument("--currency", help="devise de la vente")
    parser.add_argument("--mode", default="CASH", help="mode de paiement")
    add_handed_over(parser, meaning="un paiement ; plusieurs fois pour plusieurs")
    add_change(parser)
    parser.add_argument("--credit", action="store_true", help="vente à crédit (paye: false)")
    parser.add_argument("--cashier", help="code du caissier")


def _sell(console: Console, **options: Any) -> None:
    with console.till() as till:
        line, currency = _line(till, **options)
        if options["discount"]:
            line["remise"] = options["discount"]
        currency = options["currency"] or currency or till.seller.currency
        fields = {"devise": currency, "mode_paiement": options["mode"]} | ({"paye": False} if options["credit"] else {})
        money = handed_over(options["payments"], options["change"])
        written = till.sell([line], **fields, **money, **by(options["cashier"]))
        _say_written(console, till, written, "vendue")


def _line(till: Till, **options: Any) -> tuple[dict[str, Any], str | None]:
    quantity, price = options["quantity"], options["price"]
    if options["code"]:
        return till.catalogue.line(options["code"], quantity=quantity, level=options["level"], price=price)
    if price is None:
        raise CommandError("Sans --code, donner --price.")
    named = {"unite_uuid": options["unit"]} if options["unit"] else {"article_id": options["article"]}
    return named | {"quantite": quantity, "prix_unitaire": price}, None


def _void_arguments(parser: argparse.ArgumentParser) -> None:
    add_sale_named(parser)
    parser.add_argument("--reason", help="motif")
    _back_arguments(parser)


def _back_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mode", help="mode dans lequel tout est rendu (par défaut comme c'était entré)")
    add_handed_over(parser, meaning="ce qui est rendu ; plusieurs fois pour plusieurs modes ou devises")


def _void(
    console: Console, *, reason: str | None, cashier: str | None, mode: str | None, payments: list[Any], **named: Any
) -> None:
    with console.till() as till:
        written = till.void(**named, **because(reason), **by(cashier), **in_mode(mode), **handed_over(payments))
        _say_written(console, till, written, f"annule {_name(named)}")


def _return_arguments(parser: argparse.ArgumentParser) -> None:
    add_sale_named(parser)
    parser.add_argument("--line", type=int, action="append", required=True, help="ligne de la vente, à partir de 1")
    parser.add_argument("--quantity", type=number, action="append", required=True, help="ce qui en revient")
    parser.add_argument("--reason", help="motif")
    _back_arguments(parser)


def _return(
    console: Console, *, line: list[int], quantity: list[Decimal], reason: str | None, cashier: str | None,
    mode: str | None, payments: list[Any], **named: Any,
) -> None:  # fmt: skip
    if len(line) != len(quantity) or len(set(line)) != len(line):
        raise CommandError("Donner chaque --line une fois, avec sa --quantity.")
    with console.till() as till:
        quantities = dict(zip(line, quantity, strict=True))
        money = in_mode(mode) | handed_over(payments)
        written = till.take_back(quantities, **named, **money, **because(reason), **by(cashier))
        _say_written(console, till, written, f"retour sur {_name(named)}")


def _pay_arguments(parser: argparse.ArgumentParser) -> None:
    add_sale_named(parser)
    parser.add_argument("--amount", type=number, required=True, help="dans la devise de la vente, ou de --currency")
    parser.add_argument("--mode", default="CASH", help="mode de paiement")
    parser.add_argument("--currency", help="autre devise que celle de la vente")
    parser.add_argument("--rate", type=number, help="ce que vaut une unité de cette devise dans celle de la vente")
    add_handed_over(parser, meaning="un paiement ; plusieurs fois pour plusieurs modes ou devises")
    add_change(parser)


def _pay(
    console: Console, *, amount: Decimal, mode: str, currency: str | None, rate: Decimal | None, payments: list[Any],
    change: list[Any], cashier: str | None, **named: Any,
) -> None:  # fmt: skip
    fields = in_mode(mode) | handed_over(payments, change) | by(cashier)
    fields |= {name: value for name, value in (("devise", currency), ("taux", rate)) if value}
    with console.till() as till:
        written = till.take_payment(amount, **named, **fields)
        _say_written(console, till, written, f"paiement de {_name(named)}")


def _list(console: Console) -> None:
    with console.till() as till:
        documents = till.pending()
        for document in documents:
            console.say(str(document))
        console.say(f"{len(documents)} vente(s) dans la caisse")


def by(cashier: str | None) -> dict[str, Any]:
    return {"caissier": {"code": cashier}} if cashier else {}


def in_mode(mode: str | None) -> dict[str, Any]:
    return {"mode_paiement": mode} if mode else {}


def handed_over(payments: list[Any], change: list[Any] | None = None) -> dict[str, Any]:
    return {name: ways for name, ways in (("paiements", payments), ("rendu", change)) if ways}


def because(reason: str | None) -> dict[str, Any]:
    return {"motif": reason} if reason else {}


def _name(named: dict[str, Any]) -> str:
    return named["number"] or named["registration"]


def _say_written(console: Console, till: Till, written: str, what: str) -> None:
    console.say(f"{written} : {what}, {len(till.pending())} vente(s) dans la caisse")


ACTIONS = [
    Action("sell", "écrire une vente dans le fichier, sans réseau", _sell, _sell_arguments),
    Action("void", "annuler une vente, sans réseau", _void, _void_arguments),
    Action("return", "reprendre une partie d'une vente, sans réseau", _return, _return_arguments),
    Action("pay", "prendre un paiement d'une vente à crédit, sans réseau", _pay, _pay_arguments),
    Action("list", "montrer ce que la caisse garde encore", _list),
]
