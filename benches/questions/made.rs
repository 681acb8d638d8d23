//! The made-up runs of the questions' bench: ninety days of three pipelines over a thousand
//! contracts. The same number of the same history gives the same rows, whoever asks and how often.
//! Reads and writes nothing.
//!
//! Durations are lognormal per step, longer for some node types. Nearly half of a day's runs start
//! between one and three at night. Some generations are tried twice, some contracts fail more often
//! than others, and in the last week one step is slower than before.

use genstore::event::{
    BatchRow, ContractRow, IssueRow, LlmCallRow, Row, RunRow, ScoreRow, StepRow, Table, Text,
    TimeUs,
};

use crate::dice::Dice;

pub(crate) const DAYS: i64 = 90;
/// 2026-08-03T00:00:00Z, a Monday.
pub(crate) const START_US: i64 = 1_785_715_200_000_000;
pub(crate) const END_US: i64 = START_US + DAYS * DAY_US;
const DAY_US: i64 = 86_400_000_000;
const HOUR_US: i64 = 3_600_000_000;
/// The run that one question is about, whatever the size of the history: 2026-10-14T12:00:00Z.
const KNOWN_US: i64 = 1_791_979_200_000_000;
const KNOWN_RANDOM: [u8; 10] = [7; 10];

const CONTRACTS: u64 = 1_000;
/// A contract is changed twice.
const VERSIONS: u64 = 3;
const BODY_LINES: usize = 40;

/// Hours of a day, and the share of its runs that have started by then.
const DAY_CURVE: [(f64, f64); 6] =
    [(0.0, 0.0), (1.0, 0.01), (3.0, 0.46), (7.0, 0.48), (19.0, 0.97), (24.0, 1.0)];

/// A step: its name, its stage, the median of its duration in milliseconds, and how wide the
/// logarithms spread.
type Step = (&'static str, i64, f64, f64);

const GENERATION: [Step; 8] = [
    ("parse", 0, 4.0, 0.35),
    ("lint", 1, 3.0, 0.4),
    ("select", 2, 2.5, 0.3),
    ("generate", 3, 180.0, 0.9),
    ("compliance", 4, 12.0, 0.5),
    ("security", 4, 20.0, 0.6),
    ("quality", 4, 15.0, 0.5),
    ("write", 5, 6.0, 0.5),
];
const REPAIR: [Step; 8] = [
    ("parse", 0, 4.5, 0.35),
    ("lint", 1, 3.0, 0.4),
    ("diagnose", 2, 25.0, 0.7),
    ("repair", 3, 900.0, 1.0),
    ("compliance", 4, 13.0, 0.5),
    ("security", 4, 21.0, 0.6),
    ("quality", 4, 16.0, 0.5),
    ("write", 5, 6.0, 0.5),
];
const AUDIT: [Step; 8] = [
    ("collect", 0, 8.0, 0.6),
    ("parse", 1, 4.0, 0.35),
    ("lint", 2, 3.0, 0.4),
    ("compliance", 3, 14.0, 0.5),
    ("security", 3, 24.0, 0.6),
    ("quality", 3, 18.0, 0.5),
    ("compare", 4, 10.0, 0.8),
    ("report", 5, 30.0, 0.6),
];
/// Name, share of the runs in percent, steps.
const PIPELINES: [(&str, u64, [Step; 8]); 3] =
    [("node_generation", 60, GENERATION), ("node_repair", 25, REPAIR), ("node_audit", 15, AUDIT)];
/// Name, share in percent, and how long its steps take.
const NODE_TYPES: [(&str, u64, f64); 4] =
    [("COMPUTE", 40, 1.0), ("EFFECT", 30, 1.3), ("REDUCER", 15, 0.9), ("ORCHESTRATOR", 15, 2.0)];
/// Model, provider, and dollars for a million tokens in and out.
const MODELS: [(&str, &str, f64, f64); 4] = [
    ("coder-small", "local", 0.0, 0.0),
    ("coder-medium", "local", 0.1, 0.4),
    ("writer-large", "hosted", 2.5, 10.0),
    ("writer-large-2", "hosted", 2.0, 8.0),
];
const VALIDATORS: [&str; 3] = ["compliance", "security", "quality"];
const RULES_OF_A_VALIDATOR: u64 = 20;
const FILES: [&str; 4] = ["node.py", "models/model_input.py", "models/model_output.py", "test.py"];

/// A history of so many runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History {
    pub(crate) runs: usize,
    known: usize,
}

