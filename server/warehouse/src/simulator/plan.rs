//! The plan: which arrivals come, in which order, and how far apart. It is chance, but always the same chance.
//!
//! A plan follows from its seed and its scene alone: not from the clock, nor from what is in stock, nor from what
//! shoppers do. So the same seed gives the same arrivals, in both styles and however fast they are sent.

use chacha20::ChaCha8Rng;
use flow::{Quantity, Sku, api::Preset};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_distr::{Distribution, Exp1, LogNormal, Zipf};

/// The most pieces of one arrival.
const PIECES_MAX: f64 = 200.0;

/// What a scene starts with, and how its chance is shaped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    pub rate_per_s: f64,
    /// Shoppers' purchases a second.
    pub sales_per_s: f64,
    /// Stop after that many arrivals; 0 for no end.
    pub count: u64,
    /// How uneven the SKUs' popularity is: the exponent of Zipf's law.
    popularity: f64,
    /// How many pieces an arrival has in the middle.
    pieces: f64,
    /// How often an arrival is the first of a burst.
    burst_chance: f64,
    /// How many come in a burst at most.
    burst_max: u32,
}

/// The scene of a preset.
#[must_use]
pub const fn scene(preset: Preset) -> Scene {
    let quiet = Scene {
        rate_per_s: 0.2,
        sales_per_s: 0.1,
        count: 0,
        popularity: 0.8,
        pieces: 6.0,
        burst_chance: 0.0,
        burst_max: 0,
    };
    match preset {
        Preset::QuietTuesday => quiet,
        Preset::TruckAtTheGate => {
            Scene { rate_per_s: 2_000.0, sales_per_s: 0.0, count: 200, pieces: 12.0, ..quiet }
        }
        Preset::BlackFriday => Scene {
            rate_per_s: 20.0,
            sales_per_s: 40.0,
            popularity: 1.4,
            burst_chance: 0.02,
            burst_max: 30,
            ..quiet
        },
        Preset::SoldOutAndBack => Scene { rate_per_s: 0.2, sales_per_s: 0.0, count: 1, ..quiet },
        Preset::SupplierMistake => Scene { rate_per_s: 0.2, sales_per_s: 0.0, count: 60, ..quiet },
    }
}

/// The next arrival of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planned {
    pub sku: Sku,
    pub quantity: Quantity,
    /// How long after the one before it comes, as a multiple of the mean time between two.
    pub gap: f64,
}

/// Which of three independent streams of chance.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Arrivals = 0,
    Shoppers = 1,
    Mistakes = 2,
}

fn chance(seed: u64, stream: Stream) -> ChaCha8Rng {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(stream as u64);
    chance
}

/// The SKUs by popularity; which are popular follows from the seed.
#[derive(Debug, Clone)]
struct Popularity {
    skus: Vec<Sku>,
    ranks: Zipf<f64>,
}

impl Popularity {
    fn new(seed: u64, exponent: f64) -> Self {
        let mut skus: Vec<_> = seed::PRODUCTS.iter().map(seed::Product::sku).collect();
        skus.shuffle(&mut chance(seed, Stream::Arrivals));
        #[expect(clippy::cast_precision_loss, reason = "there are two dozen")]
        let ranks =
            Zipf::new(skus.len() as f64, exponent).expect("there are SKUs, and the exponent is positive");
        Self { skus, ranks }
    }

    fn pick(&self, chance: &mut ChaCha8Rng) -> Sku {
        let rank = whole(self.ranks.sample(chance)).saturating_sub(1);
        self.skus[(rank as usize).min(self.skus.len() - 1)]
    }
}

/// The whole part of a number that is known to be small and positive.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "see its only use: 0 to some thousands"
)]
const fn whole(number: f64) -> u32 {
    number as u32
}

