"""Follow Mesto's bookings on Kafka and store each event once, in a table.

Mesto writes each event at least once, and those of one booking in order. This is how that becomes
"once": the event's id is the key of a table, written in the transaction that does the work, and
the group's offset is committed only after it. All it needs is confluent-kafka:

    python examples/kafka_consumer.py --servers localhost:9092 --topic mesto.bookings

Start it several times and the members of the group share the partitions. It prints what is new.
"""

import argparse
import json
import signal
import sqlite3
import sys
from contextlib import closing
from types import FrameType

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


def keep(database: sqlite3.Connection, messages: list[Message]) -> list[tuple[str, str, str]]:
    """Store what isn't there yet, all or nothing; return id, type and booking of the new ones."""
    new = []
    with database:
        for message in messages:
            event = json.loads(message.value() or b"")
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
    asked = parser.parse_args()

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
            for event in keep(database, messages):
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
