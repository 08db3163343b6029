"""A crowd of members who book, move, cancel and look, and write down all that they are told."""

from chaos.history import Writer
from chaos.scene import Scene


class Crowd:
    """Simulated members. Each act is asked again, with its key, until it is answered."""

    def __init__(
        self,
        site: str,
        writer: Writer,
        scene: Scene,
        *,
        rate: float = 12.0,  # requests per second of all of them together
        seed: int = 1,
        patience: float = 60.0,  # seconds until an act is given up
    ) -> None:
        self.site, self.writer, self.scene = site, writer, scene

    def start(self) -> None:
        """Let them begin; returns at once."""

    def stop(self) -> None:
        """Let nobody begin anything new; return when the last act of each is answered."""

    @property
    def problems(self) -> list[str]:
        """Return what went wrong in the crowd itself: members whose thread died, with the error."""
        return []
