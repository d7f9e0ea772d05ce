from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0006_last_words"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="sale",
            index=models.Index(fields=["shop", "is_paid", "business_day"], name="sale_shop_credit"),
        ),
    ]
