"""What tills sent and what became of it, read-only. A batch's bytes are never shown."""

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backend.inventory.models import Article, ArticleUnit, StockMovement
from backend.ops.admin.lists import ReadOnlyAdmin, ReadOnlyInline
from backend.ops.admin.site import site
from backend.ops.models import DoctorRun, SweepTurn
from backend.sales.errors import sentence_of
from backend.sales.models import (
    Batch,
    DayTotal,
    Heartbeat,
    InvoiceSequence,
    Lane,
    OutcomeHistory,
    Pause,
    Sale,
    SaleLine,
    SaleOutcome,
    TillClosing,
)
from backend.sentences import FRENCH
from backend.shops.models import ExchangeRate, RefusedCall, Terminal

OUTCOMES_SHOWN_MAX = 200


@admin.register(Batch, site=site)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ("receipt", "shop", "terminal", "sale_count", "next_position", "received_at", "settled_at")
    list_select_related = ("shop", "terminal")
    finds = ("receipt", "pk")
    readonly_fields = ("outcomes",)
    exclude = ("idempotency_key", "join_key")

    @admin.display(description=_("Sorts"))
    def outcomes(self, batch: Batch) -> SafeString:
        """Show them here: their key has two columns, and Django's admin makes no page for such rows."""
        outcomes = SaleOutcome.objects.filter(batch_id=batch.pk).order_by("position")[:OUTCOMES_SHOWN_MAX]
        rows = (
            (one.position, one.number, one.status, one.code, sentence_of(one, FRENCH), _document(one))
            for one in outcomes
        )
        cells = "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
        return format_html("<table>{}</table>", format_html_join("", cells, rows))


def _document(outcome: SaleOutcome) -> SafeString | str:
    if outcome.document_id is None:
        return ""
    address = reverse("admin:sales_sale_change", args=[outcome.document_id])
    return format_html('<a href="{}">{}</a>', address, outcome.document_id)


class LineInline(ReadOnlyInline):
    model = SaleLine
    # Without the units: each would cost a query.
    fields = (
        "position",
        "article_name",
        "unit_mark",
        "quantity",
        "quantity_returned",
        "unit_price",
        "discount",
        "total",
    )
    readonly_fields = fields


@admin.register(Sale, site=site)
class SaleAdmin(ReadOnlyAdmin):
    list_display = ("number", "variant", "kind", "shop", "terminal", "registration_number", "total", "currency",
                    "recorded_at")  # fmt: skip
    list_select_related = ("shop", "terminal")
    finds = ("pk", "batch__receipt")
    narrows = ("batch__id__exact",)
    inlines = (LineInline,)
    readonly_fields = ("money",)

    @admin.display(description=_("Argent"))
    def money(self, sale: Sale) -> SafeString:
        """Show it here: its key has two columns, as an outcome's. With the drawer (the till's number,
        as in the list of tills), which need not be the document's."""
        moves = sale.money.order_by("position")
        rows = (
            (one.position, one.kind, one.mode, f"{one.amount} {one.currency}", f"× {one.rate}",
             f"{one.value} {sale.currency}", one.terminal_id, one.cashier, one.till_day, one.business_day)
            for one in moves
        )  # fmt: skip
        cells = f"<tr>{'<td>{}</td>' * 10}</tr>"
        return format_html("<table>{}</table>", format_html_join("", cells, rows))

    def found_by(self, term: str) -> Q:
        """Find documents by the till's number too. Names every till, because the index begins with the till."""
        condition = super().found_by(term)
        numbered = Sale.objects.filter(number=term, terminal_id__in=list(Terminal.objects.values_list("pk", flat=True)))
        return condition | Q(pk__in=list(numbered.values_list("pk", flat=True)[:OUTCOMES_SHOWN_MAX]))


@admin.register(OutcomeHistory, site=site)
class OutcomeHistoryAdmin(ReadOnlyAdmin):
    list_display = ("pk", "batch", "position", "status", "code", "replaced_at", "author", "reason")
    list_select_related = ("batch",)
    finds = ("pk", "batch__receipt")
    narrows = ("batch__id__exact",)


@admin.register(StockMovement, site=site)
class StockMovementAdmin(ReadOnlyAdmin):
    list_display = ("at", "type", "quantity", "stock_before", "stock_after", "unit", "reference", "author")
    list_select_related = ("unit__article",)
    finds = ("pk",)
    narrows = ("unit__id__exact", "document__id__exact")


@admin.register(Lane, site=site)
class LaneAdmin(ReadOnlyAdmin):
    list_display = ("terminal", "starts", "starts_at", "rung_at", "sequence_seen", "waiting_documents")
    list_select_related = ("terminal",)
    finds = ("pk",)


@admin.register(Pause, site=site)
class PauseAdmin(ReadOnlyAdmin):
    list_display = ("scope", "reason", "since")
    finds = ("pk",)


@admin.register(Heartbeat, site=site)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("at", "terminal", "device", "held_count", "oldest_held_at", "clock_skew_s")
    list_select_related = ("terminal", "device")
    finds = ("pk",)
    narrows = ("terminal__id__exact",)


@admin.register(TillClosing, site=site)
class TillClosingAdmin(ReadOnlyAdmin):
    list_display = ("day", "terminal", "cashier", "result", "at")
    list_select_related = ("terminal",)
    finds = ("pk",)
    narrows = ("terminal__id__exact",)


@admin.register(InvoiceSequence, site=site)
class InvoiceSequenceAdmin(ReadOnlyAdmin):
    list_display = ("shop", "year", "month", "last_number", "closed_at", "closed_by")
    list_select_related = ("shop",)
    finds = ("shop__code",)


@admin.register(DayTotal, site=site)
class DayTotalAdmin(ReadOnlyAdmin):
    list_display = ("shop", "day", "marks", "added_up_at_marks")
    list_select_related = ("shop",)
    finds = ("shop__code",)


@admin.register(RefusedCall, site=site)
class RefusedCallAdmin(ReadOnlyAdmin):
    list_display = ("serial", "call", "status", "code", "count", "last_at")
    finds = ("serial", "pk")


@admin.register(ExchangeRate, site=site)
class ExchangeRateAdmin(ReadOnlyAdmin):
    list_display = ("shop", "base", "quote", "rate", "since", "author")
    list_select_related = ("shop",)
    finds = ("shop__code",)


@admin.register(Article, site=site)
class ArticleAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "shop", "is_active")
    list_select_related = ("shop",)
    finds = ("pk",)
    narrows = ("shop__id__exact",)


@admin.register(ArticleUnit, site=site)
class ArticleUnitAdmin(ReadOnlyAdmin):
    list_display = ("article", "level", "mark", "price", "currency", "stock", "changed_at")
    list_select_related = ("article",)
    finds = ("pk", "uuid")
    narrows = ("article__id__exact",)


@admin.register(DoctorRun, site=site)
class DoctorRunAdmin(ReadOnlyAdmin):
    list_display = ("at", "duration_s", "finding_count")
    finds = ("pk",)


@admin.register(SweepTurn, site=site)
class SweepTurnAdmin(ReadOnlyAdmin):
    list_display = ("sweep", "at")
    finds = ("pk",)
