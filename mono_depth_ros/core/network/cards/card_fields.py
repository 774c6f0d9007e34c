"""The keys of a card, read one by one: what is missing, unknown or of another type is refused."""

import math
import reprlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from ...errors import SettingsError

_DOCS = 'docs/networks.md lists the keys of a card'


def shown(value: Any) -> str:
    """Return a value for a message, whatever its size."""
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = brief.maxlong = 200
    try:
        return brief.repr(value)
    except ValueError:  # Python prints no number of thousands of digits
        return 'a number of thousands of digits'


class CardFields:
    """A mapping of a card, such as its `input`; every key that it may have is asked for.

    Args:
        content: What the file holds there.
        place: Where it is, for messages: the file, then the names of the mappings.
    """

    def __init__(self, content: Any, place: str) -> None:
        if not isinstance(content, Mapping):
            raise SettingsError(
                f'{place} is {shown(content)}, not a mapping of names to values', _DOCS
            )
        self.place = place
        self._content = content
        self._known: list[str] = []

    def error(self, what: str, remedy: str = _DOCS) -> SettingsError:
        """Return the error that something is wrong here."""
        return SettingsError(f'{self.place} {what}', remedy)

    def has(self, name: str) -> bool:
        """Say whether there is such a key."""
        self._known.append(name)
        return name in self._content

    def value(self, name: str, remedy: str) -> Any:
        """Return what must be there; `remedy` says what it is to be."""
        if not self.has(name):
            raise self.error(f'lacks {name}, which has no default', remedy)
        return self._content[name]

    def text(self, name: str, remedy: str, choices: Sequence[str] = ()) -> str:
        """Return a text, one of `choices` if there are any."""
        value = self.value(name, remedy)
        if not isinstance(value, str) or not value:
            raise self.error(f'has {name} {shown(value)}, which is no text', remedy)
        if choices and value not in choices:
            raise self.error(f'has {name} {shown(value)}', f'choose one of {", ".join(choices)}')
        return value

    def optional_text(self, name: str, default: str, choices: Sequence[str] = ()) -> str:
        """Return a text, or the default where it is not given."""
        return self.text(name, _DOCS, choices) if self.has(name) else default

    def number(self, name: str, remedy: str) -> float:
        """Return a finite number, which may be written as a fraction such as 1/255."""
        return self._number(name, self.value(name, remedy), remedy)

    def positive(self, name: str, remedy: str) -> float:
        """Return a number that must be positive."""
        number = self.number(name, remedy)
        if number <= 0:
            raise self.error(f'has {name} {number:g}, which must be positive', remedy)
        return number

    def whole(self, name: str, remedy: str) -> int:
        """Return a positive whole number."""
        number = self.positive(name, remedy)
        if number != int(number):
            raise self.error(f'has {name} {number:g}, which must be a whole number', remedy)
        return int(number)

    def numbers(self, name: str, count: int, remedy: str) -> tuple[float, ...]:
        """Return `count` numbers of a list."""
        value = self.value(name, remedy)
        if not isinstance(value, list | tuple) or len(value) != count:
            raise self.error(f'has {name} {shown(value)}, which must be {count} numbers', remedy)
        return tuple(self._number(name, item, remedy) for item in value)

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false, the default where it is not given."""
        value = self._content[name] if self.has(name) else default
        if not isinstance(value, bool):
            raise self.error(f'has {name} {shown(value)}, which must be true or false')
        return value

    def section(self, name: str, remedy: str) -> 'CardFields':
        """Return a mapping in this one."""
        return CardFields(self.value(name, remedy), f'{self.place}: {name}')

    def finish(self) -> None:
        """Refuse keys that nothing asked for."""
        for name in self._content:
            if name not in self._known:
                near = get_close_matches(str(name), self._known, 1)
                hint = f'; did you mean {near[0]}?' if near else ''
                raise self.error(f'has {name!r}, which is no key there{hint}')

    def _number(self, name: str, value: Any, remedy: str) -> float:
        try:
            if isinstance(value, bool):
                raise ValueError
            number = float(Fraction(value) if isinstance(value, str) else value)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            raise self.error(f'has {name} {shown(value)}, which is no number', remedy) from None
        if not math.isfinite(number):
            raise self.error(f'has {name} {shown(value)}, which is not finite', remedy)
        return number
