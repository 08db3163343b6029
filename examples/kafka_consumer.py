"""Follow Mesto's bookings on Kafka and store each event once, in a table.

Mesto writes each event at least once, and those of one booking in order. This is how that becomes
"once": the event's id is the key of a table, written in the transaction that does the work, and
the group's offset is committed only after it. All it needs is confluent-kafka; for events in
Avro also fastavro and the schemas with which they may be written:

    python examples/kafka_consumer.py --servers localhost:9092 --topic mesto.bookings
    python examples/kafka_consumer.py --servers localhost:9092 --schema docs/schemas/event.avsc

Start it several times and the members of the group share the partitions. It prints what is new.
"""

import argparse
import io
import json
import signal
import sqlite3
import sys
from contextlib import closing
from types import FrameType
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message

TABLE = """
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    booking TEXT NOT NULL,
    time TEXT NOT NULL,
    data TEXT NOT NULL
)
"""


class Schemas:
    """The Avro schemas that we know, by the fingerprint with which a message names its own."""

    def __init__(self, files: list[str]) -> None:
        self.known: dict[bytes, Any] = {}
        for file in files:
            from fastavro.schema import fingerprint, load_schema, to_parsing_canonical_form

            schema = load_schema(file)
            name = fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")
            self.known[bytes.fromhex(name)] = schema

    def event(self, message: Message) -> dict[str, Any]:
        """Return a message's envelope and event, whichever way they are written."""
        headers: dict[str, Any] = dict(message.headers() or ())
        value = message.value() or b""
        if headers.get("content-type") != b"application/avro":
            return json.loads(value)  # type: ignore[no-any-return]  # an object, as the schema says
        from fastavro import schemaless_reader

        # C3 01, eight bytes of fingerprint, the record. An unknown schema is a KeyError: get it.
        data = schemaless_reader(io.BytesIO(value[10:]), self.known[value[2:10]], None)
        names = ("id", "type", "subject", "time")
        return {name: str(headers[f"ce_{name}"], "utf-8") for name in names} | {"data": data}


def keep(
    database: sqlite3.Connection, messages: list[Message], schemas: Schemas
) -> list[tuple[str, str, str]]:
    """Store what isn't there yet, all or nothing; return id, type and booking of the new ones."""
    new = []
    with database:
        for message in messages:
            event = schemas.event(message)
            row = event["id"], event["type"], event["subject"], event["time"]
            done = database.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*row, json.dumps(event["data"])),
            )
            if done.rowcount:
                # The work that an event asks for belongs here, in the same transaction.
                new.append(row[:3])
    return new


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--servers", required=True, help="host:port of some brokers")
    parser.add_argument("--topic", default="mesto.bookings")
    parser.add_argument("--group", default="mesto-example")
    parser.add_argument("--database", default="events.sqlite3")
    parser.add_argument("--schema", nargs="*", default=[], help="files that describe our Avro")
    asked = parser.parse_args()
    schemas = Schemas(asked.schema)

    is_ending = False

    def end(_signal: int, _frame: FrameType | None) -> None:
        nonlocal is_ending
        is_ending = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)

    consumer = Consumer(
        {
            "bootstrap.servers": asked.servers,
            "group.id": asked.group,
            "auto.offset.reset": "earliest",  # a new group starts with the oldest event
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([asked.topic])
    with closing(sqlite3.connect(asked.database, timeout=20)) as database, closing(consumer):
        database.execute(TABLE)
        while not is_ending:
            came = consumer.consume(500, timeout=0.2)
            for error in filter(None, (message.error() for message in came)):
                if error.fatal():
                    raise KafkaException(error)
                print(error, file=sys.stderr)  # temporary: it reconnects to a broker that is down
            messages = [message for message in came if message.error() is None]
            if not messages:
                continue
            for event in keep(database, messages, schemas):
                print(*event, flush=True)
            try:
                consumer.commit(asynchronous=False)
            except KafkaException as error:  # then they arrive again, and are recognised
                print(error, file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except KafkaException as error:
        sys.exit(str(error))
