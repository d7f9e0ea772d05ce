"""Every setting, read from the environment; settings that are missing there have safe defaults."""

import contextlib
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from whitenoise.compress import Compressor

from backend.config import celery_settings
from backend.db import database_url, replica
from backend.environment import environment
from backend.observability import logs

env = environment()

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))

# The process's role: api, worker, sweep, beat, flower or command. It decides how long a ring may take, and the logging.
ROLE = env.str("ROLE", default="command")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
# The key that `make run` made: commands run beside it need the same key, or the API would not accept their enrolment
# codes.
KEPT_KEY_FILE = VAR_DIR / "secret-key"
if not SECRET_KEY and ROLE == "api":
    raise ImproperlyConfigured("SECRET_KEY is not set. Set it e.g. to the output of `openssl rand -hex 32`.")
if not SECRET_KEY:
    with contextlib.suppress(OSError):
        SECRET_KEY = KEPT_KEY_FILE.read_text().strip()
# Without a key, a command gets a random one, and signs nothing that outlives it. Processes that serve must share a key.
SECRET_KEY_IS_KEPT = bool(SECRET_KEY)
SECRET_KEY = SECRET_KEY or secrets.token_hex(32)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
# How many of our own proxies are in front of the API; the till's address is read that many hops from the right.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
# Where tills reach this server, as the QR code of an enrolment code says.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "backend.config.apps.StaticFilesConfig",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular_sidecar",
    "django_htmx",
    "backend.config.apps.ConfigApp",
    "backend.shops.apps.ShopsApp",
    "backend.inventory.apps.InventoryApp",
    "backend.sales.apps.SalesApp",
    "backend.exports.apps.ExportsApp",
    "backend.api.apps.ApiApp",
    "backend.web.apps.WebApp",
    "backend.ops.apps.OpsApp",
    # SimpleAdminConfig discovers nothing: backend/ops/admin/ says what is shown. After our apps, so that our templates
    # take precedence.
    "django.contrib.admin.apps.SimpleAdminConfig",
]

MIDDLEWARE = [
    "backend.observability.request_context.RequestIdMiddleware",
    "backend.observability.request_log.RequestLogMiddleware",
    "backend.db.replica.ReplicaMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "backend.web.languages.LanguageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backend.web.security.ContentSecurityPolicyMiddleware",
]

ROOT_URLCONF = "backend.config.urls"
WSGI_APPLICATION = "backend.config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASE_URL = env.address("DATABASE_URL", default=database_url.of_sqlite(VAR_DIR / "caisse.sqlite3"))
DATABASES = {"default": database_url.from_url(DATABASE_URL, test_name=env.str("TEST_DATABASE_NAME", default=""))}
# A replica for the merchants' pages. Tills, workers and users who have just changed something never read from it.
if REPLICA_DATABASE_URL := env.address("REPLICA_DATABASE_URL", default=""):
    DATABASES[replica.REPLICA] = database_url.from_url(REPLICA_DATABASE_URL)
    DATABASE_ROUTERS = ["backend.db.replica.ReplicaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# A larger body is refused before it is in memory.
BODY_BYTES_MAX = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_BYTES_MAX

# Whether FAULT=… can kill or stop a process in the middle of a posting (backend/sales/posting/failpoints.py). Only
# tests/settings.py turns it on. It is not read from the environment, so that no environment can turn it on in a shop.
FAILPOINTS_ENABLED = False

# How many sales a second this installation posts, for computing Retry-After. Measure it with `make bench`.
POSTING_RATE_PER_S = env.int("POSTING_RATE_PER_S", default=200)
# The bearer token for reading /metrics. If it is empty, only this machine may read them.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Where operators reach Flower, for a link on the operations page. No process connects to it.
FLOWER_URL = env.str("FLOWER_URL", default="").rstrip("/")
# How many requests a minute a device may make before it is asked to slow down.
DEVICE_REQUESTS_PER_MINUTE = env.int("DEVICE_REQUESTS_PER_MINUTE", default=600)
# The same for an address that sends enrolment codes. backend/shops/enrolment.py limits wrong codes separately.
ENROLMENTS_PER_MINUTE = env.int("ENROLMENTS_PER_MINUTE", default=30)
# How many requests of one API process may be held open for an answer (Prefer: wait, answer mode complete).
WAITERS_MAX = env.int("WAITERS_MAX", default=4)
# How long an answer to a till in mode complete waits for the last outcome: half of what tills of that kind wait.
COMPLETE_HOLD_S = 25.0

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["backend.api.authentication.DeviceAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["backend.api.authentication.IsDevice"],
    "DEFAULT_THROTTLE_CLASSES": ["backend.api.throttles.DeviceThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["backend.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "EXCEPTION_HANDLER": "backend.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "web:sign_in"
LOGIN_REDIRECT_URL = "web:dashboard"
LOGOUT_REDIRECT_URL = "web:sign_in"

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "backend" / "web" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
# `manage.py collectstatic` fills it and WhiteNoise serves it. Without DEBUG, static files are served from nowhere else.
STATIC_ROOT = env.str("STATIC_ROOT", default="") or str(VAR_DIR / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "backend.config.static_files.StaticFilesStorage"},
}
# Only a developer's browser tools load source maps, and compressing them takes half of the time.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

# Behind TLS set HTTPS=1: cookies are then sent only over TLS, and browsers are told to stay on it.
HTTPS = env.bool("HTTPS", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# A fortnight: a shopkeeper who closes the shop each evening should not type the password each evening.
SESSION_COOKIE_AGE = 14 * 24 * 3600
# How long a link that sets a password is valid.
PASSWORD_RESET_TIMEOUT = 24 * 3600
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# E.g. smtp+tls://name:password@mail.example:587. By default a mail is written to the log of the process.
vars().update(env.email_url_config(env.address("EMAIL_URL", default="consolemail://")))
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="caisses@localhost")

BROKER_URL = env.address("BROKER_URL", default="")
# With sentinels (BROKER_URL=sentinel://one:26379;sentinel://two:26379): the name of the master Redis.
BROKER_SENTINEL_MASTER = env.str("BROKER_SENTINEL_MASTER", default="")
vars().update(celery_settings.for_role(ROLE, broker_url=BROKER_URL, sentinel_master=BROKER_SENTINEL_MASTER))

LOG_FORMAT = env.str("LOG_FORMAT", default="console")
LOGGING_CONFIG = None
logs.configure(format_name=LOG_FORMAT, level=env.str("LOG_LEVEL", default="INFO"))
