"""A ledger of money. What guessed at it leaves the models; its columns stay in the database, with defaults, for as long
as processes of the version before this one may run beside this one. The next version drops them."""

import django.db.models.deletion
from django.db import migrations, models

import backend.db.dialect

UNCONSTRAINED = {"on_delete": django.db.models.deletion.DO_NOTHING, "db_constraint": False}
MONEY = {"max_digits": 14, "decimal_places": 2}
KeyField = backend.db.dialect.KeyField


class Migration(migrations.Migration):
    dependencies = [("sales", "0011_fill_codes_and_params"), ("shops", "0007_refused_call")]

    operations = [
        migrations.AlterField("sale", "has_payments", models.BooleanField(default=False, db_default=False)),
        migrations.AlterField("sale", "paid_later", models.DecimalField(**MONEY, default=0, db_default=0)),
        migrations.AlterField("sale", "payment_mode", KeyField(max_length=32, default="CASH")),
        migrations.AlterField("sale", "cashier_code", KeyField(max_length=40, blank=True)),
        migrations.AlterField("sale", "cashier_name", KeyField(max_length=120, blank=True)),
        migrations.AlterField("sale", "customer_name", KeyField(max_length=160, blank=True)),
        migrations.AlterField("tillclosing", "cashier", KeyField(max_length=120, blank=True)),
        migrations.AddField("sale", "paid_total", models.DecimalField(**MONEY, null=True)),
        migrations.CreateModel(
            name="MoneyMovement",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "document_id", "position", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("cashier", KeyField(blank=True, max_length=120)),
                ("till_day", models.DateField()),
                ("business_day", models.DateField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ENCAISSEMENT", "Encaissement"),
                            ("RENDU", "Monnaie rendue"),
                            ("REMBOURSEMENT", "Remboursement"),
                            ("PAIEMENT", "Paiement d'un crédit"),
                        ],
                        max_length=16,
                    ),
                ),
                ("mode", KeyField(max_length=32)),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.DecimalField(**MONEY)),
                ("rate", models.DecimalField(decimal_places=8, default=1, max_digits=18)),
                ("value", models.DecimalField(**MONEY)),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="money",
                        to="sales.sale",
                    ),
                ),
                ("shop", models.ForeignKey(db_index=False, related_name="+", to="shops.shop", **UNCONSTRAINED)),
                ("terminal", models.ForeignKey(db_index=False, related_name="+", to="shops.terminal", **UNCONSTRAINED)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["shop", "business_day"], name="money_shop_day"),
                    models.Index(fields=["terminal", "till_day"], name="money_terminal_day"),
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("sale", "has_payments"),
                migrations.RemoveField("sale", "paid_later"),
                migrations.DeleteModel("SalePayment"),
            ]
        ),
    ]
