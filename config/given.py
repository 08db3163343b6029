"""The settings as they were given: each is declared in config/declared, and read from here.

A wrong one stops every process before it does anything, with a sentence instead of a traceback.
"""

import builtins
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from environ import Env

from config.declared import SETTINGS
from config.declared.kinds import Setting
from config.misspelt import misspelt

BASE_DIR = Path(__file__).resolve().parent.parent
LONGEST_SHOWN = 60  # letters of what was given


class Wrong(SystemExit):
    """A setting can't be used. Whoever doesn't catch it ends, and shows the sentences."""


class Given:
    """The value of every declared setting, from a mapping such as os.environ."""

    def __init__(self, environ: Mapping[builtins.str, builtins.str]) -> None:
        self.problems: builtins.list[builtins.str] = []
        self._values: builtins.dict[builtins.str, Any] = {}
        self._given = {name for name in SETTINGS if environ.get(name, "").strip()}
        for name, setting in SETTINGS.items():
            text = environ.get(name, "")
            try:
                self._values[name] = setting.value(text)
            except ValueError:
                self.problems.append(_sentence(setting, text))
        for name, meant in misspelt(environ, SETTINGS):
            says = f"did you mean {meant}?" if meant else "docs/configuration.md lists all."
            self.problems.append(f"{name} is set, but there is no such setting: {says}")

    @classmethod
    def read(cls) -> Self:
        """Read the environment and the .env beside the code; stop if something is wrong."""
        Env.read_env(BASE_DIR / (os.environ.get("ENV_FILE") or ".env"))
        given = cls(os.environ)
        if given.problems:
            raise Wrong("\n".join(f"Mesto can't start: {each}" for each in given.problems))
        return given

    def has(self, name: builtins.str) -> builtins.bool:
        """Say whether anybody set it."""
        return SETTINGS[name].name in self._given

    def str(self, name: builtins.str, *, otherwise: builtins.str = "") -> builtins.str:
        value: builtins.str = self._value(name, otherwise)
        return value

    def int(self, name: builtins.str, *, otherwise: builtins.int = 0) -> builtins.int:
        value: builtins.int = self._value(name, otherwise)
        return value

    def float(self, name: builtins.str, *, otherwise: builtins.float = 0) -> builtins.float:
        value: builtins.float = self._value(name, otherwise)
        return value

    def bool(self, name: builtins.str, *, otherwise: builtins.bool = False) -> builtins.bool:
        value: builtins.bool = self._value(name, otherwise)
        return value

    def list(self, name: builtins.str) -> builtins.list[builtins.str]:
        return [*self._value(name, [])]

    def dict(self, name: builtins.str) -> Any:
        """Return a database, a cache or options; a copy, since the settings add to them."""
        value = self._value(name, {})
        return {
            each: {**inner} if isinstance(inner, Mapping) else inner
            for each, inner in value.items()
        }

    def _value(self, name: builtins.str, otherwise: Any) -> Any:
        value = self._values[name]
        return otherwise if value is None else value


def _sentence(setting: Setting, text: str) -> str:
    text = text.strip()
    if setting.is_secret:
        given = "can't be used (it is a secret, so it isn't shown)"
    else:
        shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
        given = f"is {shown!r}"
    return f"{setting.name} {given}; it must be {setting.allowed}."
