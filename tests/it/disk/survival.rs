//! The choices of a power loss, all from one seed: what was not synced is there, or not, or half.

use crate::dice::Dice;

/// Sizes in which disks and file systems write.
const BLOCKS_BYTES: [usize; 2] = [512, 4_096];

/// What survives.
#[derive(Debug)]
pub(super) struct Survival {
    dice: Dice,
    /// Of 100 things that were not synced, this many survive.
    kept_percent: u64,
}

impl Survival {
    /// Seed 0 loses everything that may be lost, seed 1 nothing, others something.
    pub(super) fn new(seed: u64) -> Self {
        let kept_percent = match seed {
            0 => 0,
            1 => 100,
            _ => [50, 90, 10][usize::try_from(seed % 3).unwrap()],
        };
        Self { dice: Dice::new(seed), kept_percent }
    }

    /// Whether one thing that was not synced survives.
    pub(super) fn keeps(&mut self) -> bool {
        self.dice.below(100) < self.kept_percent
    }

    /// Changes the bytes after `synced` as a power loss may: all there, none, cut anywhere, of the
    /// whole length but zero, or some blocks there and others zero, in any order.
    pub(super) fn mangle(&mut self, bytes: &mut Vec<u8>, synced: usize) {
        let unsynced = bytes.len() - synced.min(bytes.len());
        if unsynced == 0 || self.kept_percent == 100 {
            return;
        }
        let way = if self.kept_percent == 0 { 1 } else { self.dice.below(5) };
        match way {
            0 => {}
            1 => bytes.truncate(synced),
            2 => bytes.truncate(synced + self.below(unsynced)),
            3 => bytes[synced..].fill(0),
            _ => {
                let block = BLOCKS_BYTES[self.below(2)];
                let mut start = synced;
                while start < bytes.len() {
                    let end = ((start / block + 1) * block).min(bytes.len());
                    if !self.keeps() {
                        bytes[start..end].fill(0);
                    }
                    start = end;
                }
            }
        }
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.dice.below(u64::try_from(end).unwrap())).unwrap()
    }
}
