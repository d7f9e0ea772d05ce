"""Articles, the units they are sold in, and every movement of their stock."""

import uuid
from typing import TypedDict

from django.conf import settings
from django.db import models

from backend.db.dialect import KeyField
from backend.shops.models import Shop


class DecimalSize(TypedDict):
    max_digits: int
    decimal_places: int


QUANTITY: DecimalSize = {"max_digits": 14, "decimal_places": 3}
MONEY: DecimalSize = {"max_digits": 14, "decimal_places": 2}
# The columns for who did something and why.
AUTHOR_LENGTH_MAX, REASON_LENGTH_MAX = 120, 300


class UnitLevel(models.TextChoices):
    CARTON = "CARTON", "Carton"
    MILLIER = "MILLIER", "Millier"
    PIECE = "PIECE", "Pièce"


class MovementType(models.TextChoices):
    ENTRY = "ENTREE", "Entrée"
    EXIT = "SORTIE", "Sortie"
    ADJUSTMENT = "AJUSTEMENT", "Ajustement"
    SALE = "VENTE", "Vente"
    RETURN = "RETOUR", "Retour client"
    VOID = "ANNULATION", "Annulation"


class Article(models.Model):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="articles", db_index=False)
    code = KeyField(max_length=40)
    barcode = KeyField(max_length=40, null=True, blank=True)
    name = models.CharField(max_length=160)
    is_active = models.BooleanField(default=True)
    # The unit that a line with only `article_id` means. Set explicitly: adding a unit changes nothing for old tills.
    base_unit = models.ForeignKey("ArticleUnit", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="article_shop_code")]
        indexes = [
            models.Index(fields=["shop", "changed_at"], name="article_shop_changed"),
            models.Index(fields=["shop", "barcode"], name="article_shop_barcode"),
        ]

    def __str__(self) -> str:
        return self.name


class ArticleUnit(models.Model):
    """One level an article is sold in. The uuid identifies it; the mark (DZ, BT, SAC…) is a label people rename."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="units")
    # No constraint: a posting changes `changed_at`, which shares an index with the shop, so InnoDB would check the key
    # again and lock the shop's row. Every sale would wait while somebody saves the shop's settings.
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    level = models.CharField(max_length=16, choices=UnitLevel)
    mark = models.CharField(max_length=24, blank=True)
    # How many of the article's next smaller unit this one holds; None if unknown.
    holds = models.DecimalField(**QUANTITY, null=True, blank=True)
    price = models.DecimalField(**MONEY, default=0)
    currency = models.CharField(max_length=3, default="CDF")
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    stock = models.DecimalField(**QUANTITY, default=0)
    low_stock_threshold = models.DecimalField(**QUANTITY, null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        # Never the mark: people rename it.
        constraints = [models.UniqueConstraint(fields=["article", "level"], name="unit_article_level")]
        indexes = [models.Index(fields=["shop", "changed_at"], name="unit_shop_changed")]

    def __str__(self) -> str:
        return f"{self.article} · {self.mark or self.level}"


class StockMovement(models.Model):
    """One change of one unit's stock. Append-only: the database refuses to change or delete a row."""

    # The index of this foreign key is movement_unit_at.
    unit = models.ForeignKey(ArticleUnit, on_delete=models.PROTECT, related_name="movements", db_index=False)
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    type = models.CharField(max_length=16, choices=MovementType)
    quantity = models.DecimalField(**QUANTITY)  # signed
    stock_before = models.DecimalField(**QUANTITY)
    stock_after = models.DecimalField(**QUANTITY)
    reference = models.CharField(max_length=100, blank=True)
    author = models.CharField(max_length=AUTHOR_LENGTH_MAX, blank=True)
    document = models.ForeignKey("sales.Sale", on_delete=models.PROTECT, null=True, related_name="movements")
    # The document's line that it belongs to, from 1.
    line = models.PositiveSmallIntegerField(null=True)
    comment = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["shop", "at"], name="movement_shop_at"),
            models.Index(fields=["unit", "at"], name="movement_unit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.quantity:+}"


class MovementComment(models.Model):
    """The phrase of ours that a movement's comment is, for who reads it in another language. Written with it.

    A table of its own: what is in a movement's row is never changed, and few movements have one.
    """

    movement = models.OneToOneField(
        StockMovement, primary_key=True, on_delete=models.PROTECT, related_name="kept_comment"
    )
    shop = models.ForeignKey(Shop, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    phrase = models.JSONField()

    def __str__(self) -> str:
        return f"comment of {self.movement_id}"


class WorkKey(models.Model):
    """The key of a form whose work was done, written in the same transaction, so that it is done once."""

    # No constraint: the insert would share-lock the shop's row, which giving a code then locks exclusively.
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    key = KeyField(max_length=64)
    # SHA-256 of the form's values: the same key with other values is not a repeat.
    content = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "key"], name="work_key_shop_key")]

    def __str__(self) -> str:
        return self.key


class ImportDraft(models.Model):
    """A spreadsheet between preview and confirmation: at most one per person and shop."""

    key = KeyField(max_length=64, unique=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    content = models.BinaryField()  # the uploaded file, compressed
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "user"], name="import_draft_shop_user")]

    def __str__(self) -> str:
        return self.name
