"""The day a till counts a document under; what was recorded before takes the day it counts for."""

from django.db import migrations, models
from django.db.models import F


def take_business_day(apps, schema_editor):
    apps.get_model("sales", "Sale").objects.update(till_day=F("business_day"))


class Migration(migrations.Migration):

    dependencies = [
        ("sales", "0002_outcome_content_index"),
    ]

    operations = [
        migrations.AddField("invoicesequence", "closed_by", models.CharField(blank=True, default="", max_length=120),
                            preserve_default=False),
        migrations.AddField("sale", "till_day", models.DateField(null=True)),
        migrations.RunPython(take_business_day, migrations.RunPython.noop),
        migrations.AlterField("sale", "till_day", models.DateField()),
        migrations.AddIndex("sale", models.Index(fields=["terminal", "till_day"], name="sale_terminal_day")),
    ]
