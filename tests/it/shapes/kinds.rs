//! The shapes, by size and by how durations are drawn.

use super::super::dice::Dice;
use super::paused::Act;
use super::{Shape, Work};

/// How durations are drawn. Whole milliseconds: tokio's clock knows nothing finer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// All the same.
    Even,
    /// Evenly from 1 to 10, in tenths of a second.
    Uniform,
    /// Lognormal with σ = 1 and a median of half a second: a few take very long, as a model's
    /// answers do.
    Lognormal,
}

/// A source of durations and choices.
pub(crate) struct Draw {
    dice: Dice,
    spread: Spread,
}

impl Draw {
    pub(crate) fn new(spread: Spread, seed: u64) -> Self {
        Self { dice: Dice::new(seed), spread }
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.dice.below(u64::try_from(end).unwrap())).unwrap()
    }

    /// A number above 0, at most 1.
    fn unit(&mut self) -> f64 {
        const STEPS: u64 = 1 << 53;
        (self.dice.below(STEPS) + 1) as f64 / STEPS as f64
    }

    fn duration_ms(&mut self) -> u64 {
        match self.spread {
            Spread::Even => 500,
            Spread::Uniform => 100 + self.dice.below(901),
            Spread::Lognormal => {
                // G. Box and M. Muller 1958
                let radius = (-2.0 * self.unit().ln()).sqrt();
                let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
                (500.0 * normal.exp()).round().max(1.0) as u64
            }
        }
    }
}

/// The shapes of the suite, small enough for a test. Without faults the engine is exact on all.
pub(crate) fn suite(spread: Spread, seed: u64) -> Vec<Shape> {
    let mut draw = Draw::new(spread, seed);
    vec![
        chain(100, &mut draw),
        fan(200, &mut draw),
        lattice(15, &mut draw),
        map_reduce(60, 12, &mut draw),
        layered(12, 25, &mut draw),
        random(300, &mut draw),
        montage(50, &mut draw),
        generation(24, &mut draw),
    ]
}

/// Each after the one before.
pub(crate) fn chain(length: usize, draw: &mut Draw) -> Shape {
    let mut shape = Shape::new("chain");
    for at in 0..length {
        shape.add(format!("s{at}"), at.checked_sub(1).into_iter().collect(), draw.duration_ms());
    }
    shape
}

/// One, then many, then one.
pub(crate) fn fan(width: usize, draw: &mut Draw) -> Shape {
    let mut shape = Shape::new("fan-out, fan-in");
    let first = shape.add("first".to_owned(), vec![], draw.duration_ms());
    let many: Vec<usize> =
        (0..width).map(|at| shape.add(format!("s{at}"), vec![first], draw.duration_ms())).collect();
    shape.add("last".to_owned(), many, draw.duration_ms());
    shape
}

/// A square in which each comes after its left and its upper neighbour.
pub(crate) fn lattice(side: usize, draw: &mut Draw) -> Shape {
    let mut shape = Shape::new("lattice");
    for at in 0..side * side {
        let left = (at % side > 0).then(|| at - 1);
        let after = left.into_iter().chain(at.checked_sub(side)).collect();
        shape.add(format!("s{at}"), after, draw.duration_ms());
    }
    shape
}

/// Many, then some of which each comes after all of the many.
pub(crate) fn map_reduce(maps: usize, reduces: usize, draw: &mut Draw) -> Shape {
    let mut shape = Shape::new("map-reduce");
    let all: Vec<usize> =
        (0..maps).map(|at| shape.add(format!("map{at}"), vec![], draw.duration_ms())).collect();
    for at in 0..reduces {
        shape.add(format!("reduce{at}"), all.clone(), draw.duration_ms());
    }
    shape
}

/// Layers in which each comes after two of the layer before.
pub(crate) fn layered(layers: usize, width: usize, draw: &mut Draw) -> Shape {
    let mut shape = Shape::new("random layered");
    for at in 0..layers * width {
        let before = (at / width).checked_sub(1).map(|layer| layer * width);
        let mut after = before
            .map_or(vec![], |start| vec![start + draw.below(width), start + draw.below(width)]);
        after.dedup();
        shape.add(format!("s{at}"), after, draw.duration_ms());
    }
    shape
}

