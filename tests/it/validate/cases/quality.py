# place: handlers/handler_order.py
# kind: effect
"""Behaviour that is hard to read."""

import json
import os.path  #! quality.unused-import
from typing import cast
from uuid import UUID, uuid4  #! quality.unused-import


def handle(a: int, b: int) -> "UUID | None":  #! quality.complexity quality.nesting
    """Decide too much."""
    if a:
        for x in range(b):
            while x > a and x < b or x == 3:
                if x:
                    with open(str(x)) as found:  #! compliance.purity
                        if found and a:
                            return None
                elif b:
                    x = x - 1 if a else x
                x -= sum(y for y in range(x) if y)
    try:
        return cast("UUID", json.loads(str(a)))
    except ValueError:
        return None
    except TypeError:
        return None


LONG = "a text that is much longer than a line should be, so that it is found by the rule for long lines"  #! quality.line-length
LINK = "https://example.org/a/link/that/cannot/be/broken/and/is/therefore/left/alone/by/the/rule/for/lines"
