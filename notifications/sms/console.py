"""Prints text messages: for trying things out, where nothing is to be sent."""

import sys

from notifications.outcomes import Delivered, Outcome


class Console:
    def send(self, to: str, text: str) -> Outcome:
        sys.stdout.write(f"SMS to {to}: {text}\n")
        sys.stdout.flush()
        return Delivered()
