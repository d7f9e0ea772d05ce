"""Cursors of changes: they go on where they were, stand back at the end of a walk, and are nobody's to invent."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.db import transients
from backend.db.change_cursors import OVERLAP, ChangeCursor, CursorInvalid
from backend.db.transients import TRANSACTION_S_MAX, TookTooLong, bounded_time, is_transient

NOW = datetime(2024, 11, 4, 17, 0, tzinfo=UTC)


def begun() -> ChangeCursor:
    return ChangeCursor.begin(None, now=NOW, key_length=2)


def test_a_cursor_reads_back_what_it_wrote() -> None:
    for cursor in (begun(), begun().move_to(NOW, (3, 2**62)), begun().move_to(NOW, (3, 4)).finish()):
        assert ChangeCursor.from_text(cursor.as_text(), key_length=2) == cursor


def test_a_walk_keeps_the_time_at_which_it_began() -> None:
    page = begun().move_to(NOW, (1, 1))
    later = ChangeCursor.begin(page, now=NOW + timedelta(hours=1), key_length=2)
    assert later.finish().at == NOW - OVERLAP


def test_the_next_walk_begins_anew() -> None:
    finished = begun().move_to(NOW, (1, 1)).finish()
    tomorrow = NOW + timedelta(days=1)
    assert ChangeCursor.begin(finished, now=tomorrow, key_length=2).walk_began_at == tomorrow


def test_the_end_of_a_walk_stands_back_by_more_than_a_transaction_lasts() -> None:
    finished = begun().move_to(NOW, (1, 1)).finish()
    assert finished.at < NOW - timedelta(seconds=TRANSACTION_S_MAX)
    assert finished.key == (0, 0)


def test_where_nothing_happened_lately_nothing_is_repeated() -> None:
    long_ago = NOW - timedelta(days=1)
    finished = begun().move_to(long_ago, (7, 8)).finish()
    assert (finished.at, finished.key) == (long_ago, (7, 8))


@pytest.mark.parametrize(
    "text",
    ["", "abc", "é", "======", "MQ", "x" * 500, "MS4yLjMuNC41", "OTk5OTk5OTk5OTk5OTk5OTk5OS4xLjEuMQ", "MC4wLjAuMQ"],
)
def test_what_we_did_not_write_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid):
        ChangeCursor.from_text(text, key_length=2)


def test_a_transaction_that_lasts_too_long_is_not_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transients, "TRANSACTION_S_MAX", -1)
    with pytest.raises(TookTooLong) as raised, bounded_time():
        pass
    assert is_transient(raised.value)
