"""Every construct that radon counts.

Not run; read by tests."""
from __future__ import annotations

import os  # a comment beside code

# a comment alone
LIMIT: int = 3; OTHER = -4
TABLE = {
    "a": 1,  # inside

    "b": [x for x in range(3) if x if x > 1],
}
flag = True if LIMIT == 3 and OTHER != 2 else not None


@decorate(lambda: 1 if flag else 2)
def outer(a: int | None = 1 + 2, *rest: str, key: bool = not flag, **more: int) -> int | None:
    """Doc: with a colon."""

    def inner(b):
        if b and a or b and not a:
            return b
        return -b + +a - ~a

    total = 0
    for index in rest:
        if index in more:
            continue
        elif index is not None and len(index) < 3 <= LIMIT:
            total += 1
        else:
            total -= 1
    else:
        total *= 2
    while total > 10 or total < -10: total //= 2
    try:
        assert total if key else a, "message"
    except (ValueError, TypeError) as error:
        raise RuntimeError(f"bad {error!r:>10} {total:.2f}") from error
    except KeyError:
        pass
    else:
        total = total ** 2 % 7 << 1 >> 1 & 3 | 4 ^ 5
    finally:
        print("done")
    return total if total not in (1, 2) else None


async def fetch(items):
    '''One line.'''
    async with open(items) as handle, other:
        async for line in handle:
            yield {line: 1 for line in line if line}
    result = [await x async for x in items]
    match result:
        case [1, 2] if flag:
            return
        case {"k": value}:
            del value
        case Point(x=0) | None:
            global LIMIT
        case str() as text:
            text @= text
        case _:
            pass


class Thing(Base, metaclass=Meta if flag else None):
    # comment in class
    size: int = 1 + 1.0
    name = "size"
    if flag:
        alias = name
    """A text
    over lines

    standing alone."""

    @property
    def area(self) -> int:
        return self.size * self.size \
            + self.name.size

    class Inner:
        def deep(self):
            return 1 if self else 0

    def method(self, x):
        def closure():
            return x or self or None
        return (x and (self and x)) and (
            closure
        )


if __name__ == "__main__":
    outer(
        1,
        key=True,
    ); fetch("a" "b")


class Bounded[T: int | str | float]:
    """The bounds of type parameters are operators."""

    limit: T | None = None


def continued(path, other):
    """A backslash after an operator, and one text twice, in parts."""
    whole = path /\
        other
    return "one " "text" % whole, "one " "text" % path
