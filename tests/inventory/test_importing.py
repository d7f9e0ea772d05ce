"""Import of articles from a spreadsheet: previewed first, and done whole or not at all."""

import datetime
import uuid
from decimal import Decimal

import pytest

from backend.inventory.importing.columns import COLUMNS, write_articles_csv, write_articles_xlsx
from backend.inventory.importing.import_articles import ImportRefused, carry_out, plan_import, read_articles_sheet
from backend.inventory.importing.plans import Change, Creation, ImportPlan, OpeningStock
from backend.inventory.models import Article, ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.inventory.stock import move_stock
from backend.shops.models import Shop
from backend.testing import Cast, add_unit, make_article
from tests.invariants import check_stock
from tests.inventory.conftest import Nails
from tests.inventory.test_spreadsheets import workbook

pytestmark = pytest.mark.embedded


def rows() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Article, ArticleUnit, StockMovement)]


def preview(shop: Shop, text: str) -> ImportPlan:
    before = rows()
    plan = plan_import(shop=shop, sheet=read_articles_sheet(text.encode()))
    assert rows() == before
    return plan


def done(shop: Shop, text: str) -> ImportPlan:
    """Import, and assert that exactly the preview was done."""
    shown = preview(shop, text)
    plan = carry_out(shop=shop, sheet=read_articles_sheet(text.encode()), author="Alice")
    assert shown_of(plan) == shown_of(shown)
    check_stock()
    return plan


def shown_of(plan: ImportPlan) -> list[object]:
    return [plan.creations, plan.changes, plan.openings, plan.ignored, plan.errors]


def errors(shop: Shop, text: str) -> list[tuple[int, str, str]]:
    """Return (line, column, sentence) of each error, and assert that nothing was imported."""
    plan = preview(shop, text)
    before = rows()
    with pytest.raises(ImportRefused) as refused:
        carry_out(shop=shop, sheet=read_articles_sheet(text.encode()), author="Alice")
    assert rows() == before
    assert shown_of(refused.value.plan) == shown_of(plan)
    assert str(refused.value) == f"{len(plan.errors)} erreur(s) dans le fichier : rien n'a été importé"
    return [(error.line, error.column, str(error.sentence)) for error in plan.errors]


NEW = """Code;Nom;Code-barres;Actif;Niveau;Marque;Contient;Prix;Devise;Taux TVA;Seuil;Stock;Unité base
CLOU10;Clous de 10;301762;oui;carton;CTN;12;180 000,50;CDF;16 %;2;5;
CLOU10;Clous de 10;;oui;Pièce;PCE;;15;cdf;16;;1 250;OUI
SEL;Sel 1 kg;;non;PIECE;;;500;USD;0;;;
"""


def test_articles_with_their_units_and_opening_stock(cast: Cast) -> None:
    plan = done(cast.shop, NEW)
    assert plan.creations == [
        Creation(2, "article", "Clous de 10"),
        Creation(2, "unité", "Clous de 10 · CTN"),
        Creation(3, "unité", "Clous de 10 · PCE"),
        Creation(4, "article", "Sel 1 kg"),
        Creation(4, "unité", "Sel 1 kg · PIECE"),
    ]
    assert plan.openings == [
        OpeningStock(2, "Clous de 10 · CTN", Decimal(5)),
        OpeningStock(3, "Clous de 10 · PCE", Decimal(1250)),
    ]
    assert (plan.changes, plan.ignored) == ([], [])
    nails = Article.objects.get(shop=cast.shop, code="CLOU10")
    carton, piece = nails.units.order_by("level")
    assert (nails.name, nails.barcode, nails.is_active, nails.base_unit) == ("Clous de 10", "301762", True, piece)
    assert (carton.level, carton.mark, carton.holds, carton.price) == ("CARTON", "CTN", 12, Decimal("180000.50"))
    assert (carton.currency, carton.vat_rate, carton.low_stock_threshold, carton.stock) == ("CDF", 16, 2, 5)
    assert (piece.holds, piece.low_stock_threshold, piece.stock) == (None, None, 1250)
    salt = Article.objects.get(shop=cast.shop, code="SEL")
    assert (salt.is_active, salt.base_unit, salt.base_unit.currency, salt.base_unit.stock) == (
        False,
        salt.units.get(),
        "USD",
        0,
    )
    movements = StockMovement.objects.filter(unit__article=nails).values_list("type", "author", "comment").distinct()
    assert list(movements) == [("ENTREE", "Alice", "Stock d'ouverture (import)")]
    assert not StockMovement.objects.filter(unit__article=salt).exists()


