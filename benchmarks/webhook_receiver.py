"""A webhook receiver: verifies each call, waits a little, answers 204; GET tells what it received.

    python benchmarks/webhook_receiver.py SECONDS SECRET

Prints its port. Many calls come over one connection, as in production.
"""

import asyncio
import json
import sys
import time

from standardwebhooks import Webhook, WebhookVerificationError

PAUSE, SECRET = float(sys.argv[1]), sys.argv[2]
HEARD = {"count": 0, "good": 0, "first": 0.0, "last": 0.0}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            rows = (line.partition(": ") for line in head[1:] if line)
            headers = {name.lower(): value for name, _, value in rows}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if head[0].startswith("GET"):
                text = json.dumps(HEARD).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
                continue
            listen(body, headers)
            if PAUSE:
                await asyncio.sleep(PAUSE)
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            HEARD["last"] = time.perf_counter()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def listen(body: bytes, headers: dict[str, str]) -> None:
    HEARD["first"] = HEARD["first"] or time.perf_counter()
    HEARD["count"] += 1
    try:
        Webhook(SECRET).verify(body, headers)
        HEARD["good"] += 1
    except WebhookVerificationError:
        pass  # the table would show it


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
