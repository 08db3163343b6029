"""What the tests themselves stand on: an empty database, and a list of files that take long."""

from types import SimpleNamespace

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission

from bookings.tests.acts import book
from config.tests import emptying
from conftest import LONGEST

CASE = SimpleNamespace(_databases_names=lambda include_mirrors: ["default"])


@pytest.mark.django_db(transaction=True)
def test_what_a_test_committed_is_gone_and_what_migrate_wrote_is_not(desk, alice, now):
    book(desk, alice, now)
    before = Permission.objects.count()
    emptying.empty(CASE)
    left = {model._meta.label for model in apps.get_models() if model._base_manager.exists()}
    assert left == {"auth.Permission", "contenttypes.ContentType"}
    assert Permission.objects.count() == before


@pytest.mark.any_database
@pytest.mark.parametrize("file", LONGEST)
def test_the_files_that_come_first_exist(file):
    folders = (settings.BASE_DIR / name for name in ("chaos", "config", "notifications"))
    assert any(path for folder in folders for path in folder.rglob(file))
