"""Forms refuse a time zone that nobody knows. No statement is run: the column stays as it is."""

from django.db import migrations, models

import backend.shops.zones


class Migration(migrations.Migration):
    dependencies = [("shops", "0004_enrolment_guess")]

    operations = [
        migrations.AlterField(
            "shop",
            "timezone",
            models.CharField(
                default="Africa/Kinshasa", max_length=64, validators=[backend.shops.zones.validate_timezone]
            ),
        ),
    ]
