//! The time to the first content of an endpoint: the last samples and their quantiles.

/// The number of samples that are kept.
const MOST: usize = 64;
/// Fewer samples give no 95th percentile.
const ENOUGH: usize = 20;

/// The last samples, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Speed {
    times: Vec<u64>,
    next: usize,
}

impl Speed {
    /// Adds a sample.
    pub fn note(&mut self, ms: u64) {
        match self.times.get_mut(self.next) {
            Some(oldest) => *oldest = ms,
            None => self.times.push(ms),
        }
        self.next = (self.next + 1) % MOST;
    }

    /// Median and 95th percentile, if there are enough samples.
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
