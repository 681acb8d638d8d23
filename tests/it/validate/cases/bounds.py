# place: handlers/handler_order.py
# kind: effect
"""Waiting, remembering and moving without a bound."""

import functools
import socket
import urllib.request
from functools import lru_cache

import requests

CACHE = {}  #! performance.unbounded-cache
BOUNDED_CACHE = {}


def handle(items: list[str], host: str) -> list[str]:
    """Wait for ever."""
    requests.get(host)  #! performance.missing-timeout
    requests.post(host, timeout=None)  #! performance.missing-timeout
    requests.get(host, timeout=3)
    requests.codes.get(200)
    socket.create_connection((host, 1))  #! performance.missing-timeout
    socket.create_connection((host, 1), 3)
    urllib.request.urlopen("https://example.org")  #! performance.missing-timeout
    urllib.request.urlopen("https://example.org", timeout=3)
    queue = list(items)
    found = []
    names = []
    while queue:
        item = queue.pop(0)  #! performance.quadratic
        found.insert(0, item)  #! performance.quadratic
        names = names + [item]  #! performance.quadratic
        names.append(queue.pop())
    CACHE[host] = sum([[host]], [])  #! performance.quadratic
    if len(BOUNDED_CACHE) < 3:
        BOUNDED_CACHE[host] = found
    found.insert(0, host)
    return names + [one(host), two(host), three(), four(host)]


@functools.cache  #! performance.unbounded-cache
def one(name: str) -> str:
    """Remember everything."""
    return name


@lru_cache(maxsize=None)  #! performance.unbounded-cache
def two(name: str) -> str:
    """Remember everything."""
    return name


@functools.cache
def three() -> str:
    """Remember one thing."""
    return ""


@lru_cache(maxsize=8)
def four(name: str) -> str:
    """Remember some."""
    return name
