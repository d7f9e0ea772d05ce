"""A batch's receipt, as its till reads it: never half of a change.

The batch's row is read first, then the outcomes below its cursor. The other way round, an answer could have the next
version's ETag on this version's body, and the till would be answered "not modified" for ever.
"""

import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from msgspec import UNSET
from msgspec.structs import asdict

from backend.inventory.models import StockMovement
from backend.sales.errors import action_for, sentence_of
from backend.sales.models import Batch, BatchBody, MoneyMovement, OutcomeStatus, Sale, SaleLine, SaleOutcome
from backend.sales.receipts import answers
from backend.sales.receipts.answers import NO_NUMBER
from backend.sales.wire.fields import written
from backend.sales.wire.split import cut, peek
from backend.sales.wire.vocabulary import number, timestamp
from backend.sentences import FRENCH
from backend.shops.models import Device, Shop, Terminal
from backend.shops.terminals import shop_of

# Raise it when the shape of the answer changes, so that no till keeps an old answer under an unchanged version.
ANSWER_FORMAT = 2

URL = "/api/v2/simple/ventes/recus/{}"


def etag_of(batch: Batch) -> str:
    return f'"{batch.pk}-{batch.version}-{ANSWER_FORMAT}"'


def url_of(batch: Batch) -> str:
    return URL.format(batch.receipt)


def state_of(batch: Batch) -> str:
    if batch.settled_at:
        return "traite"
    return "en_cours" if batch.next_position > 1 else "en_attente"


def describe_shop(shop: Shop) -> answers.Boutique:
    return answers.Boutique(id=shop.pk, nom=shop.name, code=shop.code)


def describe_terminal(terminal: Terminal, device: Device) -> answers.Terminal:
    return answers.Terminal(id=terminal.pk, nom=terminal.name, numero_serie=device.serial)


def acknowledgement(batch: Batch, device: Device) -> answers.AccuseDeReception:
    """Return the body of a 202. It promises that the batch is stored, and nothing about its sales."""
    return answers.AccuseDeReception(
        recu=batch.receipt,
        statut=state_of(batch),
        ventes_recues=batch.sale_count,
        url=url_of(batch),
        message=f"{batch.sale_count} vente(s) reçue(s), enregistrement en cours",
        boutique=describe_shop(_shop_of(batch, device)),
        terminal=describe_terminal(device.terminal, device),
    )


def _shop_of(batch: Batch, device: Device) -> Shop:
    """Return the shop that the batch was sent to: its till may be in another shop by now."""
    here = shop_of(device.terminal)
    return here if here.pk == batch.shop_id else Shop.objects.get(pk=batch.shop_id)


def summary(batch: Batch) -> answers.RecuResume:
    """Return a receipt's entry in the list of receipts."""
    return answers.RecuResume(
        recu=batch.receipt,
        statut=state_of(batch),
        version=batch.version,
        recu_le=timestamp(batch.received_at),
        ventes_recues=batch.sale_count,
        ventes_creees=batch.created_count,
        ventes_erreurs=batch.error_count,
        url=url_of(batch),
    )


def receipt(batch: Batch, device: Device, *, since_version: int | None = None, with_lines: bool = True) -> answers.Recu:
    """Return the receipt of `batch`, a row that was just read, for its device.

    `since_version`: only the outcomes that changed after it; the counters are the whole batch's. Without lines,
    `lignes` is empty.
    """
    changed = SaleOutcome.objects.filter(batch_id=batch.pk, position__lt=batch.next_position).order_by("position")
    if since_version is not None:
        changed = changed.filter(version__gt=since_version)
    outcomes = list(changed)
    documents = _Documents({outcome.document_id for outcome in outcomes if outcome.document_id}, with_lines=with_lines)
    shop = _shop_of(batch, device)
    whole = answers.RecuEnCours(
        recu=batch.receipt,
        statut=state_of(batch),
        version=batch.version,
        recu_le=timestamp(batch.received_at),
        message=_message(batch),
        ventes_creees=batch.created_count,
        ventes_erreurs=batch.error_count,
        details=answers.DetailsDuRecu(
            creees=[_good(outcome, documents, shop) for outcome in outcomes if outcome.is_recorded],
            erreurs=[_error(outcome, documents) for outcome in outcomes if not outcome.is_recorded],
            en_attente=_waiting(batch),
        ),
        trous=[answers.Trou(de=first, a=last) for first, last in batch.sequence_holes],
        boutique=describe_shop(shop),
        terminal=describe_terminal(device.terminal, device),
        statistiques=answers.Statistiques(
            total_envoyees=batch.sale_count,
            reussies=batch.created_count,
            erreurs=batch.error_count,
            doublons=batch.duplicate_count,
        ),
    )
    if not batch.settled_at:
        return whole
    is_success = batch.error_count == batch.duplicate_count
    return answers.RecuTraite(**asdict(whole), traite_le=timestamp(batch.settled_at), success=is_success)


