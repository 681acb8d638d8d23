//! The tables of a store, as data: one struct per row, one documented field per column.
//!
//! SQL, the Parquet and Delta schemas, `.schema` and the README's column tables all come from this
//! file. Names follow the OpenTelemetry CI/CD and GenAI conventions and, for issues, SARIF; the
//! dotted name stands in brackets. Durations are nanoseconds of a monotonic clock, measured once.
//! Columns are only ever added, as `Option`, at the end of a table.

use super::row::{Cell, Column, ColumnValue, Text, TimeUs, tables};

tables! {
    /// One run of one contract, or of one pipeline without a contract.
    "runs" Runs RunRow {
        /// UUIDv7; its 32 hex digits are the OpenTelemetry trace id.
        ["cicd.pipeline.run.id"] run_id: Text,
        /// The replay that the run belongs to.
        batch_id: Option<Text>,
        /// Name of the pipeline.
        ["cicd.pipeline.name"] pipeline_name: Text,
        /// Digest of the pipeline's definition.
        pipeline_digest: Option<Text>,
        /// Name of the contract, as its author wrote it.
        contract_name: Option<Text>,
        /// Version of the contract, `major.minor.patch`.
        contract_version: Option<Text>,
        /// BLAKE3 digest of the contract's content.
        contract_digest: Option<Text>,
        /// COMPUTE, EFFECT, REDUCER or ORCHESTRATOR.
        node_type: Option<Text>,
        /// Digest of everything that decides the output: contract, pipeline, templates, settings.
        input_digest: Option<Text>,
        /// Version of genstore.
        tool_version: Text,
        /// success, failure (a validator said no), error (the engine or a component broke),
        /// timeout, cancellation or skip.
        ["cicd.pipeline.result"] result: Text,
        /// Whether a step went on without an output it should have had.
        degraded: bool,
        /// Whether the result was taken from an earlier run.
        cached: bool,
        /// Class of the error, of low cardinality.
        ["error.type"] error_type: Option<Text>,
        /// The error in words.
        ["error.message"] error_message: Option<Text>,
        /// When the run started.
        start_time: TimeUs,
        /// When the run ended.
        end_time: TimeUs,
        /// From start to end.
        ["cicd.pipeline.run.duration"] duration_ns: i64,
        /// Waiting for a free place, summed over steps.
        queue_ns: i64,
        /// At work, summed over steps.
        work_ns: i64,
        /// Work along the longest chain of dependent steps.
        critical_path_ns: i64,
        /// Scheduling strategy.
        strategy: Text,
        /// Quality 0–100; NULL when no validator judged the run.
        quality_score: Option<f64>,
        /// Complexity of the contract, 0–1.
        complexity_score: Option<f64>,
        /// Issues of level error.
        error_count: i64,
        /// Issues of level warning.
        warning_count: i64,
        /// Issues of level note.
        note_count: i64,
        /// What made the code: `template`, or a model backend.
        generator: Option<Text>,
        /// Requested model.
        ["gen_ai.request.model"] request_model: Option<Text>,
        /// Tokens sent, summed over calls.
        ["gen_ai.usage.input_tokens"] input_tokens: Option<i64>,
        /// Tokens received, summed over calls.
        ["gen_ai.usage.output_tokens"] output_tokens: Option<i64>,
        /// Price of all model calls in US dollars.
        cost_usd: Option<f64>,
        /// Digest of the template set.
        template_digest: Option<Text>,
        /// Digest of the generated package.
        output_digest: Option<Text>,
        /// Seed of everything random.
        seed: Option<i64>,
        /// Further attributes, a JSON object.
        attributes: Option<Text>,
    }

    /// One attempt of one step of a run.
    "steps" Steps StepRow {
        /// The run.
        ["cicd.pipeline.run.id"] run_id: Text,
        /// Ordinal of the attempt in its run, from 1, as 16 hex digits: an OpenTelemetry span id.
        ["cicd.pipeline.task.run.id"] step_id: Text,
        /// The step that this one belongs to.
        parent_step_id: Option<Text>,
        /// The replay that the run belongs to.
        batch_id: Option<Text>,
        /// Name of the pipeline.
        ["cicd.pipeline.name"] pipeline_name: Text,
        /// COMPUTE, EFFECT, REDUCER or ORCHESTRATOR.
        node_type: Option<Text>,
        /// Name of the step in the pipeline.
        ["cicd.pipeline.task.name"] step_name: Text,
        /// The component that did the work.
        component: Text,
        /// Version of the component.
        component_version: Text,
        /// Attempt, from 1.
        attempt: i64,
        /// success, failure, error, timeout, cancellation or skip.
        ["cicd.pipeline.task.run.result"] result: Text,
        /// Whether the step stood in for, or went on without, a failed one.
        degraded: bool,
        /// Whether the output was taken from an earlier run.
        cached: bool,
        /// Class of the error, of low cardinality.
        ["error.type"] error_type: Option<Text>,
        /// The error in words.
        ["error.message"] error_message: Option<Text>,
        /// When the attempt started to work.
        start_time: TimeUs,
        /// At work.
        duration_ns: i64,
        /// From ready to started: waiting for a free place.
        queue_ns: i64,
        /// Backing off before this attempt.
        wait_ns: i64,
        /// Whether the run's longest chain of dependent steps went through this one.
        on_critical_path: bool,
        /// Stage, from 0: the length of the longest chain of steps before this one.
        stage: i64,
        /// Names of the steps that this one waited for, comma-separated.
        depends_on: Text,
        /// Digest of the step's input.
        input_digest: Option<Text>,
        /// Digest of the step's output.
        output_digest: Option<Text>,
        /// Further attributes, a JSON object.
        attributes: Option<Text>,
    }

    /// One finding of one validator, or of contract lint.
    "issues" Issues IssueRow {
        /// The run.
        ["cicd.pipeline.run.id"] run_id: Text,
        /// The step that found it.
        step_id: Option<Text>,
        /// Name of the contract.
        contract_name: Option<Text>,
        /// Digest of the contract's content.
        contract_digest: Option<Text>,
        /// The validator, or `contract` for contract lint.
        ["sarif.tool.driver.name"] validator_name: Text,
        /// Stable id of the rule.
        ["sarif.ruleId"] rule_id: Text,
        /// none, note, warning or error.
        ["sarif.level"] level: Text,
        /// The finding in one sentence.
        ["sarif.message.text"] message: Text,
        /// The file it is about.
        ["sarif.physicalLocation.artifactLocation.uri"] uri: Option<Text>,
        /// First line, from 1.
        ["sarif.region.startLine"] start_line: Option<i64>,
        /// First column, from 1, in characters.
        ["sarif.region.startColumn"] start_column: Option<i64>,
        /// Last line.
        ["sarif.region.endLine"] end_line: Option<i64>,
        /// Column after the last character.
        ["sarif.region.endColumn"] end_column: Option<i64>,
        /// Equal for the same finding in two runs: digest of rule, normalised place and message.
        ["sarif.partialFingerprints"] fingerprint: Text,
        /// Whether it was suppressed.
        suppressed: bool,
        /// Why it was suppressed.
        ["sarif.suppressions"] suppression: Option<Text>,
        /// The next step, if there is an obvious one.
        ["sarif.fixes"] fix: Option<Text>,
        /// When it was found.
        time: TimeUs,
    }

    /// One named score of a run.
    "scores" Scores ScoreRow {
        /// The run.
        ["cicd.pipeline.run.id"] run_id: Text,
        /// The validator's name, or `overall` for the run's score.
        ["gen_ai.evaluation.name"] name: Text,
        /// 0–100.
        ["gen_ai.evaluation.score.value"] value: Option<f64>,
        /// The value in a word.
        ["gen_ai.evaluation.score.label"] label: Option<Text>,
        /// How the value came about.
        ["gen_ai.evaluation.explanation"] explanation: Option<Text>,
        /// CODE, LLM or HUMAN.
        ["annotation.annotator_kind"] annotator_kind: Text,
        /// When it was given.
        time: TimeUs,
    }

    /// One measured value of a run, a step or the process.
    "metrics" Metrics MetricRow {
        /// The run; NULL for the process.
        ["cicd.pipeline.run.id"] run_id: Option<Text>,
        /// The step.
        step_id: Option<Text>,
        /// What was measured.
        name: Text,
        /// The value.
        value: f64,
        /// Its unit by UCUM.
        unit: Text,
        /// When it was measured.
        time: TimeUs,
    }

    /// One contract content. Two writers may record it twice; SQL shows the first.
    "contracts" Contracts ContractRow {
        /// BLAKE3 digest of the content.
        contract_digest: Text,
        /// Name, as its author wrote it.
        name: Option<Text>,
        /// `major.minor.patch`.
        version: Option<Text>,
        /// COMPUTE, EFFECT, REDUCER or ORCHESTRATOR.
        node_type: Option<Text>,
        /// What the node does.
        description: Option<Text>,
        /// Complexity, 0–1.
        complexity_score: Option<f64>,
        /// simple, moderate, complex or highly_complex.
        complexity_class: Option<Text>,
        /// Declared input fields.
        inputs: i64,
        /// Declared output fields.
        outputs: i64,
        /// Declared actions or operations.
        actions: i64,
        /// Declared error codes.
        error_codes: i64,
        /// Where the content was first seen.
        uri: Option<Text>,
        /// The content, byte for byte.
        body: Text,
        /// When the content was first seen.
        first_seen_time: TimeUs,
    }

    /// One generated file.
    "artifacts" Artifacts ArtifactRow {
        /// The run.
        ["cicd.pipeline.run.id"] run_id: Text,
        /// The step that made it.
        step_id: Option<Text>,
        /// Path inside the package.
        ["artifact.filename"] filename: Text,
        /// contract, node, model, enum, handler, test or package; output for that of a step.
        kind: Text,
        /// python, yaml or json.
        language: Text,
        /// BLAKE3 digest of the content.
        ["artifact.hash"] artifact_digest: Text,
        /// Size of the content.
        size_bytes: i64,
        /// Lines of the content.
        lines: i64,
        /// The content.
        content: Option<Text>,
    }

    /// One call of a language model.
    "llm_calls" LlmCalls LlmCallRow {
        /// The run.
        ["cicd.pipeline.run.id"] run_id: Text,
        /// The step that called.
        step_id: Option<Text>,
        /// Tier of the model.
        tier: Option<Text>,
        /// Round of a conversation or repair, from 1.
        round: i64,
        /// Provider.
        ["gen_ai.provider.name"] provider_name: Text,
        /// chat, text_completion and so on.
        ["gen_ai.operation.name"] operation_name: Text,
        /// Requested model.
        ["gen_ai.request.model"] request_model: Text,
        /// Model that answered.
        ["gen_ai.response.model"] response_model: Option<Text>,
        /// Sampling temperature.
        ["gen_ai.request.temperature"] temperature: Option<f64>,
        /// Seed.
        ["gen_ai.request.seed"] seed: Option<i64>,
        /// Name of the prompt.
        ["gen_ai.prompt.name"] prompt_name: Option<Text>,
        /// Digest of the prompt's template.
        prompt_digest: Option<Text>,
        /// Tokens sent, cached ones included.
        ["gen_ai.usage.input_tokens"] input_tokens: Option<i64>,
        /// Tokens received, reasoning included.
        ["gen_ai.usage.output_tokens"] output_tokens: Option<i64>,
        /// When the call started.
        start_time: TimeUs,
        /// Until the last byte of the answer.
        ["gen_ai.client.operation.duration"] duration_ns: i64,
        /// Until the first chunk of the answer.
        ["gen_ai.response.time_to_first_chunk"] time_to_first_chunk_ns: Option<i64>,
        /// Why the model stopped.
        ["gen_ai.response.finish_reasons"] finish_reason: Option<Text>,
        /// Class of the error.
        ["error.type"] error_type: Option<Text>,
        /// Digest of the messages sent.
        input_digest: Option<Text>,
        /// Digest of the answer.
        output_digest: Option<Text>,
        /// Price in US dollars.
        cost_usd: Option<f64>,
        /// Whether the answer came from a recording.
        replayed: bool,
    }

    /// One finished, or abandoned, replay of a contract set.
    "batches" Batches BatchRow {
        /// UUIDv7.
        batch_id: Text,
        /// Name given by the user.
        name: Option<Text>,
        /// Digest of the set's contract digests.
        set_digest: Option<Text>,
        /// The set as the user named it.
        uri: Text,
        /// Name of the pipeline.
        ["cicd.pipeline.name"] pipeline_name: Text,
        /// When it started.
        start_time: TimeUs,
        /// When it ended.
        end_time: TimeUs,
        /// success, failure, error or cancellation.
        result: Text,
        /// Contracts in the set.
        total: i64,
        /// Runs that succeeded.
        succeeded: i64,
        /// Runs that did not.
        failed: i64,
        /// Runs taken from an earlier batch.
        cached: i64,
        /// Number of this shard, from 0.
        shard: Option<i64>,
        /// Number of shards.
        shards: Option<i64>,
        /// The batch that this one resumed.
        resumed_from: Option<Text>,
    }

    /// One change of a baseline.
    "baselines" Baselines BaselineRow {
        /// Name of the baseline.
        name: Text,
        /// The batch it points to.
        batch_id: Text,
        /// Whether retention must keep the batch.
        pinned: bool,
        /// When it changed.
        time: TimeUs,
    }

    /// One change of an alert's state.
    "alerts" Alerts AlertRow {
        /// UUIDv7 of the alert.
        alert_id: Text,
        /// The rule.
        rule: Text,
        /// The canned query behind the rule.
        query_name: Text,
        /// The value that changed the state.
        value: f64,
        /// The threshold it was held against.
        threshold: f64,
        /// firing or resolved.
        state: Text,
        /// When it changed.
        time: TimeUs,
        /// Equal for the same alert at two times.
        fingerprint: Text,
        /// The alert in one sentence.
        message: Text,
    }

    /// Latency of one step in one hour, as a histogram. Kept when the steps are no longer.
    "step_latency" StepLatency StepLatencyRow {
        /// The hour in which the steps started.
        hour: TimeUs,
        /// Name of the pipeline.
        ["cicd.pipeline.name"] pipeline_name: Text,
        /// Name of the step.
        ["cicd.pipeline.task.name"] step_name: Text,
        /// COMPUTE, EFFECT, REDUCER or ORCHESTRATOR.
        node_type: Option<Text>,
        /// success, failure, error, timeout, cancellation or skip.
        ["cicd.pipeline.task.run.result"] result: Text,
        /// Attempts.
        count: i64,
        /// Sum of their durations.
        sum_ns: i64,
        /// Shortest.
        min_ns: i64,
        /// Longest.
        max_ns: i64,
        /// HdrHistogram of the durations in µs, V2 serialisation, 3 significant digits.
        histogram: Vec<u8>,
    }
}
