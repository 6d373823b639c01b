//! A team that is too much for one object is spread over several: shards, which
//! borrow from the team's own object as any ledger does. Each object says how many
//! requests it gets, and each instance goes by what its own object says, so that
//! nobody has to keep a list of who is where.

use crate::units::Millis;

/// How many requests an object gets in a second.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Load {
    second: u64,
    in_it: u32,
    in_the_one_before: u32,
}

impl Load {
    /// Counts a request; how many there are in a second.
    pub fn one_more(&mut self, now: Millis) -> u32 {
        let second = now.0 / 1_000;
        if second != self.second {
            let followed = second == self.second.saturating_add(1);
            self.in_the_one_before = if followed { self.in_it } else { 0 };
            (self.second, self.in_it) = (second, 0);
        }
        self.in_it = self.in_it.saturating_add(1);
        self.in_it.max(self.in_the_one_before)
    }
}

/// Over how many objects an instance takes a team to be spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    over: u16,
    changed_at: Millis,
    /// When there was last enough to do for so many.
    busy_at: Millis,
}

impl Default for Spread {
    fn default() -> Spread {
        Spread {
            over: 1,
            changed_at: Millis(0),
            busy_at: Millis(0),
        }
    }
}

impl Spread {
    /// From so many requests a second on an object has too much to do: a quarter
    /// of what one is said to manage.
    pub const HOT: u32 = 250;
    /// The most objects of a team.
    pub const MOST: u16 = 256;
    /// Of a hot object's requests, so small a part is too few for one.
    const COLD: u32 = 8;
    /// So long a change must show what it does before the next.
    const SETTLES_MS: u64 = 3_000;
    /// So long there must have been little to do before objects are given up.
    const COOLS_MS: u64 = 60_000;

    /// Over how many objects.
    pub fn over(&self) -> u16 {
        self.over
    }

    /// Which of them an instance goes to, by a number of its own: 0 is the team's
    /// object itself.
    pub fn shard(&self, salt: u64) -> u16 {
        let among = u64::from(self.over);
        let nth = salt.checked_rem(among).unwrap_or_default();
        match among {
            0 | 1 => 0,
            _ => u16::try_from(nth).unwrap_or_default().saturating_add(1),
        }
    }

    /// An object has said how many requests it gets in a second.
    pub fn load_reported(&mut self, now: Millis, load: u32, hot: u32) {
        let hot = hot.max(1);
        let settled = now.since(self.changed_at) >= Spread::SETTLES_MS;
        if load >= hot / Spread::COLD {
            self.busy_at = now;
        }
        if load > hot && settled && self.over < Spread::MOST {
            // So many more that each is left with half of what is too much.
            let times = (load / hot).saturating_mul(2).next_power_of_two();
            let over = u32::from(self.over).saturating_mul(times);
            self.over = u16::try_from(over).map_or(Spread::MOST, |over| over.min(Spread::MOST));
            self.changed_at = now;
        } else if self.over > 1 && now.since(self.busy_at) >= Spread::COOLS_MS {
            self.over /= 2;
            (self.changed_at, self.busy_at) = (now, now);
        }
    }
}
