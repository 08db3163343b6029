"""Text messages through Twilio's HTTP API, without its SDK.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
"""

import json
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode

import urllib3
from django.conf import settings
from urllib3.exceptions import HTTPError

from notifications.outcomes import Again, Delivered, Outcome, Refused

#: Seconds for the whole call. Others wait for this worker's lane.
TIMEOUT = 10.0
#: Of an answer, in bytes.
MOST_READ = 10_000
#: The account, its balance or our key is the matter: nothing about this message.
OURS = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
}
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


class Twilio:
    def send(self, to: str, text: str) -> Outcome:
        sms = settings.SMS
        url = f"{sms['url']}/2010-04-01/Accounts/{sms['account']}/Messages.json"
        try:
            answer = urllib3.request(
                "POST",
                url,
                body=urlencode({"To": to, "From": sms["from"], "Body": text}),
                headers={
                    "Content-Type": "application/x-www-form-urlencoded",
                    **urllib3.make_headers(basic_auth=f"{sms['account']}:{sms['token']}"),
                },
                timeout=urllib3.Timeout(total=TIMEOUT),
                retries=False,  # the relay tries again, and knows for how long
                redirect=False,
            )
        except HTTPError as error:
            return Again(f"{type(error).__name__}: {error}", is_down=True)
        return _outcome(answer)


def _outcome(answer: urllib3.BaseHTTPResponse) -> Outcome:
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered()
    error = f"{status} {_message(answer.data[:MOST_READ])}".strip()
    if status in OURS:
        return Again(error, is_down=True)
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Again(error, after=_after(answer.headers.get("Retry-After", "")))
    return Refused(error)


def _message(body: bytes) -> str:
    """Return what the provider says of an error: `{"code": 21211, "message": "…"}`."""
    try:
        found = json.loads(body)
        return f"{found['code']} {found['message']}"
    except (ValueError, KeyError, TypeError):
        return ""


def _after(text: str) -> timedelta:
    return timedelta(seconds=min(int(text), 3_600)) if text.isdecimal() else timedelta(0)
