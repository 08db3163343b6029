"""The database, how long to wait for it, and the cache."""

from config.declared.kinds import CACHE as CACHE_URL
from config.declared.kinds import DATABASE as DATABASE_URL
from config.declared.kinds import FLAG, NUMBER, REPLICA, WHOLE, Reader, Section, Setting

LONGEST_WAIT = 2  # seconds: requests behind it, a balancer's too, are answered within three
SHORTEST_WAIT = 0.5  # seconds: on a busy machine, other bookings take part of it

DATABASE = Section(
    "The database",
    (
        Setting(
            "DATABASE_URL",
            DATABASE_URL,
            None,
            "The database: PostgreSQL, also several hosts; or a file of SQLite.",
            is_secret=True,
            otherwise="SQLite at var/mesto.sqlite3",
            example="postgres://mesto:password@localhost:5432/mesto",
        ),
        Setting(
            "REPLICA_URL",
            REPLICA,
            "",
            "A replica of that PostgreSQL, or several hosts: what can be read, is read there while "
            "the "
            "primary can't be reached.",
            is_secret=True,
            example="postgres://mesto:password@replica:5432/mesto",
        ),
        Setting(
            "CONN_MAX_AGE",
            WHOLE,
            600,
            "After how many seconds a connection to PostgreSQL is replaced; 0: after each request.",
            least=0,
        ),
        Setting(
            "PREPARED_STATEMENTS",
            FLAG,
            True,
            "PostgreSQL plans the hot statements once per connection. false behind a pooler that "
            "gives "
            "each transaction another connection and doesn't know of prepared statements.",
        ),
    ),
)

WAITS = Section(
    "How long to wait for the database",
    (
        Setting(
            "DATABASE_STATEMENT_SECONDS",
            NUMBER,
            2,
            "How many seconds a request waits for a PostgreSQL statement. Requests queued behind "
            "it in "
            "the same web process wait too, and /readyz promises an answer within 3 seconds. "
            "Connecting "
            "may take 2 for each host.",
            Reader.WEB,
            least=SHORTEST_WAIT,
            most=LONGEST_WAIT,
        ),
        Setting(
            "DATABASE_LOCK_SECONDS",
            NUMBER,
            1.5,
            "How many seconds a request waits for a lock: less than for the statement.",
            Reader.WEB,
            least=SHORTEST_WAIT,
            most=LONGEST_WAIT,
        ),
        Setting(
            "DATABASE_BUSY_SECONDS",
            NUMBER,
            2,
            "How many seconds a request waits for a SQLite file that is locked.",
            Reader.WEB,
            least=SHORTEST_WAIT,
            most=LONGEST_WAIT,
        ),
        Setting(
            "DATABASE_IDLE_SECONDS",
            WHOLE,
            60,
            "After how many seconds PostgreSQL ends a transaction that does nothing.",
            least=1,
        ),
        Setting(
            "DATABASE_TCP_USER_TIMEOUT_SECONDS",
            WHOLE,
            8,
            "When the kernel gives up on a database whose machine is gone: after how many seconds "
            "in "
            "which nothing that was sent is acknowledged.",
            least=1,
        ),
        Setting(
            "DATABASE_KEEPALIVES_IDLE_SECONDS",
            WHOLE,
            10,
            "After how many idle seconds the kernel starts to probe whether the database is there.",
            least=1,
        ),
        Setting(
            "DATABASE_KEEPALIVES_INTERVAL_SECONDS",
            WHOLE,
            3,
            "How many seconds apart those probes are.",
            least=1,
        ),
        Setting(
            "DATABASE_KEEPALIVES_COUNT",
            WHOLE,
            3,
            "How many of them may go unanswered.",
            least=1,
        ),
    ),
)

CACHE = Section(
    "The cache",
    (
        Setting(
            "CACHE_URL",
            CACHE_URL,
            None,
            "A cache that all processes share, Redis or Valkey; without it, each has its own in "
            "memory "
            "and counts API requests for itself.",
            is_secret=True,
            otherwise="locmemcache://, memory",
            example="redis://localhost:6379/1",
        ),
    ),
)
