"""Room for what a sentence is made of. Old code writes and reads beside it: nothing of this is asked of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0009_shop_in_every_growing_table")]

    operations = [
        migrations.AddField("saleoutcome", "params", models.JSONField(null=True)),
        migrations.AddField("outcomehistory", "params", models.JSONField(null=True)),
        migrations.AddField("outcomehistory", "reason_params", models.JSONField(null=True)),
        migrations.AddField("sale", "reason_params", models.JSONField(null=True)),
    ]
