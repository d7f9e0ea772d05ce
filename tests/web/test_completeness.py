"""What the dashboard says is missing from its figures: held sales, silent tills, and gaps."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from backend.sales.models import Heartbeat
from backend.sales.tills.heartbeat import Held, ParsedHeartbeat, record_heartbeat
from backend.shops.models import Device, Terminal, TerminalState
from backend.testing import Cast
from backend.web.templatetags.shop_format import gaps
from tests.shop_day import hand_over, post, sale
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

DASHBOARD = "/commercant/dashboard/"
COMPLETE = "Chiffres complets jusqu'à ce moment"


def says(device: Device, *, holds: int = 0, amounts: dict[str, int] | None = None, sequence: int | None = None) -> None:
    sums = {currency: Decimal(amount) for currency, amount in (amounts or {}).items()}
    heartbeat = ParsedHeartbeat(clock_at=None, held=Held(holds, sums, None), sequence=sequence)
    # Later than what the test handed over before, on any clock.
    record_heartbeat(device=device, heartbeat=heartbeat, now=datetime.now(UTC) + timedelta(seconds=1))


@pytest.fixture
def alone(cast: Cast) -> Cast:
    """Alice's shop with one open till."""
    Terminal.objects.filter(shop=cast.shop).exclude(pk=cast.terminal.pk).update(state=TerminalState.DISABLED)
    return cast


def test_it_says_until_when_the_figures_are_complete(alone: Cast, alice: Client) -> None:
    post(alone.device, sale(alone.rice))
    assert COMPLETE not in seen(alice.get(DASHBOARD))
    says(alone.device)
    words = seen(alice.get(DASHBOARD))
    assert f"{COMPLETE} : aujourd'hui" in words
    assert "ne dit pas" not in words
    assert words.index(COMPLETE) < words.index("Encaissé")


def test_a_till_that_does_not_say_is_named_with_its_last_batch(alone: Cast, alice: Client) -> None:
    assert "Terminal MAUI ne dit pas ce qu'elle garde ; aucun envoi." in seen(alice.get(DASHBOARD))
    post(alone.device, sale(alone.rice))
    words = seen(alice.get(DASHBOARD))
    assert "Terminal MAUI ne dit pas ce qu'elle garde ; dernier envoi aujourd'hui" in words
    assert COMPLETE not in words


def test_a_till_that_holds_sales_is_named_with_them(alone: Cast, alice: Client) -> None:
    says(alone.device, holds=12, amounts={"CDF": 184000, "USD": 10})
    words = seen(alice.get(DASHBOARD))
    assert "Terminal MAUI garde encore 12 ventes (184 000 FC et 10,00 $US) ; elle l'a dit aujourd'hui" in words
    assert COMPLETE not in words
    says(alone.device, holds=1)
    assert "Terminal MAUI garde encore 1 vente ; elle l'a dit" in seen(alice.get(DASHBOARD))


def test_what_a_till_sent_and_is_not_recorded_is_not_complete(alone: Cast, alice: Client) -> None:
    hand_over(alone.device, sale(alone.rice))
    says(alone.device)
    words = seen(alice.get(DASHBOARD))
    assert "Terminal MAUI a envoyé des ventes qui ne sont pas encore enregistrées." in words
    assert COMPLETE not in words


def test_gaps_in_a_tills_sequence_are_shown_to_the_merchant(alone: Cast, alice: Client) -> None:
    post(alone.device, sale(alone.rice, sequence=1839))
    assert "il manque" not in seen(alice.get(DASHBOARD))
    post(alone.device, sale(alone.rice, sequence=1842))
    assert "Terminal MAUI : il manque les ventes n° 1840 à 1841." in seen(alice.get(DASHBOARD))
    says(alone.device, holds=1, sequence=1844)
    assert "il manque les ventes n° 1840 à 1841, 1843." in seen(alice.get(DASHBOARD))


def test_another_shop_sees_nothing_of_it(alone: Cast, alice: Client, charlie: Client) -> None:
    post(alone.device, sale(alone.rice, sequence=1), sale(alone.rice, sequence=5))
    says(alone.device, holds=12)
    words = seen(charlie.get(DASHBOARD))
    assert "MAUI" not in words
    assert "il manque" not in words
    assert "garde encore" not in words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([[7, 7]], "la vente n° 7"),
        ([[7, 8]], "les ventes n° 7 à 8"),
        ([[7, 7], [1840, 1841]], "les ventes n° 7, 1840 à 1841"),
        ([[at, at] for at in range(7)], "les ventes n° 0, 1, 2, 3, 4, 5 et d'autres"),
    ],
)
def test_gaps_are_written_as_people_count(found: list[list[int]], words: str) -> None:
    assert gaps(found) == words


def test_a_till_that_went_quiet_is_named_and_no_time_is_given(alone: Cast, alice: Client) -> None:
    says(alone.device)
    assert COMPLETE in seen(alice.get(DASHBOARD))
    Heartbeat.objects.update(at=datetime.now(UTC) - timedelta(days=2))
    words = seen(alice.get(DASHBOARD))
    assert "Terminal MAUI n'a plus rien dit depuis" in words
    assert COMPLETE not in words
