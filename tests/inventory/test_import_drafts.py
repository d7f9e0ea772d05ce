"""A draft is imported only by the first confirmation, also if two come at the same moment."""

from functools import partial

import pytest
from django.db import transaction

from backend.inventory.catalogue import lock_shop
from backend.inventory.importing.drafts import import_draft, keep_draft
from backend.inventory.importing.import_articles import ImportRefused
from backend.inventory.importing.plans import ImportPlan
from backend.inventory.models import Article, ImportDraft
from backend.testing import Cast
from tests.inventory.test_races import start_together, wait_for_waiters
from tests.tills import stock_of

SHEET = b"code;nom;niveau;prix;stock\nTHE;Th\xc3\xa9;PIECE;1500;20\n"


@pytest.mark.embedded
def test_a_refused_sheet_stays_a_draft(cast: Cast) -> None:
    draft = keep_draft(shop=cast.shop, user=cast.bob, name="a.csv", content=SHEET.replace(b"PIECE", b"SEAU"))
    with pytest.raises(ImportRefused):
        import_draft(draft, author="Bob")
    assert ImportDraft.objects.filter(pk=draft.pk).exists()
    assert not Article.objects.filter(code="THE").exists()


@pytest.mark.embedded
def test_a_draft_that_was_replaced_meanwhile_is_not_imported(cast: Cast) -> None:
    older = keep_draft(shop=cast.shop, user=cast.bob, name="a.csv", content=SHEET)
    newer = keep_draft(shop=cast.shop, user=cast.bob, name="b.csv", content=SHEET.replace(b"THE", b"CAFE"))
    assert import_draft(older, author="Bob") is None
    assert isinstance(import_draft(newer, author="Bob"), ImportPlan)
    assert not Article.objects.filter(code="THE").exists()


class TestAtTheSameMoment:
    @pytest.fixture
    def cast(self, real_database: None) -> Cast:
        return Cast()

    def test_a_double_click_imports_once(self, cast: Cast) -> None:
        draft = keep_draft(shop=cast.shop, user=cast.bob, name="a.csv", content=SHEET)
        with transaction.atomic():
            lock_shop(cast.shop)
            confirm = partial(import_draft, draft, author="Bob")
            finish = start_together(confirm, confirm)
            wait_for_waiters(2)
        assert {type(result) for result in finish()} == {ImportPlan, type(None)}
        assert stock_of(Article.objects.get(code="THE")) == 20
