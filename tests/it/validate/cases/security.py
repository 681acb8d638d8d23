# place: handlers/handler_order.py
# kind: effect
"""Behaviour that can be made to do harm."""

import hashlib
import os
import pickle
import re
import subprocess
import tempfile
from os import environ  #! compliance.purity

import httpx  #! compliance.purity
import yaml

API_KEY = "k3y-9f8e7d6c5b4a"  #! security.secret
PASSWORD = "hunter2hunter2"  #! security.secret
TOKEN = "token"
TOKEN_EXPIRED = "token_expired"
token_type = "bearer"
secret = "${VAULT_SECRET}"
SETTINGS = {"db_password": "s3cret-value", "folder": "/var/lib/orders"}  #! security.secret security.absolute-path
CLOUD = "AKIAIOSFODNN7EXAMPLE"  #! security.secret
ROUTE = "/api/v1/orders"


def handle(text: str, table: str, cursor: object) -> None:
    """Do everything that one should not."""
    exec(text)  #! security.exec
    eval(text)  #! security.exec
    pattern = re.compile(text)
    subprocess.run(text, shell=True)  #! security.shell
    subprocess.run([text], check=True)
    os.system(text)  #! security.shell
    pickle.loads(text)  #! security.deserialisation
    yaml.load(text)  #! security.deserialisation
    yaml.load(text, Loader=yaml.SafeLoader)
    yaml.safe_load(text)
    print(os.environ["HOME"], environ)  #! compliance.purity
    print(os.getenv("HOME"))  #! compliance.purity
    tempfile.mktemp()  #! security.temporary-file
    hashlib.md5(text)  #! security.weak-hash
    hashlib.md5(text, usedforsecurity=False)
    hashlib.sha256(text)
    cursor.execute(f"SELECT * FROM {table}")  #! security.sql
    cursor.execute("SELECT * FROM t WHERE a = " + text)  #! security.sql
    cursor.execute("DELETE FROM t WHERE a = '%s'" % text)  #! security.sql
    cursor.execute("UPDATE t SET a = '{}'".format(text))  #! security.sql
    cursor.execute("SELECT * FROM t WHERE a = ?", (text,))
    cursor.execute(f"select * from {table}")  #! security.sql
    cursor.execute("select a from {0}".format(text))  #! security.sql
    cursor.execute("SELECT a " "FROM t WHERE a = " + text)  #! security.sql
    print(f"Select an order from {table}: select one")
    assert text  #! security.assert
    httpx.get(text, verify=False)  #! security.tls
    connect(password="correct-horse-7")  #! security.secret
    print(pattern)


def connect(password: str) -> None:
    """Use what it is given."""
    print(password)
