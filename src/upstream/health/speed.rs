//! How fast an endpoint begins to answer: the last times, and what most of
//! them stay under.

/// So many times are kept.
const MOST: usize = 64;
/// Fewer say nothing about the slowest twentieth.
const ENOUGH: usize = 20;

/// The last times, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Speed {
    times: Vec<u64>,
    next: usize,
}

impl Speed {
    /// Notes one.
    pub fn note(&mut self, ms: u64) {
        match self.times.get_mut(self.next) {
            Some(oldest) => *oldest = ms,
            None => self.times.push(ms),
        }
        self.next = (self.next + 1) % MOST;
    }

    /// Median and 95th percentile, if there are enough to tell.
    pub fn quantiles(&self) -> Option<(u64, u64)> {
        if self.times.len() < ENOUGH {
            return None;
        }
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        let at = |percent: usize| sorted.get((sorted.len() - 1) * percent / 100).copied();
        Some((at(50)?, at(95)?))
    }
}
