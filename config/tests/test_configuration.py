"""Settings are declared once: what is read, documented and accepted follows from that."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config import checks
from config.declared import SECTIONS, SETTINGS
from config.declared.kinds import NUMBER, WHOLE
from config.given import Given, Wrong
from config.misspelt import slips
from config.tests.processes import PATIENCE
from deploy import render
from scripts import configuration

pytestmark = pytest.mark.any_database

BASE = Path(settings.BASE_DIR)
RANGES = [
    (setting.name, setting.least, setting.most)
    for setting in SETTINGS.values()
    if setting.kind in (NUMBER, WHOLE)
]
READ = re.compile(r"env\.(?:str|int|float|bool|list|dict|has)\(\s*\"(\w+)\"")


def problems(**given):
    return Given(given).problems


def test_what_is_read_is_declared_and_what_is_declared_is_read():
    sources = [
        *BASE.glob("config/*.py"),
        *BASE.glob("config/*/__init__.py"),
        *BASE.glob("chaos/*.py"),
    ]
    text = "".join(path.read_text() for path in sources)
    elsewhere = {"ENV_FILE", "MESTO_CHAOS_NAMESPACE"}  # before the settings are there
    assert set(READ.findall(text)) == set(SETTINGS) - elsewhere
    assert all(f'"{name}"' in text for name in elsewhere)


def test_no_setting_is_declared_twice():
    declared = [setting.name for section in SECTIONS for setting in section.settings]
    assert len(declared) == len(set(declared))


@pytest.mark.parametrize(
    "path",
    ["render.yaml", ".env.example", "Makefile", "compose.yaml", "Dockerfile"],
)
def test_no_file_sets_what_is_not_declared(path):
    if not (BASE / path).exists():
        pytest.skip(f"there is no {path}")
    names = set(
        re.findall(
            r"^[ \t#-]*(?:key: )?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=| *:? |$)",
            (BASE / path).read_text(),
            re.M,
        )
    )
    assert problems(**dict.fromkeys(names - set(SETTINGS), "x")) == []


def test_the_cluster_sets_nothing_that_is_not_declared():
    made = render.files(
        render.Inventory.read(BASE / "deploy/example.toml"), dict.fromkeys(render.SECRETS, "x")
    )
    names = {
        name
        for path, text in made.items()
        if path.endswith(".env")
        for name in re.findall(r"^([A-Z_]+)=", text, re.M)
    }
    assert names - set(SETTINGS) == set()


def test_the_page_and_the_example_are_made_from_the_declaration():
    assert configuration.main("check") == 0, "run `make configuration`"


def test_the_example_can_be_used_as_it_is_and_with_every_line_in_use():
    text = (BASE / ".env.example").read_text()
    every = dict(re.findall(r"^#? ?([A-Z0-9_]+)=(.*)$", text, re.M))
    assert set(every) == {s.name for s in SETTINGS.values() if not s.by_platform}
    assert problems(**every) == []


@pytest.mark.parametrize(("name", "least", "most"), RANGES)
def test_a_number_is_one_and_in_its_range(name, least, most):
    wrong = ["a few", "1e", "nan", "inf"]
    wrong += [] if least is None else [f"{least - 1:g}"]
    wrong += [] if most is None else [f"{most + 1:g}"]
    for text in wrong:
        [problem] = problems(**{name: text})
        assert problem == f"{name} is '{text}'; it must be {SETTINGS[name].allowed}."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DEBUG", "perhaps"),
        ("HTTPS", "2"),
        ("SITE_URL", "book.example.org"),
        ("SMS_PROVIDER", "pigeon"),
    ],
)
def test_a_wrong_value_is_shown_with_what_is_allowed(name, text):
    assert problems(**{name: text}) == [f"{name} is '{text}'; it must be {SETTINGS[name].allowed}."]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@db/mesto"),
        ("DATABASE_URL", "hunter2"),
        ("REPLICA_URL", "postgres://mesto:hunter2@db:port/mesto"),
        ("CACHE_URL", "memcache-hunter2"),
        ("EMAIL_URL", "smtp://user:hunter2@host:port"),
        ("KAFKA_OPTIONS", '{"sasl.password": "hunter2"'),
    ],
)
def test_a_secret_is_never_shown(name, text):
    [problem] = problems(**{name: text})
    assert problem.startswith(f"{name} can't be used")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("MAILFROM", "MAIL_FROM"),
        ("EMAIL_FROM", "MAIL_FROM"),
        ("DELIVERY_RETRY_SECOND", "DELIVERY_RETRY_SECONDS"),
        ("DELIVERY_RETRY", "DELIVERY_RETRY_SECONDS"),
        ("KAFKA_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"),
        ("HOSTS_ALLOWED", "ALLOWED_HOSTS"),
        ("MESTO_SITE_URL", "SITE_URL"),
        ("site_url", "SITE_URL"),
        ("DEBUGG", "DEBUG"),
    ],
)
def test_a_misspelt_name_is_told_which_was_meant(name, meant):
    assert problems(**{name: "x"}) == [
        f"{name} is set, but there is no such setting: did you mean {meant}?"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HTTP_PROXY",
        "https_proxy",
        "API_TOKEN",
        "DATABASE_USER",
        "DATABASE_PORT",
        "LISTEN_FDS",
        "PGHOST",
        "RENDER_EXTERNAL_URL",
        "KAFKA_SERVICE_HOST",
        "TEST_DATABASE_URL",
        "SITE_NAME",
        "LANG",
    ],
)
def test_other_programs_have_their_own_names(name):
    assert problems(**{name: "x"}) == []


def test_a_name_beside_the_one_that_it_resembles_is_somebody_elses():
    assert problems(DATABASE_URI="x", DATABASE_URL="sqlite:///x") == []


def test_nothing_but_spaces_counts_as_not_given():
    assert problems(**dict.fromkeys(SETTINGS, " ")) == []


@pytest.mark.parametrize(
    ("one", "other", "many"),
    [
        ("SITE", "SITE", 0),
        ("FORM", "FROM", 1),
        ("SIT", "SITE", 1),
        ("A", "BCDE", 3),
        ("AB", "CD", 2),
    ],
)
def test_slips_are_counted(one, other, many):
    assert slips(one, other) == many


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["manage.py", "worker", "--once"],
        ["-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"],
    ],
)
def test_no_process_starts_with_a_wrong_setting(command):
    wrong = {"REQUEST_SECONDS": "soon", "DELIVERY_RETRY": "5"}
    process = subprocess.run(
        [sys.executable, *command],
        cwd=BASE,
        env={**os.environ, **wrong},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert process.returncode == 1
    assert process.stderr.splitlines() == [
        "Mesto can't start: REQUEST_SECONDS is 'soon'; it must be a number from 4 to 30.",
        "Mesto can't start: DELIVERY_RETRY is set, but there is no such setting: "
        "did you mean DELIVERY_RETRY_SECONDS?",
    ]


@pytest.mark.parametrize("command", [["manage.py", "check"], ["-c", "import config.wsgi"]])
def test_without_a_key_a_sentence_says_so(command):
    process = subprocess.run(
        [sys.executable, *command],
        cwd=BASE,
        env={**os.environ, "SECRET_KEY": "", "ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert process.returncode == 1
    assert "SECRET_KEY is empty" in process.stderr
    assert "Traceback" not in process.stderr


def test_no_web_process_starts_with_settings_that_contradict_each_other(settings):
    checks.stop_at_errors()
    settings.DATABASE_WAITS = {**settings.DATABASE_WAITS, "lock": 2}
    with pytest.raises(Wrong, match="DATABASE_LOCK_SECONDS is not less"):
        checks.stop_at_errors()
