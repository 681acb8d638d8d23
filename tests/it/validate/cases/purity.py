# place: handlers/handler_order.py
"""A COMPUTE node that is no function."""

import json
import logging
import os
import urllib.parse
import urllib.request  #! security.network
from pathlib import Path
from typing import TYPE_CHECKING
from http.client import HTTPConnection  #! security.network

import httpx  #! compliance.purity
import requests  #! security.network

if TYPE_CHECKING:
    import asyncpg


def handle(text: str) -> str:
    """Read the world."""
    own: "asyncpg.Pool | None" = None
    print(own)
    with open(text) as found:  #! compliance.purity
        body = found.read()
    requests.get(body, timeout=1)
    Path(text).read_text()  #! compliance.purity
    logging.FileHandler(text)  #! compliance.purity
    print(httpx, json, "asyncpg.Pool")
    print(HTTPConnection, urllib.request.urlopen, urllib.parse.quote(text))
    return json.dumps(os.environ["HOME"])  #! compliance.purity
