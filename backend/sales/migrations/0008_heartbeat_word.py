from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0007_sale_shop_credit")]

    operations = [
        migrations.AddIndex(
            model_name="heartbeat",
            index=models.Index(fields=["terminal", "device", "at", "sequence"], name="heartbeat_word"),
        ),
        migrations.RemoveIndex(model_name="heartbeat", name="heartbeat_device_at"),
    ]
