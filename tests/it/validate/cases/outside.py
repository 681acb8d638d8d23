# place: handlers/handler_order.py
"""Statements in places where Python refuses them."""

import asyncio

await asyncio.sleep(1)  #! correctness.syntax
return 1  #! correctness.syntax


def handle(a: int, a: int) -> None:  #! correctness.syntax
    """Leave a loop that is none."""
    break  #! correctness.syntax
