//! The bar of a command that takes its time: on a terminal's stderr, and nowhere else.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Context;

/// A bar up to `total` that looks like `template`, in the terms of the library; nothing at all
/// where stderr is no terminal.
pub(super) fn bar(template: &str, total: u64, context: &Context) -> ProgressBar {
    let target = if context.env.terminal.stderr {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    // Templates are constants; without one the default style is as good.
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
