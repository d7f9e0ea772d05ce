"""A till that takes any 2xx for success, while nothing is posted: it must get no 2xx, and lose nothing."""

from backend.config import settings as installation
from backend.localrun.processes import wait_until
from backend.localrun.stack import Stack
from backend.sales.models import Batch, Sale
from backend.shops.models import AnswerMode
from backend.testing import make_article, make_device, make_shop, make_terminal
from tests.acceptance.old_till import LegacyTill
from tests.invariants import check_invariants

# Nothing is posted until the till has had this many answers: to its first body, its second, and that one again.
REFUSED_MIN = 3
# Each answer comes when it is held no longer: so long, instead of the 25 seconds of an installation.
HOLD_S = 2


def test_a_till_that_trusts_any_2xx_loses_nothing_while_nothing_is_posted(stack: Stack) -> None:
    shop = make_shop()
    article = make_article(shop)
    device = make_device(make_terminal(shop), answer_mode=AnswerMode.COMPLETE)
    api = stack.add_api(environment={"TEST_COMPLETE_HOLD_S": str(HOLD_S)}).start_ready()
    till = LegacyTill(api.url, device.serial)
    till.sell("FAC-1", article=article.pk)
    till.sell("FAC-2", article=article.pk)
    attempts = refused = 0
    while till.queue:
        attempts += 1
        assert attempts < 60
        if till.synchronise():
            # Every sale that it deletes is recorded.
            assert set(Sale.objects.values_list("number", flat=True)) >= set(till.believed_recorded)
        else:
            refused += 1
            assert not till.believed_recorded
            assert len(till.queue) >= 2
            assert "reçu" in till.message
        if attempts == 1:
            # The shop goes on selling: the next post has other bytes, the one after joins it.
            till.sell("FAC-3", article=article.pk)
        if attempts == REFUSED_MIN:
            assert refused == REFUSED_MIN
            start_posting(stack)
    assert till.believed_recorded == ["FAC-1", "FAC-2", "FAC-3"]
    # One for each of the two bodies, and none for the posts that repeated them.
    assert Batch.objects.count() == 2
    assert wait_until(lambda: not Batch.objects.filter(settled_at=None).exists(), timeout_s=30)
    assert Sale.objects.count() == 3
    check_invariants()
    check_the_same_bytes_are_a_new_batch_once_answered(till, article.pk)


def test_an_installation_answers_before_such_a_till_gives_up() -> None:
    assert LegacyTill.timeout_s / 2 > installation.COMPLETE_HOLD_S


def start_posting(stack: Stack) -> None:
    stack.add_worker(concurrency=1).start()
    stack.add_sweep().start()


def check_the_same_bytes_are_a_new_batch_once_answered(till: LegacyTill, article: int) -> None:
    """Its 201 may be lost after it was sent: the till posts again and is answered that all is recorded."""
    for number in till.believed_recorded:
        till.sell(number, article=article)
    till.believed_recorded.clear()
    assert till.synchronise()
    assert Batch.objects.count() == 3
    assert Sale.objects.count() == 3
