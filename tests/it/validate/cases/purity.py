# place: handlers/handler_order.py
"""A COMPUTE node that is no function."""

import json
import os
import urllib.parse
import urllib.request  #! security.purity
from http.client import HTTPConnection  #! security.purity

import requests  #! security.purity


def handle(text: str) -> str:
    """Read the world."""
    with open(text) as found:  #! security.purity
        body = found.read()
    requests.get(body, timeout=1)
    print(HTTPConnection, urllib.request.urlopen, urllib.parse.quote(text))
    return json.dumps(os.environ["HOME"])  #! security.purity