/// Each after one to three of the forty before it.
pub(crate) fn random(count: usize, draw: &mut Draw) -> Shape {
    let mut shape = Shape::new("random");
    for at in 0..count {
        let parents = if at == 0 { 0 } else { 1 + draw.below(3) };
        let mut after: Vec<usize> = (0..parents).map(|_| at - 1 - draw.below(at.min(40))).collect();
        after.sort_unstable();
        after.dedup();
        shape.add(format!("s{at}"), after, draw.duration_ms());
    }
    shape
}

/// A mosaic of the sky after Montage (G. Berriman et al. 2004): images are projected, compared
/// where they overlap, evened out against one model of the background, and put together.
pub(crate) fn montage(images: usize, draw: &mut Draw) -> Shape {
    const ROW: usize = 10;
    let mut shape = Shape::new("montage-like");
    for at in 0..images {
        shape.add(format!("project{at}"), vec![], draw.duration_ms());
    }
    let mut fits = Vec::new();
    for at in 0..images {
        let right = (at % ROW + 1 < ROW).then_some(at + 1);
        let neighbours = right.into_iter().chain(Some(at + ROW)).filter(|&it| it < images);
        for other in neighbours.collect::<Vec<_>>() {
            let name = format!("diff{at}-{other}");
            let diff = shape.add(name, vec![at, other], draw.duration_ms());
            fits.push(shape.add(format!("fit{at}-{other}"), vec![diff], draw.duration_ms()));
        }
    }
    let model = shape.add("model".to_owned(), fits, draw.duration_ms());
    let backgrounds = (0..images)
        .map(|at| shape.add(format!("background{at}"), vec![at, model], draw.duration_ms()));
    let mut last = backgrounds.collect::<Vec<_>>();
    for name in ["table", "add", "shrink", "jpeg"] {
        last = vec![shape.add(name.to_owned(), last, draw.duration_ms())];
    }
    shape
}

/// Contracts, each made into a package: the model writes the contract, then its parts, then the
/// code, which six validators judge.
pub(crate) fn generation(contracts: usize, draw: &mut Draw) -> Shape {
    let mut shape = Shape::new("generation");
    for n in 0..contracts {
        let name = |part: &str| format!("{part}.{n}");
        let parse = shape.add(name("parse"), vec![], draw.duration_ms());
        let main = shape.ask(name("contract"), vec![parse], draw.duration_ms());
        let mut parts: Vec<usize> = (0..=draw.below(4))
            .map(|at| shape.ask(name(&format!("part{at}")), vec![main], draw.duration_ms()))
            .collect();
        for part in ["schemas", "errors"] {
            parts.push(shape.ask(name(part), vec![main], draw.duration_ms()));
        }
        let code = shape.ask(name("code"), parts, draw.duration_ms());
        let validators = (0..6)
            .map(|at| shape.add(name(&format!("validate{at}")), vec![code], draw.duration_ms()))
            .collect();
        shape.add(name("score"), validators, draw.duration_ms());
    }
    shape
}

/// The same with faults: of a hundred pieces five fail once, one fails for good, and one hangs
/// once.
pub(crate) fn faulty_generation(contracts: usize, draw: &mut Draw) -> Shape {
    let mut shape = Shape { name: "generation, faults", ..generation(contracts, draw) };
    for work in &mut shape.work {
        work.act = match draw.below(100) {
            0..5 => Act::FailOnce,
            5 => Act::Fail,
            6 => Act::HangOnce,
            _ => Act::Work,
        };
    }
    shape
}

/// A mix that takes 10.5 s one step at a time, as one contract is made into a package. The system
/// that this engine succeeds reports that sum for a mix of its own.
pub(crate) fn package() -> Shape {
    let pieces: [(&str, &[usize], u64); 12] = [
        ("parse", &[], 500),
        ("contract", &[0], 800),
        ("inputs", &[1], 800),
        ("outputs", &[1], 700),
        ("schemas", &[1], 700),
        ("error codes", &[1], 600),
        ("documentation", &[1], 1_500),
        ("tests", &[1], 1_500),
        ("code", &[2, 3, 4, 5], 900),
        ("compliance", &[8], 1_000),
        ("security", &[8], 1_000),
        ("score", &[6, 7, 9, 10], 500),
    ];
    let of_one = |(name, after, duration_ms): (&str, &[usize], u64)| Work {
        name: name.to_owned(),
        after: after.to_vec(),
        duration_ms,
        resource: None,
        act: Act::Work,
    };
    Shape { name: "package", work: pieces.map(of_one).to_vec() }
}
