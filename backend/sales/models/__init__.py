"""The tables of sales: what tills sent (batches), what became of it (documents), and what tills said of themselves."""

from backend.sales.models.batches import (
    RECORDED,
    Batch,
    BatchBody,
    Lane,
    OutcomeHistory,
    OutcomeStatus,
    Pause,
    SaleOutcome,
)
from backend.sales.models.documents import InvoiceSequence, MoneyKind, MoneyMovement, Sale, SaleKind, SaleLine
from backend.sales.models.reports import Heartbeat, TillClosing
from backend.sales.models.totals import DayTotal

__all__ = [
    "RECORDED",
    "Batch",
    "BatchBody",
    "DayTotal",
    "Heartbeat",
    "InvoiceSequence",
    "Lane",
    "MoneyKind",
    "MoneyMovement",
    "OutcomeHistory",
    "OutcomeStatus",
    "Pause",
    "Sale",
    "SaleKind",
    "SaleLine",
    "SaleOutcome",
    "TillClosing",
]
