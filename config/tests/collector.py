"""A collector of traces: it reads OTLP over HTTP, and remembers."""

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    def __init__(self):
        self.spans, self.raw = [], b""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                if handler.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                self.take(body)
                handler.send_response(200)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(handler, *_):
                pass

        return Handler

    def take(self, body):
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def of_trace(self, trace_id):
        return [span for span in self.spans if span.trace_id.hex() == trace_id]

    def path(self, span):
        """Return the names from the first span of a trace to this one."""
        by_id = {each.span_id: each for each in self.spans}
        names = [span.name]
        while span.parent_span_id in by_id:
            span = by_id[span.parent_span_id]
            names.insert(0, span.name)
        return names


@contextmanager
def collecting():
    found = Collector()
    thread = threading.Thread(target=found._server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield found
    finally:
        found._server.shutdown()
        thread.join()
        found._server.server_close()