def test_the_same_sheet_again_changes_nothing(cast: Cast) -> None:
    done(cast.shop, NEW)
    before = rows()
    assert done(cast.shop, NEW).is_empty
    assert rows() == before


@pytest.mark.parametrize("write", [write_articles_csv, write_articles_xlsx])
def test_an_export_imported_unchanged_is_no_change_at_all(cast: Cast, nails: Nails, write: object) -> None:
    """Even with values that could not be entered today."""
    odd = make_article(cast.shop, code=" =1+1", name="'@riz  \u0065\u0301 ", stock=Decimal("1.125"), price="1999.5")
    ArticleUnit.objects.filter(article=odd).update(currency="EUR", low_stock_threshold=Decimal("0.001"), vat_rate="5.5")
    Article.objects.filter(pk=cast.oil.pk).update(base_unit=None, barcode="0012")
    content = write(cast.shop)
    before = rows()
    sheet = read_articles_sheet(content)
    assert (sheet.columns, sheet.ignored_columns) == (COLUMNS, ())
    plan = carry_out(shop=cast.shop, sheet=sheet, author="Alice")
    assert shown_of(plan) == [[], [], [], [], []]
    assert plan.line_count == ArticleUnit.objects.filter(shop=cast.shop).count() == 6
    assert rows() == before
    assert cast.other_article.code.encode() not in content


def test_each_change_is_shown_with_before_and_after(cast: Cast, nails: Nails) -> None:
    changed_before = ArticleUnit.objects.get(pk=nails.carton.pk).changed_at
    untouched_before = ArticleUnit.objects.get(pk=nails.thousand.pk).changed_at
    text = (
        "article_uuid;code;nom;code_barres;actif;unite_uuid;marque;contient;prix;devise;taux_tva;seuil\n"
        f"{nails.article.uuid};POINTE;Pointes;77;non;{nails.carton.uuid};BOX;10;0,5;USD;16;3"
    )
    plan = done(cast.shop, text)
    subject = "Pointes · CTN"
    assert plan.changes == [
        Change(2, "Clous", "code", "CLOU", "POINTE"),
        Change(2, "Clous", "nom", "Clous", "Pointes"),
        Change(2, "Pointes", "code_barres", "vide", "77"),
        Change(2, "Pointes", "actif", "oui", "non"),
        Change(2, subject, "marque", "CTN", "BOX"),
        Change(2, "Pointes · BOX", "contient", "12", "10"),
        Change(2, "Pointes · BOX", "prix", "0", "0.5"),
        Change(2, "Pointes · BOX", "devise", "CDF", "USD"),
        Change(2, "Pointes · BOX", "taux_tva", "0", "16"),
        Change(2, "Pointes · BOX", "seuil", "vide", "3"),
    ]
    article = Article.objects.get(pk=nails.article.pk)
    assert (article.code, article.name, article.barcode, article.is_active) == ("POINTE", "Pointes", "77", False)
    assert (article.uuid, article.base_unit_id) == (nails.article.uuid, nails.piece.pk)
    carton = ArticleUnit.objects.get(pk=nails.carton.pk)
    assert (carton.uuid, carton.level, carton.stock) == (nails.carton.uuid, "CARTON", 2)
    assert (carton.mark, carton.holds, carton.price, carton.currency) == ("BOX", 10, Decimal("0.5"), "USD")
    assert carton.changed_at > changed_before
    assert ArticleUnit.objects.get(pk=nails.thousand.pk).changed_at == untouched_before


def test_an_empty_cell_and_a_missing_column_change_nothing(cast: Cast, nails: Nails) -> None:
    before = rows()
    done(cast.shop, "code;niveau;nom;marque;contient;seuil;prix\nCLOU;CARTON;;;;;\nRIZ25;PIECE")
    assert rows() == before


