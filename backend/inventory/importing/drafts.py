"""Spreadsheets between preview and confirmation, stored here so that the import uses exactly what was shown.

A person has at most one draft per shop; a new one replaces it. Drafts are kept for a day.
"""

import secrets
import zlib
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from backend.inventory.importing.import_articles import carry_out, read_articles_sheet
from backend.inventory.importing.plans import ImportPlan
from backend.inventory.importing.spreadsheets import Sheet
from backend.inventory.models import ImportDraft
from backend.inventory.transactions import in_transaction
from backend.shops.models import Shop

KEPT = timedelta(days=1)


def keep_draft(*, shop: Shop, user: User, name: str, content: bytes) -> ImportDraft:
    """Store a file until it is confirmed, in place of the person's previous draft.

    Raises SheetUnreadable, SheetTooLarge or HeaderMissing, and nothing changes.
    """
    read_articles_sheet(content)
    now = datetime.now(UTC)
    key = secrets.token_hex(16)
    values = {"key": key, "name": name[:200], "content": zlib.compress(content), "at": now}

    def change() -> ImportDraft:
        ImportDraft.objects.filter(shop=shop, at__lt=now - KEPT).delete()
        draft, _ = ImportDraft.objects.update_or_create(shop=shop, user=user, defaults=values)
        return draft

    return in_transaction(change, name="keep_draft")


def find_draft(*, shop: Shop, user: User, key: str) -> ImportDraft | None:
    """Return the person's draft; None if it was imported, given up or replaced, or never existed."""
    return ImportDraft.objects.filter(shop=shop, user=user, key=key).first()


def read_draft(draft: ImportDraft) -> Sheet:
    return read_articles_sheet(zlib.decompress(draft.content))


def import_draft(draft: ImportDraft, *, author: str) -> ImportPlan | None:
    """Import a draft and delete it in one transaction. Return what was done, or None if it was imported before.

    Raises ImportRefused; then the draft stays. Also returns None if the answer to COMMIT was lost: the draft is gone.
    """
    sheet = read_draft(draft)

    def change() -> ImportPlan | None:
        # The draft is deleted first: the second of two confirmations waits here and then finds nothing.
        if not ImportDraft.objects.filter(pk=draft.pk, key=draft.key).delete()[0]:
            return None
        return carry_out(shop=draft.shop, sheet=sheet, author=author)

    return in_transaction(change, name="import_draft")


def give_up_draft(draft: ImportDraft) -> None:
    with transaction.atomic():
        ImportDraft.objects.filter(pk=draft.pk, key=draft.key).delete()