/// The arrivals of a seed and a scene, without end.
#[derive(Debug)]
pub struct Plan {
    chance: ChaCha8Rng,
    popularity: Popularity,
    pieces: LogNormal<f64>,
    burst_chance: f64,
    burst_max: u32,
    burst_left: u32,
}

impl Plan {
    /// The plan of that seed.
    ///
    /// # Panics
    /// Never: scenes are shaped right.
    #[must_use]
    pub fn new(seed: u64, scene: Scene) -> Self {
        Self {
            chance: chance(seed, Stream::Arrivals),
            popularity: Popularity::new(seed, scene.popularity),
            pieces: LogNormal::new(scene.pieces.ln(), 0.6).expect("a scene has some pieces"),
            burst_chance: scene.burst_chance,
            burst_max: scene.burst_max,
            burst_left: 0,
        }
    }
}

impl Iterator for Plan {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        let gap = if self.burst_left > 0 {
            self.burst_left -= 1;
            0.0
        } else {
            if self.burst_max > 0 && self.chance.random_bool(self.burst_chance) {
                self.burst_left = self.chance.random_range(1..=self.burst_max);
            }
            // A Poisson process: the times between two arrivals are exponential. What comes in bursts comes without any,
            // so the others are further apart, and the rate stays what it is called.
            let in_bursts = self.burst_chance * (1.0 + f64::from(self.burst_max)) / 2.0;
            let gap: f64 = Exp1.sample(&mut self.chance);
            gap * (1.0 + in_bursts)
        };
        let sku = self.popularity.pick(&mut self.chance);
        let pieces = whole(self.pieces.sample(&mut self.chance).clamp(1.0, PIECES_MAX));
        let quantity = Quantity::parse(pieces.into()).expect("from one to some hundred");
        Some(Planned { sku, quantity, gap })
    }
}

/// One wish or purchase of a shopper.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    pub sku: Sku,
    pub quantity: Quantity,
    /// Who wishes for it when it is sold out; most just leave.
    pub wish: Option<String>,
    /// How long after the visit before, as a multiple of the mean time between two.
    pub gap: f64,
}

/// The shoppers of a seed and a scene, without end.
#[derive(Debug)]
pub struct Shoppers {
    chance: ChaCha8Rng,
    popularity: Popularity,
}

impl Shoppers {
    /// The shoppers of that seed.
    #[must_use]
    pub fn new(seed: u64, scene: Scene) -> Self {
        Self { chance: chance(seed, Stream::Shoppers), popularity: Popularity::new(seed, scene.popularity) }
    }

    /// An address of somebody.
    pub fn somebody(&mut self) -> String {
        let (name, number) = (self.chance.random_range(0..1_000), self.chance.random_range(2..100));
        format!("{}.{number}@example.com", seed::person(name))
    }
}

impl Iterator for Shoppers {
    type Item = Visit;

    fn next(&mut self) -> Option<Visit> {
        let gap = Exp1.sample(&mut self.chance);
        let sku = self.popularity.pick(&mut self.chance);
        let quantity = Quantity::parse(self.chance.random_range(1..=3)).expect("from one to three");
        let wishes = self.chance.random_bool(0.3);
        let wish = wishes.then(|| self.somebody());
        Some(Visit { sku, quantity, wish, gap })
    }
}

pub struct MistakenFile {
    /// What is in it.
    pub text: String,
    /// How many of its rows are right.
    pub rows_good: u64,
}

