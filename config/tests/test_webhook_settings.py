"""Wrong webhook settings, reported before anyone is served."""

import pytest

from config import checks

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(("allowed", "found"), [(True, ["mesto.W020"]), (False, [])])
def test_private_addresses_are_for_development(settings, allowed, found):
    settings.WEBHOOKS = {"timeout_seconds": 10, "allow_private": allowed}
    assert [message.id for message in checks.webhooks_stay_outside(None)] == found
