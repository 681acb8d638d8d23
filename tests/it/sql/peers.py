"""Answers statements over exported Parquet with DuckDB: one JSON document in, one out.

Cells: numbers, texts, true and false, null; times as microseconds; what is not finite as a text.
"""

import datetime
import decimal
import glob
import json
import math
import os
import sys

import duckdb

folder, questions = sys.argv[1], sys.argv[2]
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'; SET threads = 2; SET default_null_order = 'nulls_last'")
for table in os.listdir(folder):
    files = glob.glob(os.path.join(folder, table, "*.parquet"))
    if files:
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet({files})")

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def cell(value):
    if isinstance(value, datetime.datetime):
        value = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


answers = []
with open(questions) as file:
    for text in json.load(file):
        try:
            rows = connection.execute(text).fetchall()
            answers.append({"rows": [[cell(it) for it in row] for row in rows]})
        except duckdb.Error as error:
            answers.append({"error": str(error)})
print(json.dumps(answers))
