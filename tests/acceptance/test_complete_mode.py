"""A till that takes any 2xx for success, while nobody posts for a minute: it must hear no 2xx, and lose nothing."""

import threading
import time

from backend.localrun.processes import wait_until
from backend.localrun.stack import Stack
from backend.sales.models import Batch, Sale
from backend.shops.models import AnswerMode
from backend.testing import make_article, make_device, make_shop, make_terminal
from tests.acceptance.old_till import SourcesTill
from tests.invariants import check_invariants

NOBODY_POSTS_S = 60


def test_a_till_that_trusts_any_2xx_loses_nothing_while_nobody_posts(stack: Stack) -> None:
    shop = make_shop()
    article = make_article(shop)
    device = make_device(make_terminal(shop), answer_mode=AnswerMode.COMPLETE)
    api = stack.add_api().start_ready()
    till = SourcesTill(api.url, device.serial)
    till.sell("FAC-1", article=article.pk)
    till.sell("FAC-2", article=article.pk)
    back = threading.Timer(NOBODY_POSTS_S, lambda: start_posting(stack))
    back.start()
    began = time.monotonic()
    attempts = 0
    try:
        while till.queue:
            attempts += 1
            if till.synchronise():
                # Whatever it throws away now stands in the books.
                assert set(Sale.objects.values_list("number", flat=True)) >= set(till.believed_recorded)
            else:
                assert not till.believed_recorded
                assert len(till.queue) >= 2
                assert "reçu" in till.message
            if attempts == 1:
                # The shop goes on selling: the next post has other bytes, the one after joins it.
                till.sell("FAC-3", article=article.pk)
            assert time.monotonic() - began < 4 * NOBODY_POSTS_S
    finally:
        back.join()
    assert attempts >= 3
    assert till.believed_recorded == ["FAC-1", "FAC-2", "FAC-3"]
    # The two different bodies, and none for the posts that repeated one.
    assert Batch.objects.count() == 2
    assert wait_until(lambda: not Batch.objects.filter(settled_at=None).exists(), timeout_s=30)
    assert Sale.objects.count() == 3
    check_invariants()
    check_the_same_bytes_are_a_new_batch_once_answered(till, article.pk)


def start_posting(stack: Stack) -> None:
    stack.add_worker(concurrency=1).start()
    stack.add_sweep().start()


def check_the_same_bytes_are_a_new_batch_once_answered(till: SourcesTill, article: int) -> None:
    """Its 201 may have been lost after it was sent: the till posts again and hears that all is there."""
    for number in till.believed_recorded:
        till.sell(number, article=article)
    till.believed_recorded.clear()
    assert till.synchronise()
    assert Batch.objects.count() == 3
    assert Sale.objects.count() == 3
