"""The services of docker-compose.yml: Postgres, Redis, web, worker and beat. `manage.py check --deploy` is clean."""

import dj_database_url

from config.settings.base import *  # noqa: F403 - this is how Django settings extend each other
from config.settings.base import BASE_DIR, PUBLIC_HOSTS, REDIS_OPTIONS, env

SECRET_KEY = env.str("EVENSTOCK_SECRET_KEY")
SECRET_KEY_FALLBACKS: list[str] = env.list("EVENSTOCK_OLD_SECRET_KEYS", default=[])
SALT_KEY = env.list("EVENSTOCK_SALT_KEYS")  # the first encrypts; the others still decrypt
ALLOWED_HOSTS = [*env.list("EVENSTOCK_HOSTS"), *PUBLIC_HOSTS, "127.0.0.1"]  # the container's health check asks from inside

STATIC_ROOT = BASE_DIR / "staticfiles"  # part of the image: in the data volume it would outlive an upgrade

# Tried before each use: after a restart of Postgres the first webhook must not meet a dead connection.
DATABASES = {"default": dj_database_url.parse(env.str("DATABASE_URL"), conn_max_age=60, conn_health_checks=True)}

SECURE_SSL_REDIRECT = env.bool("EVENSTOCK_SSL_REDIRECT", default=True)
# The compose health check asks over plain http from inside; a webhook must never meet a redirect (reliability.md).
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^webhooks?/"]
EVENSTOCK_PROXIES = env.int("EVENSTOCK_PROXIES", default=1)  # the TLS proxy of docs/operations.md
# Who says it where no proxy stands before us is a client: then it would lead past the redirect.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if EVENSTOCK_PROXIES > 0 else None
SECURE_HSTS_SECONDS = env.int("EVENSTOCK_HSTS_SECONDS", default=365 * 24 * 3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

CELERY_BROKER_URL = env.str("REDIS_URL")
CELERY_BROKER_TRANSPORT_OPTIONS = REDIS_OPTIONS
