"""Import of articles on the pages: previewed first, then imported as shown, by the same person."""

import io
from datetime import timedelta

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from openpyxl.writer.excel import save_workbook

from backend.inventory.catalogue import change_article
from backend.inventory.importing.spreadsheets import FILE_BYTES_MAX
from backend.inventory.models import Article, ImportDraft
from backend.testing import Cast, make_article, make_user
from backend.web.selectors import imports as selectors
from tests.invariants import check_stock
from tests.tills import stock_of
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

IMPORT = "/commercant/stock/import/"
SHEET = """code;nom;niveau;prix;seuil;stock;couleur
SEL1;Sel 1 kg;PIECE;1500;5;20;blanc
RIZ25;;PIECE;26000;10;7;
"""
PREVIEW_BYTES_MAX = 30 * 1024


@pytest.fixture
def bob(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.bob)
    return client


def upload(client: Client, content: str | bytes, name: str = "articles.csv") -> HttpResponse:
    content = content.encode() if isinstance(content, str) else content
    return client.post(IMPORT, {"fichier": SimpleUploadedFile(name, content)})


def preview_of(client: Client, content: str | bytes = SHEET) -> str:
    """Upload, and return the preview's address."""
    answer = upload(client, content)
    assert answer.status_code == 302
    return answer["Location"]


def codes(cast: Cast) -> set[str]:
    return set(Article.objects.filter(shop=cast.shop).values_list("code", flat=True))


def test_the_preview_says_what_would_change_and_changes_nothing(cast: Cast, bob: Client) -> None:
    words = seen(bob.get(preview_of(bob)))
    for expected in (
        "articles.csv · 2 lignes",
        "Rien n'a encore changé.",
        "À créer 2",
        "À changer 2",
        "Stocks de départ 1",
        "Sel 1 kg",
        "ligne 3 Riz 25 kg · PCE prix 25000 → 26000",
        "+20",
        "a déjà bougé : faites un ajustement",
        "Colonnes inconnues, laissées de côté : couleur",
        "Importer tout",
    ):
        assert expected in words
    assert codes(cast) == {"RIZ25", "HUI20"}


def test_what_was_shown_is_imported_once(cast: Cast, bob: Client) -> None:
    preview = preview_of(bob)
    words = seen(bob.post(preview, follow=True))
    assert "Import fait. Créés : 2 ; changés : 2 ; stocks de départ : 1." in words
    assert "Sel 1 kg" in words
    salt = Article.objects.get(shop=cast.shop, code="SEL1")
    assert (stock_of(salt), stock_of(cast.rice)) == (20, 100)
    assert salt.base_unit.movements.get().author == "bob"
    assert "n'attend plus" in seen(bob.post(preview, follow=True))
    assert not ImportDraft.objects.exists()
    check_stock()


def test_errors_are_shown_by_line_and_nothing_is_imported(cast: Cast, bob: Client) -> None:
    preview = preview_of(bob, "code;nom;niveau;prix\nSEL1;Sel;PIECE;1.500\nSUC;Sucre;SEAU;100\nTHE;Thé;PIECE;100\n")
    words = seen(bob.get(preview))
    assert "2 erreurs : rien ne peut être importé." in words
    assert "ligne 2 prix « 1.500 » est ambigu" in words
    assert "ligne 3 niveau" in words
    assert "Importer tout" not in words
    assert "2 erreur(s) dans le fichier" in seen(bob.post(preview, follow=True))
    assert codes(cast) == {"RIZ25", "HUI20"}


def test_a_sheet_is_validated_again_after_a_change_since_the_preview(cast: Cast, bob: Client) -> None:
    preview = preview_of(bob, "code;nom;code_barres\nHUI20;Huile fine;123\n")
    change_article(shop=cast.shop, article_uuid=cast.oil.uuid, changes={"code": "HUILE"})
    words = seen(bob.post(preview, follow=True))
    assert "erreur" in words
    cast.oil.refresh_from_db()
    assert cast.oil.name == "Huile 20 L"


def test_a_sheet_that_changes_nothing_says_so(bob: Client) -> None:
    words = seen(bob.get(preview_of(bob, bob.get("/commercant/stock/articles.csv").content)))
    assert "Ce fichier ne changerait rien." in words
    assert "Importer tout" not in words


def test_a_file_is_given_up(cast: Cast, bob: Client) -> None:
    preview = preview_of(bob)
    assert "rien n'a changé" in seen(bob.post(preview, {"abandonner": "1"}, follow=True))
    assert "n'attend plus" in seen(bob.get(preview, follow=True))
    assert codes(cast) == {"RIZ25", "HUI20"}


def test_a_newer_file_takes_the_place_of_the_older(cast: Cast, bob: Client) -> None:
    older, newer = preview_of(bob), preview_of(bob, SHEET.replace("SEL1", "SEL2"))
    assert "n'attend plus" in seen(bob.post(older, follow=True))
    bob.post(newer)
    assert codes(cast) == {"RIZ25", "HUI20", "SEL2"}


