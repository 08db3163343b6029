"""What our own programs tell each other; nobody sets it by hand."""

from config.declared.kinds import FLAG, TEXT, Reader, Section, Setting

OURSELVES = Section(
    "What our own programs set",
    (
        Setting(
            "SERVING",
            FLAG,
            False,
            "config/gunicorn.py sets it: requests don't wait long for the database, a migration "
            "may.",
            by_platform=True,
        ),
        Setting(
            "ENV_FILE",
            TEXT,
            ".env",
            "Another file instead of the .env beside the code; /dev/null for none.",
            by_platform=True,
        ),
        Setting(
            "TEST_DB",
            TEXT,
            None,
            "The file of SQLite that tests use.",
            Reader.TESTS,
            otherwise="var/test.sqlite3",
            by_platform=True,
        ),
        Setting(
            "MESTO_CHAOS_NAMESPACE",
            TEXT,
            "",
            "`make chaos` is inside its own network.",
            Reader.TESTS,
            by_platform=True,
        ),
    ),
)
