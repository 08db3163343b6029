"""One line in the log for a request that is refused as an attack."""

import logging


class OneLine(logging.Filter):
    """Drops the traceback from what Django logs of suspicious requests.

    It says where in Django the request was refused, which nobody will mend, and anybody can make
    us write forty lines of it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return True
