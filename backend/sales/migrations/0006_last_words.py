from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0005_day_total")]

    operations = [
        migrations.AddIndex(
            model_name="heartbeat",
            index=models.Index(fields=["device", "at"], name="heartbeat_device_at"),
        ),
        # What days came to was kept without the sales themselves: it is added up anew when somebody asks.
        migrations.RunSQL("UPDATE sales_daytotal SET added_up_at_marks = NULL", migrations.RunSQL.noop),
    ]
