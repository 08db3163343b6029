"""HTTP in tests. Nothing there speaks TLS."""

import ssl
from typing import Any

import httpx

from config.tests.processes import PATIENCE

#: Trusts nobody. To load the system's certificates for each client takes longer than its requests.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client(url: str, *, timeout: float = PATIENCE, **options: Any) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=timeout, verify=NO_TLS, **options)


def get(url: str, *, timeout: float = PATIENCE) -> httpx.Response:
    return httpx.get(url, timeout=timeout, verify=NO_TLS)