/// A supplier's file with `rows` rows, of which some are wrong, each in its own way.
#[must_use]
pub fn mistaken_file(seed: u64, scene: Scene, rows: u64) -> MistakenFile {
    let mut mistakes = chance(seed, Stream::Mistakes);
    let (mut text, mut rows_good) = (String::from("sku,quantity,warehouse\n"), 0);
    for Planned { sku, quantity, .. } in
        Plan::new(seed, scene).take(usize::try_from(rows).unwrap_or(usize::MAX))
    {
        let row = match mistakes.random_range(0..24) {
            0 => format!("{sku},{quantity} pcs,north"),
            1 => format!("{sku},-{quantity},north"),
            2 => format!("{sku}"),
            3 => format!("{} ?,{quantity},north", sku.as_str().replace('-', " ")),
            4 => format!("\"{sku},{quantity},north"),
            _ => {
                rows_good += 1;
                format!("{sku},{quantity},north")
            }
        };
        text.push_str(&row);
        text.push('\n');
    }
    MistakenFile { text, rows_good }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashMap, fmt::Write};

    fn list(seed: u64, preset: Preset, n: usize) -> String {
        Plan::new(seed, scene(preset)).take(n).fold(String::new(), |mut text, planned| {
            let _ = writeln!(text, "{},{},{}", planned.sku, planned.quantity, planned.gap);
            text
        })
    }

    #[test]
    fn the_same_seed_gives_the_same_arrivals_byte_for_byte() {
        for preset in Preset::ALL {
            assert_eq!(list(7, *preset, 5_000), list(7, *preset, 5_000), "{preset}");
            assert_ne!(list(7, *preset, 100), list(8, *preset, 100), "{preset}");
        }
        let (short, long) = (list(7, Preset::BlackFriday, 100), list(7, Preset::BlackFriday, 200));
        assert!(long.starts_with(&short), "how many are asked for changes nothing");
    }

    #[test]
    fn the_plan_of_a_seed_stays_what_it_is() {
        // Someone may have written a seed down.
        let first: Vec<_> = Plan::new(42, scene(Preset::QuietTuesday)).take(4).collect();
        let told: Vec<_> =
            first.iter().map(|planned| format!("{} {}", planned.sku, planned.quantity)).collect();
        assert_eq!(told, ["UMBRELLA-GREEN 7", "STOOL-PINE 10", "MUG-BLUE 11", "TEAPOT-CLAY 3"]);
    }

    #[test]
    fn arrivals_come_at_their_rate_on_average_and_popular_skus_more_often() {
        for preset in [Preset::QuietTuesday, Preset::BlackFriday] {
            let plan = Plan::new(1, scene(preset)).take(20_000);
            let mean = plan.map(|planned| planned.gap).sum::<f64>() / 20_000.0;
            assert!((0.97..1.03).contains(&mean), "{preset}: {mean}");
        }
        let plan: Vec<_> = Plan::new(1, scene(Preset::QuietTuesday)).take(20_000).collect();
        let mut counts: HashMap<Sku, u32> = HashMap::new();
        plan.iter().for_each(|planned| *counts.entry(planned.sku).or_default() += 1);
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.sort_unstable();
        assert_eq!(counts.len(), seed::PRODUCTS.len(), "each comes some time");
        assert!(counts[counts.len() - 1] > 5 * counts[0], "{counts:?}");
        assert!(plan.iter().any(|planned| planned.quantity.get() > 20), "some are large");
    }

    #[test]
    fn a_burst_comes_at_once() {
        let plan: Vec<_> = Plan::new(1, scene(Preset::BlackFriday)).take(2_000).collect();
        let at_once = plan.iter().filter(|planned| planned.gap == 0.0).count();
        assert!((100..1_500).contains(&at_once), "{at_once}");
    }

    #[test]
    fn a_mistaken_file_has_good_rows_and_bad_ones() {
        let MistakenFile { text: file, rows_good } = mistaken_file(3, scene(Preset::SupplierMistake), 60);
        assert_eq!(file.lines().count(), 61);
        assert_eq!(file, mistaken_file(3, scene(Preset::SupplierMistake), 60).text);
        let fine = file
            .lines()
            .filter(|line| line.split(',').nth(1).is_some_and(|n| n.parse::<u32>().is_ok()))
            .count();
        // A SKU with blanks and a quote that is not closed have a fine number.
        assert!((30..=fine as u64).contains(&rows_good), "{file}");
    }
}
