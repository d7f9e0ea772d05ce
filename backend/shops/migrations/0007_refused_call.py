"""Names the model of refused calls by what it keeps. The table, its keys and its rows stay as they are."""

from django.db import migrations

PERMISSIONS = ("add", "change", "delete", "view")


def _rename_permissions(apps, old, new):
    """What people were given under the old name they keep: Django renames the content type, not the permissions."""
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="shops")
    for verb in PERMISSIONS:
        if not permissions.filter(codename=f"{verb}_{new}").exists():
            permissions.filter(codename=f"{verb}_{old}").update(codename=f"{verb}_{new}")


def forwards(apps, schema_editor):
    _rename_permissions(apps, "knock", "refusedcall")


def backwards(apps, schema_editor):
    _rename_permissions(apps, "refusedcall", "knock")


class Migration(migrations.Migration):
    dependencies = [("shops", "0006_sign_in_failure"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.AlterModelTable(name="knock", table="shops_knock"),
        migrations.RenameModel(old_name="Knock", new_name="RefusedCall"),
        migrations.RunPython(forwards, backwards),
    ]
