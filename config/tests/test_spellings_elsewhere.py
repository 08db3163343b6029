"""Numbers and times are read as people write them: in messages, and on a command line."""

import json
from argparse import ArgumentTypeError
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import BaseCommand, get_commands, load_command_class

from accounts import commands
from bookings.deciding.cells import DateOrder
from bookings.management.commands.import_bookings import encoding
from config.tests.test_spellings import misspelt
from notifications.kafka import requests


@pytest.mark.parametrize("name", ["starts_at", "ends_at", "party_size"])
def test_every_number_and_instant_in_a_message(name):
    right = {"party_size": "2"}.get(name, "2026-12-01T10:00:00+03:00")
    for wrong in [*misspelt(right), *(["2", 2.0] if name == "party_size" else [2])]:
        with pytest.raises(requests.RequestError, match=f"{name}: "):
            requests.read(json.dumps({name: wrong}).encode())


def our_commands():
    for name, app in get_commands().items():
        if app in {"accounts", "spaces", "bookings", "notifications", "config"}:
            yield name, load_command_class(app, name)


def options(command, name):
    """Yield a command's numeric and time arguments, with a valid value."""
    of_all = {action.dest for action in BaseCommand().create_parser("", "")._actions}
    for action in command.create_parser("manage.py", name)._actions:
        if action.dest in of_all or action.type in {None, str, Path, UUID, encoding, DateOrder}:
            continue
        for right in ("2", "2026-11-25"):
            with suppress(Exception):
                action.type(right)
                yield action, right


def test_every_number_and_time_on_a_command_line():
    tried = set()
    for name, command in our_commands():
        for action, right in options(command, name):
            tried.add(action.dest)
            for wrong in misspelt(right):
                if (
                    action.dest in {"interval", "lock_seconds", "patience_seconds"}
                    and wrong == "2.0"
                ):
                    continue
                with pytest.raises((ArgumentTypeError, ValueError)):
                    action.type(wrong)
    assert tried >= {"days", "interval", "since", "until"}


def test_our_commands_check_the_settings_and_load_no_pages_for_it():
    for name, command in our_commands():
        is_ours = type(command).__base__ in {BaseCommand, commands.Command}
        if is_ours and command.requires_system_checks:
            assert command.requires_system_checks == (commands.MESTO, commands.KAFKA), name
