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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{ManualClock, SystemIds};
    use crate::event::{Event, RunRow, Text, TimeUs};
    use crate::store::{Age, Keeper, Rules, Store, StoreOptions};

    const NOW_US: i64 = 1_790_000_000_000_000;

    fn run(days: i64) -> Event {
        let start_time = TimeUs(NOW_US - days * DAY_US);
        Event::from(RunRow {
            run_id: Text::from(format!("run of {days}")),
            start_time,
            ..RunRow::default()
        })
    }

    #[test]
    fn the_rules_of_a_store_apply_once_a_day_and_never_to_all_runs() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(NOW_US);
        let ids = Arc::new(SystemIds);
        let options = StoreOptions::default();
        let store = Store::open_at(
            folder.path(),
            options,
            Arc::<ManualClock>::clone(&clock),
            Arc::<SystemIds>::clone(&ids),
        );
        let store = store.unwrap();
        store.commit_blocking(vec![run(50), run(40), run(3)]).unwrap();
        store.flush().unwrap();
        let keeper = Keeper::open(
            folder.path(),
            Arc::<ManualClock>::clone(&clock),
            Arc::<SystemIds>::clone(&ids),
        )
        .unwrap();
        let due = || retain_if_due(&keeper.writing).unwrap().map(|it| it.tables[0].rows_removed);
        assert_eq!(due(), None, "there are no rules");
        let rules = |days| Rules::new([(None, Age::parse(days).unwrap())]).unwrap();
        keeper.set_rules(&rules("45d")).unwrap();
        assert_eq!(keeper.rules().unwrap(), rules("45d"));
        {
            let _right = keeper.rewriting().unwrap();
            assert_eq!(due(), None, "another process is at work");
        }
        assert_eq!(due(), Some(1));
        keeper.set_rules(&rules("30d")).unwrap();
        clock.advance_ns(23 * 3_600_000_000_000);
        assert_eq!(due(), None, "it is not a day yet");
        clock.advance_ns(3_600_000_000_000);
        assert_eq!(due(), Some(1));
        keeper.set_rules(&rules("1d")).unwrap();
        clock.advance_ns(86_400_000_000_000);
        let error = retain_if_due(&keeper.writing).unwrap_err();
        assert!(error.message().contains("would remove 1 of 1 runs"), "{error}");
        assert_eq!(due(), None, "what failed is tried again a day later");
        keeper.set_rules(&Rules::default()).unwrap();
        assert!(!folder.path().join("retention.json").exists());
        store.close().unwrap();
    }
}
