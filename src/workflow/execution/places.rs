//! Which step starts next: the most urgent one for which there are places. Claims the places that
//! are missing and gives back those that nobody wants.
#![allow(clippy::indexing_slicing, reason = "one gate per resource of one plan")]

use std::sync::Arc;
use std::task::Context;

use super::{Execution, Signal, TURN_NS, Turn, duration};
use crate::workflow::attempt::Held;
use crate::workflow::component::Output;
use crate::workflow::door::Answer;
use crate::workflow::failure::StepError;
use crate::workflow::line::Line;
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
            if self.shared.root.wish.is_paused() {
                self.pause();
                break;
            }
            let Some((index, held)) = self.next(now_ns) else { break };
            self.start(index, held, cx);
            now_ns = self.clock.monotonic_ns();
        }
        self.places.give_back();
        let full = self.is_full() || self.paused;
        for (at, gate) in self.resources.iter_mut().enumerate() {
            if full || !self.schedule.wants(FIRST_RESOURCE + at) {
                gate.places.give_back();
            }
        }
        turn
    }

    fn pause(&mut self) {
        if !std::mem::replace(&mut self.paused, true) {
            let wish = self.shared.root.wish.clone();
            self.signal(async move {
                wish.resumed().await;
                Signal::Resumed
            });
        }
    }

    fn is_full(&self) -> bool {
        self.working >= self.concurrency_max
    }

    /// The most urgent step for which there are places, with its places. A place of a resource is
    /// taken first and kept while waiting for one of the places of all runs, never the other way
    /// round: two runs cannot wait for each other. A step that needs no place waits for nobody.
    fn next(&mut self, now_ns: i64) -> Option<(usize, Held)> {
        let full = self.is_full();
        let free = !(full && self.exclusive);
        if full && !(free && self.schedule.wants(FREE)) {
            return None;
        }
        if !full {
            self.look_at_resources(now_ns);
        }
        loop {
            let resources = &mut self.resources;
            let slot = self.schedule.best(|slot| match slot {
                FREE => free,
                PLAIN => !full,
                _ => !full && resources[slot - FIRST_RESOURCE].secure(now_ns),
            })?;
            if slot == FREE {
                return Some((self.schedule.pop(FREE)?, Held::default()));
            }
            if !self.places.secure() {
                let line = self.places.claim();
                self.claim(PLAIN, line);
                let index = if self.exclusive { None } else { self.schedule.pop(FREE) };
                return Some((index?, Held::default()));
            }
            let mut pass = None;
            if let Some(at) = slot.checked_sub(FIRST_RESOURCE) {
                pass = self.resources[at].enter(now_ns);
                if pass.is_none() {
                    // another run was faster: the next look says for what to wait
                    self.look_at_resources(now_ns);
                    continue;
                }
            }
            let index = self.schedule.pop(slot)?;
            return Some((index, Held { place: self.places.take(), pass }));
        }
    }

    /// Of each resource that steps queue for: claims a place, or waits until they may go through,
    /// or ends them if it is left alone.
    fn look_at_resources(&mut self, now_ns: i64) {
        for at in 0..self.resources.len() {
            let slot = FIRST_RESOURCE + at;
            if !self.schedule.wants(slot) {
                continue;
            }
            if let Some(mut changes) = self.resources[at].watch() {
                self.signal(async move {
                    // the sender lives as long as the resource
                    let _ = changes.changed().await;
                    Signal::Changed(at)
                });
            }
            match self.resources[at].door.ask(now_ns) {
                Answer::Yes => {
                    let places = &mut self.resources[at].places;
                    let line = if places.secure() { None } else { places.claim() };
                    self.claim(slot, line);
                }
                Answer::Changed => {}
                Answer::Later(at_ns) => {
                    if self.resources[at].look_at(at_ns) {
                        let left = duration(at_ns - now_ns);
                        self.signal(async move {
                            tokio::time::sleep(left).await;
                            Signal::Look(at)
                        });
                    }
                }
                Answer::No(error) => {
                    while let Some(index) = self.schedule.pop(slot) {
                        self.end_wait(index);
                        let choice = self.decide(index, &error, 1, now_ns);
                        self.fail_unbegun(index, &error, choice, now_ns);
                    }
                }
            }
        }
    }

    /// Gives back what a step held, with word of how it ended.
    pub(super) fn leave(&self, index: usize, held: Held, answer: &Result<Output, StepError>) {
        let Held { place, pass } = held;
        drop(place);
        if let Some(pass) = pass {
            let hold_max = self.plan.nodes()[index].step.policy.retry.retry_after_max;
            pass.tell(answer, hold_max, self.clock.monotonic_ns());
        }
    }

    fn claim(&mut self, slot: usize, line: Option<Arc<Line>>) {
        if let Some(line) = line {
            let priority = self.shared.root.run.priority;
            self.signal(async move { Signal::Place(slot, line.take(priority).await) });
        }
    }
}