def test_a_unit_is_found_by_its_uuid_alone(cast: Cast, nails: Nails) -> None:
    done(cast.shop, f"unite_uuid;prix\n{nails.carton.uuid};7\n{nails.piece.uuid};1")
    assert list(nails.article.units.order_by("level").values_list("price", flat=True)) == [7, 0, 1]


def test_the_stock_of_a_unit_that_moved_is_ignored_with_a_note(cast: Cast) -> None:
    never = make_article(cast.shop, code="NEUF", stock=0)
    plan = done(cast.shop, "code;niveau;stock\nRIZ25;PIECE;80\nHUI20;PIECE;100\nNEUF;PIECE;12,5")
    assert [(note.line, note.column, str(note.sentence)) for note in plan.ignored] == [
        (2, "stock", "a déjà bougé : faites un ajustement")
    ]
    assert [opening.line for opening in plan.openings] == [4]
    stocks = ArticleUnit.objects.filter(article__in=[cast.rice, cast.oil, never]).order_by("pk")
    assert list(stocks.values_list("stock", flat=True)) == [100, 100, Decimal("12.5")]
    # A unit that is sold out has moved.
    again = done(cast.shop, "code;niveau;stock\nNEUF;PIECE;50")
    assert (len(again.ignored), again.openings) == (1, [])


def test_a_stock_sold_to_zero_is_not_set_again(cast: Cast) -> None:
    unit = cast.rice.base_unit
    move_stock(unit=unit, quantity=Decimal(-100), movement_type=MovementType.EXIT, author="Bob")
    plan = done(cast.shop, "code;niveau;stock\nRIZ25;PIECE;100")
    assert (plan.openings, len(plan.ignored), plan.is_empty) == ([], 1, True)


def test_a_unit_added_by_a_sheet_becomes_the_base_unit_only_if_it_says_so(cast: Cast) -> None:
    base = cast.rice.base_unit_id
    done(cast.shop, "code;niveau;prix;contient\nRIZ25;CARTON;90000;4")
    assert Article.objects.get(pk=cast.rice.pk).base_unit_id == base
    plan = done(cast.shop, "code;niveau;unite_base\nRIZ25;CARTON;oui\nRIZ25;PIECE;non")
    assert plan.changes == [Change(2, "Riz 25 kg", "unite_base", "PIECE", "CARTON")]
    assert Article.objects.get(pk=cast.rice.pk).base_unit.level == "CARTON"


@pytest.mark.parametrize(
    ("told", "after"), [("", None), ("RIZ25;CARTON;;12000\n", None), ("RIZ25;CARTON;;12\n", Decimal(12))]
)
def test_a_level_between_two_makes_the_larger_units_content_unknown(
    cast: Cast, told: str, after: Decimal | None
) -> None:
    """Unless the sheet sets it again; an unchanged cell does not."""
    carton = add_unit(cast.rice, level=UnitLevel.CARTON, holds=Decimal(12000))
    plan = done(cast.shop, f"code;niveau;prix;contient\n{told}RIZ25;MILLIER;900;1000")
    assert [(change.column, change.before) for change in plan.changes] == [("contient", "12000")]
    carton.refresh_from_db()
    assert carton.holds == after


def test_another_shops_articles_are_as_unknown_as_those_that_do_not_exist(cast: Cast) -> None:
    before = rows()
    theirs = cast.other_article
    for article_uuid, unit_uuid in ((theirs.uuid, theirs.base_unit.uuid), (uuid.uuid4(), uuid.uuid4())):
        unknown = "article non trouvé dans cette boutique"
        found = errors(cast.shop, f"article_uuid;niveau;nom\n{article_uuid};PIECE;Pris")
        assert found == [(2, "article_uuid", unknown)]
        unknown = "unité non trouvée dans cette boutique"
        assert errors(cast.shop, f"unite_uuid;prix\n{unit_uuid};1") == [(2, "unite_uuid", unknown)]
        assert errors(cast.shop, f"code;unite_uuid;prix\nRIZ25;{unit_uuid};1") == [(2, "unite_uuid", unknown)]
    # Their code is free here.
    done(cast.shop, f"code;nom;niveau;prix\n{theirs.code};Sel;PIECE;5")
    assert Article.objects.get(shop=cast.shop, code=theirs.code).name == "Sel"
    assert [one for one in rows()[0] if one["shop_id"] == cast.other_shop.pk] == [
        one for one in before[0] if one["shop_id"] == cast.other_shop.pk
    ]


