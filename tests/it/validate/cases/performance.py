# place: handlers/handler_order.py
# kind: effect
"""Behaviour that wastes time."""

import asyncio
import re
import subprocess
import time
from pathlib import Path
from time import sleep as pause

from .work import load  #! correctness.import


async def handle(items: list[str], path: Path) -> str:  #! quality.complexity
    """Block the loop in every way."""
    time.sleep(1)  #! performance.blocking-call
    pause(1)  #! performance.blocking-call
    subprocess.run(["ls"], check=False)  #! performance.blocking-call
    body = path.read_text()  #! performance.blocking-call compliance.purity
    with open(body) as found:  #! performance.blocking-call compliance.purity
        text = found.read()
    await asyncio.to_thread(time.sleep, 1)

    def inner() -> None:
        """Run somewhere else."""
        time.sleep(1)

    inner()
    result = ""
    seen = []
    count = 0
    for item in items:
        result += item  #! performance.string-building
        count += 1
        line = ""
        line += item
        pattern = re.compile("a+")  #! performance.regex-in-loop
        if item in seen:  #! performance.list-search
            continue
        if item in ("a", "b"):
            continue
        seen.append(item + line + str(pattern))
    for item in items:
        await load(item)  #! performance.await-in-loop
    cursor = ""
    for item in items:
        cursor = await load(item + cursor)
    for item in items:
        if await load(item):
            break
    while True:  #! performance.endless-loop
        count += 1
    while True:
        await asyncio.sleep(1)
    while True:
        if count > 3:
            return result + text
