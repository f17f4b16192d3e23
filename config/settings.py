"""All settings, from the environment. docs/configuration.md names every variable.

If a value is wrong or missing, the site does not start, and the error names the variable and what to write.
"""

import os
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import quote

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import process
from config.environment import (
    LOOPBACK,
    choice,
    credential_keys,
    database_address,
    discogs_address,
    entries,
    flag,
    header,
    hosts,
    mail_addresses,
    mail_sender,
    mail_server,
    number,
    origins,
    read_file,
    required,
    text,
)

BASE_DIR = Path(__file__).resolve().parent.parent

# ENV_FILE replaces the .env beside manage.py: tests need that, and so does an operator with several sites.
read_file(os.environ.get("ENV_FILE", BASE_DIR / ".env"))


def database() -> dict[str, Any]:
    settings = database_address("DATABASE_URL", f"sqlite:///{quote(str(BASE_DIR / 'crateworth.sqlite3'))}")
    if settings["ENGINE"].endswith(".sqlite3"):
        return settings | _sqlite()
    return settings | _postgresql(settings.get("OPTIONS", {}))


def _sqlite() -> dict[str, Any]:
    # IMMEDIATE: otherwise a transaction that reads and then writes fails at once if another one is writing.
    options = {
        "transaction_mode": "IMMEDIATE",
        "timeout": DATABASE_TIMEOUT if process.serves_pages else 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # Tests use a file too, because the worker processes of a test open the same database.
    test = {"NAME": text("TEST_DATABASE_FILE", str(BASE_DIR / "test.sqlite3"))}
    return {"OPTIONS": options, "TEST": test}


def _postgresql(chosen: dict[str, Any]) -> dict[str, Any]:
    """The engine and its connection options; options given in DATABASE_URL take precedence."""
    # An unreachable server is detected after a minute.
    network = {
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    waiting: dict[str, Any] = {"connect_timeout": 10}  # seconds, for each address of the host
    if process.serves_pages:
        waiting = {
            "connect_timeout": 4,
            "options": f"-c statement_timeout={DATABASE_TIMEOUT * 1000}",
            # Longer than the server's own statement_timeout, whose error says more.
            "answer_timeout": DATABASE_TIMEOUT + 2,
        }
    return {"ENGINE": "collections_app.postgresql", "OPTIONS": {**network, **waiting, **chosen}}


# Core -----------------------------------------------------------------------------------------------

DEBUG = flag("DEBUG", False)
# For a site behind https: secure cookies, HSTS. Off by default, because a household opens the site over plain http.
HTTPS = flag("HTTPS", False)
HSTS_FOR = choice("HSTS_FOR", "host", ("host", "subdomains", "preload"))
SECRET_KEY = required(
    "SECRET_KEY", "Write 50 or more random characters; `python -m config.keys` writes them into .env."
)
CREDENTIAL_KEYS = credential_keys("CREDENTIAL_KEYS")
PORT = number("PORT", 8000, minimum=1, maximum=65535)
ALLOWED_HOSTS, _addresses = hosts(
    "ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", scheme="https" if HTTPS else "http"
)
# Where forms may come from, if a proxy passes another Host header than the browser's, such as one without the port.
CSRF_TRUSTED_ORIGINS = [*_addresses, *origins("TRUSTED_ORIGINS")]
if HTTPS:
    CSRF_TRUSTED_ORIGINS += [
        f"https://{'*' if host[0] == '.' else ''}{host}" for host in ALLOWED_HOSTS if host != "*"
    ]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "django_q",
    "collections_app",
    "pricing",
]

MIDDLEWARE = [
    # First, because it applies to every response, including those of the middleware below.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "collections_app.web.headers.HeadersMiddleware",
    "collections_app.web.unavailable.UnavailableMiddleware",
    "collections_app.web.body.BodyMiddleware",
    "collections_app.web.addresses.AddressMiddleware",
    "collections_app.web.probes.ProbesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "collections_app.web.headers.PrivateMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Private by default: a public view says so with @login_not_required.
    "collections_app.accounts.login_required.LoginMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "pricing.pages.middleware.DisplayMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "collections_app.accounts.middleware.TroubleMiddleware",
    "collections_app.accounts.middleware.LastSeenMiddleware",
    "collections_app.accounts.middleware.SecondFactorMiddleware",
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
                "pricing.pages.context.site",
            ],
        },
    },
]

# Database -------------------------------------------------------------------------------------------

