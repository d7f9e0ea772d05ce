"""Name the phrase that the comment of a movement is, where an older version wrote one of ours. No movement is changed.

Each once, a chunk a transaction; begun again after it was killed, it finds what is left.
"""

import re

from django.db import migrations
from django.db.models import Q

CHUNK_IDS = 20_000
OPENED = re.compile(
    r"Ouverture de (?P<count>[0-9]+) (?P<larger>.*?) : (?P<brought>.*?) (?P<smaller>.*?)", re.DOTALL
)
FIRST_STOCKS = {"Stock d'ouverture": "stock_initial", "Stock d'ouverture (import)": "stock_initial_importe"}


def phrase_in(comment):
    if comment in FIRST_STOCKS:
        return {"code": FIRST_STOCKS[comment]}
    found = OPENED.fullmatch(comment)
    return {"code": "ouverture", **found.groupdict(), "count": int(found["count"])} if found else None


def name_phrases(apps, schema_editor):
    alias = schema_editor.connection.alias
    Movement = apps.get_model("inventory", "StockMovement")
    MovementComment = apps.get_model("inventory", "MovementComment")
    last = Movement.objects.using(alias).order_by("-pk").values_list("pk", flat=True).first() or 0
    ours = Q(comment__in=list(FIRST_STOCKS)) | Q(comment__startswith="Ouverture de ")
    for first in range(0, last, CHUNK_IDS):
        rows = Movement.objects.using(alias).filter(ours, pk__gt=first, pk__lte=first + CHUNK_IDS, document=None)
        MovementComment.objects.using(alias).bulk_create(
            [
                MovementComment(movement_id=pk, shop_id=shop_id, phrase=phrase)
                for pk, shop_id, comment in rows.values_list("pk", "shop_id", "comment")
                if (phrase := phrase_in(comment))
            ],
            batch_size=1000,
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("inventory", "0006_movement_comment")]

    operations = [migrations.RunPython(name_phrases, migrations.RunPython.noop)]