def _message(batch: Batch) -> str:
    if not batch.settled_at:
        return f"{batch.next_position - 1} vente(s) sur {batch.sale_count} traitée(s)"
    refused = batch.error_count - batch.duplicate_count
    if refused:
        return f"{batch.created_count} vente(s) synchronisée(s), {refused} refusée(s)"
    message = f"{batch.created_count} vente(s) synchronisée(s) avec succès"
    if batch.duplicate_count:
        message += f", {batch.duplicate_count} déjà existante(s)"
    return message


def _waiting(batch: Batch) -> list[answers.VenteEnAttente]:
    if batch.settled_at:
        return []
    sales = sales_of(batch.pk)
    return [
        answers.VenteEnAttente(
            index=position,
            numero_facture=peek(sales[position - 1])[0] or NO_NUMBER,
            status="pending",
            action="attendre",
        )
        for position in range(batch.next_position, batch.sale_count + 1)
    ]


def sales_of(batch_id: int) -> list[bytes]:
    """Return the sales of a batch, undecoded."""
    deflated = BatchBody.objects.values_list("deflated", flat=True).get(pk=batch_id)
    return cut(zlib.decompress(deflated))


def _good(outcome: SaleOutcome, documents: "_Documents", shop: Shop) -> answers.VenteEnregistree:
    assert outcome.document_id is not None, "a recorded sale has its document"
    sale = documents.sales[outcome.document_id]
    return answers.VenteEnregistree(
        index=outcome.position,
        numero_facture=outcome.number or NO_NUMBER,
        variante=sale.variant,
        status=outcome.status,
        action=action_for(status=outcome.status, code=outcome.code),
        id=sale.pk,
        numero_enregistrement=sale.registration_number,
        boutique_id=shop.pk,
        boutique_nom=shop.name,
        montant_total=sale.total,
        devise=sale.currency,
        lignes_count=documents.line_counts[sale.pk],
        avertissements=sale.warnings,
        lignes=documents.lines[sale.pk],
        argent=[
            answers.Argent(mode=mode, devise=currency, montant=written(amount))
            for (mode, currency), amount in documents.money[sale.pk].items()
            if amount
        ],
    )


def _error(outcome: SaleOutcome, documents: "_Documents") -> answers.Erreur:
    action = action_for(status=outcome.status, code=outcome.code)
    if outcome.status == OutcomeStatus.DUPLICATE:
        assert outcome.document_id is not None, "a duplicate names the first sale"
        return answers.Doublon(
            index=outcome.position,
            numero_facture=outcome.number or NO_NUMBER,
            status=outcome.status,
            action=action,
            code=outcome.code,
            erreur=sentence_of(outcome, FRENCH),
            id=outcome.document_id,
            numero_enregistrement=documents.sales[outcome.document_id].registration_number,
        )
    return answers.VenteRefusee(
        index=outcome.position,
        numero_facture=outcome.number or NO_NUMBER,
        status=outcome.status,
        action=action,
        code=outcome.code,
        chemin=outcome.path or UNSET,
        erreur=sentence_of(outcome, FRENCH),
    )


@dataclass
class _Documents:
    """The documents of a receipt with their lines and their money, read in at most four queries."""

    ids: set[int]
    with_lines: bool
    sales: dict[int, Sale] = field(init=False)
    lines: dict[int, list[answers.LigneEnregistree]] = field(init=False)
    line_counts: dict[int, int] = field(init=False)
    # By document, then by mode and currency.
    money: dict[int, dict[tuple[str, str], Decimal]] = field(init=False)

    def __init__(self, ids: set[int], *, with_lines: bool) -> None:
        self.sales = {sale.pk: sale for sale in Sale.objects.filter(pk__in=ids)}
        self.lines = defaultdict(list)
        self.line_counts = defaultdict(int)
        self.money = defaultdict(lambda: defaultdict(Decimal))
        moves = MoneyMovement.objects.filter(document_id__in=ids).order_by("document_id", "position")
        for document_id, mode, currency, amount in moves.values_list("document_id", "mode", "currency", "amount"):
            self.money[document_id][mode, currency] += amount
        rows = SaleLine.objects.filter(document_id__in=ids).order_by("document_id", "position")
        if not with_lines:
            for document_id in rows.values_list("document_id", flat=True):
                self.line_counts[document_id] += 1
            return
        movements = StockMovement.objects.filter(document_id__in=ids).values_list("document_id", "line", "stock_after")
        stock_after = {(document_id, line): stock for document_id, line, stock in movements}
        for line in rows.select_related("unit"):
            self.line_counts[line.document_id] += 1
            self.lines[line.document_id].append(_line(line, stock_after.get((line.document_id, line.position))))


def _line(line: SaleLine, stock_after: Decimal | None) -> answers.LigneEnregistree:
    return answers.LigneEnregistree(
        ligne=line.position,
        article_id=line.unit.article_id,
        unite_uuid=line.unit.uuid,
        quantite=number(line.quantity),
        prix_unitaire=line.unit_price,
        remise=line.discount,
        montant=line.total,
        stock_apres=None if stock_after is None else number(stock_after),
    )