/// A run before it is split into rows.
struct Run {
    number: usize,
    id: Text,
    start_us: i64,
    batch_id: Option<Text>,
    pipeline: usize,
    contract: u64,
    version: u64,
    node_type: usize,
    /// Which model writes, if one does.
    model: Option<usize>,
    result: &'static str,
    /// The step that decides the result, where that is no success.
    failed: usize,
}

impl History {
    pub(crate) fn new(runs: usize) -> Self {
        let mut history = Self { runs, known: usize::MAX };
        history.known = (0..runs).position(|it| history.start_us(it) >= KNOWN_US).unwrap_or(0);
        history
    }

    /// Rows that runs have in a table.
    pub(crate) fn rows(self, table: Table, numbers: std::ops::Range<usize>) -> Vec<Row> {
        let mut rows = Vec::new();
        for number in numbers {
            let run = self.run(number);
            match table {
                Table::Runs => rows.push(Row::Runs(run.row())),
                Table::Steps => rows.extend(run.steps().into_iter().map(Row::Steps)),
                Table::Issues => rows.extend(run.issues().into_iter().map(Row::Issues)),
                Table::Scores => rows.extend(run.scores().map(Row::Scores)),
                Table::LlmCalls => rows.extend(run.calls().into_iter().map(Row::LlmCalls)),
                _ => {}
            }
        }
        rows
    }

    fn start_us(self, number: usize) -> i64 {
        if number == self.known {
            return KNOWN_US;
        }
        let of_all = (number as f64 + 0.5) / self.runs as f64 * DAYS as f64;
        let (day, share) = (of_all.floor(), of_all.fract());
        let after = DAY_CURVE.iter().position(|(_, until)| share < *until).unwrap_or(5);
        let ((from, low), (to, high)) = (DAY_CURVE[after - 1], DAY_CURVE[after]);
        let hours = from + (share - low) / (high - low) * (to - from);
        START_US + day as i64 * DAY_US + (hours * HOUR_US as f64) as i64
    }

    fn run(self, number: usize) -> Run {
        let start_us = self.start_us(number);
        let mut dice = Dice::new(number as u64 + 1);
        let mut random = [0_u8; 10];
        random[..8].copy_from_slice(&dice.below(u64::MAX).to_be_bytes());
        random[8] = (number % 251) as u8;
        let known = number == self.known;
        let random = if known { KNOWN_RANDOM } else { random };
        let day = (start_us - START_US) / DAY_US;
        let is_nightly = (HOUR_US..3 * HOUR_US).contains(&((start_us - START_US) % DAY_US));
        // some contracts are run far more often than others
        let contract = dice.below(CONTRACTS) * dice.below(CONTRACTS) / CONTRACTS;
        let pipeline = pick(&mut dice, PIPELINES.map(|it| it.1));
        let node_type = pick(&mut Dice::new(contract + 77), NODE_TYPES.map(|it| it.1));
        let writes = pipeline == 1 || (pipeline == 0 && contract.is_multiple_of(3));
        let model = writes.then(|| match (dice.below(10), day) {
            (0..4, _) => 0,
            (4..7, _) => 1,
            (_, ..56) => 2,
            _ => 3,
        });
        let fails_percent = 2 + contract % 11;
        let (result, failed) = match dice.below(1_000) {
            _ if known => ("failure", 5),
            0..7 => ("error", 3),
            7..9 => ("timeout", 3),
            it if it >= 1_000 - 10 * fails_percent => ("failure", 4 + dice.below(3) as usize),
            _ => ("success", 8),
        };
        let failed = if pipeline == 2 && result == "failure" { failed - 1 } else { failed };
        Run {
            number,
            id: uuid_v7(start_us / 1_000, random),
            start_us,
            batch_id: is_nightly.then(|| batch_id(day)),
            pipeline,
            contract,
            version: (day as u64 + contract % 30) / 40 % VERSIONS,
            node_type,
            model,
            result,
            failed,
        }
    }
}

impl Run {
    fn contract_name(&self) -> Text {
        Text::from(format!("node_contract_{:04}", self.contract))
    }

    fn contract_digest(&self) -> Text {
        digest(self.contract * VERSIONS + self.version, 1)
    }

    fn duration_ns(&self, dice: &mut Dice, step: usize) -> i64 {
        let (name, _, median_ms, sigma) = PIPELINES[self.pipeline].2[step];
        let slower = NODE_TYPES[self.node_type].2;
        let is_late = name == "generate" && self.start_us >= END_US - 7 * DAY_US;
        let ms = median_ms * slower * (sigma * normal(dice)).exp();
        ((if is_late { 1.2 * ms } else { ms }) * 1e6) as i64
    }

