"""How many of a till's sales a person set aside."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("sales", "0003_till_day"),
    ]

    operations = [
        migrations.AddField("lane", "sales_set_aside", models.PositiveIntegerField(default=0)),
    ]
