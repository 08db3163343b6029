"""The site itself: its name, its key, and the processes that serve it."""

from config.declared.kinds import FLAG, LIST, NUMBER, TEXT, WHOLE, Reader, Section, Setting
from config.declared.kinds import SITE as SITE_AT

SITE = Section(
    "The site",
    (
        Setting(
            "SECRET_KEY",
            TEXT,
            None,
            "Signs sessions and links; whoever knows it can sign in as anyone.",
            is_secret=True,
            otherwise="none: a process says that it is missing; with DEBUG, a key that everybody "
            "knows",
            local="",
        ),
        Setting(
            "SECRET_KEY_FALLBACKS",
            LIST,
            (),
            "Earlier keys, comma-separated: what they signed, such as calendar addresses, stays "
            "valid.",
            is_secret=True,
        ),
        Setting(
            "DEBUG",
            FLAG,
            False,
            "Shows errors in the browser and reloads; never where strangers can reach it. `make "
            "dev` "
            "sets it.",
            local="false",
        ),
        Setting(
            "ALLOWED_HOSTS",
            LIST,
            ("127.0.0.1", "localhost", "[::1]"),
            "Names that the site answers to, comma-separated; a leading dot includes subdomains.",
            Reader.WEB,
            local="127.0.0.1,localhost,[::1],.localhost,0.0.0.0",
        ),
        Setting(
            "SITE_URL",
            SITE_AT,
            None,
            "Where people open the site: links in mail lead there.",
            otherwise="the address that Render gave, or http://127.0.0.1:8000",
            example="https://book.example.org",
        ),
        Setting(
            "HTTPS",
            FLAG,
            None,
            "true: send everyone to https, cookies by https only.",
            Reader.WEB,
            otherwise="true, with DEBUG false",
            local="false",
        ),
        Setting(
            "TRUSTED_PROXIES",
            WHOLE,
            None,
            "How many of our own proxies are in front and append to X-Forwarded-For.",
            Reader.WEB,
            least=0,
            otherwise="1 on Render, else 0",
            example="0",
        ),
        Setting(
            "CSRF_TRUSTED_ORIGINS",
            LIST,
            (),
            "Other origins whose forms we accept, with the scheme.",
            Reader.WEB,
            example="https://book.example.org",
        ),
        Setting(
            "RENDER_EXTERNAL_HOSTNAME",
            TEXT,
            "",
            "Render says under which name it serves the site.",
            by_platform=True,
        ),
        Setting(
            "RENDER_GIT_COMMIT",
            TEXT,
            "",
            "Render says which commit runs: pages that another one made aren't shown.",
            by_platform=True,
        ),
    ),
)

PROCESSES = Section(
    "The web processes",
    (
        Setting(
            "PORT",
            WHOLE,
            8000,
            "The port where gunicorn listens.",
            Reader.WEB,
            least=1,
            most=65535,
        ),
        Setting(
            "LISTEN",
            TEXT,
            None,
            "The address where gunicorn listens.",
            Reader.WEB,
            otherwise="0.0.0.0 where PORT is set, else 127.0.0.1",
            example="127.0.0.1",
        ),
        Setting(
            "WEB_CONCURRENCY",
            WHOLE,
            None,
            "How many web processes; each answers one request at a time and holds a connection to "
            "the "
            "database.",
            Reader.WEB,
            least=1,
            otherwise="two a core and one more, 9 at most",
            example="5",
        ),
        Setting(
            "DRAIN_SECONDS",
            NUMBER,
            0,
            "How many seconds a web node goes on serving after SIGTERM while /readyz says 503: "
            "longer "
            "than the balancer needs to notice.",
            Reader.WEB,
            least=0,
            example="3",
        ),
        Setting(
            "REQUEST_SECONDS",
            NUMBER,
            8,
            "After how many seconds a request changes nothing any more, because whoever sent it "
            "has "
            "given up: longer than the database may take, less than the timeout of programs that "
            "ask "
            "again.",
            Reader.WEB,
            least=4,
            most=30,  # then gunicorn ends its process, and a balancer waits little longer
        ),
        Setting(
            "KEPT_PAGES_MB",
            WHOLE,
            16,
            "How many megabytes each web process may use for rendered pages.",
            Reader.WEB,
            least=0,
        ),
    ),
)
