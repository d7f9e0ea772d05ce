"""The example till's commands and program in docs/terminals.md, run in order as a reader would."""

import io
import json
import re
import shlex
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from backend.demo.loader import SERIAL, load_demo
from backend.localrun.stack import Stack
from backend.sales.repair.back_office import record_from_page
from backend.shops.enrolment import create_enrolment_code
from backend.shops.models import Device, Shop

PAGE = Path(__file__).parents[2] / "docs" / "terminals.md"
SHOWN_URL = "http://127.0.0.1:8000"
ITEM = {"article_id": 18, "quantite": 2, "prix_unitaire": 75000}


def blocks(language: str) -> list[str]:
    section = PAGE.read_text(encoding="utf-8").partition("## La caisse du projet")[2]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def url(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The demo shop behind real processes, and a folder of the reader's own."""
    load_demo(password="un-mot-de-passe-de-test", token="x" * 43)
    api = stack.add_api().start_ready()
    stack.add_worker().start_ready()
    stack.add_sweep().start_ready()
    monkeypatch.chdir(tmp_path)
    for name in ("TILL_URL", "TILL_SERIAL", "TILL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return api.url


def known_from_the_shop() -> dict[str, str]:
    """Return what the shop would give the reader: a code, and the number of another till's sale."""
    shop = Shop.objects.get(code="BTQ-009")
    user = get_user_model().objects.get(username="demo")
    sale = record_from_page(shop=shop, user=user, document={"lignes": [ITEM]}, key="aaaa1111").outcome.document
    device = Device.objects.get(serial=SERIAL)
    code = create_enrolment_code(terminal=device.terminal, replaces=device)
    return {"K7Q49XTD": code.text, "FAC-BTQ-009-202411-000002": sale.registration_number}


def test_every_command_of_the_page_works_as_shown(url: str, tmp_path: Path) -> None:
    known = {SHOWN_URL: url} | known_from_the_shop()
    (tmp_path / "ventes.json").write_text(json.dumps([{"numero_facture": "V-1", "lignes": [ITEM]}]))
    sold: list[str] = []
    (shown,) = blocks("sh")
    commands = [shlex.split(line, comments=True) for line in shown.splitlines()]
    actions = [words[3] for words in commands if words]
    for words in filter(None, commands):
        assert words[:3] == ["python", "manage.py", "till"]
        action, *arguments = [known.get(word, word) for word in words[3:]]
        if action in ("demo", "load"):
            arguments += ["--url", url]
        said = io.StringIO()
        call_command("till", action, *arguments, stdout=said)
        if action == "sell":
            sold.append(said.getvalue().split()[0])
            known[f"FAC-7K2Q-20241104-{len(sold):03}"] = sold[-1]
    assert {"enrol", "sell", "void", "return", "pay", "watch", "close", "heartbeat", "changes", "token"} <= set(actions)
    told = io.StringIO()
    call_command("till", "status", *sold, stdout=told)
    assert told.getvalue().count("created, purger") == len(sold) == 3


def test_the_program_of_the_page_works_as_shown(url: str, capsys: pytest.CaptureFixture) -> None:
    (program,) = blocks("python")
    exec(compile(program.replace(SHOWN_URL, url), "docs/terminals.md", "exec"), {})
    assert "created" in capsys.readouterr().out