# How long a page waits for the database. Workers and commands wait as long as necessary.
DATABASE_TIMEOUT = number("DATABASE_TIMEOUT", 8, minimum=1, maximum=60)  # seconds
DATABASES = {
    "default": database()
    | {
        "CONN_MAX_AGE": 600,  # 0 would reconnect at every poll of the queue
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Workers publish their metrics in the cache, so all processes must share it.
CACHES = {
    "default": {
        "BACKEND": "collections_app.web.cache.StrictDatabaseCache",
        "LOCATION": "cache",
        # Rate limits are counted here too: with Django's default of 300, a few hundred guesses would evict them.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    # Results that pages computed from data that has not changed since; in memory only, lost with the process.
    "pages": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "TIMEOUT": 600},
}

# Web server -----------------------------------------------------------------------------------------

# With SQLite, which has one writer at a time, a second process would only take memory.
_web_processes = 1 if DATABASES["default"]["ENGINE"].endswith(".sqlite3") else 2
WEB_PROCESSES = number("WEB_PROCESSES", _web_processes, minimum=1, maximum=64)
WEB_THREADS = number("WEB_THREADS", 4, minimum=1, maximum=64)  # of each process
WEB_RECEIVE_TIMEOUT = number("WEB_RECEIVE_TIMEOUT", 15, minimum=1, maximum=600)  # seconds
WEB_SEND_TIMEOUT = number("WEB_SEND_TIMEOUT", 15, minimum=1, maximum=600)  # seconds
WEB_BUFFER_MB = number("WEB_BUFFER_MB", 256, minimum=1, maximum=4096)  # of one answer that waits to be sent

# Discogs --------------------------------------------------------------------------------------------

# For the demo: both addresses must be those of a sandbox, whose tokens the connect page names (name:token).
SANDBOX = flag("SANDBOX", False)
SANDBOX_TOKENS = [entry.partition(":")[::2] for entry in entries("SANDBOX_TOKENS") if SANDBOX]
DISCOGS_API_URL = discogs_address("DISCOGS_API_URL", "https://api.discogs.com", debug=DEBUG, sandbox=SANDBOX)
DISCOGS_WEB_URL = discogs_address("DISCOGS_WEB_URL", "https://www.discogs.com", debug=DEBUG, sandbox=SANDBOX)
DISCOGS_CONSUMER_KEY = text("DISCOGS_CONSUMER_KEY")
DISCOGS_CONSUMER_SECRET = text("DISCOGS_CONSUMER_SECRET")
if bool(DISCOGS_CONSUMER_KEY) != bool(DISCOGS_CONSUMER_SECRET):
    raise ImproperlyConfigured(
        "DISCOGS_CONSUMER_KEY and DISCOGS_CONSUMER_SECRET belong together, and one is missing. Write both or none."
    )
DISCOGS_USER_AGENT = header("DISCOGS_USER_AGENT", "Crateworth/0.1 +https://crateworth.example")
DISCOGS_RATE_LIMIT = number("DISCOGS_RATE_LIMIT", 60, minimum=1, maximum=100_000)  # requests per window
DISCOGS_RATE_WINDOW = number("DISCOGS_RATE_WINDOW", 60.0, minimum=0.1, maximum=3600)  # seconds
DISCOGS_EGRESS = text("DISCOGS_EGRESS", "default")  # hosts behind one address share one name
DISCOGS_LISTING_SEARCH = flag("DISCOGS_LISTING_SEARCH", False)  # not a public route; asked once a day if on

# Prices ---------------------------------------------------------------------------------------------

# If only one of the two is set, the other follows it.
PRICE_WORKERS_MIN = number(
    "PRICE_WORKERS_MIN", min(2, number("PRICE_WORKERS_MAX", 8, minimum=1, maximum=64)), minimum=1, maximum=64
)
PRICE_WORKERS_MAX = number("PRICE_WORKERS_MAX", max(8, PRICE_WORKERS_MIN), minimum=1, maximum=64)
PRICE_TASK_TIMEOUT = number("PRICE_TASK_TIMEOUT", 30, minimum=29, maximum=600)
PRICE_RETRY_ATTEMPTS = number("PRICE_RETRY_ATTEMPTS", 3, minimum=1, maximum=10)
PRICE_WORKER_RATE_LIMIT = number("PRICE_WORKER_RATE_LIMIT", DISCOGS_RATE_LIMIT, minimum=1, maximum=100_000)
PRICE_QUEUE_SIZE = number("PRICE_QUEUE_SIZE", 30, minimum=1, maximum=5000)  # jobs kept ready for the workers
PRICE_FRESH_FOR = number("PRICE_FRESH_FOR", 6 * 3600, minimum=0, maximum=30 * 86400)  # seconds
HISTORY_DAYS = number("HISTORY_DAYS", 0, minimum=0, maximum=36_500)  # of snapshots; 0 keeps all
if PRICE_WORKERS_MAX < PRICE_WORKERS_MIN:
    raise ImproperlyConfigured(
        "PRICE_WORKERS_MAX is smaller than PRICE_WORKERS_MIN. Write the same number or more."
    )

# Each cluster runs one worker; pricing.workers.supervisor starts as many clusters as the limit needs.
_CLUSTER_WORKERS = 1
Q_CLUSTER = {
    "name": "crateworth",  # the salt of queued rows: changing it empties the queue
    "orm": "default",
    "broker_class": "pricing.sync.queue.OrderedBroker",
    "workers": _CLUSTER_WORKERS,
    "queue_limit": _CLUSTER_WORKERS,
    "bulk": 1,
    "timeout": PRICE_TASK_TIMEOUT,
    # Counted from the moment a row leaves the queue, so it must be longer than the tasks that run before it.
    "retry": max(120, (ceil((_CLUSTER_WORKERS + 1) / _CLUSTER_WORKERS) + 1) * (PRICE_TASK_TIMEOUT + 3) + 1),
    "ack_failures": True,
    "max_attempts": 1,  # retries belong to PriceJob
    "save_limit": 250,
    "recycle": 500,  # tasks
    "max_rss": 300_000,  # kB
    "poll": 0.2,  # seconds; cheap while nothing is written, see OrderedBroker
    "guard_cycle": 1,  # seconds
    "catch_up": False,
    "label": "Queue",
}

# Accounts -------------------------------------------------------------------------------------------

# Only one: a second backend would hash the password again for some names only, and the time would reveal which.
AUTHENTICATION_BACKENDS = ["collections_app.accounts.backend.ConstantTimeBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "collections_app.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"signup": "collections_app.accounts.forms.SignupForm"}
ACCOUNT_SIGNUP_REDIRECT_URL = "connect"
ACCOUNT_LOGOUT_REDIRECT_URL = "landing"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # no user name: it would reveal who has an account
ACCOUNT_PREVENT_ENUMERATION = True
# Codes instead of links: nothing in an email depends on the Host header, and a code works on another device too.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = 3  # times, see collections_app.accounts.views
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60  # seconds
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one takes its place once it is confirmed
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Crateworth] "
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Counted in the cache, so for all processes together; `key` is the name or address that was typed.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "10/m/ip,60/h/ip",
    "confirm_email": "1/10s/key,10/h/key",
    "reset_password": "10/m/ip,60/h/ip,5/h/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
}
# X-Forwarded-For is read from its end, and only as many entries as there are trusted proxies.
ALLAUTH_TRUSTED_PROXY_COUNT = number("TRUSTED_PROXIES", 0, minimum=0, maximum=10)
MFA_ADAPTER = "collections_app.accounts.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Crateworth"

