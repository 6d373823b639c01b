//! How much memory a team's bodies may take, and which bodies are ended when memory is
//! short.
//!
//! Share: a team's bodies take at most half of what the complete bodies of other
//! teams leave, or are one single body. Complete bodies never end, so they must not
//! take all of the room.
//!
//! Room: the team that holds the most, counting the one that asks with what it wants,
//! loses its incomplete bodies, the largest first. If the team that asks holds the
//! most, it is refused. A slow body thus costs only its own team.

use super::{Bodies, Full, Id, Owner, MOST, MOST_LARGE, SMALL};
use std::collections::BTreeMap;

/// What one body, one team or all teams hold, in bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sums {
    /// How many bodies.
    pub bodies: usize,
    /// All that is held.
    pub all: usize,
    /// What of that is in large bodies.
    pub large: usize,
    /// What of all is complete.
    pub complete: usize,
    /// What of the large is complete.
    pub complete_large: usize,
}

/// What can be short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// That of large bodies.
    Large,
    /// That of all bodies.
    All,
}

/// A team whose bodies may have to end.
#[derive(Default)]
struct Team {
    holds: Sums,
    /// Its bodies that are still coming, the largest last.
    coming: Vec<(usize, Id)>,
}

impl Sums {
    /// What one body takes.
    pub fn of(length: usize, complete: bool) -> Sums {
        let large = if length > SMALL { length } else { 0 };
        Sums {
            bodies: 1,
            all: length,
            large,
            complete: if complete { length } else { 0 },
            complete_large: if complete { large } else { 0 },
        }
    }

    /// What is held when one body's part of it has changed.
    pub fn changed(self, before: Sums, after: Sums) -> Sums {
        let change =
            |sum: usize, from: usize, to: usize| sum.saturating_sub(from).saturating_add(to);
        Sums {
            bodies: change(self.bodies, before.bodies, after.bodies),
            all: change(self.all, before.all, after.all),
            large: change(self.large, before.large, after.large),
            complete: change(self.complete, before.complete, after.complete),
            complete_large: change(
                self.complete_large,
                before.complete_large,
                after.complete_large,
            ),
        }
    }

    fn small(self) -> usize {
        self.all.saturating_sub(self.large)
    }

    fn of_room(self, room: Room) -> usize {
        match room {
            Room::Large => self.large,
            Room::All => self.all,
        }
    }

    /// What is short if so much is held by all.
    fn short(self) -> Option<Room> {
        if self.large > MOST_LARGE {
            Some(Room::Large)
        } else if self.all > MOST {
            Some(Room::All)
        } else {
            None
        }
    }
}

impl Bodies {
    /// The bodies that have to end before one of a team can be `length` long, or
    /// that it cannot be so long now. Complete bodies are never among them. Only
    /// where room is short does this look at other bodies, once at each.
    pub(super) fn bodies_to_end(
        &self,
        owner: &Owner,
        before: Sums,
        length: usize,
    ) -> Result<Vec<Id>, Full> {
        let after = Sums::of(length, false);
        let team = self.team(owner);
        let wants = team.changed(before, after);
        let others = self.sum.changed(team, Sums::default());
        if !in_share(wants, others, length) {
            return Err(Full);
        }
        let mut sum = self.sum.changed(before, after);
        if sum.short().is_none() {
            return Ok(Vec::new());
        }
        let mut teams = self.coming_of_others(owner);
        let mut ended = Vec::new();
        while let Some(room) = sum.short() {
            let most = teams
                .iter_mut()
                .filter(|team| team.has_coming(room))
                .max_by_key(|team| team.holds.of_room(room))
                .filter(|team| team.holds.of_room(room) > wants.of_room(room));
            let (id, freed) = most.and_then(Team::end_largest).ok_or(Full)?;
            sum = sum.changed(freed, Sums::default());
            ended.push(id);
        }
        Ok(ended)
    }

    /// The other teams with what of theirs is still coming.
    fn coming_of_others(&self, owner: &Owner) -> Vec<Team> {
        let mut teams: BTreeMap<&Owner, Team> = BTreeMap::new();
        for (id, body) in &self.bodies {
            if body.coming.is_some() && body.length > 0 && body.owner != *owner {
                let team = teams.entry(&body.owner).or_default();
                team.coming.push((body.length, *id));
            }
        }
        for (owner, team) in &mut teams {
            team.holds = self.team(owner);
            team.coming.sort_unstable();
        }
        teams.into_values().collect()
    }
}

impl Team {
    /// Whether one of its bodies in a room is still coming.
    fn has_coming(&self, room: Room) -> bool {
        let largest = self.coming.last();
        largest.is_some_and(|(length, _)| Sums::of(*length, false).of_room(room) > 0)
    }

    /// Takes its largest body that is still coming out of it, with what that held.
    fn end_largest(&mut self) -> Option<(Id, Sums)> {
        let (length, id) = self.coming.pop()?;
        let freed = Sums::of(length, false);
        self.holds = self.holds.changed(freed, Sums::default());
        Some((id, freed))
    }
}

/// Whether a team may hold so much, of which one body is so long.
fn in_share(wants: Sums, others: Sums, length: usize) -> bool {
    let left = MOST.saturating_sub(others.complete);
    let (holds, left) = if length > SMALL {
        let left_large = MOST_LARGE.saturating_sub(others.complete_large);
        (wants.large, left.min(left_large))
    } else {
        (wants.small(), left.saturating_sub(wants.large))
    };
    holds <= left / 2 || holds == length
}
