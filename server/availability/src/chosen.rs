//! In what encoding each system's consumers ask inventory.

use flow::{Encoding, System};
use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// One choice for each system, as its place in [`Encoding::ALL`]; clones share them. All begin with JSON.
#[derive(Debug, Clone, Default)]
pub struct Chosen(Arc<[AtomicU8; System::COUNT]>);

impl Chosen {
    pub fn of(&self, system: System) -> Encoding {
        let place = usize::from(self.0[system.index()].load(Ordering::Relaxed));
        Encoding::ALL.get(place).copied().unwrap_or_default()
    }

    pub fn choose(&self, system: System, encoding: Encoding) {
        self.0[system.index()].store(encoding as u8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_asks_as_it_was_told_and_in_json_before_that() {
        let chosen = Chosen::default();
        for system in System::ALL {
            for &encoding in Encoding::ALL {
                chosen.choose(system, encoding);
                assert_eq!(chosen.of(system), encoding);
            }
            chosen.choose(system, Encoding::MsgPack);
            let asks_in_json =
                System::ALL.iter().filter(|other| chosen.of(**other) == Encoding::Json).count();
            assert_eq!(asks_in_json, System::COUNT - 1 - system.index());
        }
    }
}
