"""Which part of the work is done, and what became of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shard:
    """One of several equal parts of the work.

    Attributes:
        number: Which, from 1 on.
        count: Of how many.
    """

    number: int = 1
    count: int = 1

    def takes(self, source: int, image: int) -> bool:
        """Say whether an image, by the numbers of its source and in it, is in this part."""
        return (source + image) % self.count == self.number - 1


@dataclass
class Tally:
    """What became of the images.

    Attributes:
        done: Written.
        skipped: Were there already.
        failures: Name and reason of each that could not be done, or of a whole input.
        notes: What a reader of the results must know.
    """

    done: int = 0
    skipped: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """How many images are through."""
        return self.done + self.skipped + len(self.failures)

    def note(self, text: str) -> None:
        """Note what has not been noted yet."""
        if text not in self.notes:
            self.notes.append(text)
