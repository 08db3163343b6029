"""Empties the database after a test that commits.

Django's `flush` truncates every table, also those that nobody has written to, and then writes the
permissions of all models again: that takes longer than most such tests.
"""

from functools import cache
from typing import Any

from django.db import connections, transaction

#: What `migrate` writes, and every test may rely on.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
#: Triggers of other tables write to it, also when rows are deleted.
LAST = "spaces_setupstamp"


def empty(case: Any) -> None:
    """Take the place of `TransactionTestCase._fixture_teardown`."""
    for alias in case._databases_names(include_mirrors=False):
        with transaction.atomic(alias), connections[alias].cursor() as cursor:
            # The foreign keys are compared at the end, when all rows are gone.
            cursor.execute(_which_have_rows(alias))
            for (table,) in cursor.fetchall():
                cursor.execute(f'DELETE FROM "{table}"')
            cursor.execute(f'DELETE FROM "{LAST}"')


@cache
def _which_have_rows(alias: str) -> str:
    introspection = connections[alias].introspection
    tables = set(introspection.django_table_names(only_existing=True, include_views=False))
    return " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")"
        for table in sorted(tables - KEPT - {LAST})
    )
