# Opens every table with each reader, several times; fails when two readers disagree about the same
# version, when rows go away, or when a table does not open. Prints `<table> <rows>`.
import sys

import deltalake
import duckdb
import pandas
import polars
import pyarrow

root, rounds, tables = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
print("deltalake", deltalake.__version__, "duckdb", duckdb.__version__, "polars",
      polars.__version__, "pandas", pandas.__version__, "pyarrow", pyarrow.__version__)
try:
    duckdb.sql("LOAD delta")
    delta_scan = True
except Exception:  # the extension is fetched from a network
    delta_scan = False
print("duckdb reads", "the Delta log itself" if delta_scan else "the log's files as Parquet")

last = {}
for _ in range(rounds):
    for name in tables:
        path = f"{root}/{name}"
        table = deltalake.DeltaTable(path)
        assert table.protocol().min_reader_version == 1, table.protocol()
        assert table.protocol().min_writer_version == 2, table.protocol()
        files = table.file_uris()
        arrow = table.to_pyarrow_table()
        rows = arrow.num_rows
        assert rows >= last.get(name, 0), f"rows of {name} went away"
        last[name] = rows
        assert len(table.to_pandas()) == rows
        pinned = polars.read_delta(path, version=table.version())
        assert pinned.height == rows, (name, pinned.height, rows)
        assert pinned.columns == arrow.column_names
        if files:
            assert len(pandas.read_parquet(files)) == rows
            count = duckdb.sql(f"SELECT count(*) FROM read_parquet({files!r})").fetchall()[0][0]
            assert count == rows, (name, count, rows)
        if delta_scan:
            count = duckdb.sql(f"SELECT count(*) FROM delta_scan('{path}')").fetchall()[0][0]
            assert count >= rows, (name, count, rows)
        time = [it for it in ("start_time", "time", "hour") if it in pinned.columns]
        if time and rows:
            assert str(pinned[time[0]].dtype).startswith("Datetime(time_unit='us', time_zone='UTC'")
        actions = pyarrow.table(table.get_add_actions(flatten=True)).to_pylist()
        assert sum(it["num_records"] for it in actions) == rows
for name in tables:
    print(name, last[name])
