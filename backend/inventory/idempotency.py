"""Idempotency of forms: a form's work is done once, even if it arrives again after a double click or a reload.

Each form carries a unique key; the transaction that does the work stores the key.
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
    """The same form was sent again. Its work was done before, and not a second time."""


class FormReused(InventoryRefused):
    """A form whose work is done came back with other values, from an old page."""

    code = "formulaire_deja_utilise"

    def __init__(self) -> None:
        template = _("Ce formulaire a déjà servi, avec d'autres valeurs. Vérifiez le stock avant de recommencer")
        super().__init__(Sentence(template))


def do_once(*, shop: Shop, key: str, form: Mapping[str, object], work: Callable[[], Result]) -> Result:
    """Do `work` in the transaction that stores the form's key, and return its result.

    key: unique to the form as it was shown, at most 64 characters. form: the values, to tell a repeat from a page that
    somebody went back to and changed.
    If `work` raises, the key is not stored and the form may be sent again. The key is inserted first, so a simultaneous
    repeat waits here, holding no other lock. Raises AlreadyDone or FormReused, and what `work` raises.
    """
    content = hashlib.sha256(json.dumps(dict(form), sort_keys=True, default=str).encode()).hexdigest()

    def attempt() -> Result:
        try:
            with transaction.atomic():
                WorkKey(shop=shop, key=key, content=content, at=datetime.now(UTC)).save(force_insert=True)
        except IntegrityError as error:
            stored = WorkKey.objects.get(shop=shop, key=key)
            raise (AlreadyDone() if stored.content == content else FormReused()) from error
        return work()

    return in_transaction(attempt, name="do_once")
