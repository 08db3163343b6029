"""Who is told of bookings, and how: mail, webhooks, text messages, Kafka."""

from config.declared.kinds import FLAG, JSON, NUMBER, TEXT, Reader, Section, Setting
from config.declared.kinds import MAIL as MAIL_URL

MAIL = Section(
    "Mail",
    (
        Setting(
            "EMAIL_URL",
            MAIL_URL,
            "consolemail://",
            "The mail server: smtp+tls:// (STARTTLS), smtp+ssl:// (TLS from the start) or smtp://. "
            "In a "
            "password write @ : / % as %40 %3A %2F %25. Without it, mail is printed where the "
            "worker "
            "runs.",
            Reader.WORKER,
            is_secret=True,
            example="smtp+tls://user:password@smtp.example.org:587",
        ),
        Setting(
            "MAIL_FROM",
            TEXT,
            "Mesto <mesto@localhost>",
            "The sender of our mail.",
            example="Mesto <mesto@example.org>",
        ),
    ),
)

DELIVERIES = Section(
    "Deliveries and webhooks",
    (
        Setting(
            "WEBHOOK_TIMEOUT_SECONDS",
            NUMBER,
            10,
            "How many seconds a webhook call may take, including its answer.",
            least=0.1,
        ),
        Setting(
            "WEBHOOK_ALLOW_PRIVATE",
            FLAG,
            False,
            "true: webhooks may lead to this machine and private networks, over http too. For "
            "development only.",
        ),
        Setting(
            "DELIVERY_RETRY_SECONDS",
            NUMBER,
            5,
            "The pause after the first failure of mail, a webhook or Kafka; it doubles after each.",
            Reader.WORKER,
            least=0.1,
        ),
        Setting(
            "DELIVERY_GIVE_UP_HOURS",
            NUMBER,
            24,
            "After how many hours a delivery is given up.",
            Reader.WORKER,
            least=0.001,
        ),
        Setting(
            "DELIVERY_LEASE_SECONDS",
            NUMBER,
            120,
            "After how many seconds another worker sends what a killed one was sending.",
            Reader.WORKER,
            least=0.1,
        ),
        Setting(
            "DELIVERY_RETENTION_DAYS",
            NUMBER,
            30,
            "How many days delivered rows are kept. The log of bookings is kept forever.",
            Reader.WORKER,
            least=0.001,
        ),
    ),
)

TEXTS = Section(
    "Text messages to guests who left a phone",
    (
        Setting(
            "SMS_PROVIDER",
            TEXT,
            "",
            "twilio, or console (printed where the worker runs). Without it none are sent.",
            choices=("twilio", "console"),
            example="twilio",
        ),
        Setting(
            "SMS_ACCOUNT",
            TEXT,
            "",
            "The account, as the provider's console shows it.",
            Reader.WORKER,
            example="AC0123456789abcdef0123456789abcdef",
        ),
        Setting(
            "SMS_TOKEN", TEXT, "", "The account's key.", Reader.WORKER, is_secret=True, example=" "
        ),
        Setting(
            "SMS_FROM",
            TEXT,
            "",
            "The number or name to send from.",
            Reader.WORKER,
            example="+442079460018",
        ),
        Setting(
            "SMS_URL",
            TEXT,
            "https://api.twilio.com",
            "Where the provider's API is.",
            Reader.WORKER,
        ),
    ),
)

KAFKA = Section(
    "Kafka",
    (
        Setting(
            "KAFKA_BOOTSTRAP_SERVERS",
            TEXT,
            "",
            "Some of the brokers. Without it nothing is written to Kafka or read from it.",
            Reader.WORKER,
            example="localhost:9092",
        ),
        Setting(
            "KAFKA_TOPIC",
            TEXT,
            "mesto.bookings",
            "Where booking events go. Its cleanup.policy should be delete: a compacted topic loses "
            "history.",
            Reader.WORKER,
        ),
        Setting(
            "KAFKA_FORMAT",
            TEXT,
            "json",
            "How events are written: json (the whole CloudEvents envelope) or avro (see "
            "docs/events.md). Tell the consumers before you change it.",
            Reader.WORKER,
            choices=("json", "avro"),
            example="avro",
        ),
        Setting(
            "KAFKA_REQUESTS_TOPIC",
            TEXT,
            "",
            "Where `manage.py consume_requests` reads booking requests. Anyone who may write to "
            "that "
            "topic may book for anyone.",
            Reader.COMMANDS,
            example="mesto.requests",
        ),
        Setting(
            "KAFKA_REQUESTS_GROUP",
            TEXT,
            "mesto",
            "Its consumer group.",
            Reader.COMMANDS,
        ),
        Setting(
            "KAFKA_OPTIONS",
            JSON,
            None,
            "Any other librdkafka option, as one line of JSON.",
            Reader.WORKER,
            is_secret=True,
            otherwise="none",
            example='{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", '
            '"sasl.username": "mesto", "sasl.password": "password"}',
        ),
    ),
)
