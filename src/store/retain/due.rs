//! The rules that a store holds, applied once a day by whoever writes it. Waits for nobody.

use super::{RetainOptions, Retained, retain, rules};
use crate::error::Result;
use crate::store::files::{Files, LocalFiles};
use crate::store::flush::Writing;
use crate::store::keeper::Rewriting;
use crate::store::layout::RETAINED_NAME;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// Applies the store's own rules, if it has any and no process of this machine has done so for a
/// day; `None` if nothing was to be done, or another process looks after the store just now. One
/// that fails counts as done, so that it is tried once a day, too.
///
/// # Errors
/// As those of a retention.
pub(in crate::store) fn retain_if_due(writing: &Writing) -> Result<Option<Retained>> {
    let rules = rules::read(&**writing.files(), &writing.layout)?;
    if rules.is_empty() || !is_due(writing)? {
        return Ok(None);
    }
    let Ok(_right) = Rewriting::take(&writing.layout) else { return Ok(None) };
    if !is_due(writing)? {
        return Ok(None);
    }
    let reason = "the rules of the store, once a day".to_owned();
    let retained =
        retain(writing, &RetainOptions { rules, dry_run: false, all_of_it: false, reason });
    note_done(writing)?;
    retained.map(Some)
}

/// A note that says nothing, or lies in the future, does not count.
fn is_due(writing: &Writing) -> Result<bool> {
    let noted = local(writing).read(&writing.layout.retained())?;
    let noted_us = noted.and_then(|it| String::from_utf8(it).ok()?.trim().parse::<i64>().ok());
    let now_us = writing.clock.now_us();
    Ok(noted_us.is_none_or(|it| it > now_us || now_us - it >= DAY_US))
}

fn note_done(writing: &Writing) -> Result<()> {
    let text = format!("{}\n", writing.clock.now_us());
    let temporary = format!("{RETAINED_NAME}.{}.tmp", writing.ids.next_id());
    let folder = writing.layout.journal();
    local(writing).replace(&folder, RETAINED_NAME, &temporary, text.as_bytes())
}

fn local(writing: &Writing) -> LocalFiles {
    LocalFiles::new(std::sync::Arc::clone(&writing.disk))
}
