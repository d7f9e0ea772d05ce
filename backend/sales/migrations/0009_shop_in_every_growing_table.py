import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Coalesce

from backend.db import dialect


def name_shops(apps, schema_editor):
    """Rows of these tables are never changed, but for this once: the triggers come back after the migration."""
    dialect.drop_triggers(schema_editor.connection)
    Batch = apps.get_model("sales", "Batch")
    for name in ("BatchBody", "OutcomeHistory"):
        shop = Batch.objects.filter(pk=models.OuterRef("batch_id")).values("shop_id")[:1]
        apps.get_model("sales", name).objects.filter(shop_id=None).update(
            # One whose batch is gone names no shop, as before: the doctor tells of it.
            shop_id=Coalesce(models.Subquery(shop), 0)
        )


def shop(**options):
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+",
        to="shops.shop", **options,
    )


class Migration(migrations.Migration):
    dependencies = [("sales", "0008_heartbeat_word"), ("shops", "0001_initial")]

    operations = [
        migrations.AddField("batchbody", "shop", shop(null=True)),
        migrations.AddField("outcomehistory", "shop", shop(null=True)),
        migrations.RunPython(name_shops, migrations.RunPython.noop),
        migrations.AlterField("batchbody", "shop", shop()),
        migrations.AlterField("outcomehistory", "shop", shop()),
    ]
