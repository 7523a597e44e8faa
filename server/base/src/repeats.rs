//! Trouble that comes again and again: said the first time, and then ever less often, with a count.

/// What came last, and how often in a row.
#[derive(Debug, Default)]
pub struct Repeats {
    what: String,
    times: u32,
}

impl Repeats {
    /// It has come again, or something else has; answers how often in a row, if that is worth a line in the log: the 1st,
    /// 2nd, 4th, 8th … time.
    pub fn worth_saying(&mut self, what: &str) -> Option<u32> {
        if self.what == what {
            self.times = self.times.saturating_add(1);
        } else {
            what.clone_into(&mut self.what);
            self.times = 1;
        }
        self.times.is_power_of_two().then_some(self.times)
    }

    /// How often it has come in a row.
    #[must_use]
    pub const fn times(&self) -> u32 {
        self.times
    }

    /// It is over; answers how often it had come.
    pub fn over(&mut self) -> u32 {
        self.what.clear();
        std::mem::take(&mut self.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_counted_and_another_one_is_new() {
        let mut repeats = Repeats::default();
        let times = ["a", "a", "a", "b", "a"].map(|what| {
            repeats.worth_saying(what);
            repeats.times()
        });
        assert_eq!(times, [1, 2, 3, 1, 1]);
        let mut repeats = Repeats::default();
        let said: Vec<_> = (0..20).filter_map(|_| repeats.worth_saying("full")).collect();
        assert_eq!(said, [1, 2, 4, 8, 16]);
        assert_eq!((repeats.over(), repeats.worth_saying("full")), (20, Some(1)));
    }
}
