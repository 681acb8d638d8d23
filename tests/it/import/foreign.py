# Files of runs and steps as pandas, Polars and DuckDB write them. Usage: foreign.py FOLDER
import sys
from datetime import datetime, timezone
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

folder = Path(sys.argv[1])
COUNT = 500
START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)


def runs(tool):
    ids = [f"{tool}-{n:04}" for n in range(COUNT)]
    return pd.DataFrame(
        {
            "run_id": ids,
            "pipeline_name": pd.Categorical(["nightly"] * COUNT),
            "tool_version": ["1"] * COUNT,
            "result": pd.Categorical(["success", "failure"] * (COUNT // 2)),
            "degraded": [False] * COUNT,
            "cached": [n % 2 == 0 for n in range(COUNT)],
            "start_time": pd.to_datetime([START] * COUNT),
            "end_time": pd.to_datetime([START] * COUNT).tz_convert("Europe/Berlin"),
            "duration_ns": np.arange(COUNT, dtype="int32"),
            "queue_ns": np.zeros(COUNT, dtype="uint8"),
            "work_ns": np.zeros(COUNT),
            "critical_path_ns": np.zeros(COUNT, dtype="int64"),
            "strategy": [""] * COUNT,
            "error_count": np.zeros(COUNT, dtype="int16"),
            "warning_count": np.zeros(COUNT, dtype="int16"),
            "note_count": np.zeros(COUNT, dtype="int16"),
            "quality_score": [None if n % 3 == 0 else n / 7 for n in range(COUNT)],
            "seed": [None if n % 3 == 0 else float(n) for n in range(COUNT)],
        }
    )


# pandas with its own defaults: Snappy, dictionaries for categories, floats for gaps
runs("pandas").to_parquet(folder / "pandas.parquet")
runs("pandasns").astype({"start_time": "datetime64[ns, UTC]"}).to_parquet(folder / "pandasns.parquet")

# Polars: large strings, categories, milliseconds
frame = pl.from_pandas(runs("polars")).with_columns(
    pl.col("start_time").cast(pl.Datetime("ms", "UTC")), pl.col("result").cast(pl.Categorical)
)
frame.write_parquet(folder / "polars.parquet")
# and string views with every codec that it has
for codec in ["snappy", "gzip", "brotli", "lz4", "uncompressed"]:
    table = frame.with_columns(
        run_id=pl.col("run_id").str.replace("polars", codec), result=pl.col("result").cast(pl.String)
    )
    table.write_parquet(folder / f"{codec}.parquet", compression=codec)

# DuckDB: decimals, plain timestamps
source = runs("duckdb")
duckdb.sql(
    f"""COPY (SELECT * REPLACE (duration_ns::DECIMAL(18, 3) AS duration_ns,
    quality_score::DECIMAL(12, 4) AS quality_score, start_time::TIMESTAMP AS start_time,
    result::VARCHAR AS result, pipeline_name::VARCHAR AS pipeline_name)
    FROM source) TO '{folder}/duckdb.parquet' (FORMAT parquet, ROW_GROUP_SIZE 100)"""
)
source = runs("duckcsv")
duckdb.sql(
    f"""COPY (SELECT * REPLACE (strftime(start_time::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%fZ') AS start_time,
    strftime(end_time::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%fZ') AS end_time)
    FROM source) TO '{folder}/duckdb.csv' (HEADER)"""
)

# Arrow: string views, wide types, durations
arrow = pa.Table.from_pandas(runs("arrow"), preserve_index=False)
for name, kind in [("run_id", pa.string_view()), ("strategy", pa.large_string()), ("duration_ns", pa.duration("us"))]:
    at = arrow.schema.get_field_index(name)
    column = arrow.column(name)
    column = column.cast(pa.int64()).cast(kind) if pa.types.is_duration(kind) else column.cast(kind)
    arrow = arrow.set_column(at, name, column)
pq.write_table(arrow, folder / "arrow.parquet", compression="zstd", version="2.6")

# pandas as text
text = runs("pandascsv")
text["start_time"] = START.isoformat()
text["end_time"] = START.isoformat()
text.to_csv(folder / "pandas.csv", index=False)
text["run_id"] = text["run_id"].str.replace("csv", "json")
text.to_json(folder / "pandas.jsonl", orient="records", lines=True)

# what is not exact
wrong = runs("wrong")
wrong["start_time"] = wrong["start_time"].astype("datetime64[ns, UTC]") + pd.to_timedelta([0] * 99 + [1] * 401, unit="ns")
wrong.to_parquet(folder / "wrong_ns.parquet")
wrong = runs("wrong")
wrong["seed"] = wrong["seed"] + 0.5
wrong.to_parquet(folder / "wrong_half.parquet")
wrong = runs("wrong")
wrong["duration_ns"] = wrong["duration_ns"].astype(str)
wrong.to_parquet(folder / "wrong_text.parquet")
