"""A provider of OpenID Connect on this machine: real HTTP, signed tokens, codes used once."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, parameters={"kid": "one", "alg": "RS256", "use": "sig"})
CLIENT, SECRET = "mesto", "of-the-provider"


class Provider:
    """Signs in whoever `person` describes; `changes` are made to the token."""

    def __init__(self, url):
        self.url = url
        self.person = {"sub": "1", "email": "alice@example.org", "email_verified": True}
        self.changes = {}
        self.key = KEY
        self.codes = {}
        self.asked = []

    def described(self):
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }

    def authorize(self, query):
        """Return where the browser is sent: back, with a code."""
        self.asked.append(query)
        assert (query["client_id"], query["code_challenge_method"]) == (CLIENT, "S256")
        code = token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, sent):
        begun = self.codes.pop(sent.get("code"), None)
        if begun is None or sent.get("client_secret") != SECRET:
            return None
        hashed = sha256(sent["code_verifier"].encode()).digest()
        if urlsafe_b64encode(hashed).rstrip(b"=").decode() != begun["code_challenge"]:
            return None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "nonce": begun["nonce"],
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            **self.person,
            **self.changes,
        }
        text = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return {"access_token": "unused", "token_type": "Bearer", "id_token": text}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        provider, parts = self.server.provider, urlsplit(self.path)
        if parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("Location", provider.authorize(query))
            self.end_headers()
        elif parts.path == "/keys":
            self.answer({"keys": [KEY.as_dict(private=False)]})
        else:
            self.answer(provider.described())

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        sent = {n: v[0] for n, v in parse_qs(self.rfile.read(length).decode()).items()}
        self.answer(self.server.provider.token(sent))

    def answer(self, content):
        self.send_response(200 if content else 400)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content or {"error": "invalid_grant"}).encode())

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def running():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.provider = Provider(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.provider
        finally:
            server.shutdown()


def settings_for(provider, **more):
    return {
        "issuer": provider.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "name": "Example ID",
        "domains": [],
        "provision": False,
        **more,
    }
