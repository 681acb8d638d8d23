//! The line that says how work gets on: on a terminal's stderr, and nowhere else.

use std::fmt::Write;
use std::time::Duration;

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::Context;
use crate::pipeline::Report;
use crate::workflow::{Cancel, span};

/// What the line shows while contracts are done.
const RUNS: &str = "{bar:30} {pos}/{len} runs, {elapsed}{left}{paused}{msg}";

/// How often a line is drawn anew while nothing happens: time goes on.
const TICK: Duration = Duration::from_millis(100);

/// A bar up to `total` that looks like `template`, in the terms of the library; nothing at all
/// where stderr is no terminal.
pub(super) fn bar(template: &str, total: u64, context: &Context) -> ProgressBar {
    styled(style(template), total, context)
}

/// A bar for work that can pause: `{paused}` says so.
pub(super) fn steered(
    template: &str,
    total: u64,
    cancel: &Cancel,
    context: &Context,
) -> ProgressBar {
    let cancel = cancel.clone();
    let paused = move |_: &ProgressState, line: &mut dyn Write| {
        if cancel.is_paused() && !cancel.is_cancelled() {
            // a line that cannot be written is not seen either
            let _ = line.write_str(", paused");
        }
    };
    // nothing is padded up to the edge: the ^C of the terminal would begin a new line
    let style = style(template).with_key("paused", paused).with_key("left", left);
    let bar = styled(style, total, context);
    if !bar.is_hidden() {
        bar.enable_steady_tick(TICK);
    }
    bar
}

/// When the work is expected to end, as soon as something is known of that.
fn left(state: &ProgressState, line: &mut dyn Write) {
    let left_ns = i64::try_from(state.eta().as_nanos()).unwrap_or(i64::MAX);
    if left_ns > 0 {
        let _ = write!(line, ", ends in {}", span(left_ns));
    }
}

fn style(template: &str) -> ProgressStyle {
    // Templates are constants; without one the default style is as good.
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn styled(style: ProgressStyle, total: u64, context: &Context) -> ProgressBar {
    let target = if context.env.terminal.stderr {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    bar.set_style(style);
    bar
}

/// What has come of work so far, in words.
#[derive(Debug)]
pub(super) struct Tally {
    unsuccessful: usize,
    /// How long what has ended took, in µs.
    durations: Option<Histogram<u64>>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { unsuccessful: 0, durations: Histogram::new(2).ok() }
    }

    /// Something has ended; `None` where nothing was to be waited for.
    pub(super) fn add(&mut self, is_fine: bool, duration_ns: Option<i64>) {
        self.unsuccessful += usize::from(!is_fine);
        let us = duration_ns.and_then(|it| u64::try_from(it / 1_000).ok());
        if let (Some(durations), Some(us)) = (&mut self.durations, us) {
            // it grows with its values; one that it cannot hold is not of this world
            let _ = durations.record(us);
        }
    }

    pub(super) fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.unsuccessful > 0 {
            parts.push(format!("{} not successful", self.unsuccessful));
        }
        if let Some(durations) = self.durations.as_ref().filter(|it| !it.is_empty()) {
            let p95_us = durations.value_at_quantile(0.95);
            let p95_ns = i64::try_from(p95_us.saturating_mul(1_000)).unwrap_or(i64::MAX);
            parts.push(format!("p95 {}", span(p95_ns)));
        }
        parts
    }
}

/// How runs over contracts get on.
#[derive(Debug)]
pub(super) struct Runs {
    bar: ProgressBar,
    tally: Tally,
    taken: usize,
}

impl Runs {
    pub(super) fn new(total: usize, cancel: &Cancel, context: &Context) -> Self {
        let bar = steered(RUNS, total as u64, cancel, context);
        Self { bar, tally: Tally::new(), taken: 0 }
    }

    /// Says what is done before the first run ends.
    pub(super) fn say(&self, text: &str) {
        self.bar.set_message(format!(", {text}"));
    }

    /// A run has ended, or was taken over.
    pub(super) fn seen(&mut self, report: &Report) {
        let run = &report.run;
        self.tally.add(run.result.as_str() == "success", (!run.cached).then_some(run.duration_ns));
        self.bar.inc(1);
        if run.cached {
            self.taken += 1;
            // what was taken over says nothing of how long the rest takes
            self.bar.reset_eta();
        }
        let taken = (self.taken > 0).then(|| format!("{} taken over", self.taken));
        let parts = taken.into_iter().chain(self.tally.parts());
        self.bar.set_message(parts.map(|it| format!(", {it}")).collect::<String>());
    }

    /// Does what writes to the terminal while the line is away.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for Runs {
    /// Takes the line away.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_tells_what_there_is_to_tell() {
        let mut tally = Tally::new();
        assert!(tally.parts().is_empty());
        tally.add(true, None);
        assert!(tally.parts().is_empty(), "what ended at once took no time");
        for ms in 1..=100 {
            tally.add(ms != 7, Some(ms * 1_000_000));
        }
        assert_eq!(tally.parts(), ["1 not successful", "p95 95.2 ms"]);
    }
}
