"""Django's settings, from what config/declared declares and the environment gives."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from config import backups, caches, databases, release
from config.given import Given
from config.mailers import mailer
from config.watching import logs

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"  # files the running site writes: the SQLite file, collected static files
VAR_DIR.mkdir(exist_ok=True)

env = Given.read()

# --- Core -----------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG")
SECRET_KEY = env.str("SECRET_KEY", otherwise="insecure-development-key" if DEBUG else "")
# Earlier keys: what they signed, such as calendar addresses, stays valid.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
if render_host := env.str("RENDER_EXTERNAL_HOSTNAME"):
    ALLOWED_HOSTS.append(render_host)
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "accounts",
    "spaces",
    "bookings",
    "notifications",
    "config",
    "config.admin.MestoAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
    "axes",
    "waffle",
]

MIDDLEWARE = [
    "config.watching.requests.middleware",
    "config.middleware.client_address",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.compression.middleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.readable",
    "config.health.probes",
    "config.middleware.in_time",
    "config.read_only.middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "accounts.api.middleware.programs",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.SignedIn",
    "accounts.middleware.preferences",
    "bookings.words.zones.remembered",
    "accounts.again.middleware",
    "accounts.second.gate.Gate",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.wrong_method_page",
    "axes.middleware.AxesMiddleware",
    "config.auditing.Middleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Forms look for our templates first: there is one for the options of a select.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database -------------------------------------------------------------------------------------

# How long to wait for the database, in seconds. The limits of statements and locks are for requests
# (config/gunicorn.py sets SERVING): a migration or a check may take its time.
IS_SERVING = env.bool("SERVING")
DATABASE_WAITS = {
    "statement": env.float("DATABASE_STATEMENT_SECONDS"),
    "lock": env.float("DATABASE_LOCK_SECONDS"),
    "idle": env.int("DATABASE_IDLE_SECONDS"),
    # A locked SQLite file.
    "busy": env.float("DATABASE_BUSY_SECONDS"),
    # The kernel notices when the machine is gone.
    "tcp": env.int("DATABASE_TCP_USER_TIMEOUT_SECONDS"),
    "keepalives_idle": env.int("DATABASE_KEEPALIVES_IDLE_SECONDS"),
    "keepalives_interval": env.int("DATABASE_KEEPALIVES_INTERVAL_SECONDS"),
    "keepalives_count": env.int("DATABASE_KEEPALIVES_COUNT"),
}
# We end what the server should have ended by then: see config/databases/postgresql/.
DATABASE_WAITS["silence"] = DATABASE_WAITS["statement"] + 0.25 if IS_SERVING else 0

# PostgreSQL plans the hot statements once per connection. Off behind a pooler that gives each
# transaction another connection and doesn't know of prepared statements.
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS")

REPLICA_URL = env.str("REPLICA_URL")
DATABASES = {
    "default": databases.given(
        env, VAR_DIR, DATABASE_WAITS, is_serving=IS_SERVING, prepares=PREPARED_STATEMENTS
    )
}
IS_SQLITE = DATABASES["default"]["ENGINE"] == databases.SQLITE

# After so many seconds a request changes nothing any more: whoever sent it may have given up, and
# done something else. See also accounts/lateness.py.
REQUEST_SECONDS = env.float("REQUEST_SECONDS")

# --- Cache ----------------------------------------------------------------------------------------

CACHES = {"default": caches.given(env)}
IS_CACHE_OUR_OWN = caches.is_our_own(CACHES["default"])

# Feature flags (accounts/flags.py): each process knows of a change after so many seconds at most.
# It remembers them itself, so waffle needs no cache, and no server that may be away.
FLAG_SECONDS = 10
CACHES["flags"] = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
WAFFLE_CACHE_NAME = "flags"
WAFFLE_ENABLE_ADMIN_PAGES = False  # accounts.admin has them

# Memory of each process for rendered pages, shared through CACHE_URL; none while DEBUG.
KEPT_PAGES_BYTES = 0 if DEBUG else 1_000_000 * env.int("KEPT_PAGES_MB")
RELEASE = "" if IS_CACHE_OUR_OWN else env.str("RENDER_GIT_COMMIT") or release.digest(BASE_DIR)

# --- Accounts and sign-in -------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
SESSION_ENGINE = "accounts.sessions"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "config.auth.Backend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Ten wrong passwords lock a login for a while. An address may fail more often: a whole coworking
# space can share one, and typos must not lock everybody out; yet a limit of a hundred makes
# guessing hopeless. The attempts are rows, so every web process sees them.
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT")
ADDRESS_FAILURE_LIMIT = env.int("ADDRESS_FAILURE_LIMIT")
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the announced time holds
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_RESET_ON_SUCCESS = True
AXES_HANDLER = "accounts.lockout.Handler"
AXES_USERNAME_CALLABLE = "accounts.lockout.login_of"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_out"
AXES_CLIENT_IP_CALLABLE = "accounts.addresses.address_of"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # accounts.admin has it
AXES_VERBOSE = False

# Tries per hour, also rows. Many share an address: a hundred may sign up on the first day.
TRIES = {
    "sign-up": {"address": env.int("SIGN_UPS_PER_ADDRESS"), "login": env.int("SIGN_UPS_PER_LOGIN")},
    "forgotten": {
        "address": env.int("FORGOTTEN_PER_ADDRESS"),
        "login": env.int("FORGOTTEN_PER_LOGIN"),
    },
    "token": {"address": env.int("TOKENS_PER_ADDRESS"), "login": env.int("TOKENS_PER_LOGIN")},
    # Confirmation links to one address: nobody can flood a mailbox through us.
    "letter": {"login": env.int("LETTERS_PER_MAILBOX")},
    # Bookings without an account, from one network address and for one e-mail address or phone.
    "guest": {"address": env.int("GUESTS_PER_ADDRESS"), "login": env.int("GUESTS_PER_CONTACT")},
    # Codes from an app, recovery codes and passkeys; a right one ends the count of its login.
    "code": {"address": env.int("CODES_PER_ADDRESS"), "login": env.int("LOGIN_FAILURE_LIMIT")},
    # Wrong passwords from signed-in people, where a page asks for theirs again.
    "password": {"login": env.int("LOGIN_FAILURE_LIMIT")},
}

SECOND_FACTOR_REQUIRED_OF = env.str("SECOND_FACTOR_REQUIRED_OF")

# Another place that says who somebody is: see docs/sign-in.md.
OIDC: dict[str, Any] = {
    "issuer": env.str("OIDC_ISSUER"),
    "client_id": env.str("OIDC_CLIENT_ID"),
    "client_secret": env.str("OIDC_CLIENT_SECRET"),
    "name": env.str("OIDC_NAME"),
    "domains": [domain.lower() for domain in env.list("OIDC_DOMAINS")],
    "provision": env.bool("OIDC_PROVISION"),
}

# Who did what, for managers of a space: how many days it is kept (0: for ever), and how much of a
# network address: whole, network (the first three numbers of four), none.
AUDIT: dict[str, Any] = {
    "retention_days": env.int("AUDIT_RETENTION_DAYS"),
    "addresses": env.str("AUDIT_ADDRESSES"),
}

# After so many days nobody reads any more what was written about past bookings (0: for ever).
NOTES_RETENTION_DAYS = env.int("NOTES_RETENTION_DAYS")

# --- Guests without an account --------------------------------------------------------------------

GUESTS = {
    # Their own upcoming bookings in one space.
    "most_upcoming": env.int("GUEST_MOST_UPCOMING"),
    # How long after its booking a guest's link still works.
    "link_days": env.int("GUEST_LINK_DAYS"),
}

# --- API ------------------------------------------------------------------------------------------

# Requests per minute. An address may send more than one program: many can share it.
API_RATES = {
    "token": env.int("API_RATE_PER_TOKEN"),
    "session": env.int("API_RATE_PER_TOKEN"),
    "address": env.int("API_RATE_PER_ADDRESS"),
}

# Whether /api/graphql tells its schema. The OpenAPI document tells the same, to anybody.
GRAPHQL_INTROSPECTION = env.bool("GRAPHQL_INTROSPECTION")

# --- Bookings -------------------------------------------------------------------------------------

# After how long another worker restarts a decision of one that was killed. Workers that are alive
# renew it every two seconds.
DECISION_LEASE_SECONDS = env.int("DECISION_LEASE_SECONDS")

# How many requests may wait for a decision at a time (`Prefer: wait`): each occupies a web process.
API_WAITERS = env.int("API_WAITERS", otherwise=env.int("WEB_CONCURRENCY", otherwise=5) // 2)

# --- Notifications --------------------------------------------------------------------------------

# Where links in mail and events lead.
SITE_URL = (
    env.str("SITE_URL").rstrip("/")
    or (render_host and f"https://{render_host}")
    or "http://127.0.0.1:8000"
)

DELIVERIES = {
    # After how long another worker sends what a killed one was sending.
    "lease_seconds": env.float("DELIVERY_LEASE_SECONDS"),
    # The pause after the first failure; it doubles after each.
    "retry_seconds": env.float("DELIVERY_RETRY_SECONDS"),
    "give_up_hours": env.float("DELIVERY_GIVE_UP_HOURS"),
    "retention_days": env.float("DELIVERY_RETENTION_DAYS"),
}

WEBHOOKS = {
    "timeout_seconds": env.float("WEBHOOK_TIMEOUT_SECONDS"),
    # For development and tests: lets webhooks reach this machine and private networks, by http.
    "allow_private": env.bool("WEBHOOK_ALLOW_PRIVATE"),
}

KAFKA: dict[str, Any] = {
    "bootstrap_servers": env.str("KAFKA_BOOTSTRAP_SERVERS"),
    "topic": env.str("KAFKA_TOPIC"),
    "format": env.str("KAFKA_FORMAT"),
    "requests_topic": env.str("KAFKA_REQUESTS_TOPIC"),
    "requests_group": env.str("KAFKA_REQUESTS_GROUP"),
    # Any other librdkafka option, as JSON: {"security.protocol": "SASL_SSL", …}
    "options": env.dict("KAFKA_OPTIONS"),
}

SMS = {
    # twilio, console, or nothing: then guests who left a phone get no text messages.
    "provider": env.str("SMS_PROVIDER"),
    "account": env.str("SMS_ACCOUNT"),
    "token": env.str("SMS_TOKEN"),
    "from": env.str("SMS_FROM"),
    "url": env.str("SMS_URL"),
}

# --- Mail -----------------------------------------------------------------------------------------

# smtp+tls://user:password@host:587, or consolemail://: printed where the worker runs.
MAILERS = {"default": mailer(env.str("EMAIL_URL"))}
MAIL_FROM = env.str("MAIL_FROM")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_FROM
PASSWORD_RESET_TIMEOUT = 2 * 60 * 60  # how many seconds a link for a new password is valid

# --- Backups --------------------------------------------------------------------------------------

BACKUPS = backups.given(env, VAR_DIR)

# --- HTTP and security ----------------------------------------------------------------------------

HTTPS = env.bool("HTTPS", otherwise=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from inside
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS")
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
# How many of our own proxies are in front; each appends one address to X-Forwarded-For.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", otherwise=1 if render_host else 0)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}

# --- Languages and time ---------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # what the database stores; pages show the space's own zone

# --- Static files ---------------------------------------------------------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Already compressed files, and packages' source maps: collecting them would be slow.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("br", "gz", "gif", "jpg", "map", "png", "webp", "woff2")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Logs, metrics, traces, reports ---------------------------------------------------------------

LOGGING = logs.configuration(env.str("LOG_FORMAT"), is_debug=DEBUG)

METRICS: dict[str, Any] = {
    # Who may read /metrics: whoever knows this, or comes from these networks. Else nobody.
    "token": env.str("METRICS_TOKEN"),
    "allow": env.list("METRICS_ALLOW"),
    "worker": env.str("WORKER_METRICS"),  # where a worker answers for itself
}

# OpenTelemetry reads its other variables itself.
TRACES = not env.bool("OTEL_SDK_DISABLED") and bool(
    env.str("OTEL_EXPORTER_OTLP_ENDPOINT") or env.str("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
)
SENTRY_DSN = env.str("SENTRY_DSN")
