"""The error pages: not found, not allowed, server error."""

import pytest
from django.test import Client

from backend.web.views import dashboard
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded


def test_a_server_error_is_explained_in_french(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Encaissé" in seen(alice.get("/commercant/dashboard/"))

    def break_down(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(dashboard, "load_till_statuses", break_down)
    alice.raise_request_exception = False
    answer = alice.get("/commercant/dashboard/")
    body = answer.content.decode()
    assert answer.status_code == 500
    assert "Ce que les caisses ont envoyé n'en souffre pas." in body
    assert "a bug" not in body
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_an_unknown_page_links_back(client: Client) -> None:
    answer = client.get("/nulle-part")
    body = answer.content.decode()
    assert answer.status_code == 404
    assert "Page introuvable" in body
    assert 'href="/"' in body
