"""How an operator sees what the site does."""

from config.declared.kinds import FLAG, LISTEN, NETWORKS, SITE, TEXT, Reader, Section, Setting

WATCHING = Section(
    "Logs, metrics, traces, reports",
    (
        Setting(
            "LOG_FORMAT",
            TEXT,
            None,
            "How the log is written: one object of JSON a line, or lines for people. "
            "docs/operations.md says what is in it.",
            choices=("json", "console"),
            otherwise="json; console with DEBUG, and with make run",
            example="console",
        ),
        Setting(
            "METRICS_TOKEN",
            TEXT,
            "",
            "Who sends this as a bearer token may read /metrics.",
            is_secret=True,
        ),
        Setting(
            "METRICS_ALLOW",
            NETWORKS,
            [],
            "Who comes from one of these networks may read /metrics. Without them and without a "
            "token, nobody may.",
            example="10.0.0.0/8",
        ),
        Setting(
            "WORKER_METRICS",
            LISTEN,
            "",
            "Where a worker answers /metrics for itself; without it, nowhere.",
            Reader.WORKER,
            example="127.0.0.1:9101",
        ),
        Setting(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            SITE,
            "",
            "Where traces go, by OTLP over HTTP; without it none are made. OpenTelemetry's other "
            "variables, such as OTEL_TRACES_SAMPLER, count too.",
            example="http://localhost:4318",
        ),
        Setting(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            SITE,
            "",
            "The same, with the path.",
            example="http://localhost:4318/v1/traces",
        ),
        Setting("OTEL_SDK_DISABLED", FLAG, False, "true: no traces, whatever else is set."),
        Setting(
            "SENTRY_DSN",
            SITE,
            "",
            "Where errors are reported, without what people typed: Sentry, or what speaks its "
            "protocol.",
            is_secret=True,
            example="https://key@sentry.example.org/1",
        ),
    ),
)