    fn steps(&self) -> Vec<StepRow> {
        let mut dice = Dice::new(self.number as u64 ^ 0x5757_0000_0000);
        let mut rows: Vec<StepRow> = Vec::with_capacity(9);
        let (mut starts_us, mut ends_us, mut stage) = (self.start_us, self.start_us, 0);
        for (index, (name, at, ..)) in PIPELINES[self.pipeline].2.iter().enumerate() {
            if *at != stage {
                (starts_us, stage) = (ends_us, *at);
            }
            let is_after = index > self.failed && self.result != "failure";
            let is_written = matches!(*name, "generate" | "repair");
            let mut duration_ns = self.duration_ns(&mut dice, index);
            let mut step = self.step(rows.len(), index);
            step.queue_ns = dice.below(200_000) as i64;
            step.start_time = TimeUs(starts_us + step.queue_ns / 1_000);
            if is_written && !is_after && dice.below(100) < 3 {
                let mut first = step.clone();
                first.result = "error".into();
                first.error_type = Some("rate_limit".into());
                first.error_message = Some("the model answered 429: too many requests".into());
                first.duration_ns = duration_ns / 20;
                step.wait_ns = 50_000_000 + dice.below(400_000_000) as i64;
                step.attempt = 2;
                step.start_time.0 += (first.duration_ns + step.wait_ns) / 1_000;
                rows.push(first);
                step.step_id = ordinal(rows.len());
            }
            if is_after {
                duration_ns = 0;
                step.result = "skip".into();
            } else if index == self.failed {
                step.result = self.result.into();
                step.error_type = (self.result != "failure").then(|| "model_error".into());
            }
            step.duration_ns = duration_ns;
            ends_us = ends_us.max(step.start_time.0 + duration_ns / 1_000);
            rows.push(step);
        }
        mark_critical(&mut rows);
        rows
    }

    fn step(&self, done: usize, index: usize) -> StepRow {
        let (pipeline_name, _, steps) = &PIPELINES[self.pipeline];
        let (name, stage, ..) = steps[index];
        let before = steps.iter().filter(|it| it.1 == stage - 1).map(|it| it.0);
        StepRow {
            run_id: self.id.clone(),
            step_id: ordinal(done),
            batch_id: self.batch_id.clone(),
            pipeline_name: (*pipeline_name).into(),
            node_type: Some(NODE_TYPES[self.node_type].0.into()),
            step_name: name.into(),
            component: name.into(),
            component_version: "1".into(),
            attempt: 1,
            result: "success".into(),
            stage,
            depends_on: Text::from(before.collect::<Vec<_>>().join(",")),
            ..StepRow::default()
        }
    }

    fn issues(&self) -> Vec<IssueRow> {
        let mut dice = Dice::new(self.number as u64 ^ 0x1557_0000_0000);
        let count = (dice.below(4) + dice.below(4)).max(u64::from(self.result == "failure"));
        let one = |nth: u64| {
            let first = nth == 0 && self.result == "failure";
            let step = if first { self.failed as u64 } else { 4 + dice.below(3) };
            let from = if self.pipeline == 2 { 3 } else { 4 };
            let validator = VALIDATORS[(step.saturating_sub(from) % 3) as usize];
            let rule = dice.below(RULES_OF_A_VALIDATOR) * dice.below(RULES_OF_A_VALIDATOR)
                / RULES_OF_A_VALIDATOR;
            let (place, file) = (dice.below(5), FILES[dice.below(4) as usize]);
            let line = (self.contract * 7 + place * 31 + rule) % 190 + 1;
            IssueRow {
                run_id: self.id.clone(),
                step_id: Some(ordinal(step as usize)),
                contract_name: Some(self.contract_name()),
                contract_digest: Some(self.contract_digest()),
                validator_name: validator.into(),
                rule_id: Text::from(format!("{validator}.rule_{rule:02}")),
                level: if first { "error" } else { ["warning", "note"][(rule % 2) as usize] }
                    .into(),
                message: Text::from(format!("line {line} breaks rule {rule} of {validator}")),
                uri: Some(file.into()),
                start_line: Some(line as i64),
                start_column: Some(1 + (rule * 4 % 60) as i64),
                fingerprint: digest(self.contract * 5 + place, 100 + rule),
                time: TimeUs(self.start_us + 400_000),
                ..IssueRow::default()
            }
        };
        (0..count).map(one).collect()
    }

