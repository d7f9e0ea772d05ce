"""The limits that answers state to tills, under their names on the wire."""

from backend.sales.intake import BATCH_SALES_MAX, BATCHES_WAITING_MAX, BODY_BYTES_MAX
from backend.sales.wire.structs import LINES_MAX
from backend.sales.wire.vocabulary import Answer, AtLeastOne


class Limites(Answer, frozen=True):
    ventes_par_lot: AtLeastOne
    octets: AtLeastOne
    lignes_par_vente: AtLeastOne
    lots_en_attente: AtLeastOne


LIMITS = Limites(
    ventes_par_lot=BATCH_SALES_MAX,
    octets=BODY_BYTES_MAX,
    lignes_par_vente=LINES_MAX,
    lots_en_attente=BATCHES_WAITING_MAX,
)
