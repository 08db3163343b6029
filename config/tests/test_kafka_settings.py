"""Kafka has a few settings; errors in them are reported before anything is sent."""

import pytest

from config import checks
from config.declared import SETTINGS
from config.given import Given
from config.tests.processes import PATIENCE

pytestmark = pytest.mark.any_database


def ids(found):
    return [message.id for message in found]


@pytest.fixture
def given(settings):
    """Set some of the Kafka settings."""

    def given(**changes):
        settings.KAFKA = {**settings.KAFKA, **changes}

    return given


@pytest.mark.parametrize("text", ["", " ", "{}"])
def test_options_are_optional(given, text):
    given(options=Given({"KAFKA_OPTIONS": text}).dict("KAFKA_OPTIONS"))
    assert checks.kafka_options(None) == []


@pytest.mark.parametrize(
    "text", ["linger.ms=5", '{"linger.ms": 5', "[]", "17", "null", '"linger.ms"', "{'a': 1}"]
)
def test_options_that_are_not_a_json_object_are_an_error(text):
    with pytest.raises(ValueError):  # noqa: PT011  # config.given makes a sentence of it
        SETTINGS["KAFKA_OPTIONS"].value(text)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ('{"lingr.ms": 5}', "lingr.ms"),
        ('{"linger.ms": "soon"}', "Invalid value"),
        ('{"linger.ms": null}', "cannot be set to empty value"),
        ('{"sasl.mechanism": "PLAIN", "security.protocol": "SASL_SSL"}', "sasl.username"),
        ('{"max.in.flight": 100}', "max.in.flight"),
        ('{"on_delivery": 5}', "on_delivery"),
        ('{"error_cb": 5}', "error_cb"),
    ],
)
def test_what_librdkafka_rejects_is_an_error(given, options, says):
    given(options=SETTINGS["KAFKA_OPTIONS"].value(options))
    [error] = checks.kafka_options(None)
    assert error.id == "mesto.E014"
    assert says in error.msg


@pytest.mark.parametrize(
    "options",
    [
        '{"compression.type": "lz4", "linger.ms": 20}',
        '{"session.timeout.ms": 10000, "fetch.min.bytes": 1}',  # a consumer's
        '{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",'
        ' "sasl.username": "mesto", "sasl.password": "x"}',
    ],
)
def test_producer_and_consumer_options_are_accepted(given, options, caplog):
    given(options=SETTINGS["KAFKA_OPTIONS"].value(options))
    assert checks.kafka_options(None) == []
    assert caplog.messages == []


def test_requests_need_brokers(given):
    given(bootstrap_servers="", requests_topic="mesto.requests")
    assert ids(checks.kafka_requests(None)) == ["mesto.E015"]
    given(bootstrap_servers="localhost:9092")
    assert checks.kafka_requests(None) == []
    given(bootstrap_servers="localhost:9092", requests_topic="")
    assert checks.kafka_requests(None) == []


def test_a_wrong_setting_is_explained_in_a_sentence(manage):
    process = manage("check", KAFKA_OPTIONS="linger.ms=5")
    _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "KAFKA_OPTIONS can't be used" in log
    assert "linger.ms" not in log  # it may hold a password
    assert "Traceback" not in log
