//! Which step starts next: the most urgent one for which there are places. Claims the places that
//! are missing and gives back those that nobody wants.
#![allow(clippy::indexing_slicing, reason = "one gate per resource of one plan")]

use std::sync::Arc;
use std::task::Context;

use tokio::sync::Semaphore;

use super::{Execution, Held, Signal, TURN_NS, Turn};
use crate::workflow::plan::{FIRST_RESOURCE, FREE, PLAIN};

impl Execution<'_> {
    pub(super) fn start_ready(&mut self, cx: &mut Context<'_>) -> Turn {
        let turn_ns = self.clock.monotonic_ns();
        let mut now_ns = turn_ns;
        let mut turn = Turn::Idle;
        while self.stop.is_none() {
            if let Some(stop) = self.should_stop(now_ns) {
                self.stop(stop);
                break;
            }
            if now_ns - turn_ns > TURN_NS {
                turn = Turn::Over;
                break;
            }
            let Some((index, held)) = self.next() else { break };
            self.start(index, held, cx);
            now_ns = self.clock.monotonic_ns();
        }
        self.places.give_back();
        let full = self.is_full();
        for (at, gate) in self.resources.iter_mut().enumerate() {
            if full || !self.schedule.wants(FIRST_RESOURCE + at) {
                gate.give_back();
            }
        }
        turn
    }

    fn is_full(&self) -> bool {
        self.working >= self.concurrency_max
    }

    /// The most urgent step for which there are places, with its places. A place of a resource is
    /// taken first and kept while waiting for one of the places of all runs, never the other way
    /// round: two runs cannot wait for each other. A step that needs no place waits for nobody.
    fn next(&mut self) -> Option<(usize, Held)> {
        let full = self.is_full();
        let free = !(full && self.exclusive);
        if full && !(free && self.schedule.wants(FREE)) {
            return None;
        }
        let resources = &mut self.resources;
        let slot = self.schedule.best(|slot| match slot {
            FREE => free,
            PLAIN => !full,
            _ => !full && resources[slot - FIRST_RESOURCE].secure(),
        });
        if !full {
            self.claim_resources();
        }
        let slot = slot?;
        if slot != FREE && !self.places.secure() {
            let semaphore = self.places.claim();
            self.claim(PLAIN, semaphore);
            let index = if self.exclusive { None } else { self.schedule.pop(FREE) };
            return Some((index?, Held::default()));
        }
        let resource =
            slot.checked_sub(FIRST_RESOURCE).and_then(|resource| self.resources[resource].take());
        let index = self.schedule.pop(slot)?;
        let place = if slot == FREE { None } else { self.places.take() };
        Some((index, (place, resource)))
    }

    fn claim_resources(&mut self) {
        for at in 0..self.resources.len() {
            let slot = FIRST_RESOURCE + at;
            if !self.resources[at].is_secured() && self.schedule.wants(slot) {
                let semaphore = self.resources[at].claim();
                self.claim(slot, semaphore);
            }
        }
    }

    fn claim(&mut self, slot: usize, semaphore: Option<Arc<Semaphore>>) {
        if let Some(semaphore) = semaphore {
            self.signal(async move { Signal::Place(slot, semaphore.acquire_owned().await.ok()) });
        }
    }
}