    fn quality(&self) -> Option<f64> {
        let mut dice = Dice::new(self.number as u64 ^ 0x9999_0000_0000);
        let trend = (self.start_us - START_US) as f64 / DAY_US as f64 * 0.05;
        let mean = 74.0 + (self.contract % 17) as f64 + trend;
        let score = (mean + 6.0 * normal(&mut dice)).clamp(0.0, 100.0);
        matches!(self.result, "success" | "failure").then(|| (score * 10.0).round() / 10.0)
    }

    fn scores(&self) -> impl Iterator<Item = ScoreRow> {
        let score = self.quality();
        let (run_id, time) = (self.id.clone(), TimeUs(self.start_us + 500_000));
        ["overall", "security"].into_iter().filter_map(move |name| {
            let value = score? - if name == "security" { 2.5 } else { 0.0 };
            Some(ScoreRow {
                run_id: run_id.clone(),
                name: name.into(),
                value: Some(value.max(0.0)),
                annotator_kind: "CODE".into(),
                time,
                ..ScoreRow::default()
            })
        })
    }

    fn calls(&self) -> Vec<LlmCallRow> {
        let Some(model) = self.model else { return Vec::new() };
        let mut dice = Dice::new(self.number as u64 ^ 0x7777_0000_0000);
        let (name, provider, price_in, price_out) = MODELS[model];
        let rounds = 1 + i64::from(dice.below(4) == 0) + i64::from(dice.below(10) == 0);
        let one = |round: i64| {
            let tokens_in = (1_800.0 * (0.5 * normal(&mut dice)).exp()) as i64;
            let tokens_out = (700.0 * (0.6 * normal(&mut dice)).exp()) as i64;
            let cost = (tokens_in as f64 * price_in + tokens_out as f64 * price_out) / 1e6;
            LlmCallRow {
                run_id: self.id.clone(),
                step_id: Some(ordinal(3)),
                tier: Some(["small", "medium", "large", "large"][model].into()),
                round,
                provider_name: provider.into(),
                operation_name: "chat".into(),
                request_model: name.into(),
                response_model: Some(name.into()),
                temperature: Some(0.2),
                input_tokens: Some(tokens_in),
                output_tokens: Some(tokens_out),
                start_time: TimeUs(self.start_us + round * 20_000),
                duration_ns: tokens_out * 180_000,
                time_to_first_chunk_ns: Some(30_000_000 + dice.below(90_000_000) as i64),
                finish_reason: Some("stop".into()),
                input_digest: Some(digest(self.number as u64, 40 + round as u64)),
                output_digest: Some(digest(self.number as u64, 50 + round as u64)),
                cost_usd: Some((cost * 1e6).round() / 1e6),
                ..LlmCallRow::default()
            }
        };
        (1..=rounds).map(one).collect()
    }

    fn row(&self) -> RunRow {
        let (steps, issues, calls) = (self.steps(), self.issues(), self.calls());
        let end_us = steps.iter().map(|it| it.start_time.0 + it.duration_ns / 1_000).max();
        let end_us = end_us.unwrap_or(self.start_us);
        let sum = |of: fn(&StepRow) -> i64| steps.iter().map(of).sum::<i64>();
        let level = |level: &str| issues.iter().filter(|it| &*it.level == level).count() as i64;
        let tokens = |of: fn(&LlmCallRow) -> Option<i64>| {
            self.model.map(|_| calls.iter().filter_map(of).sum::<i64>())
        };
        RunRow {
            run_id: self.id.clone(),
            batch_id: self.batch_id.clone(),
            pipeline_name: PIPELINES[self.pipeline].0.into(),
            pipeline_digest: Some(digest(self.pipeline as u64, 2)),
            contract_name: Some(self.contract_name()),
            contract_version: Some(Text::from(format!("1.{}.0", self.version))),
            contract_digest: Some(self.contract_digest()),
            node_type: Some(NODE_TYPES[self.node_type].0.into()),
            input_digest: Some(digest(self.contract * VERSIONS + self.version, 3)),
            tool_version: "0.1.0".into(),
            result: self.result.into(),
            error_type: matches!(self.result, "error" | "timeout").then(|| "model_error".into()),
            start_time: TimeUs(self.start_us),
            end_time: TimeUs(end_us),
            duration_ns: (end_us - self.start_us) * 1_000,
            queue_ns: sum(|it| it.queue_ns),
            work_ns: sum(|it| it.duration_ns),
            critical_path_ns: sum(|it| if it.on_critical_path { it.duration_ns } else { 0 }),
            strategy: "ready_queue".into(),
            quality_score: self.quality(),
            complexity_score: Some((self.contract % 100) as f64 / 100.0),
            error_count: level("error"),
            warning_count: level("warning"),
            note_count: level("note"),
            generator: Some(if self.model.is_some() { "model" } else { "template" }.into()),
            request_model: self.model.map(|it| MODELS[it].0.into()),
            input_tokens: tokens(|it| it.input_tokens),
            output_tokens: tokens(|it| it.output_tokens),
            cost_usd: self.model.map(|_| calls.iter().filter_map(|it| it.cost_usd).sum()),
            template_digest: Some(digest((self.start_us - START_US) as u64 / 604_800_000_000, 4)),
            output_digest: Some(digest(self.number as u64, 5)),
            ..RunRow::default()
        }
    }
}

