"""Shops, the people who may see them, their tills and the devices that hold the tills."""

from django.conf import settings
from django.db import models

from backend.db.dialect import KeyField
from backend.shops.zones import validate_timezone


class StockPolicy(models.TextChoices):
    REFUSE = "refuse", "Refuser la vente"
    ACCEPT = "accept", "Accepter et laisser le stock négatif"


class Role(models.TextChoices):
    OWNER = "owner", "Propriétaire"
    MANAGER = "manager", "Gérant"
    VIEWER = "viewer", "Lecture seule"


class TerminalState(models.TextChoices):
    ACTIVE = "active", "Active"
    DISABLED = "disabled", "Désactivée"


class DeviceState(models.TextChoices):
    ACTIVE = "active", "Actif"
    # Another device took its till over. What it still sends is accepted and flagged.
    REPLACED = "replaced", "Remplacé"
    DISABLED = "disabled", "Désactivé"


class AuthMode(models.TextChoices):
    TOKEN = "token", "Jeton"
    # Old devices that have no token yet: the serial alone identifies them.
    SERIAL = "serial", "Numéro de série seul"


class AnswerMode(models.TextChoices):
    RECEIPT = "recu", "Reçu"
    # For tills that take any 2xx for success: no 2xx before every sale has its outcome.
    COMPLETE = "complete", "Complète"


class Shop(models.Model):
    code = KeyField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="CDF")
    # Comma-separated ISO 4217 codes, the shop's own among them.
    currencies = models.CharField(max_length=64, default="CDF,USD")
    timezone = models.CharField(max_length=64, default="Africa/Kinshasa", validators=[validate_timezone])
    stock_policy = models.CharField(max_length=16, choices=StockPolicy, default=StockPolicy.REFUSE)
    legal_name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=300, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    nif = models.CharField(max_length=40, blank=True)
    rccm = models.CharField(max_length=60, blank=True)
    id_nat = models.CharField(max_length=60, blank=True)
    vat_regime = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def accepted_currencies(self) -> frozenset[str]:
        return frozenset(code.strip() for code in self.currencies.split(",")) | {self.currency}


class ExchangeRate(models.Model):
    """One unit of `base` is worth `rate` units of `quote`, since a day. Append-only: the newest of a pair counts."""

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    since = models.DateField()
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["shop", "base", "quote"], name="rate_shop_pair")]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.rate} {self.quote}"


class Membership(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "shop"], name="membership_user_shop")]

    def __str__(self) -> str:
        return f"{self.user} · {self.shop} · {self.role}"


class Terminal(models.Model):
    """A till. "At most once" and "in order" are guaranteed per till; its device may be replaced."""

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, null=True, blank=True, related_name="terminals")
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=TerminalState, default=TerminalState.ACTIVE)
    # Stands for the shop's web pages: sales recorded there are posted like a till's. One per shop, without hardware.
    is_office = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Device(models.Model):
    serial = KeyField(max_length=64, unique=True)
    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="devices")
    state = models.CharField(max_length=16, choices=DeviceState, default=DeviceState.ACTIVE)
    auth_mode = models.CharField(max_length=16, choices=AuthMode, default=AuthMode.TOKEN)
    answer_mode = models.CharField(max_length=16, choices=AnswerMode, default=AnswerMode.RECEIPT)
    # SHA-256 of the token in hexadecimal: the token has 256 random bits, so a slow hash would protect nothing more.
    token_hash = KeyField(max_length=64, blank=True)
    # A token that was issued and not used yet. Its first use ends the old one.
    next_token_hash = KeyField(max_length=64, blank=True)
    model = models.CharField(max_length=64, blank=True)
    app_version = models.CharField(max_length=32, blank=True)
    # Written at most once a minute, in a statement of their own, never inside the intake's transaction.
    last_seen_at = models.DateTimeField(null=True, blank=True)
    last_ip = models.GenericIPAddressField(null=True, blank=True)
    # How far its clock was ahead of the server's at its last heartbeat.
    clock_skew_s = models.FloatField(null=True, blank=True)
    # When another device took its till over. What it sends later is accepted and flagged.
    replaced_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.serial


class EnrolmentCode(models.Model):
    """A one-time code, typed into a device to enrol it under a till."""

    code_hash = KeyField(max_length=64, unique=True)
    terminal = models.ForeignKey(Terminal, on_delete=models.CASCADE, related_name="enrolment_codes")
    replaces = models.ForeignKey(Device, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by_serial = KeyField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.terminal} ({self.expires_at:%Y-%m-%d %H:%M})"


class EnrolmentGuess(models.Model):
    """A wrong enrolment code. Counted here, where every process sees it; deleted after GUESSES_KEPT."""

    # An IPv4 address, or the IPv6 network of one customer. Empty if the address is unknown.
    source = KeyField(max_length=45, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["source", "at"], name="guess_source_at"),
            models.Index(fields=["at"], name="guess_at"),
        ]

    def __str__(self) -> str:
        return f"{self.source or '?'} ({self.at:%Y-%m-%d %H:%M})"


class SignInFailure(models.Model):
    """A wrong password. Counted here, where every process sees it; deleted after FAILURES_KEPT."""

    # The name as typed, cut. There may be no such account.
    name = KeyField(max_length=64, blank=True)
    source = KeyField(max_length=45, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["name", "at"], name="failure_name_at"),
            models.Index(fields=["source", "at"], name="failure_source_at"),
            models.Index(fields=["at"], name="failure_at"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.at:%Y-%m-%d %H:%M})"


class RefusedCall(models.Model):
    """Refused calls of one serial: the first thing to look at when a shop says "the till did send it"."""

    serial = KeyField(max_length=64, blank=True)
    call = models.CharField(max_length=80)
    code = models.CharField(max_length=40)
    status = models.PositiveSmallIntegerField()
    detail = models.CharField(max_length=300, blank=True)
    count = models.PositiveIntegerField(default=1)
    ip = models.GenericIPAddressField(null=True, blank=True)
    app_version = models.CharField(max_length=32, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        # The table and its keys keep their first names.
        db_table = "shops_knock"
        constraints = [models.UniqueConstraint(fields=["serial", "call", "code"], name="knock_serial_call_code")]
        indexes = [models.Index(fields=["last_at"], name="knock_last_at")]

    def __str__(self) -> str:
        return f"{self.serial or '?'}: {self.call} → {self.status} {self.code}"
