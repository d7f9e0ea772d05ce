import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0005_work_keys_and_import_drafts"), ("shops", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="MovementComment",
            fields=[
                (
                    "movement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="kept_comment",
                        serialize=False,
                        to="inventory.stockmovement",
                    ),
                ),
                ("phrase", models.JSONField()),
                (
                    "shop",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="shops.shop",
                    ),
                ),
            ],
        ),
    ]
