# Opens an export with every reader that knows its format; fails when a type, a count or a sum is
# not what the test has written. Prints which readers there were.
import decimal
import glob
import json
import sys

import deltalake
import duckdb
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet

root, profile, kind = sys.argv[1:4]
manifest = json.load(open(f"{root}/_manifest.json"))
tables = {it["name"]: it for it in manifest["tables"]}
form = manifest["format"]
runs, total = 500, sum(range(500))
milliseconds = profile in ("powerbi", "tableau", "grafana")
both = profile in ("spark", "duckdb")
decimals = profile in ("powerbi", "spark")
day_in_file = kind == "day" and milliseconds
has_nan = profile in ("parquet", "duckdb", "arrow")


def files(name):
    return [f"{root}/{it['path']}" for it in tables[name]["files"]]


def approx(found, expected):
    assert abs(float(found) - expected) < 1e-6 * max(1, abs(expected)), (found, expected)


def check_frame(frame):
    """A pandas frame of runs."""
    assert len(frame) == runs
    if not milliseconds:
        approx(frame["duration_ns"].sum(), 2_000_000 * total)
    if milliseconds or both:
        approx(frame["duration_ms"].sum(), 2.0 * total)
    assert ("duration_ns" in frame.columns) == (not milliseconds)
    approx(frame["cost_usd"].dropna().sum(), 0.125 * runs / 2)
    assert int(frame["cached"].sum()) == runs // 2
    times = pandas.to_datetime(frame["start_time"], utc=True)
    assert sorted(set(times.dt.strftime("%Y-%m-%d"))) == ["2026-11-22", "2026-11-23", "2026-11-24"]


def check_arrow(schema):
    kinds = {it.name: it.type for it in schema}
    time = kinds["start_time"]
    assert pyarrow.types.is_timestamp(time) and time.unit == "us" and time.tz == "UTC", time
    assert kinds["run_id"] == pyarrow.string()
    assert kinds["cached"] == pyarrow.bool_()
    assert kinds["error_count"] == pyarrow.int64()
    cost = pyarrow.decimal128(18, 9) if decimals else pyarrow.float64()
    assert kinds["cost_usd"] == cost, kinds["cost_usd"]
    if milliseconds or both:
        assert kinds["duration_ms"] == pyarrow.float64()
    if day_in_file and form == "parquet":
        assert kinds["dt"] == pyarrow.date32(), kinds.get("dt")


