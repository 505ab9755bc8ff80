"""What every way of running Evenstock shares. Values come from the environment; defaults are the safe ones."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ

from config.settings.queue import *  # noqa: F403 - this is how Django settings extend each other

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = Path(env.str("EVENSTOCK_DATA_DIR", default=str(BASE_DIR / "var")))

DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("EVENSTOCK_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("EVENSTOCK_ORIGINS", default=[])

INSTALLED_APPS = [
    "backoffice.apps.SiteConfig",  # django.contrib.admin, with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "simple_history",
    "rest_framework",
    "django_celery_beat",
    "django_celery_results",
    "axes",
    "jobs",
    "connectors",
    "inventory",
    "alignment",
    "sync",
    "alerts",
    "reporting",
    "backoffice.apps.BackOfficeConfig",
]

MIDDLEWARE = [
    "backoffice.people.access.forwarded_kept",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.text.TextOnly",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "backoffice.people.access.refusals_noted",
    "simple_history.middleware.HistoryRequestMiddleware",
    "backoffice.people.logins.tries_settled",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
            ]
        },
    }
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# reliability.md, case 42: five wrong passwords for one name from one address, then a quarter of an hour's rest for that pair.
# By the name alone, a stranger could keep a manager out. Twenty from one address, whatever the names, and it rests too, or one
# password could be tried with every name. A colleague can't use those up: a name counts five times at most, then it rests.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
EVENSTOCK_PROXIES = env.int("EVENSTOCK_PROXIES", default=0)  # how many stand before us; each adds an address to a header
AXES_CLIENT_IP_CALLABLE = "backoffice.people.access.counted_address"
AXES_HANDLER = "backoffice.people.logins.LoginHandler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # and what a right password forgets
AXES_FAILURE_LIMIT = 5
EVENSTOCK_ADDRESS_FAILURE_LIMIT = 20
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the page says a quarter of an hour, so it is one
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "backoffice.people.logins.locked_out"
AXES_DISABLE_ACCESS_LOG = True  # it would grow for ever; the log has a line for each login
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False  # backoffice/admin.py has our own

USE_TZ = True
TIME_ZONE = env.str("EVENSTOCK_TIME_ZONE", default="UTC")
LANGUAGE_CODE = "en-gb"
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Uploads: an alignment of 100,000 rows is 5 MB (reliability.md, case 31).
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
EVENSTOCK_UPLOAD_LIMIT = 20 * 1024 * 1024

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# Addresses for machines speak JSON and nothing else: no pages to browse, no forms, and a session opens none of them. An address
# says itself whom it lets in; one that says nothing lets in nobody.
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}

# Webhooks: where stores reach us, such as https://stock.example.com; empty: polling does the work. A body is 5 to 20 kB.
EVENSTOCK_PUBLIC_URL = env.str("EVENSTOCK_PUBLIC_URL", default="").rstrip("/")
PUBLIC_HOSTS = [host] if (host := urlsplit(EVENSTOCK_PUBLIC_URL).hostname) else []
EVENSTOCK_WEBHOOK_LIMIT = 2 * 1024 * 1024

# Mail, such as smtp+tls://user:password@mail.example.com:587. Empty: none is sent, and whoever would send some says so.
_mail = env.email_url_config(env.str("EVENSTOCK_MAIL_URL", default="") or "smtp://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"] or ""
EMAIL_PORT = _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20  # seconds; a mail server that hangs must not keep a worker
DEFAULT_FROM_EMAIL = env.str("EVENSTOCK_MAIL_FROM", default="evenstock@localhost")

# How long the engine waits and keeps: what an operator may want otherwise. The rest, and the reasons, are in sync/limits.py.
EVENSTOCK_LIMITS = {
    "ask_after": timedelta(hours=env.float("EVENSTOCK_ASK_AFTER_HOURS", default=4)),
    "held_for": timedelta(hours=env.float("EVENSTOCK_HELD_HOURS", default=24)),
    "keep": timedelta(days=max(env.float("EVENSTOCK_KEEP_DAYS", default=90), 7)),
}

# Below which folders the files of connections may lie: what tills drop and take, and authorities' certificates. Separated by
# commas or colons; relative ones begin in DATA_DIR. An admin of the shop chooses among them (connectors/settings/folders.py).
EVENSTOCK_FOLDERS = [part.strip() for part in re.split("[,:]", env.str("EVENSTOCK_FOLDERS", default="exchange")) if part.strip()]

# May a connection point at a private or loopback address? (reliability.md, case 41)
EVENSTOCK_ALLOW_PRIVATE_NETWORKS = env.bool("EVENSTOCK_ALLOW_PRIVATE_NETWORKS", default=False)

DEFAULT_EXCEPTION_REPORTER_FILTER = "config.reports.ReportFilter"

SIMPLE_HISTORY_ENABLED = True
SIMPLE_HISTORY_REVERT_DISABLED = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("EVENSTOCK_LOG_LEVEL", default="INFO")},
}