@pytest.mark.parametrize(
    ("line", "column", "sentence"),
    [
        (";Sel;PIECE;5;;;;;;", "code", "il faut un code ou un identifiant d'article"),
        ("SEL;;PIECE;5;;;;;;", "nom", "un nouvel article a besoin d'un nom"),
        (f"{'S' * 41};Sel;PIECE;5;;;;;;", "code", "40 caractères au plus"),
        (f"SEL;{'S' * 161};PIECE;5;;;;;;", "nom", "160 caractères au plus"),
        ("SEL;Sel;;5;;;;;;", "niveau", "niveau attendu : CARTON, MILLIER, PIECE"),
        ("SEL;Sel;SAC;5;;;;;;", "niveau", "niveau attendu : CARTON, MILLIER, PIECE"),
        ("SEL;Sel;PIECE;;;;;;;", "prix", "une nouvelle unité a besoin d'un prix"),
        ("SEL;Sel;PIECE;-5;;;;;;", "prix", "ne peut pas être négatif"),
        ("SEL;Sel;PIECE;25.000;;;;;;", "prix", "« 25.000 » est ambigu : écrivez 25000, ou 25,0000"),
        ("SEL;Sel;PIECE;5,001;;;;;;", "prix", "« 5,001 » est ambigu : écrivez 5001, ou 5,0010"),
        ("SEL;Sel;PIECE;5,0010;;;;;;", "prix", "2 décimales au plus"),
        ("SEL;Sel;PIECE;gratuit;;;;;;", "prix", "« gratuit » n'est pas un nombre"),
        ("SEL;Sel;PIECE;1000000000000;;;;;;", "prix", "nombre trop grand"),
        ("SEL;Sel;PIECE;5;EUR;;;;;", "devise", "devise non acceptée par cette boutique (acceptées : CDF, USD)"),
        ("SEL;Sel;PIECE;5;;101;;;;", "taux_tva", "nombre trop grand"),
        ("SEL;Sel;PIECE;5;;;-1;;;", "seuil", "ne peut pas être négatif"),
        ("SEL;Sel;PIECE;5;;;;-1;;", "stock", "ne peut pas être négatif"),
        ("SEL;Sel;PIECE;5;;;;1,00001;;", "stock", "3 décimales au plus"),
        ("SEL;Sel;PIECE;5;;;;100000000000;;", "stock", "nombre trop grand"),
        ("SEL;Sel;PIECE;5;;;;;peut-être;", "actif", "oui ou non attendu, pas « peut-être »"),
        ("SEL;Sel;PIECE;5;;;;;;3", "contient", "une pièce ne contient rien de plus petit"),
        ("SEL;Sel;CARTON;5;;;;;;0", "contient", "doit être plus grand que zéro, ou vide s'il est inconnu"),
    ],
)
def test_each_error_of_a_line_is_named_and_nothing_is_imported(
    cast: Cast, line: str, column: str, sentence: str
) -> None:
    header = "code;nom;niveau;prix;devise;taux_tva;seuil;stock;actif;contient"
    good = "RIZ;Riz;PIECE;5;CDF;16;1;2;oui;"
    assert errors(cast.shop, f"{header}\n{good}\n{line}") == [(3, column, sentence)]
    done(cast.shop, f"{header}\n{good}")


def test_every_error_of_a_line_is_named_at_once(cast: Cast) -> None:
    found = errors(cast.shop, "code;nom;niveau;prix;seuil;stock\nSEL;Sel;PIECE;x;y;z\n;;;;;1")
    assert [(line, column) for line, column, _ in found] == [(2, "prix"), (2, "seuil"), (2, "stock"), (3, "code")]