seen = ["pandas " + pandas.__version__]
if form == "parquet":
    for path in files("runs"):
        check_arrow(pyarrow.parquet.read_schema(path))
        footer = pyarrow.parquet.ParquetFile(path).metadata
        column = footer.row_group(0).column(0)
        expected = "SNAPPY" if profile in ("powerbi", "tableau") else "ZSTD"
        assert column.compression == expected, column.compression
        assert column.statistics is not None and column.statistics.has_min_max
        assert footer.row_group(0).column(0).has_column_index
        assert b"ARROW:schema" not in (footer.metadata or {})
    check_frame(pandas.concat([pyarrow.parquet.ParquetFile(it).read().to_pandas() for it in files("runs")]))
    day = pyarrow.schema([("dt", pyarrow.date32())])
    days = pyarrow.dataset.partitioning(day, flavor="hive") if kind == "day" else None
    dataset = pyarrow.dataset.dataset(files("runs"), format="parquet", partitioning=days)
    assert dataset.count_rows() == runs
    seen.append("pyarrow " + pyarrow.__version__)

    hive = ", hive_partitioning = true" if kind == "day" else ""
    table = f"read_parquet({files('runs')!r}{hive})"
    kinds = dict(duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {table})").fetchall())
    assert kinds["start_time"] == "TIMESTAMP WITH TIME ZONE", kinds
    assert kinds["cost_usd"] == ("DECIMAL(18,9)" if decimals else "DOUBLE"), kinds
    if kind == "day":
        assert kinds["dt"] == "DATE", kinds
        days = duckdb.sql(f"SELECT dt, count(*) FROM {table} GROUP BY 1 ORDER BY 1").fetchall()
        assert [it[1] for it in days] == [167, 167, 166], days
    check_frame(duckdb.sql(f"SELECT * FROM {table}").df())
    names = duckdb.sql(f"SELECT DISTINCT step_name FROM read_parquet({files('steps')!r})").fetchall()
    assert names == [("größe \"x\",\n",)], names
    seen.append("duckdb " + duckdb.__version__)

    frame = polars.scan_parquet(files("runs"), hive_partitioning=kind == "day").collect()
    assert str(frame["start_time"].dtype) == "Datetime(time_unit='us', time_zone='UTC')", frame.dtypes
    check_frame(frame.to_pandas())
    assert polars.scan_parquet(files("steps")).select(polars.len()).collect().item() == runs
    seen.append("polars " + polars.__version__)

    for name in tables:
        delta = deltalake.DeltaTable(f"{root}/{name}")
        assert delta.protocol().min_reader_version == 1
        arrow = delta.to_pyarrow_table()
        assert arrow.num_rows == tables[name]["rows"], name
        if kind == "day":
            assert delta.metadata().partition_columns == ["dt"]
            assert "dt" in arrow.column_names
            assert arrow.column("dt").null_count == 0, arrow.column("dt")
        actions = pyarrow.table(delta.get_add_actions(flatten=True)).to_pylist()
        assert sum(it["num_records"] for it in actions) == tables[name]["rows"]
        frame = polars.read_delta(f"{root}/{name}")
        assert frame.height == tables[name]["rows"], name
    check_frame(deltalake.DeltaTable(f"{root}/runs").to_pandas())
    if kind == "day":
        some = deltalake.DeltaTable(f"{root}/runs").to_pyarrow_table(partitions=[("dt", "=", "2026-11-23")])
        assert some.num_rows == 167, some.num_rows
    seen.append("deltalake " + deltalake.__version__)
    try:
        duckdb.sql("LOAD delta")
        found = duckdb.sql(f"SELECT count(*) FROM delta_scan('{root}/runs')").fetchall()[0][0]
        assert found == runs
        seen.append("delta_scan")
    except (duckdb.IOException, duckdb.CatalogException, duckdb.InvalidInputException):
        pass  # the extension is fetched from a network
elif form == "arrow":
    for path in files("runs"):
        check_arrow(pyarrow.feather.read_table(path).schema)
    check_frame(pandas.concat([pandas.read_feather(it) for it in files("runs")]))
    check_frame(polars.concat([polars.read_ipc(it) for it in files("runs")]).to_pandas())
    seen += ["pyarrow " + pyarrow.__version__, "polars " + polars.__version__]
elif form == "csv":
    check_frame(pandas.concat([pandas.read_csv(it) for it in files("runs")]))
    found = duckdb.sql(f"SELECT * FROM read_csv({files('runs')!r})")
    kinds = dict(zip(found.columns, map(str, found.types)))
    assert kinds["start_time"].startswith("TIMESTAMP"), kinds
    assert kinds["cached"] == "BOOLEAN" and kinds["duration_ns"] == "BIGINT", kinds
    check_frame(found.df())
    check_frame(polars.concat([polars.read_csv(it, infer_schema_length=None) for it in files("runs")],
                              how="vertical_relaxed").to_pandas())
    names = duckdb.sql(f"SELECT DISTINCT step_name FROM read_csv({files('steps')!r})").fetchall()
    assert names == [("größe \"x\",\n",)], names
    seen += ["duckdb " + duckdb.__version__, "polars " + polars.__version__]
else:
    check_frame(pandas.concat([pandas.read_json(it, lines=True) for it in files("runs")]))
    found = duckdb.sql(f"SELECT * FROM read_json({files('runs')!r})")
    check_frame(found.df())
    check_frame(polars.concat([polars.read_ndjson(it, infer_schema_length=None) for it in files("runs")],
                              how="vertical_relaxed").to_pandas())
    seen += ["duckdb " + duckdb.__version__, "polars " + polars.__version__]

calls = tables["llm_calls"]
if not has_nan:
    assert calls["nulled"] == {"temperature": 1}, calls.get("nulled")
else:
    assert "nulled" not in calls
print(", ".join(seen))
