"""Traces, where the settings of OpenTelemetry name a collector: only then is this imported.

One trace leads from a page through the service and its statements to the event, and on, in other
processes, to the worker's decision and to each delivery: the event's row keeps the `traceparent`.
A span has what a line of the log has, and no more: routes, never addresses; SQL without its values;
of an exception, its type.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from accounts import watching
from config.watching import errors

KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
NAMES = {"sql": "db.query.text", "route": "http.route", "status": "http.response.status_code"}
LONGEST = 2000  # characters

_w3c = TraceContextTextMapPropagator()


class Traces:
    """Makes this process's spans. The sender is a thread, so it starts with the first of them."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None
        self._pid = 0

    @property
    def provider(self) -> TracerProvider:
        if self._provider is None or self._pid != os.getpid():
            name = os.environ.get("OTEL_SERVICE_NAME") or "mesto"
            made = TracerProvider(
                resource=Resource.create({"service.name": name}),
            )
            made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
            self._provider, self._pid = made, os.getpid()
        return self._provider

    @contextmanager
    def span(self, name: str, kind: str, parent: str, about: dict[str, Any]) -> Iterator[Any]:
        within = context.get_current()
        if parent and not trace.get_current_span(within).get_span_context().is_valid:
            within = _w3c.extract({"traceparent": parent}, within)
        tracer = self.provider.get_tracer("mesto")
        with tracer.start_as_current_span(
            name,
            within,
            kind=KINDS[kind],
            attributes=_attributes(about),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except Exception as error:
                # Its message may hold what somebody typed.
                span.set_status(Status(StatusCode.ERROR, errors.name_of(error)))
                raise

    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _w3c.inject(carrier)
        return carrier.get("traceparent", "")

    def flush(self) -> None:
        if self._provider is not None and self._pid == os.getpid():
            self._provider.force_flush()


def _attributes(about: dict[str, Any]) -> dict[str, Any]:
    known = {"mesto.request_id": watching.request_id(), **about}
    return {
        NAMES.get(name, name if "." in name else f"mesto.{name}"): value[:LONGEST]
        if isinstance(value, str)
        else value
        for name, value in known.items()
        if value != ""
    }


traces = Traces()


def begin() -> None:
    watching.trace_with(traces)
