"""Registers the sales app, and the values of its counters' labels."""

from django.apps import AppConfig

from backend.observability import counters


class SalesApp(AppConfig):
    name = "backend.sales"
    label = "sales"

    def ready(self) -> None:
        from backend.sales.errors import SALE_CODES
        from backend.sales.models import OutcomeStatus

        counters.register_values("caisse_sales_total", OutcomeStatus.values)
        counters.register_values("caisse_refusals_total", SALE_CODES)
