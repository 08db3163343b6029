"""Plays many people at once, in its own process: a plan in, each request's result out, as JSON.

A plan: {"port", "seconds", "pause", "people": [[request, ...], ...]}. Each person sends one request
after another, `pause` seconds apart, until the time or the requests run out. With `cycle` the
requests repeat. Plain sockets and one connection per request: the clients share the machine
with the server, so they had better be cheap.
"""

import asyncio
import json
import random
import sys
import time

TIMEOUT = 30  # seconds, then the request counts as failed


async def send(port: int, request: bytes) -> dict[str, object]:
    began = time.perf_counter()
    status, location = 0, ""
    try:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answer = await reader.read()  # until the server closes
            writer.close()
        head = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        location = next((line[10:] for line in head if line.lower().startswith("location: ")), "")
    except (OSError, TimeoutError, IndexError, ValueError):
        pass  # status 0 is an error in the report
    return {
        "status": status,
        "location": location.strip(),
        "seconds": time.perf_counter() - began,
    }


async def person(plan: dict, requests: list[str], until: float, answers: list) -> None:
    await asyncio.sleep(random.uniform(0, plan["pause"]))  # people don't march in step
    left = [request.encode() for request in reversed(requests)]
    while left and time.perf_counter() < until:
        request = left[-1] if plan["cycle"] else left.pop()
        answer = await send(plan["port"], request)
        answers.append(answer)
        if plan["pause"]:
            await asyncio.sleep(max(0, plan["pause"] - answer["seconds"]))


async def main() -> None:
    plan = json.load(sys.stdin)
    answers: list[dict[str, object]] = []
    began = time.perf_counter()
    people = [
        person(plan, requests, began + plan["seconds"], answers) for requests in plan["people"]
    ]
    await asyncio.gather(*people)
    json.dump({"seconds": time.perf_counter() - began, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
