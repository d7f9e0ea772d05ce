"""The day a document counts for."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backend.sales.errors import FieldInvalid
from backend.sales.wire.business_day import business_day, locate_sale, read_till_clock

pytestmark = pytest.mark.embedded

KINSHASA = ZoneInfo("Africa/Kinshasa")
ARRIVAL = date(2024, 11, 4)


def nothing_is_closed(_: date) -> bool:
    return False


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2024-11-04T17:42:10+01:00", datetime(2024, 11, 4, 16, 42, 10, tzinfo=UTC)),
        ("2024-11-04T16:42:10Z", datetime(2024, 11, 4, 16, 42, 10, tzinfo=UTC)),
        ("2024-11-04T17:42:10.1234567+01:00", datetime(2024, 11, 4, 16, 42, 10, 123456, tzinfo=UTC)),
        ("2024-11-04 17:42:10", datetime(2024, 11, 4, 17, 42, 10)),  # noqa: DTZ001 - a till without an offset
        ("2024-11-04", date(2024, 11, 4)),
        ("0001-01-01T00:00:00", None),
        ("1970-01-01", None),
        ("1999-12-31T23:59:59Z", None),
        ("2101-01-01", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("99999-01-01", None),
    ],
)
def test_it_reads_a_tills_clock(text: str, read: object) -> None:
    assert read_till_clock(text) == read


@pytest.mark.parametrize(
    "text", ["", "hier", "2024-13-01", "2024-11-04T25:00:00", "04/11/2024", "2024-11-04" + " " * 60]
)
def test_a_text_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        read_till_clock(text)
    assert refused.value.path == "date_vente"


def test_an_hour_without_an_offset_is_the_shops() -> None:
    naive = datetime(2024, 11, 4, 0, 30)  # noqa: DTZ001 - a till without an offset
    at, day, warnings = locate_sale(naive, was_sent=True, zone=KINSHASA)
    assert at.astimezone(UTC) == datetime(2024, 11, 3, 23, 30, tzinfo=UTC)
    assert (day, warnings) == (date(2024, 11, 4), ["heure_sans_fuseau"])


def test_the_day_is_that_of_the_shops_timezone() -> None:
    late = datetime(2024, 11, 4, 23, 30, tzinfo=UTC)
    assert locate_sale(late, was_sent=True, zone=KINSHASA) == (late, date(2024, 11, 5), [])


@pytest.mark.parametrize(
    ("sold", "was_sent", "warnings"),
    [(None, False, ["sans_heure"]), (None, True, ["horloge"]), (ARRIVAL, True, ["sans_heure"])],
)
def test_a_sale_without_an_hour_says_so(sold: date | None, was_sent: bool, warnings: list[str]) -> None:
    assert locate_sale(sold, was_sent=was_sent, zone=KINSHASA) == (None, sold, warnings)


@pytest.mark.parametrize(("days", "is_believed"), [(-41, False), (-40, True), (0, True), (1, True), (2, False)])
def test_a_day_counts_from_forty_days_before_to_one_day_after_arrival(days: int, is_believed: bool) -> None:
    sold = ARRIVAL + timedelta(days=days)
    day, warnings = business_day(sold, arrival_day=ARRIVAL, is_closed=nothing_is_closed)
    assert (day, warnings) == ((sold, []) if is_believed else (ARRIVAL, ["horloge"]))


def test_a_sale_without_a_day_counts_for_the_day_of_arrival() -> None:
    assert business_day(None, arrival_day=ARRIVAL, is_closed=nothing_is_closed) == (ARRIVAL, [])


def test_a_closed_month_gives_the_day_of_arrival_and_then_the_next_open_month() -> None:
    sold = date(2024, 10, 31)
    october, november = (2024, 10), (2024, 11)
    for closed, day in [({october}, ARRIVAL), ({october, november}, date(2024, 12, 1))]:
        answer = business_day(sold, arrival_day=ARRIVAL, is_closed=lambda d, closed=closed: (d.year, d.month) in closed)
        assert answer == (day, ["mois_clos"])
