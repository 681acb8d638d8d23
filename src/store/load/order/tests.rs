//! Chunks against the sort of single rows.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::event::{AlertRow, LlmCallRow, Row, TimeUs};
use crate::store::schema::to_batch;

fn sorted(table: Table, batches: &[Vec<Row>]) -> (bool, Vec<RecordBatch>) {
    let mut chunk = Chunk::new(table).unwrap();
    for rows in batches {
        chunk.push(to_batch(table, rows).unwrap()).unwrap();
    }
    (chunk.is_sorted, chunk.sorted().unwrap().map(Result::unwrap).collect())
}

fn call(run: &str, start: i64, round: i64) -> Row {
    let (run_id, start_time) = (run.into(), TimeUs(start));
    Row::LlmCalls(LlmCallRow { run_id, start_time, round, ..LlmCallRow::default() })
}

fn key(row: &Row) -> (String, i64) {
    match row {
        Row::LlmCalls(it) => (it.run_id.to_string(), it.start_time.0),
        Row::Alerts(it) => (String::new(), it.time.0),
        _ => panic!("not of this test"),
    }
}

proptest! {
    #[test]
    fn rows_come_in_the_stable_order_of_their_keys(
        keys in prop::collection::vec(("[ab]{0,18}", -3_i64..3), 1..60),
        split in 1_usize..20,
    ) {
        let rows: Vec<Row> =
            keys.iter().zip(0..).map(|((run, start), round)| call(run, *start, round)).collect();
        let alerts: Vec<Row> = keys
            .iter()
            .map(|(rule, time)| Row::Alerts(AlertRow {
                rule: rule.as_str().into(), time: TimeUs(*time), ..AlertRow::default()
            }))
            .collect();
        for (table, rows) in [(Table::LlmCalls, rows), (Table::Alerts, alerts)] {
            let batches: Vec<Vec<Row>> = rows.chunks(split).map(<[Row]>::to_vec).collect();
            let (was_sorted, found) = sorted(table, &batches);
            let mut expected = rows.clone();
            expected.sort_by_key(key);
            prop_assert_eq!(was_sorted, expected == rows);
            let expected = to_batch(table, &expected).unwrap();
            let found = concat_batches(&expected.schema(), &found).unwrap();
            prop_assert_eq!(found, expected);
        }
    }
}
