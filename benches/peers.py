"""Ten questions of an analyst under genstore and under other engines, on the same data, in one run.

python benches/peers.py [--runs 100000] [--times 7] [--threads 2] [--bench PROGRAM] [--skip NAME]

Wants duckdb and datafusion. Each engine is a process of its own that keeps its data open; of each
question the engines take turns, so that the machine is as fast for one as for the other. Prints the
median of each, the ratios to genstore, geometric means and the memory at its peak. Then compares
all answers with those of DuckDB's own tables: exactly, but for percentiles of groups of more than
32,768 values and of sketches, which may be 0.1 % away.

- `rows`, `sketches`: genstore, from the rows alone and from step_latency (`--bench questions`)
- `duckdb`: tables of its own, imported from the store's files and ordered as these are
- `duckdb files`, `datafusion`: the store's Parquet files as they are

A million runs on two cores, geometric means of the ten, two runs: genstore 73 and 78 ms from rows
and 42 and 45 ms with sketches, duckdb 86 and 91 ms, duckdb files 127 and 138 ms, datafusion 191 and
196 ms, with 388, 2,667, 372 and 1,512 MB at most. Slower than duckdb: one run (1.4 times), top rules
(1.4), errors per contract (2.5), and from rows the percentiles of a part of the steps (1.1 and 1.6).
A plan costs 2 to 6 ms, and whatever page of 20,000 rows has the run is read.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
QUESTIONS = os.path.join(HERE, "questions")
TABLES = ["runs", "steps", "issues", "llm_calls"]
#: Groups of more values are counted in a histogram, also when rows are read.
EXACT_VALUES_MAX = 32_768
OURS = ["rows", "sketches"]
PEERS = ["duckdb", "duckdb files", "datafusion"]


def files_of(store: str, table: str) -> list[str]:
    """The data files of a table, by its log."""
    folder = os.path.join(store, "tables", table)
    log = os.path.join(folder, "_delta_log")
    names: set[str] = set()
    for commit in sorted(it for it in os.listdir(log) if it.endswith(".json")):
        with open(os.path.join(log, commit)) as lines:
            for action in map(json.loads, lines):
                if "add" in action:
                    names.add(action["add"]["path"])
                if "remove" in action:
                    names.discard(action["remove"]["path"])
    return [os.path.join(folder, name) for name in sorted(names)]


def text(name: str) -> str | None:
    try:
        with open(os.path.join(QUESTIONS, name)) as file:
            return file.read()
    except FileNotFoundError:
        return None


# --- the processes that answer ---------------------------------------------------------------


def forget_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak_mb() -> float:
    with open("/proc/self/status") as lines:
        return next(int(it.split()[1]) for it in lines if it.startswith("VmHWM:")) / 1e3


def duckdb_engine(store: str, threads: int, native: bool, folder: str):
    import duckdb

    path = os.path.join(folder, "tables.duckdb") if native else ":memory:"
    connection = duckdb.connect(path)
    connection.execute(f"SET threads = {threads}; SET TimeZone = 'UTC'")
    for table in TABLES:
        kind = "TABLE" if native else "VIEW"
        files = files_of(store, table)
        connection.execute(f"CREATE {kind} {table} AS SELECT * FROM read_parquet({files!r})")
    if native:
        connection.execute("CHECKPOINT")
    return lambda sql: connection.execute(sql).fetchall()


def datafusion_engine(store: str, threads: int, folder: str):
    import datafusion

    config = datafusion.SessionConfig().with_target_partitions(threads)
    context = datafusion.SessionContext(config)
    for table in TABLES:
        # a folder of links to the files that the log names, and to no other
        links = os.path.join(folder, table)
        os.mkdir(links)
        for name in files_of(store, table):
            os.symlink(name, os.path.join(links, os.path.basename(name)))
        context.register_parquet(table, links)

    def ask(sql: str) -> list[tuple]:
        batches = context.sql(sql).collect()
        return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]

    return ask


def work(engine: str, store: str, threads: int) -> None:
    """Answers like `cargo bench --bench questions -- --serve`."""
    with tempfile.TemporaryDirectory() as folder:
        if engine == "datafusion":
            ask = datafusion_engine(store, threads, folder)
        else:
            ask = duckdb_engine(store, threads, engine == "duckdb", folder)
        for line in sys.stdin:
            asked = json.loads(line)
            forget_peak()
            start = time.perf_counter()
            try:
                rows = ask(asked["sql"])
                answer = {"ms": (time.perf_counter() - start) * 1e3}
                if asked.get("rows"):
                    answer["rows"] = [[cell(it) for it in row] for row in rows]
            except Exception as error:  # whatever an engine raises is its answer
                answer = {"error": str(error)[:500]}
            answer["peak_mb"] = peak_mb()
            print(json.dumps(answer), flush=True)


def cell(value) -> str | None:
    if isinstance(value, datetime):
        value = value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value if value is None else str(value)


# --- the one that asks -----------------------------------------------------------------------


class Engine:
    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE
        )

    def ask(self, **asked) -> dict:
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} has ended")
        answer = json.loads(line)
        if "error" in answer:
            sys.exit(f"{self.name}: {answer['error']}\n{asked.get('sql', '')}")
        return answer

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def questions(only: str) -> list[tuple[str, dict[str, str]]]:
    """Names, and the text of each for whom it is for."""
    files = [it for it in os.listdir(QUESTIONS) if it.endswith(".sql") and it.count(".") == 1]
    names = sorted(it.removesuffix(".sql") for it in files)
    found = []
    for name in names:
        if only not in name:
            continue
        plain = text(f"{name}.sql")
        texts = {peer: plain for peer in PEERS}
        texts["rows"] = text(f"{name}.genstore.sql") or plain
        sketch = text(f"{name}.sketch.sql")
        if sketch:
            texts["sketches"] = sketch
        found.append((name, texts))
    return found


def compare(ours: list[list], theirs: list[list], near) -> str:
    """`equal`, or the first thing that differs, or how far off an answer is. Of the rows that are
    `near`, numbers may be 0.1 % away."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, not {len(theirs)}"
    worst = 0.0
    for number, (mine, other) in enumerate(zip(ours, theirs), 1):
        if len(mine) != len(other):
            return f"{len(mine)} columns, not {len(other)}"
        for a, b in zip(mine, other):
            if a == b:
                continue
            try:
                x, y = float(a), float(b)
            except (TypeError, ValueError):
                return f"row {number}: {a}, not {b}"
            off = abs(x - y) / max(abs(y), 1e-300)
            worst = max(worst, off)
            if off > (1e-3 if near(mine) else 1e-9):
                return f"row {number}: {a}, not {b}"
    return "equal" if worst <= 1e-9 else f"within {worst * 100:.3f} %"


def mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def bench_command(options) -> list[str]:
    build = ["cargo", "bench", "--bench", "questions", "--"]
    command = [options.bench] if options.bench else build
    return [*command, "--runs", str(options.runs), "--threads", str(options.threads)]


def start(options) -> dict[str, Engine]:
    # the first to start also makes the store
    ours = Engine("genstore", [*bench_command(options), "--serve"])
    store = ours.ask(open=True)["store"]
    engines = {name: ours for name in OURS}
    for peer in PEERS:
        if peer not in options.skip:
            command = [sys.executable, os.path.abspath(__file__), "--work", peer, "--store", store]
            engines[peer] = Engine(peer, [*command, "--threads", str(options.threads)])
    return engines


def measure(engines: dict[str, Engine], texts: dict[str, str], times: int) -> dict[str, dict]:
    found = {}
    for name in [*OURS, *PEERS]:
        if name in engines and name in texts:
            answer = engines[name].ask(sql=texts[name], rows=True)
            found[name] = {"rows": answer["rows"], "ms": [], "peak_mb": 0.0}
    for _ in range(times):
        for name in found:
            answer = engines[name].ask(sql=texts[name])
            found[name]["ms"].append(answer["ms"])
            found[name]["peak_mb"] = max(found[name]["peak_mb"], answer["peak_mb"])
    for it in found.values():
        it["ms"] = statistics.median(it["ms"])
    return found


def told(name: str, found: dict[str, dict]) -> None:
    cells = [f"{name:<24}"]
    for engine in [*OURS, *PEERS]:
        cells.append(f"{found[engine]['ms']:>9.2f}" if engine in found else f"{'-':>9}")
    best = found.get("sketches", found["rows"])["ms"]
    for peer in PEERS:
        if peer in found:
            theirs = found[peer]["ms"]
            cells.append(f"{theirs / found['rows']['ms']:>7.1f}{theirs / best:>7.1f}")
    print(" ".join(cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bench", help="the program, if cargo is not to build it")
    parser.add_argument("--only", default="", help="questions with this in their names")
    parser.add_argument("--skip", action="append", default=[], help="a peer to leave out")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--store", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options.work, options.store, options.threads)
    engines = start(options)
    asked = questions(options.only)
    print(f"{options.runs} runs, {options.threads} threads, medians of {options.times} in ms;")
    print("ratios: how often genstore answers meanwhile, from rows; from sketches where they do")
    heads = [f"{it:>9}"[:12] for it in [*OURS, "duckdb", "duckdb pq", "datafus."]]
    peers = [f"{it:>14}" for it in ["duckdb", "duckdb pq", "datafus."]]
    print(f"{'':<24}", *heads, *[it for it, peer in zip(peers, PEERS) if peer in engines])
    results = {}
    for name, texts in asked:
        results[name] = measure(engines, texts, options.times)
        told(name, results[name])
    means = {}
    for engine in engines:
        if engine == "sketches":
            best = [it.get("sketches", it["rows"])["ms"] for it in results.values()]
            means[engine] = {"ms": mean(best)}
        else:
            means[engine] = {"ms": mean([it[engine]["ms"] for it in results.values()])}
    told("geometric mean", means)
    print("\nmemory at its peak in MB, and answers beside those of DuckDB's own tables")
    for name, found in results.items():
        peak = [f"{found[it]['peak_mb']:.0f}" if it in found else "-" for it in [*OURS, *PEERS]]
        peaks = " ".join(f"{it:>9}" for it in peak)
        judged = []
        for engine, it in found.items():
            if engine != "duckdb" and "duckdb" in found:
                near = nearness(engine, "quantile" in asked_text(asked, name))
                verdict = compare(it["rows"], found["duckdb"]["rows"], near)
                judged.append(f"{engine}: {verdict}")
        print(f"{name:<24} {peaks}  {'; '.join(judged)}")
    for engine in {id(it): it for it in engines.values()}.values():
        engine.close()


def asked_text(asked: list[tuple[str, dict[str, str]]], name: str) -> str:
    return next(texts["duckdb"] for found, texts in asked if found == name)


def nearness(engine: str, percentiles: bool):
    """Which rows of an answer need not be exact: those of histograms."""
    def near(row: list) -> bool:
        if engine == "sketches":
            return True
        # the second column counts the values, if it is a count
        is_few = row[1].isdigit() and int(row[1]) <= EXACT_VALUES_MAX
        return engine == "rows" and percentiles and not is_few

    return near


main()
