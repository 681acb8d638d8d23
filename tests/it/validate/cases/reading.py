# place: handlers/handler_order.py
# kind: effect
"""Data from outside, and paths."""

import os
import tarfile
import urllib.request
import xml.etree.ElementTree as ET
from urllib.request import Request

import jinja2
import yaml
from jinja2 import Environment, select_autoescape
from yaml import CSafeLoader


def handle(text: str, name: str, url: str) -> object:
    """Read whatever comes."""
    ET.fromstring(text)  #! security.xml
    ET.tostring(text)
    yaml.load(text, yaml.Loader)  #! security.deserialisation
    yaml.load(text, CSafeLoader)
    with tarfile.open(text) as archive:
        archive.extractall()  #! security.archive
        archive.extractall(members=url)  #! security.archive
        archive.extractall(filter="data")
    urllib.request.urlopen(url, timeout=1)  #! security.url-scheme
    urllib.request.urlopen("https://example.org", timeout=1)
    os.chmod(text, 0o777)  #! security.permissions
    os.chmod(text, 511)  #! security.permissions
    os.chmod(text, 0o600)
    jinja2.Environment()  #! security.autoescape
    Environment(autoescape=url)  #! security.autoescape
    Environment(autoescape=select_autoescape())
    print("0.0.0.0", "127.0.0.1", "/tmp", Request)  #! security.bind-all security.absolute-path
    start(shell=True)  #! security.shell
    return open(f"base/{name}")  #! security.path-traversal compliance.purity


def checked(name: str) -> object:
    """Look at it first."""
    if "/" in name:
        return None
    return open(f"base/{name}")  #! compliance.purity


def start(*, shell: bool) -> None:
    """Start."""
    print(shell)
