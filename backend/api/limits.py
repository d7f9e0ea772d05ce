"""The limits a till is told, in the words of the wire."""

from backend.sales.intake import BATCH_SALES_MAX, BATCHES_WAITING_MAX, BODY_BYTES_MAX
from backend.sales.wire.parser import LINES_MAX

LIMITS = {
    "ventes_par_lot": BATCH_SALES_MAX,
    "octets": BODY_BYTES_MAX,
    "lignes_par_vente": LINES_MAX,
    "lots_en_attente": BATCHES_WAITING_MAX,
}
