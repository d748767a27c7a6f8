"""Settings; the environment is read through django-environ. README lists the variables."""

import logging
import os
from pathlib import Path

import environ
import platformdirs
from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key

from bigagi_site import admin_settings, schema_settings
from bigagi_site.logs import build_logging

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
# Tests use another file: the owner's settings must not reach them.
ENV_FILE = Path(os.environ.get("BIGAGI_ENV_FILE", BASE_DIR / ".env"))
if ENV_FILE.is_file():
    environ.Env.read_env(ENV_FILE)

# --- Where everything is stored --------------------------------------------------------------------------------------

# Never in the checkout: a `git clean` must not cost ten years of chats.
DATA_DIR = Path(env("BIGAGI_DATA_DIR", default=platformdirs.user_data_dir("bigagi", appauthor=False)))
DATA_DIR = DATA_DIR.expanduser().absolute()
ASSETS_DIR = DATA_DIR / "assets"
BACKUPS_DIR = DATA_DIR / "backups"
# `/api/ready` warns of less free disk space than this or than a backup needs, and of an older last backup.
MIN_FREE_MIB = env.int("BIGAGI_MIN_FREE_MIB", default=500)
BACKUP_DAYS = env.int("BIGAGI_BACKUP_DAYS", default=30)
KEY_FILE = Path(env("BIGAGI_KEY_FILE", default=str(DATA_DIR / "secrets.key"))).expanduser().absolute()
SECRET_KEY_FILE = DATA_DIR / "secret_key"

# --- Security --------------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
HTTPS = env.bool("BIGAGI_HTTPS", default=False)

# `start` creates the file. A command before the first start uses a temporary random key, never a fixed one.
SECRET_KEY = env("SECRET_KEY", default="")
if not SECRET_KEY and os.access(SECRET_KEY_FILE, os.R_OK):
    SECRET_KEY = SECRET_KEY_FILE.read_text().strip()
if not SECRET_KEY:
    SECRET_KEY = get_random_secret_key()

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *env.list("BIGAGI_ALLOWED_HOSTS", default=[])]
CSRF_TRUSTED_ORIGINS = env.list("BIGAGI_CSRF_ORIGINS", default=[])
if HTTPS:
    CSRF_TRUSTED_ORIGINS += [f"https://{host}" for host in env.list("BIGAGI_ALLOWED_HOSTS", default=[])]

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^api/health$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 30 * 24 * 3600
CSRF_COOKIE_SECURE = HTTPS
# Browsers ignore cookie ports: another program's page on this machine must not take our cookies' names.
SESSION_COOKIE_NAME = "bigagi_session"
CSRF_COOKIE_NAME = "bigagi_csrf"
X_FRAME_OPTIONS = "DENY"

