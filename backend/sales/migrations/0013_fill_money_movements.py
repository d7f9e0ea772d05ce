"""Write the money movements of everything recorded so far, from the batches' bytes, by today's rules.

Killed and begun again, it goes on with what is left. The log names each document whose money is read differently than
it was before: where a void or a return, a credit or a rate was guessed.
"""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

import structlog
from django.db import connection, migrations

log = structlog.get_logger("caisse.money")


def fill(apps, schema_editor):
    from backend.sales.posting.missing_money import write_missing_money

    different = 0

    def compare(written):
        nonlocal different
        document, moves = written
        before, now = read_before(document, moves), reading(moves)
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


def reading(moves):
    """Return the sums by mode and currency, and their worth in the document's currency."""
    sums = defaultdict(Decimal)
    for move in moves:
        sums[move.mode, move.currency] += move.amount
    return {key: amount for key, amount in sums.items() if amount}, sum((move.value for move in moves), Decimal(0))


def read_before(document, moves):
    """Return the same as the version before this one reckoned it."""
    whole = {(document.payment_mode.upper(), document.currency): document.total} if document.total else {}
    if document.kind == "paiement":
        return whole, document.total
    if document.kind in ("annulation", "retour"):
        if not document.is_paid:
            return {}, Decimal(0)
        return {key: -amount for key, amount in whole.items()}, -document.total
    if document.is_paid and reading(moves) == (whole, document.total):
        return whole, document.total
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mode, currency, amount, rate FROM sales_salepayment WHERE document_id = %s", [document.pk]
        )
        rows = cursor.fetchall()
    if not rows:
        return (whole, document.total) if document.is_paid else ({}, Decimal(0))
    sums, worth = defaultdict(Decimal), Decimal(0)
    for mode, currency, amount, rate in rows:
        sums[mode.upper(), currency] += cents(Decimal(str(amount)))
        worth += cents(Decimal(str(amount)) * Decimal(str(rate)))
    return {key: amount for key, amount in sums.items() if amount}, worth


def cents(amount):
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def shown(read):
    sums, worth = read
    return {f"{mode} {currency}": str(amount) for (mode, currency), amount in sums.items()} | {"worth": str(worth)}


class Migration(migrations.Migration):
    # Chunk by chunk: what is written stays written.
    atomic = False
    dependencies = [("sales", "0012_money_movements")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