def test_lines_that_contradict_each_other_are_named(cast: Cast, nails: Nails) -> None:
    shop = cast.shop
    assert errors(shop, "code;niveau;prix\nCLOU;PIECE;1\nCLOU;CARTON;1\nCLOU;Pièce;2") == [
        (4, "niveau", "la ligne 2 est déjà celle de cette unité")
    ]
    assert errors(shop, f"code;unite_uuid;niveau\nCLOU;{nails.piece.uuid};\nCLOU;;PIECE") == [
        (3, "niveau", "la ligne 2 est déjà celle de cette unité")
    ]
    assert errors(shop, "code;niveau;nom\nCLOU;PIECE;Pointes\nCLOU;CARTON;Clous") == [
        (3, "nom", "la ligne 2 dit autre chose du même article")
    ]
    assert errors(shop, "code;niveau;unite_base\nCLOU;PIECE;oui\nCLOU;CARTON;oui") == [
        (3, "unite_base", "la ligne 2 est déjà l'unité de base de cet article")
    ]
    assert errors(shop, "code;niveau;unite_base\nCLOU;PIECE;non") == [
        (2, "unite_base", "dites oui à l'unité qui devient celle de base")
    ]
    assert errors(shop, "code;nom;niveau;prix\nN;N;PIECE;1\nN;N;CARTON;1") == [
        (2, "unite_base", "dites laquelle des unités est celle de base (oui)")
    ]
    assert errors(shop, f"code;unite_uuid;prix\nRIZ25;{nails.piece.uuid};1") == [
        (2, "unite_uuid", "cette unité est d'un autre article")
    ]
    assert errors(shop, f"unite_uuid;niveau\n{nails.piece.uuid};CARTON") == [
        (2, "niveau", "le niveau d'une unité ne change pas : celle-ci est PIECE")
    ]
    assert errors(shop, "article_uuid;niveau\nabc;PIECE") == [
        (2, "article_uuid", "identifiant illisible : laissez la cellule vide pour en créer un nouveau")
    ]


def test_a_code_that_another_article_has_is_refused(cast: Cast) -> None:
    taken = "le code RIZ25 est déjà celui d'un autre article"
    swap = f"article_uuid;code;niveau\n{cast.oil.uuid};RIZ25;PIECE\n{cast.rice.uuid};HUI20;PIECE"
    assert errors(cast.shop, swap)[0] == (2, "code", taken)
    both = f"article_uuid;code;niveau\n{cast.oil.uuid};NEUF;PIECE\n{cast.rice.uuid};NEUF;PIECE"
    assert errors(cast.shop, both) == [(3, "code", "le code NEUF est déjà celui d'un autre article")]
    new = f"article_uuid;code;nom;niveau;prix\n;NEUF;Sel;PIECE;5\n{cast.rice.uuid};NEUF;;PIECE;"
    assert errors(cast.shop, new) == [(3, "code", "le code NEUF est déjà celui d'un autre article")]
    done(cast.shop, f"article_uuid;code;niveau\n{cast.oil.uuid};NEUF;PIECE")


def test_a_cell_that_became_a_date_is_an_error_of_its_line(cast: Cast) -> None:
    content = workbook(["code", "niveau", "prix"], ["RIZ25", "PIECE", datetime.datetime(2024, 5, 1)])  # noqa: DTZ001
    plan = plan_import(shop=cast.shop, sheet=read_articles_sheet(content))
    assert [(error.line, error.column) for error in plan.errors] == [(2, "prix")]


@pytest.mark.slow
def test_ten_thousand_lines_are_imported_at_once(cast: Cast) -> None:
    lines = [f"A{number};Article {number};PIECE;{number};1" for number in range(10_000)]
    sheet = read_articles_sheet("\n".join(["code;nom;niveau;prix;stock", *lines]).encode())
    plan = carry_out(shop=cast.shop, sheet=sheet, author="Alice")
    assert (len(plan.creations), len(plan.openings)) == (20_000, 10_000)
    assert Article.objects.filter(shop=cast.shop, base_unit__stock=1).count() == 10_000
    check_stock()
