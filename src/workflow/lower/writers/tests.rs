//! Who comes before whom, against the plain rule: a set of steps per step.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::Value as Json;

use super::super::super::composition::{Access, Variable};
use super::super::super::expression::Template;
use super::super::draft::Work;
use super::*;

const VALUES: usize = 3;

/// The values that a step sets, and the steps among those made before it that it waits for.
type Drawn = (Vec<bool>, Vec<prop::sample::Index>);

/// Steps in an order of writing that is not that of their dependencies.
fn drafts(drawn: &[Drawn], written: &[usize]) -> Vec<Draft> {
    let name = |at: usize| format!("s{at}");
    let draft = |at: &usize| {
        let (sets, waits) = &drawn[*at];
        let before = |it: &prop::sample::Index| name(it.index(*at));
        let mut after: Vec<String> = waits.iter().filter(|_| *at > 0).map(before).collect();
        after.sort();
        after.dedup();
        let mut draft = Draft::new(name(*at), "", Work::Collect, &after);
        let sets = (0..VALUES).filter(|it| sets[*it]);
        draft.set = sets.map(|it| (it, String::new(), Template::Literal(Json::Null))).collect();
        draft.reads.state = (0..VALUES).collect();
        draft
    };
    written.iter().map(draft).collect()
}

/// Per draft, all drafts before it, as places.
fn all_before(drafts: &[Draft], order: &[usize]) -> Vec<BTreeSet<usize>> {
    let mut before = vec![BTreeSet::new(); drafts.len()];
    for &at in order {
        for other in
            (0..drafts.len()).filter(|it| drafts[at].depends_on.contains(&drafts[*it].name))
        {
            let further = before[other].clone();
            before[at].extend(further);
            before[at].insert(other);
        }
    }
    before
}

proptest! {
    #[test]
    fn a_step_sees_those_before_it_and_knows_which_of_them_came_first(
        (drawn, written) in (1_usize..24).prop_flat_map(|count| {
            let sets = prop::collection::vec(any::<bool>(), VALUES);
            let waits = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
            let written = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
            (prop::collection::vec((sets, waits), count), written)
        })
    ) {
        let drafts = drafts(&drawn, &written);
        let places: HashMap<&str, usize> =
            drafts.iter().enumerate().map(|(at, it)| (it.name.as_str(), at)).collect();
        let order = in_order(&drafts, &places);
        let before = all_before(&drafts, &order);
        let rules = [Merge::Replace, Merge::Union, Merge::Sum];
        let declared: Vec<Arc<Declared>> = rules.into_iter().map(|merge| {
            let variable = Variable { scope: Access::Shared, initial: Json::Null, merge };
            Arc::new(Declared { name: "x".to_owned(), variable, block: 0 })
        }).collect();
        let writers = Writers::of(&drafts, &declared);
        for (at, number) in (0..drafts.len()).flat_map(|at| (0..VALUES).map(move |it| (at, it))) {
            let seen = writers.seen(number, Arc::clone(&declared[number]), at);
            let name = |it: &usize| drafts[*it].name.clone();
            let sets = |it: &&usize| drafts[**it].sets().any(|it| it == number);
            let all: Vec<&usize> = order.iter().filter(sets).collect();
            let names: Vec<String> = all.iter().map(|it| name(it)).collect();
            prop_assert_eq!(&seen.setters.names, &names);
            let expected: Vec<String> =
                all.iter().filter(|it| before[at].contains(it)).map(|it| name(it)).collect();
            let found: Vec<String> =
                seen.before.places().map(|it| seen.setters.names[it].clone()).collect();
            prop_assert_eq!(found, expected);
            for (later, ranges) in seen.setters.before.iter().enumerate() {
                let found: Vec<usize> = ranges.places().collect();
                let earlier = (0..all.len()).filter(|it| before[*all[later]].contains(all[*it]));
                prop_assert_eq!(found, earlier.collect::<Vec<_>>());
            }
            let ordered = if number == 2 { 0 } else { all.len() };
            prop_assert_eq!(seen.setters.before.len(), ordered, "of a sum nobody asks");
        }
    }
}
