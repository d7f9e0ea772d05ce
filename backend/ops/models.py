"""What the running system records of itself, in the database so that every process and machine sees it."""

from django.db import models

from backend.db.dialect import KeyField


class Tally(models.Model):
    """A counter that all processes add to; it only grows. `counter_flush.py` adds to it, `metrics.py` shows it."""

    name = KeyField(max_length=64)
    # Canonical JSON of the label values by name: {"code":"stock_insuffisant"}.
    labels = KeyField(max_length=200)
    value = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="tally_name_labels")]

    def __str__(self) -> str:
        return f"{self.name}{self.labels}: {self.value}"


class SweepTurn(models.Model):
    """When a sweep last ended a turn: one row for each sweep, by machine and process. Old rows are deleted."""

    sweep = KeyField(max_length=100, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="sweep_turn_at")]

    def __str__(self) -> str:
        return f"{self.sweep} {self.at:%Y-%m-%d %H:%M:%S}"


class DoctorRun(models.Model):
    """What a full examination by `manage.py doctor` found."""

    at = models.DateTimeField()
    duration_s = models.FloatField()
    finding_count = models.PositiveIntegerField()
    # For each check: its name, its promise, how many findings, the first of them as sentences.
    checks = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["at"], name="doctor_run_at")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.finding_count}"
