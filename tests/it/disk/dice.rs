//! The choices of a power loss, all from one seed: what was not synced is there, or not, or half.

/// Sizes in which disks and file systems write.
const BLOCKS_BYTES: [usize; 2] = [512, 4_096];

/// A stream of choices.
#[derive(Debug)]
pub(super) struct Dice {
    state: u64,
    /// Of 100 things that were not synced, this many survive.
    kept_percent: u64,
}

impl Dice {
    /// Seed 0 loses everything that may be lost, seed 1 nothing, others something.
    pub(super) fn of_power_loss(seed: u64) -> Self {
        let kept_percent = match seed {
            0 => 0,
            1 => 100,
            _ => [50, 90, 10][usize::try_from(seed % 3).unwrap()],
        };
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), kept_percent }
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        // splitmix64: a test's choices must not change with a library's version
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let z = z ^ (z >> 31);
        usize::try_from(z % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// Whether one thing that was not synced survives.
    pub(super) fn keeps(&mut self) -> bool {
        match self.kept_percent {
            0 => false,
            100 => true,
            percent => self.below(100) < usize::try_from(percent).unwrap(),
        }
    }

    /// Changes the bytes after `synced` as a power loss may: all there, none, cut anywhere, of the
    /// whole length but zero, or some blocks there and others zero, in any order.
    pub(super) fn mangle(&mut self, bytes: &mut Vec<u8>, synced: usize) {
        let unsynced = bytes.len() - synced.min(bytes.len());
        if unsynced == 0 || self.kept_percent == 100 {
            return;
        }
        if self.kept_percent == 0 {
            bytes.truncate(synced);
            return;
        }
        match self.below(5) {
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
}
