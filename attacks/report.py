"""What an attack tried, and what it found."""

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """One kind of attack: how often it was tried, what broke, and what was measured."""

    name: str
    tried: int = 0
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def expect(self, is_so: bool, finding: str) -> None:
        self.tried += 1
        if not is_so:
            self.findings.append(finding)

    def show(self) -> None:
        print(f"{self.name:<48} {self.tried:>7} tried  {len(self.findings):>3} found", flush=True)
        for note in self.notes:
            print(f"    {note}")
        for finding in self.findings[:20]:
            print(f"  ! {finding}", flush=True)


def total(outcomes: list[Outcome]) -> bool:
    """Print the sums; return whether nothing was found."""
    tried = sum(each.tried for each in outcomes)
    found = sum(len(each.findings) for each in outcomes)
    print(f"{'Altogether':<48} {tried:>7} tried  {found:>3} found", flush=True)
    return found == 0
