"""The shop's articles in the till's file, so that it sells by code with no network. Standard library only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from backend.example_till.amounts import exact_json, read_json
from backend.example_till.book import Book
from backend.example_till.calls import Calls
from backend.example_till.followers import NotPossible


class Catalogue:
    def __init__(self, book: Book, calls: Calls) -> None:
        self.book, self.file, self.calls = book, book.file, calls

    def refresh(self) -> int:
        """Read the changes since the last time; return how many articles. Raises Unreachable, Refused.

        A page and its cursor are stored in one transaction. A later page may repeat an article: the last version holds.
        """
        count = 0
        while True:
            cursor = self.book.setting("articles_cursor")
            answer = self.calls.articles(cursor)
            if answer.code == "parametre_invalide" and cursor:
                self.book.keep_settings(articles_cursor=None)
                continue
            page = answer.required("articles", "curseur", "fin")
            with self.book.transaction():
                for article in page["articles"]:
                    self._keep(article)
                self.book.keep_settings(articles_cursor=page["curseur"])
            count += len(page["articles"])
            if page["fin"]:
                return count

    def line(
        self, code: str, *, quantity: Decimal, level: str | None = None, price: Decimal | None = None
    ) -> tuple[dict[str, Any], str]:
        """A sale's line and its currency, for the article with this code or bar code: its base unit, or `level`'s.

        The unit is sent by its uuid, which stays the same if the unit is renamed before the sale arrives.
        Raises NotPossible if the till has no such article, or more than one.
        """
        rows = self.file.execute(
            "SELECT content FROM articles WHERE is_active AND (code = ? OR barcode = ?) ORDER BY id", [code, code]
        ).fetchall()
        if len(rows) != 1:
            known = "plusieurs articles portent" if rows else "aucun article actif ne porte"
            raise NotPossible(f"Dans cette caisse, {known} le code {code} (voir `till articles`).")
        article = read_json(rows[0][0])
        for unit in article["unites"]:
            if unit["uuid"] == article["unite_base"] if level is None else unit["niveau"] == level:
                line = {
                    "unite_uuid": unit["uuid"],
                    "quantite": quantity,
                    "prix_unitaire": unit["prix"] if price is None else price,
                    "taux_tva": unit["taux_tva"],
                }
                return line, unit["devise"]
        raise NotPossible(f"{article['nom']} n'a pas d'unité {level or 'de base'}.")

    def articles(self) -> list[dict[str, Any]]:
        return [
            read_json(content) for (content,) in self.file.execute("SELECT content FROM articles ORDER BY code, id")
        ]

    def _keep(self, article: dict[str, Any]) -> None:
        values = [article["id"], article["code"], article["code_barres"], article["actif"], exact_json(article)]
        self.file.execute("INSERT OR REPLACE INTO articles VALUES (?, ?, ?, ?, ?)", values)