# No inline script, no other host. `PolicyMiddleware` widens it for /admin/.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Applications ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "bigagi_site.admin_app.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_extensions",
    "django_filters",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "bigagi_site",
    "stores",
    "llms",
    "metrics",
    "workspace",
    "chats",
]
MIDDLEWARE = [
    # It measures all others.
    "metrics.middleware.ApiLogMiddleware",
    # Before all that can respond: it assigns the request id and handles the errors of the others.
    "stores.api.middleware.ApiMiddleware",
    "bigagi_site.middleware.PolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "bigagi_site.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "bigagi_site.middleware.RequestLogMiddleware",
    "bigagi_site.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "bigagi_site.middleware.TimeZoneMiddleware",
    "bigagi_site.middleware.SecretsMiddleware",
]
ROOT_URLCONF = "bigagi_site.urls"
ASGI_APPLICATION = "bigagi_site.asgi.application"
WSGI_APPLICATION = "bigagi_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bigagi_site.display.add_display",
            ]
        },
    }
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
CSRF_FAILURE_VIEW = "bigagi_site.views.errors.csrf_failure"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- API -------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "stores.api.authentication.BearerAuthentication",
        "stores.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["stores.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["stores.api.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "stores.api.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["stores.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "stores.api.auto_schema.ApiSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "stores.api.problems.handle_exception",
    "PAGE_SIZE": 50,
    # `?format=` is a report's own parameter.
    "URL_FORMAT_OVERRIDE": None,
}
KNOX_TOKEN_MODEL = "bigagi_site.Token"
# Its migrations would create a table for the token model that ours replaces.
MIGRATION_MODULES = {"knox": None}
# Limits failed sign-ins and invalid tokens by client address; off for load tests only.
THROTTLE_FAILURES = env.bool("BIGAGI_THROTTLE", default=True)
# Limits of the request log; the stricter one applies. 0 rows: no log.
REQUEST_LOG_ROWS = env.int("BIGAGI_REQUEST_LOG_ROWS", default=100_000)
REQUEST_LOG_DAYS = env.int("BIGAGI_REQUEST_LOG_DAYS", default=30)
SPECTACULAR_SETTINGS = schema_settings.SPECTACULAR
GRAPH_MODELS = schema_settings.GRAPH_MODELS

DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

# --- Model calls -----------------------------------------------------------------------------------------------------

# Timeouts in seconds for a provider: to accept a connection, to send the first byte, and between two bytes.
CONNECT_SECONDS = env.float("BIGAGI_CONNECT_SECONDS", default=10)
FIRST_BYTE_SECONDS = env.float("BIGAGI_FIRST_BYTE_SECONDS", default=120)
STALL_SECONDS = env.float("BIGAGI_STALL_SECONDS", default=60)
# A reply is stopped after this many seconds or bytes.
CALL_SECONDS = env.float("BIGAGI_CALL_SECONDS", default=3600)
MAX_ANSWER_BYTES = env.int("BIGAGI_MAX_ANSWER_BYTES", default=32 * 2**20)

# --- Database --------------------------------------------------------------------------------------------------------

DATABASE_URL = env("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'bigagi.sqlite3'}"
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
# Under ASGI each request may run in a thread of its own: a connection kept by age would never be closed. Both databases
# have a pool that takes it back.
DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASES["default"].get("ENGINE") == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "stores.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        # A deferred transaction that becomes a write fails at once if another one wrote in between.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # A connection that is kept keeps its cache. The file is not mapped: all of it that was read would count as the
        # memory of the server.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
            "PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON"
        ),
    }
    # With an in-memory database, backups and a second reader would see a different database.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 16, "timeout": 20}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Language, static files, logs ------------------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"

OWNER_TIME_ZONE = env.str("BIGAGI_TIME_ZONE", default="UTC")
"""The time zone of the days and months in which costs are counted, and in which pages show times to a browser that has
not told its own."""
LANGUAGE_CODE = "en"

STATIC_URL = "/static/"
# Files are served from where they are installed; there is no collectstatic step.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False

LOG_FORMAT = env("LOG_FORMAT", default="console")
LOG_LEVEL = env("LOG_LEVEL", default="WARNING").upper()
LOGGING = build_logging(LOG_FORMAT, LOG_LEVEL)
# Limits of the warnings and errors kept for the admin; the stricter one applies. 0 rows: none are kept.
LOG_ENTRY_ROWS = env.int("BIGAGI_LOG_ENTRY_ROWS", default=10_000)
LOG_ENTRY_DAYS = env.int("BIGAGI_LOG_ENTRY_DAYS", default=30)
# IP addresses of the owner's own devices are of no use.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# There is one owner, and loading the user could fail if the database is what failed.
DJANGO_STRUCTLOG_USER_ID_FIELD = ""
# `ApiMiddleware` assigns or checks the id.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
# An unexpected error has a log line of its own, with its traceback.
DJANGO_STRUCTLOG_STATUS_5XX_LOG_LEVEL = logging.WARNING

# --- Admin -----------------------------------------------------------------------------------------------------------

UNFOLD = admin_settings.UNFOLD
