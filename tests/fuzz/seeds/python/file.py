"""About."""

from __future__ import annotations

import os, hashlib  # noqa: E401
from a.b import c as d

__all__ = ["f"]
X: int = 1


@d(x=1)
def f(a: int, *b: str, c: dict[str, int] | None = None, **e: object) -> list[int]:
    """Do."""
    global X
    try:
        with open(f"{a!r:>{X}}") as g, g:
            return [i for i in g if i and not X or (lambda: y := 2)]
    except (OSError, ValueError) as error:
        raise RuntimeError("no") from error
    finally:
        del a
    eval("1")  # nosec B307
