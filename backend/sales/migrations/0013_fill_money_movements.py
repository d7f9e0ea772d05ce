"""Write the money movements of everything recorded so far, from the batches' bytes, by today's rules.

Killed and begun again, it goes on with what is left. The log names each document whose money is read differently than
it was before: where a void or a return, a credit or a rate was guessed.
"""

from collections import defaultdict
from decimal import Decimal

import structlog
from django.db import connection, migrations

log = structlog.get_logger("caisse.money")


def fill(apps, schema_editor):
    from backend.sales.posting.missing_money import write_missing_money

    different = 0

    def compare(written):
        nonlocal different
        document, moves = written
        before, now = read_before(document, moves), summed(moves)
        if before != now:
            different += 1
            log.warning(
                "money_read_differently",
                shop=document.shop_id,
                sale=document.pk,
                number=document.number,
                kind=document.kind,
                before=shown(before),
                now=shown(now),
            )

    count = write_missing_money(compare)
    # Each was added up by the old rules.
    apps.get_model("sales", "DayTotal").objects.update(added_up_at_marks=None)
    if count:
        log.info("money_written", documents=count, read_differently=different)


def summed(moves):
    sums = defaultdict(Decimal)
    for move in moves:
        sums[move.mode, move.currency] += move.amount
    return {key: amount for key, amount in sums.items() if amount}


def read_before(document, moves):
    """Return, by mode and currency, what the version before this one reckoned."""
    whole = {(document.payment_mode.upper(), document.currency): document.total} if document.total else {}
    if document.kind == "paiement":
        return whole
    if document.kind in ("annulation", "retour"):
        return {key: -amount for key, amount in whole.items()} if document.is_paid else {}
    if document.is_paid and summed(moves) == whole:
        return whole
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mode, currency, amount FROM sales_salepayment WHERE document_id = %s", [document.pk]
        )
        rows = cursor.fetchall()
    if not rows:
        return whole if document.is_paid else {}
    sums = defaultdict(Decimal)
    for mode, currency, amount in rows:
        sums[mode.upper(), currency] += Decimal(str(amount)).quantize(Decimal("0.01"))
    return {key: amount for key, amount in sums.items() if amount}


def shown(sums):
    return {f"{mode} {currency}": str(amount) for (mode, currency), amount in sums.items()}


class Migration(migrations.Migration):
    # Chunk by chunk: what is written stays written.
    atomic = False
    dependencies = [("sales", "0012_money_movements")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
