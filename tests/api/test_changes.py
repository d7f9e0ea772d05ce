"""The changes of a till's outcomes: first all of them, then the new and the overwritten ones."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.db.change_cursors import OVERLAP, ChangeCursor
from backend.sales.models import Batch, SaleOutcome
from backend.testing import Cast, make_device
from tests.tills import BASE, Till, line, sale

pytestmark = pytest.mark.embedded

CHANGES = BASE + "ventes/changements"
Entry = dict[str, Any]


def read(till: Till, since: str = "") -> dict[str, Any]:
    answer = till.get(CHANGES + (f"?depuis={since}" if since else ""))
    assert answer.status_code == 200, answer.content
    return answer.json()


def walk(till: Till, since: str = "") -> tuple[list[Entry], str]:
    """Follow the pages to the end; return the entries in order, and the last cursor."""
    entries: list[Entry] = []
    for _ in range(50):
        page = read(till, since)
        entries += page["ventes"]
        since = page["curseur"]
        if page["fin"]:
            return entries, since
    pytest.fail("the walk has no end")


def numbers_and_statuses(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(entry["numero_facture"], entry["status"]) for entry in entries]


def age(*, hours: float) -> None:
    """Date every outcome back, so that the next walk does not repeat it."""
    SaleOutcome.objects.update(at=datetime.now(UTC) - timedelta(hours=hours))


def void(number: str, origin: str) -> dict[str, Any]:
    return {"type": "annulation", "numero_facture": number, "origine": {"numero_facture": origin}}


def test_the_first_call_begins_with_the_first_sale(cast: Cast, till: Till) -> None:
    assert walk(till)[0] == []
    till.settle(sale("FAC-1", line(cast.rice)), sale("FAC-2", line(cast.rice, quantity=500)))
    age(hours=24 * 400)
    till.settle(sale("FAC-3", line(cast.oil)))
    assert numbers_and_statuses(walk(till)[0]) == [("FAC-1", "created"), ("FAC-2", "rejected"), ("FAC-3", "created")]


def test_only_what_is_new_comes_later(cast: Cast, till: Till) -> None:
    till.settle(sale("FAC-1", line(cast.rice)))
    age(hours=1)
    _, cursor = walk(till)
    assert walk(till, cursor)[0] == []
    receipt = till.settle(sale("FAC-2", line(cast.rice)), sale("FAC-3", line(cast.rice)))["recu"]
    entries, _ = walk(till, cursor)
    assert [(entry["recu"], entry["index"]) for entry in entries] == [(receipt, 1), (receipt, 2)]
    assert walk(till, cursor)[0] == entries, "a cursor may be used again"


def test_an_outcome_overwritten_days_later_is_sent_again(cast: Cast, till: Till) -> None:
    till.settle(void("AVO-1", "FAC-1"), sale("FAC-0", line(cast.rice)))
    age(hours=72)
    entries, cursor = walk(till)
    assert sorted(numbers_and_statuses(entries)) == [("AVO-1", "deferred"), ("FAC-0", "created")]
    till.settle(sale("FAC-1", line(cast.rice)))
    entries, _ = walk(till, cursor)
    assert sorted(numbers_and_statuses(entries)) == [("AVO-1", "voided"), ("FAC-1", "created")]


def test_a_waiting_sale_has_no_outcome(cast: Cast, till: Till) -> None:
    till.hand_over(sale("FAC-1", line(cast.rice)), sale("FAC-2", line(cast.rice)))
    till.post_next()
    entries, cursor = walk(till)
    assert numbers_and_statuses(entries) == [("FAC-1", "created")]
    till.post_all()
    assert ("FAC-2", "created") in numbers_and_statuses(walk(till, cursor)[0])


def test_every_action_has_its_reason(cast: Cast, till: Till) -> None:
    known = sale("FAC-1", line(cast.rice))
    first = till.settle_one(known)
    till.settle(known, sale("FAC-1", line(cast.oil)), {"lignes": []}, sale("FAC-4", line(cast.other_article)))
    entries = walk(till)[0]
    assert [(entry["status"], entry["action"], entry.get("code"), entry.get("id")) for entry in entries] == [
        ("created", "purger", None, first["id"]),
        ("duplicate", "purger", "deja_existante", first["id"]),
        ("conflict", "garder", "numero_deja_pris", first["id"]),
        ("rejected", "corriger", "champ_invalide", None),
        ("rejected", "garder", "article_inconnu", None),
    ]
    assert [entry["numero_facture"] for entry in entries] == ["FAC-1", "FAC-1", "FAC-1", "N/A", "FAC-4"]
    by_number = {(fate["recu"], fate["index"]): fate for fate in till.look_up_statuses("FAC-1", "FAC-4")}
    assert len(by_number) == 3
    for entry in entries:
        fate = by_number.get((entry["recu"], entry["index"]), entry)
        assert {key: fate[key] for key in fate if key != "numero_enregistrement"} == entry


def test_another_tills_sales_are_not_sent(cast: Cast, till: Till, token_till: Till, charlies_till: Till) -> None:
    token_till.settle(sale("FAC-1", line(cast.rice)))
    charlies_till.settle(sale("FAC-1", line(cast.other_article)))
    assert walk(till)[0] == []
    assert len(walk(token_till)[0]) == len(walk(charlies_till)[0]) == 1
    cursor = walk(charlies_till)[1]
    assert walk(till, cursor)[0] == []


def test_a_tills_new_device_reads_what_the_old_one_sold(cast: Cast, till: Till) -> None:
    till.settle(sale("FAC-1", line(cast.rice)))
    assert numbers_and_statuses(walk(Till(make_device(cast.terminal)))[0]) == [("FAC-1", "created")]


def make_outcomes(cast: Cast, count: int, *, at: datetime) -> None:
    """Write a batch of refusals, all of one instant, as a bulk repair might."""
    batch = Batch.objects.create(
        terminal=cast.terminal, shop=cast.shop, device=cast.device, sha256=f"{count:064}", sale_count=count,
        next_position=count + 1, error_count=count, received_at=at, moved_at=at, settled_at=at,
    )  # fmt: skip
    outcomes = [
        SaleOutcome(
            batch=batch, position=position, shop=cast.shop, terminal=cast.terminal, number=f"FAC-{position}",
            status="rejected", code="article_inconnu", detail="Article 1 non trouvé", version=position, at=at,
        )
        for position in range(1, count + 1)
    ]  # fmt: skip
    SaleOutcome.objects.bulk_create(outcomes)


def test_pages_of_500_miss_nothing_and_repeat_nothing_within_a_walk(cast: Cast, till: Till) -> None:
    then = datetime.now(UTC) - timedelta(days=2)
    make_outcomes(cast, 700, at=then)
    make_outcomes(cast, 400, at=then)
    make_outcomes(cast, 51, at=then + timedelta(days=1))
    assert [len(read(till)["ventes"]), read(till)["fin"]] == [500, False]
    entries, cursor = walk(till)
    keys = [(entry["recu"], entry["index"]) for entry in entries]
    assert len(keys) == len(set(keys)) == 1151
    assert walk(till, cursor)[0] == []
    make_outcomes(cast, 1, at=datetime.now(UTC))
    assert len(walk(till, cursor)[0]) == 1


def test_exactly_one_full_page_is_the_last(cast: Cast, till: Till) -> None:
    make_outcomes(cast, 500, at=datetime.now(UTC))
    page = read(till)
    assert (len(page["ventes"]), page["fin"]) == (500, True)


def test_an_outcome_stamped_before_the_end_of_the_last_walk_is_still_sent(cast: Cast, till: Till) -> None:
    """A late commit looks like this: its timestamp is older than what the reader has seen."""
    till.settle(sale("FAC-1", line(cast.rice)))
    _, cursor = walk(till)
    till.settle(sale("FAC-2", line(cast.rice)))
    late = datetime.now(UTC) - OVERLAP + timedelta(seconds=30)
    SaleOutcome.objects.filter(number="FAC-2").update(at=late)
    assert ("FAC-2", "created") in numbers_and_statuses(walk(till, cursor)[0])


def test_a_page_costs_no_query_per_entry(cast: Cast, till: Till, token_till: Till) -> None:
    def queries(reader: Till) -> int:
        with CaptureQueriesContext(connection) as seen:
            read(reader)
        return len(seen)

    till.settle(sale("FAC-0", line(cast.rice)))
    token_till.settle(sale("FAC-1", line(cast.rice)))
    for _ in range(3):
        make_outcomes(cast, 200, at=datetime.now(UTC))
    assert queries(till) == queries(token_till) <= 4


@pytest.mark.parametrize("text", ["", "abc", "0", "2024-11-04", "A" * 5000, "%00", "1.2.3", "MS4yLjMuNC41"])
def test_a_wrong_cursor_is_refused_by_name(till: Till, text: str) -> None:
    answer = till.get(f"{CHANGES}?depuis={text}")
    assert (answer.status_code, answer.json()["code"]) == (400, "parametre_invalide")
    assert answer.json()["detail"].startswith("depuis : ")


def test_a_cursor_of_the_catalogue_is_refused(till: Till) -> None:
    cursor = till.get(BASE + "articles").json()["curseur"]
    assert till.get(f"{BASE}articles?depuis={cursor}").status_code == 200
    assert till.get(f"{CHANGES}?depuis={cursor}").status_code == 400


def test_a_cursor_at_the_limits_of_time_is_no_server_error(cast: Cast, till: Till) -> None:
    till.settle(sale("FAC-1", line(cast.rice)))
    for at in (datetime(1, 1, 1, tzinfo=UTC), datetime(8999, 1, 1, tzinfo=UTC)):
        for began in (None, datetime(1, 1, 2, tzinfo=UTC), datetime(8999, 1, 1, tzinfo=UTC)):
            assert read(till, ChangeCursor(at, (2**63 - 1, 2**63 - 1), began).as_text())["fin"]
