"""What a person asks for with a form is done once, however often the form arrives: a double click, a page reloaded.

A form carries a key that nobody else has; the key is kept in the transaction that does the work.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop as _

from backend.inventory.errors import InventoryRefused
from backend.inventory.models import WorkKey
from backend.inventory.transactions import in_transaction
from backend.sentences import Sentence
from backend.shops.models import Shop

Result = TypeVar("Result")


class AlreadyDone(Exception):
    """The same form, sent again: what it asks for stands, and was not done a second time."""


class FormReused(InventoryRefused):
    """A form that has done its work came back with something else in it: an old page, changed."""

    code = "formulaire_deja_utilise"

    def __init__(self) -> None:
        template = _("Ce formulaire a déjà servi, avec d'autres valeurs. Vérifiez le stock avant de recommencer")
        super().__init__(Sentence(template))


def do_once(*, shop: Shop, key: str, form: Mapping[str, object], work: Callable[[], Result]) -> Result:
    """Do `work` in the transaction that keeps the form's key, and return what it returns.

    key: of the form as it was shown, at most 64 characters, never shown twice. form: what was typed, to tell a repeat
    from a page that somebody went back to and changed.
    If `work` raises, nothing is kept and the form may come again. The key is written first, so a rival waits here and
    holds no other lock. Raises AlreadyDone or FormReused, and what `work` raises.
    """
    content = hashlib.sha256(json.dumps(dict(form), sort_keys=True, default=str).encode()).hexdigest()

    def attempt() -> Result:
        try:
            with transaction.atomic():
                WorkKey(shop=shop, key=key, content=content, at=datetime.now(UTC)).save(force_insert=True)
        except IntegrityError as error:
            stands = WorkKey.objects.get(shop=shop, key=key)
            raise (AlreadyDone() if stands.content == content else FormReused()) from error
        return work()

    return in_transaction(attempt, name="do_once")
