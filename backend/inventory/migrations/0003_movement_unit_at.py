"""A unit's movements by time. The new index comes first: the foreign key needs one at every moment."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_initial")]

    operations = [
        migrations.AddIndex(
            model_name="stockmovement",
            index=models.Index(fields=["unit", "at"], name="movement_unit_at"),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="unit",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="movements",
                to="inventory.articleunit",
            ),
        ),
    ]
