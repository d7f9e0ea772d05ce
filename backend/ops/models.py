"""What the running system says of itself, kept where every process and every machine sees it."""

from django.db import models

from backend.db.dialect import KeyField


class Tally(models.Model):
    """A counter that all processes add to; it only grows. `backend/ops/counter_flush.py` adds, `metrics.py` tells."""

    name = KeyField(max_length=64)
    # Canonical JSON of the label values by name: {"code":"stock_insuffisant"}.
    labels = KeyField(max_length=200)
    value = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="tally_name_labels")]

    def __str__(self) -> str:
        return f"{self.name}{self.labels}: {self.value}"


class SweepTurn(models.Model):
    """The last turn that a sweep ended: one row a sweep, by machine and process. Rows of long ago are forgotten."""

    sweep = KeyField(max_length=100, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="sweep_turn_at")]

    def __str__(self) -> str:
        return f"{self.sweep} {self.at:%Y-%m-%d %H:%M:%S}"


class DoctorRun(models.Model):
    """An examination of everything by `manage.py doctor`, for who was not there to read it."""

    at = models.DateTimeField()
    duration_s = models.FloatField()
    finding_count = models.PositiveIntegerField()
    # By check: its id, its promise, how many findings, the first of them as sentences.
    checks = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["at"], name="doctor_run_at")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.finding_count}"
