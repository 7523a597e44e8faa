//! A number that goes up and down, and its mean over time.

/// A count, and the area below it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gauge {
    now: u64,
    most: u64,
    since_ns: u64,
    area: u128,
    /// The area when what is measured began, and when it ended.
    from: (u64, u128),
    until: Option<(u64, u128)>,
}

impl Gauge {
    pub(crate) fn add(&mut self, at_ns: u64, by: u64) {
        self.advance(at_ns);
        self.now += by;
        self.most = self.most.max(self.now);
    }

    pub(crate) fn take(&mut self, at_ns: u64, by: u64) {
        self.advance(at_ns);
        self.now -= by;
    }

    pub(crate) const fn now(&self) -> u64 {
        self.now
    }

    pub(crate) const fn most(&self) -> u64 {
        self.most
    }

    /// The area from the very beginning, in nanoseconds.
    pub(crate) const fn area(&self) -> u128 {
        self.area
    }

    fn advance(&mut self, at_ns: u64) {
        self.area += u128::from(self.now) * u128::from(at_ns - self.since_ns);
        self.since_ns = at_ns;
    }

    /// From here on it is measured.
    pub(crate) fn begin(&mut self, at_ns: u64) {
        self.advance(at_ns);
        self.from = (at_ns, self.area);
    }

    /// Up to here it is measured.
    pub(crate) fn end(&mut self, at_ns: u64) {
        self.advance(at_ns);
        self.until = Some((at_ns, self.area));
    }

    /// The mean of what was measured.
    pub(crate) fn mean(&self) -> f64 {
        let (until_ns, area) = self.until.unwrap_or((self.since_ns, self.area));
        let passed = until_ns - self.from.0;
        if passed == 0 { 0.0 } else { (area - self.from.1) as f64 / passed as f64 }
    }
}
