"""The operator's librdkafka options, from one setting."""

import json
from typing import Any


def options(text: str) -> Any:
    """Return what KAFKA_OPTIONS says, parsed from JSON.

    Invalid JSON stays as it is: see also `config.checks.kafka_options`.
    """
    try:
        return json.loads(text) if text.strip() else {}
    except ValueError:
        return text
