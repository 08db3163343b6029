"""Copies of this process's database, to measure several states of it in turns: PostgreSQL only.

A machine's speed drifts by half within minutes; measured in turns, all of them drift alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg import sql


def copy(name: str) -> None:
    """Copy the database as it is now to another of the same server."""
    here = connection.settings_dict["NAME"]
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with using("postgres"), connection.cursor() as cursor:  # nobody may be connected to a template
        cursor.execute(statement.format(sql.Identifier(name), sql.Identifier(here)))


@contextmanager
def using(name: str) -> Iterator[None]:
    """Work in another database of the same server until the block ends."""
    here = connection.settings_dict["NAME"]
    _move_to(name)
    try:
        yield
    finally:
        _move_to(here)


def _move_to(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
