"""A folder of Python code under genstore and under the usual tools: seconds, files, findings.

python benches/linters.py FOLDER

Runs `genstore validate`, ruff, radon, bandit and mypy, each as it comes and without a cache, one
after the other, and leaves out those that are not on PATH. For radon it says how many complexities
are equal and the largest difference of a maintainability index; for bandit which findings of level
medium and above are genstore's too, and which are not. Beside the seconds on the clock stand those
that all cores together have worked. Changes nothing below the folder.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

COMMANDS = {
    "genstore": ["genstore", "validate", "--format", "ndjson"],
    "ruff": ["ruff", "check", "--isolated", "--no-cache", "--output-format", "json"],
    "radon cc": ["radon", "cc", "-j"],
    "radon mi": ["radon", "mi", "-j"],
    "bandit": ["bandit", "-q", "-r", "-f", "json"],
    "mypy": ["mypy", "--strict", "--no-incremental", "--cache-dir", os.devnull],
}


def worked() -> float:
    """Seconds that commands have worked so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command: list[str], folder: str) -> tuple[float, float, str]:
    """Seconds, seconds of work, and output; that goes through a file, so that nothing waits."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        # what a tool leaves behind, it leaves there
        with tempfile.TemporaryDirectory() as place:
            start, before = time.perf_counter(), worked()
            done = subprocess.run([*command, folder], stdout=output, stderr=errors, cwd=place)
            seconds = time.perf_counter() - start
        errors.seek(0)
        if done.returncode > 1:
            print(f"{command[0]} ended with {done.returncode}: {errors.read()[-300:].strip()}")
        output.seek(0)
        return seconds, worked() - before, output.read()


def functions(blocks: list[dict]) -> dict[int, int]:
    """Complexity by line, of all functions, those inside classes and functions too."""
    found = {}
    for block in blocks:
        if block["type"] != "class":
            found[block["lineno"]] = block["complexity"]
        found |= functions(block.get("methods", []) + block.get("closures", []))
    return found


def findings(tool: str, output: str) -> tuple[int | None, int | None]:
    """How many files a tool has read, and what it has found there; None where it does not say."""
    if tool == "mypy":
        words = output.strip().rsplit("\n", 1)[-1].split()
        numbers = [int(word.strip("(),")) for word in words if word.strip("(),").isdigit()]
        return (numbers[-1], output.count(": error:")) if numbers else (None, None)
    found = json.loads(output)
    if tool == "ruff":
        return None, len(found)
    if tool == "bandit":
        return len(found["metrics"]) - 1, len(found["results"])
    return len(found), None


def compare_radon(ours: dict, cc: dict, mi: dict) -> None:
    """Says how far the numbers of radon are genstore's."""
    equal, differing, largest, files = 0, [], (0.0, ""), 0
    for path, blocks in cc.items():
        mine = ours.get(os.path.realpath(path))
        if not mine or "error" in blocks:
            continue
        mine = {it["line"]: it["complexity"] for it in mine["metrics"]["functions"]}
        for line, complexity in functions(blocks).items():
            if mine.get(line) == complexity:
                equal += 1
            else:
                differing.append(f"{path}:{line}: {complexity}, ours {mine.get(line)}")
    for path, found in mi.items():
        mine = ours.get(os.path.realpath(path))
        if mine and "mi" in found:
            files += 1
            largest = max(largest, (abs(mine["metrics"]["maintainability"] - found["mi"]), path))
    print(f"radon cc: equal in {equal} of {equal + len(differing)} functions")
    for line in differing[:20]:
        print(f"  {line}")
    print(f"radon mi: {files} files, largest difference {largest[0]:.6f} {largest[1]}")


def compare_bandit(ours: dict, results: list[dict]) -> None:
    """Says which findings of bandit of level medium and above are genstore's too."""
    rules = run(["genstore", "validate", "rules", "--format"], "ndjson")[2]
    rules = [json.loads(line) for line in rules.splitlines()]
    claimed = {code: rule["rule_id"] for rule in rules for code in rule["bandit"]}
    places = {
        (path, it["rule_id"], line)
        for path, mine in ours.items()
        for it in mine["findings"]
        for line in range(it["start_line"] or 0, (it["end_line"] or 0) + 1)
    }
    serious = [it for it in results if it["issue_severity"] != "LOW"]
    shared, missing = 0, []
    for it in serious:
        rule, path = claimed.get(it["test_id"]), os.path.realpath(it["filename"])
        if any((path, rule, line) in places for line in it["line_range"]):
            shared += 1
        else:
            why = f"{rule} does not see it" if rule else "not claimed"
            text = it["issue_text"][:60]
            missing.append(f"{it['filename']}:{it['line_number']}: {it['test_id']} {text} ({why})")
    print(f"bandit: {shared} of {len(serious)} findings of level medium and above are ours too")
    for line in missing:
        print(f"  {line}")


def main() -> None:
    folder = os.path.realpath(sys.argv[1])
    print(f"{'':10} {'seconds':>8} {'worked':>8} {'files':>7} {'findings':>9}")
    outputs = {}
    for tool, command in COMMANDS.items():
        if not shutil.which(command[0]):
            print(f"{tool:10} is not on PATH")
            continue
        seconds, work, outputs[tool] = run(command, folder)
        if tool == "genstore":
            files = [json.loads(line) for line in outputs[tool].splitlines()]
            files = {os.path.realpath(it["path"]): it for it in files if "metrics" in it}
            count = sum(path.endswith(".py") for path in files)  # the others are packages
            found = sum(len(it["findings"]) for it in files.values())
            ours = {path: it for path, it in files.items() if it.get("metrics")}
        else:
            count, found = findings(tool, outputs[tool])
        cells = ["" if it is None else str(it) for it in (count, found)]
        print(f"{tool:10} {seconds:8.2f} {work:8.2f} {cells[0]:>7} {cells[1]:>9}", flush=True)
    if "genstore" in outputs and "radon mi" in outputs:
        compare_radon(ours, json.loads(outputs["radon cc"]), json.loads(outputs["radon mi"]))
    if "genstore" in outputs and "bandit" in outputs:
        compare_bandit(files, json.loads(outputs["bandit"])["results"])


main()