/// Every contract that a run names, with what it says.
pub(crate) fn contracts() -> Vec<Row> {
    let one = |number: u64| {
        let (contract, version) = (number / VERSIONS, number % VERSIONS);
        let node_type = pick(&mut Dice::new(contract + 77), NODE_TYPES.map(|it| it.1));
        let name = format!("node_contract_{contract:04}");
        let line = |at| format!("  field_{at:02}: {{type: str, note: 'of {name} {version}'}}\n");
        let body = (0..BODY_LINES).map(line).collect::<String>();
        Row::Contracts(ContractRow {
            contract_digest: digest(number, 1),
            name: Some(Text::from(name)),
            version: Some(Text::from(format!("1.{version}.0"))),
            node_type: Some(NODE_TYPES[node_type].0.into()),
            complexity_score: Some((contract % 100) as f64 / 100.0),
            complexity_class: Some("moderate".into()),
            inputs: BODY_LINES as i64,
            body: Text::from(body),
            first_seen_time: TimeUs(START_US),
            ..ContractRow::default()
        })
    };
    (0..CONTRACTS * VERSIONS).map(one).collect()
}

/// The nightly batches.
pub(crate) fn batches() -> Vec<Row> {
    let one = |day: i64| {
        let start_us = START_US + day * DAY_US + HOUR_US;
        Row::Batches(BatchRow {
            batch_id: batch_id(day),
            name: Some("nightly".into()),
            uri: "contracts".into(),
            pipeline_name: "node_generation".into(),
            start_time: TimeUs(start_us),
            end_time: TimeUs(start_us + 2 * HOUR_US),
            result: "success".into(),
            ..BatchRow::default()
        })
    };
    (0..DAYS).map(one).collect()
}

/// Of each stage the step that ends last is on the critical path, and the attempts before it.
fn mark_critical(steps: &mut [StepRow]) {
    let end = |it: &StepRow| it.start_time.0 * 1_000 + it.duration_ns;
    for stage in 0..6 {
        let last = steps.iter().filter(|it| it.stage == stage).max_by_key(|it| end(it));
        let Some(name) = last.map(|it| it.step_name.clone()) else { continue };
        for step in steps.iter_mut().filter(|it| it.stage == stage) {
            step.on_critical_path = step.step_name == name && &*step.result != "skip";
        }
    }
}

fn batch_id(day: i64) -> Text {
    uuid_v7((START_US + day * DAY_US + HOUR_US) / 1_000, [day as u8; 10])
}

fn uuid_v7(ms: i64, random: [u8; 10]) -> Text {
    let id = uuid::Builder::from_unix_timestamp_millis(ms as u64, &random).into_uuid();
    Text::from(id.to_string())
}

/// The id of the attempt after so many.
fn ordinal(done: usize) -> Text {
    Text::from(format!("{:016x}", done + 1))
}

fn digest(number: u64, salt: u64) -> Text {
    let mut dice = Dice::new(number ^ (salt << 40));
    let mut word = || dice.below(u64::MAX);
    Text::from(format!("{:016x}{:016x}{:016x}{:016x}", word(), word(), word(), word()))
}

/// Which of some things with shares in percent.
fn pick<const N: usize>(dice: &mut Dice, shares: [u64; N]) -> usize {
    let mut left = dice.below(100);
    for (index, share) in shares.iter().enumerate() {
        if left < *share {
            return index;
        }
        left -= share;
    }
    N - 1
}

/// A number of the standard normal distribution.
fn normal(dice: &mut Dice) -> f64 {
    let unit = |bits: u64| ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    let (a, b) = (unit(dice.below(u64::MAX)), unit(dice.below(u64::MAX)));
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}
