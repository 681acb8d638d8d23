# place: handlers/handler_order.py
"""Behaviour of the order node."""


def handle(request: str) -> str:
    """Lack a bracket, and use names that are not there."""
    print "python 2"  #! correctness.syntax
    return unknown
