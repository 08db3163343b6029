"""What can be broken: a function a fault, by name in FAULTS."""

from chaos.faults.arena import Arena, Fault
from chaos.faults.clocks import CLOCKS
from chaos.faults.disks import DISKS
from chaos.faults.hanging import HANGING
from chaos.faults.killing import KILLING
from chaos.faults.losing import LOSING
from chaos.faults.starting import STARTING

__all__ = ["FAULTS", "SHORT", "Arena", "Fault"]

FAULTS: dict[str, Fault] = {
    each.name: each for each in (*KILLING, *HANGING, *LOSING, *DISKS, *CLOCKS, *STARTING)
}

#: Those of the short run.
SHORT = ("web-node", "primary", "worker")