# Mail -----------------------------------------------------------------------------------------------

globals().update(mail_server("EMAIL_URL"))
EMAIL_TIMEOUT = 10  # seconds: the supervisor sends alerts, and must not hang
EMAIL_SUBJECT_PREFIX = "[Crateworth] "
DEFAULT_FROM_EMAIL = SERVER_EMAIL = mail_sender("EMAIL_FROM", "Crateworth <crateworth@localhost>")
ADMINS = [("Administrator", address) for address in mail_addresses("ADMIN_EMAILS")]  # who is told of alerts

# Language and time ----------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

# Static files ---------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}

WHITENOISE_ALLOW_ALL_ORIGINS = False  # static files are for the site's own pages

# Security -------------------------------------------------------------------------------------------

# The largest request body, in bytes; no part of a body is written to disk. A view that accepts files is marked with
# collections_app.web.body.accept_body.
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
# Covers come from Discogs' image host; the sandbox serves its own.
_image_hosts = ["https://i.discogs.com"]
if LOOPBACK.fullmatch(DISCOGS_API_URL):
    _image_hosts.append(DISCOGS_API_URL)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:", *_image_hosts],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
# They ask for what HSTS_FOR leaves to the operator.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
CSRF_FAILURE_VIEW = "collections_app.web.error_pages.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "collections_app.accounts.session_store"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SECURE_HSTS_SECONDS = 365 * 86400
    # A promise for a whole domain is its owner's to make; browsers keep it for a year.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = HSTS_FOR != "host"
    SECURE_HSTS_PRELOAD = HSTS_FOR == "preload"
    SECURE_SSL_REDIRECT = True
    # Only with HTTPS=1, when a proxy in front of the site terminates TLS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Logging: ids, never secrets, never payloads --------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "one_line_each": {"()": "collections_app.web.log_lines.OneLineEach"},
        "first_of_a_kind": {"()": "collections_app.logs.FirstOfAKind"},
        "first_exception": {"()": "collections_app.logs.FirstOfAKind", "only_exceptions": True},
    },
    "formatters": {
        "line": {
            "()": "collections_app.web.log_lines.ShortLines",
            "format": "{asctime} {levelname:<7} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["one_line_each"]}
    },
    "root": {
        "handlers": ["console"],
        "level": choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    },
    "loggers": {
        # Without Django's own handlers, which would email ADMINS the form data of a page that failed.
        "django": {"level": "INFO"},
        # django-q and the supervisor retry for ever, so a failure is logged once a minute at most, not at every retry.
        "django-q": {
            "handlers": ["console"],
            "level": "WARNING",
            "propagate": False,
            "filters": ["first_of_a_kind"],
        },
        "pricing.workers.supervisor": {"filters": ["first_exception"]},
        "urllib3": {"level": "WARNING"},
        # They log whole Authorization headers at DEBUG, tokens included.
        "oauthlib": {"level": "WARNING"},
        "requests_oauthlib": {"level": "WARNING"},
    },
}
