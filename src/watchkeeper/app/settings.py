"""Django's settings, built from Config: nothing is set here that an operator should have to edit.

Importing this makes the data folder and, the first time, the secret key in it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import psutil

from watchkeeper.app.config import Config, number, polled_networks
from watchkeeper.app.installation import installation_key

CONFIG = Config.from_env()
CONFIG.data.mkdir(parents=True, exist_ok=True, mode=0o700)

_package = Path(__file__).resolve().parent.parent


def _database(url: str) -> dict[str, Any]:
    database: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True))
    if database["ENGINE"] == "django.db.backends.sqlite3":
        # Readers never wait for the writer (WAL); a writer waits for its turn instead of failing half way
        # (IMMEDIATE, busy timeout); a commit is on disk when it returns (FULL).
        database["CONN_HEALTH_CHECKS"] = False
        # Django REST framework loads it for PostgreSQL's own fields, which no kind has, and psycopg with it: a quarter of
        # a second and 8 MB in every process and every command, for nothing.
        sys.modules.setdefault("django.contrib.postgres.fields", None)  # type: ignore[arg-type]
        database["TEST"] = {"NAME": f"{database['NAME']}.test"}  # several threads cannot share one in memory
        database["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-32768;"
                "PRAGMA mmap_size=268435456;PRAGMA temp_store=MEMORY;PRAGMA journal_size_limit=67108864"
            ),
        }
    return database


def _hosts(config: Config) -> list[str]:
    """Names people may reach us by. All else is refused, so that no web page can point its name at us."""
    name = urlsplit(config.public_url).hostname
    hosts = {"localhost", "127.0.0.1", "[::1]", config.listen[0], socket.gethostname(), name or ""}
    if config.listen[0] in ("0.0.0.0", "::"):
        found = (a.address.split("%")[0] for addresses in psutil.net_if_addrs().values() for a in addresses)
        hosts |= {f"[{a}]" if a.count(":") > 1 else a for a in found}
    return sorted(filter(None, hosts | set(config.allow_hosts)))


DATA = CONFIG.data
SECRET_KEY = installation_key(CONFIG.data)
DEBUG = False
ALLOWED_HOSTS = _hosts(CONFIG)
DATABASES = {"default": _database(CONFIG.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "watchkeeper.kernel",
    "watchkeeper.jobs",
    "watchkeeper.domains.identity",
    "watchkeeper.domains.access",
    "watchkeeper.domains.federation",
    "watchkeeper.domains.receiving",
    "watchkeeper.domains.polling",
    "watchkeeper.domains.heartbeats",
    "watchkeeper.domains.search",
    "watchkeeper.domains.embedding",
    "watchkeeper.domains.inventory",
    "watchkeeper.domains.situations",
    "watchkeeper.domains.maintenance",
    "watchkeeper.domains.agreements",
    "watchkeeper.domains.desk",
    "watchkeeper.domains.desk.conversation",
    "watchkeeper.domains.objectives",
    "watchkeeper.domains.desk.mail.apps.DeskMail",
    "watchkeeper.domains.oncall",
    "watchkeeper.domains.majors",
    "watchkeeper.domains.portal",
    "watchkeeper.domains.timetables",
    "watchkeeper.domains.knowledge",
    "watchkeeper.domains.problems",
    "watchkeeper.domains.runbooks",
    "watchkeeper.domains.reporting",
    "watchkeeper.domains.alerting",
    "watchkeeper.domains.methods",
    "watchkeeper.domains.correlation",
    "watchkeeper.domains.audit",
    "watchkeeper.domains.outgoing",
    "watchkeeper.domains.inbox",
    "watchkeeper.domains.automation",
    "watchkeeper.domains.catalog",
    "watchkeeper.domains.onboarding",
    "watchkeeper.domains.approvals",
    "watchkeeper.domains.changes",
    "watchkeeper.domains.upkeep",
    "watchkeeper.domains.lists",
    "watchkeeper.domains.annotations",
    "watchkeeper.domains.configuration",
    "watchkeeper.domains.backups",
    "watchkeeper.domains.health",
    "watchkeeper.domains.capacity",
    "watchkeeper.domains.dashboards",
    "watchkeeper.domains.retention",
    "watchkeeper.domains.log_templates",
    "watchkeeper.api",
    "watchkeeper.console",
]

MIDDLEWARE = [
    "watchkeeper.app.requests.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "watchkeeper.domains.federation.middleware.SecondFactorMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "watchkeeper.domains.portal.gate.PortalGate",
]

PUBLIC_URL = CONFIG.public_url
ROOT_URLCONF = "watchkeeper.app.urls"
ASGI_APPLICATION = "watchkeeper.app.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["watchkeeper.domains.identity.signing_in.Backend"]
PASSWORD_HASHERS = [
    "watchkeeper.domains.identity.hashing.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": number("WATCHKEEPER_PASSWORD_LENGTH", 10, least=8)},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "watchkeeper.domains.identity.passwords.NotBreached"},
]
#: made by `watchkeeper passwords import`
BREACHED_PASSWORDS = CONFIG.data / "breached-passwords"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"

# django-allauth: its adapters are ours, its pages for signing up and for e-mail addresses are not mounted.
ACCOUNT_ADAPTER = "watchkeeper.domains.federation.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = "strict"
SOCIALACCOUNT_ADAPTER = "watchkeeper.domains.federation.adapters.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "saml": {"provider_class": "watchkeeper.domains.federation.saml_provider.Provider"}
}
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
# By a link: a form could not be redirected elsewhere under our Content-Security-Policy.
SOCIALACCOUNT_LOGIN_ON_GET = True
MFA_ADAPTER = "watchkeeper.domains.federation.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 1  # clocks of telephones are off by some seconds
MFA_RECOVERY_CODES_SHOW_ONCE = True

_https = CONFIG.public_url.startswith("https://")
# Browsers send cookies to every port of a host: the port in the name keeps two installations apart.
_suffix = f"_{CONFIG.listen[1]}" if CONFIG.listen[1] else ""
SESSION_COOKIE_NAME = f"watchkeeper_session{_suffix}"
SESSION_ENGINE = "watchkeeper.domains.identity.sessions"
#: a session ends so long after its last request, and after SESSION_COOKIE_AGE whatever happens
SESSION_IDLE = dt.timedelta(hours=number("WATCHKEEPER_SESSION_IDLE_HOURS", 24))
SESSION_COOKIE_AGE = number("WATCHKEEPER_SESSION_DAYS", 14) * 24 * 3600
SESSION_COOKIE_SECURE = _https
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"watchkeeper_csrf{_suffix}"
CSRF_COOKIE_SECURE = _https
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [CONFIG.public_url]
CSRF_FAILURE_VIEW = "watchkeeper.kernel.problems.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
LANGUAGE_CODE = "en"

STATIC_URL = "/static/"
STATIC_ROOT = str(_package / "console" / "static")

SERVER_EMAIL = f"watchkeeper@{urlsplit(CONFIG.public_url).hostname or 'localhost'}"
#: where e-mail goes out: smtp[s]://user:password@host:port?from=watchkeeper@example.org
SMTP_URL = os.environ.get("WATCHKEEPER_SMTP", "")
DORMANT_DAYS = int(os.environ.get("WATCHKEEPER_DORMANT_DAYS", "90"))
#: whoever had a ticket is asked at most once in so many days how it was; 0: nobody is
SURVEY_DAYS = number("WATCHKEEPER_SURVEY_DAYS", 7, least=0)
#: internal networks that notifications may be sent to, separated by commas
OUTBOUND_ALLOW = [
    ipaddress.ip_network(n.strip(), strict=False)
    for n in os.environ.get("WATCHKEEPER_OUTBOUND_ALLOW", "").split(",")
    if n.strip()
]
#: networks that may be polled beside the public internet
POLL_ALLOW = polled_networks(os.environ)
#: how the targets of polling stand, as its process leaves it
POLL_STANDING = CONFIG.data / "polling.json"
#: how far the audit trail was sealed, kept outside the database
AUDIT_CHECKPOINTS = Path(
    os.environ.get("WATCHKEEPER_AUDIT_CHECKPOINTS", "") or CONFIG.data / "audit-checkpoints.jsonl"
)
#: files of records: where their contents lie, how large one may be in bytes, and how its name may end
FILES = CONFIG.data / "files"
MAIL_SPOOL = CONFIG.data / "mail"  # what the SMTP door took for mail accounts
FILE_SIZE = CONFIG.file_mib * 1024**2
FILE_TYPES = frozenset(CONFIG.file_types)
#: the folder of a model of sentences, by which records are found in other words; None: by words only
EMBEDDING = CONFIG.embedding
LOGGING_CONFIG = None  # app.process sets logging up, the same for every process
# What clients do wrong is in their answers; in our log it would be a way to fill the disk.
logging.getLogger("django.request").setLevel(logging.ERROR)
logging.getLogger("django.security").setLevel(logging.ERROR)

#: who decides what people may do; see kernel.permissions
AUTHORITY = "watchkeeper.domains.access.authority.CedarAuthority"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "watchkeeper.domains.identity.authentication.TokenAuthentication",
        "watchkeeper.domains.identity.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["watchkeeper.kernel.permissions.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["watchkeeper.api.json_bodies.Json"],
    "DEFAULT_PAGINATION_CLASS": "watchkeeper.kernel.lists.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "watchkeeper.kernel.problems.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Watchkeeper",
    "DESCRIPTION": "Alerts, situations and the inventory of one Watchkeeper, and what may be done to them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/",
    "SERVE_PERMISSIONS": ["watchkeeper.kernel.permissions.SignedIn"],
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["watchkeeper.api.describing.kinds", "watchkeeper.api.schema.problems"],
}
