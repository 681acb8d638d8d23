# place: handlers/handler_order.py
"""Constructs that are easily mistaken for faults."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, overload

from ..models.model_order_input import ModelOrderInput

if TYPE_CHECKING:
    from ..models.model_order_output import ModelOrderOutput

try:
    import tomllib
except ImportError:
    tomllib = None

PATTERN = re.compile(r"\d+")
type Pair[T] = tuple[T, T]


class ProtocolSource(Protocol):
    """Something to read from."""

    def read(self) -> str:
        """Return the text."""
        ...


class HandlerOrder(ABC):
    """Uses names in every way that Python knows."""

    sizes = [1, 2, 3]
    doubled = [size * 2 for size in sizes]
    default = sizes

    def handle(self, request: ModelOrderInput, key: int = sizes[0]) -> ModelOrderOutput:
        """Bind names by every kind of pattern."""
        if (found := PATTERN.search("1")) is not None:
            print(found, key, __name__, __file__)
        (first, *rest), last = [1, 2], 3
        for index, (left, right) in enumerate(zip(rest, rest, strict=True)):
            print(index, left, right)
        with self.opened("x") as (handle), asyncio.Runner() as runner:
            print(handle, runner, [x for row in rest for x in row if x if (y := x)], y)
        self.match(request)
        try:
            print({**request.model_dump()}, f"{last!r:>{first}}")
        except (ValueError, TypeError) as error:
            raise RuntimeError from error
        except OSError as group:
            print(group, tomllib)
        global COUNTER
        COUNTER = 1
        del first
        return self.generic(request)

    def match(self, request: ModelOrderInput) -> None:
        """Bind names by cases."""
        first = 1
        match request:
            case {"kind": kind, **others}:
                print(kind, others)
            case [one, *tail] | (one, *tail):
                print(one, tail)
            case ModelOrderInput(prices=prices) as whole if prices:
                print(whole)
            case _:
                print(lambda a, *b, c=first, **d: (a, b, c, d))

    @property
    def size(self) -> int:
        """Size."""
        return self._size

    @size.setter
    def size(self, value: int) -> None:
        """Set the size."""
        self._size = value
        print(__class__)

    @overload
    def generic(self, value: int) -> int: ...

    @overload
    def generic(self, value: str) -> str: ...

    def generic[T](self, value: T) -> T:
        """Return it."""
        return value

    @abstractmethod
    def later(self) -> None:
        """Be defined elsewhere."""

    @abstractmethod
    def refused(self) -> None:
        """Be defined elsewhere, loudly."""
        raise NotImplementedError

    def nothing(self) -> Iterator[int]:
        """Be a generator of nothing."""
        return
        yield


async def stream(items: list[str]) -> list[str]:
    """Use every kind of comprehension."""
    found = [item async for item in aiter(items)]
    pairs = {key: await asyncio.sleep(0, value) for key, value in enumerate(found)}
    return sorted({text for text in found if text not in pairs})


def counter() -> int:
    """Use a name of the module that a method sets."""
    total = 0

    def step() -> int:
        nonlocal total
        total += 1
        return total

    return step() + COUNTER