def test_unconfirmed_files_are_deleted_after_a_day(cast: Cast, alice: Client, bob: Client) -> None:
    old = preview_of(bob)
    ImportDraft.objects.update(at=timezone.now() - timedelta(hours=25))
    preview_of(alice)
    assert ImportDraft.objects.count() == 1
    assert "n'attend plus" in seen(bob.get(old, follow=True))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("articles.xls", b"\xd0\xcf\x11\xe0rest", "Ancien format .xls"),
        ("articles.csv", b"\xff\xfe\x00", "CSV UTF-8"),
        ("articles.xlsx", b"PK\x03\x04broken", "illisible"),
        ("articles.csv", b"rien;du tout\n1;2\n", "Aucune ligne d'en-tête reconnue"),
        ("articles.csv", b"", "vide"),
        ("articles.csv", b"x" * (FILE_BYTES_MAX + 1), "5 Mio au plus"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(name: str, content: bytes, message: str, bob: Client) -> None:
    assert message in seen(upload(bob, content, name))
    assert not ImportDraft.objects.exists()
    assert upload(bob, SHEET).status_code == 302


def test_a_missing_file_is_refused(bob: Client) -> None:
    assert "obligatoire" in seen(bob.post(IMPORT, {}))


def test_a_viewer_exports_and_does_not_import(cast: Cast, client: Client, bob: Client) -> None:
    preview = preview_of(bob)
    client.force_login(cast.victor)
    assert client.get(IMPORT).status_code == 403
    assert upload(client, SHEET).status_code == 403
    assert client.get(preview).status_code == 403
    assert client.post(preview).status_code == 403
    assert client.get("/commercant/stock/articles.csv").status_code == 200
    assert codes(cast) == {"RIZ25", "HUI20"}


def test_nobody_else_confirms_a_persons_file(cast: Cast, alice: Client, bob: Client, charlie: Client) -> None:
    """Neither a member of the same shop nor of another, nor the same person in another of her shops."""
    preview = preview_of(bob)
    for stranger in (alice, charlie):
        assert "n'attend plus" in seen(stranger.post(preview, follow=True))
    assert codes(cast) == {"RIZ25", "HUI20"}
    dora = Client()
    dora.force_login(make_user("dora", cast.shop, cast.other_shop))
    dora.get("/commercant/stock/", {"boutique": "BTQ-009"})
    own = preview_of(dora)
    assert "boutique=BTQ-009" in own
    assert "n'attend plus" in seen(dora.post(own.replace("BTQ-009", "BTQ-777"), follow=True))
    assert Article.objects.filter(shop=cast.other_shop).count() == 1


def test_the_export_is_what_the_import_takes(cast: Cast, bob: Client) -> None:
    answer = bob.get("/commercant/stock/articles.csv")
    assert 'attachment; filename="articles-BTQ-009-' in answer["Content-Disposition"]
    text = answer.content.decode("utf-8-sig")
    assert text.splitlines()[0].startswith("article_uuid;code;nom")
    assert "RIZ25;Riz 25 kg" in text
    assert cast.other_article.code not in text
    bob.post(preview_of(bob, text.replace("Riz 25 kg", "Riz long")))
    cast.rice.refresh_from_db()
    assert cast.rice.name == "Riz long"
    workbook = openpyxl.load_workbook(io.BytesIO(bob.get("/commercant/stock/articles.xlsx").content))
    assert {row[1].value for row in workbook.active.iter_rows(min_row=2)} == {"RIZ25", "HUI20"}
    assert bob.get("/commercant/stock/articles.pdf").status_code == 404


def test_a_workbook_is_imported_too(cast: Cast, bob: Client) -> None:
    bob.post(preview_of(bob, bob.get("/commercant/stock/articles.xlsx").content))
    make_article(cast.shop, code="NEUF")
    workbook = openpyxl.Workbook()
    workbook.active.append(["code", "nom", "niveau", "prix", "stock"])
    workbook.active.append(["THE", "Thé", "PIECE", 250, 3])
    buffer = io.BytesIO()
    save_workbook(workbook, buffer)
    bob.post(preview_of(bob, buffer.getvalue()))
    assert stock_of(Article.objects.get(code="THE")) == 3


def test_a_long_preview_is_cut_and_says_so(cast: Cast, bob: Client) -> None:
    lines = "".join(f"N{number};Nom {number};PIECE;100;1\n" for number in range(500))
    answer = bob.get(preview_of(bob, f"code;nom;niveau;prix;stock\n{lines}"))
    assert f"et {1000 - selectors.SHOWN_MAX} autres" in seen(answer)
    assert len(answer.content) < PREVIEW_BYTES_MAX
