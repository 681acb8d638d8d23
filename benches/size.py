"""Bytes of a step row at rest, beside DuckDB and SQLite with the same rows.

python benches/size.py STORE

Wants deltalake, duckdb and pyarrow. Reads the table `steps` of the store, writes the rows into a new
database of each kind in a temporary folder, and prints the size of each per row. Changes no store.
"""

import os
import sqlite3
import sys
import tempfile

import deltalake
import duckdb


def main() -> None:
    table = deltalake.DeltaTable(os.path.join(sys.argv[1], "tables", "steps"))
    sizes = table.get_add_actions(flatten=True)
    stored = sum(size.as_py() for size in sizes.column("size_bytes"))
    rows = table.to_pyarrow_table()
    count = rows.num_rows
    print(f"{count} steps in {len(sizes.column('size_bytes'))} files")
    print(f"genstore {stored / count:8.1f} bytes a row")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "steps.duckdb")
        with duckdb.connect(path) as connection:
            connection.execute("CREATE TABLE steps AS SELECT * FROM rows ORDER BY run_id")
            connection.execute("CHECKPOINT")
        print(f"DuckDB   {os.path.getsize(path) / count:8.1f} bytes a row")
        path = os.path.join(folder, "steps.sqlite")
        columns = ", ".join(rows.column_names)
        places = ", ".join("?" for _ in rows.column_names)
        with sqlite3.connect(path) as connection:
            connection.execute(f"CREATE TABLE steps ({columns})")
            connection.execute("CREATE INDEX by_run ON steps (run_id)")
            for batch in rows.to_batches(max_chunksize=50_000):
                values = [
                    [int(it.timestamp() * 1e6) if hasattr(it, "timestamp") else it for it in column]
                    for column in (column.to_pylist() for column in batch.columns)
                ]
                connection.executemany(f"INSERT INTO steps VALUES ({places})", zip(*values))
        print(f"SQLite   {os.path.getsize(path) / count:8.1f} bytes a row, with an index of runs")


main()
