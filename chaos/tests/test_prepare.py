"""What is made for a crowd before a run."""

from datetime import UTC, datetime

import pytest

from chaos import prepare
from chaos.scene import Hook, Scene
from config.tests.processes import environ
from notifications import relay
from notifications.models import Endpoint

pytestmark = pytest.mark.django_db(transaction=True)


def test_another_process_makes_the_scene(transactional_db):
    scene = Scene.prepare(environ(), members=1)
    assert [space.aim for space in scene.spaces] == ["contested", "free", "halls", "quota"]
    assert len(scene.space("halls").places) == 7


def test_listeners_of_an_earlier_run_are_forgotten(transactional_db):
    hook = Hook("http://127.0.0.1:9/free", "whsec_" + "a" * 32)
    relay.endpoint_of(Endpoint.Channel.KAFKA, now=datetime(2026, 1, 1, tzinfo=UTC))
    prepare.prepare(0, {"free": Hook("http://127.0.0.1:8/free", hook.secret)})
    scene = prepare.prepare(0, {"free": hook})
    endpoint, kafka = Endpoint.objects.get(channel="WEBHOOK"), Endpoint.objects.get(channel="KAFKA")
    assert (endpoint.url, endpoint.space.slug) == (hook.url, scene.space("free").slug)
    assert kafka.listens_since == endpoint.created_at
