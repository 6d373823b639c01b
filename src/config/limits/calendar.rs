//! When a budget's time begins and ends: at the midnight of the people whose
//! budget it is, whatever the clocks do there.

use super::Per;
use crate::units::Millis;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

const MINUTE_MS: u64 = 60_000;

/// A span of time: its beginning, and its end if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// The first moment that belongs to it.
    pub start: Millis,
    /// The first moment that does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Millis>,
}

impl Window {
    /// All time.
    pub const EVER: Window = Window {
        start: Millis(0),
        end: None,
    };

    /// The minute of the clock that a moment is in.
    pub fn minute(at: Millis) -> Window {
        let start = at.0 / MINUTE_MS * MINUTE_MS;
        Window {
            start: Millis(start),
            end: Some(Millis(start.saturating_add(MINUTE_MS))),
        }
    }

    /// The day, week or month that a moment is in, as clocks show it in a time
    /// zone. One that is not known counts as UTC: `meridian check` names it.
    pub fn of(per: Per, at: Millis, zone: &str) -> Window {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        civil(per, at, &zone).unwrap_or(Window::EVER)
    }

    /// Whether it is over.
    pub fn is_over(self, at: Millis) -> bool {
        self.end.is_some_and(|end| at >= end)
    }
}

fn civil(per: Per, at: Millis, zone: &TimeZone) -> Option<Window> {
    let at = Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
    let today = at.to_zoned(zone.clone()).date();
    let (first, next) = match per {
        Per::Day => (today, today.tomorrow().ok()?),
        Per::Week => {
            let passed = i64::from(today.weekday().to_monday_zero_offset());
            let monday = today.checked_sub(passed.days()).ok()?;
            (monday, monday.checked_add(7.days()).ok()?)
        }
        Per::Month => {
            let first = today.first_of_month();
            (first, first.checked_add(1.month()).ok()?)
        }
        Per::Ever => return Some(Window::EVER),
    };
    Some(Window {
        start: midnight(first, zone)?,
        end: Some(midnight(next, zone)?),
    })
}

/// When a day begins; where its midnight does not exist, right after it.
fn midnight(date: Date, zone: &TimeZone) -> Option<Millis> {
    let begins = date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
    let ms = begins.timestamp().as_millisecond();
    u64::try_from(ms).ok().map(Millis)
}

/// Whether there is a time zone of this name.
pub fn known_time_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rfc3339: &str) -> Millis {
        let stamp: Timestamp = rfc3339.parse().unwrap();
        Millis(u64::try_from(stamp.as_millisecond()).unwrap())
    }

    // A time zone, a moment, and when its budget begins and ends.
    const BUDGETS: &str = "
        day   UTC              2026-11-21T00:00:00Z 2026-11-21T00:00:00Z 2026-11-22T00:00:00Z
        day   UTC              2026-11-21T23:59:59Z 2026-11-21T00:00:00Z 2026-11-22T00:00:00Z
        # In Vienna it is tomorrow already; 23 hours in spring, 25 in autumn.
        day   Europe/Vienna    2026-11-20T23:00:00Z 2026-11-20T23:00:00Z 2026-11-21T23:00:00Z
        day   Europe/Vienna    2026-03-29T12:00:00Z 2026-03-28T23:00:00Z 2026-03-29T22:00:00Z
        day   Europe/Vienna    2026-10-25T12:00:00Z 2026-10-24T22:00:00Z 2026-10-25T23:00:00Z
        day   America/New_York 2026-11-01T12:00:00Z 2026-11-01T04:00:00Z 2026-11-02T05:00:00Z
        # Midnight itself is left out in Santiago in September.
        day   America/Santiago 2026-09-06T12:00:00Z 2026-09-06T04:00:00Z 2026-09-07T03:00:00Z
        month Europe/Vienna    2026-03-31T21:59:59Z 2026-02-28T23:00:00Z 2026-03-31T22:00:00Z
        month UTC              2028-02-29T10:00:00Z 2028-02-01T00:00:00Z 2028-03-01T00:00:00Z
        month UTC              2026-12-31T23:59:59Z 2026-12-01T00:00:00Z 2027-01-01T00:00:00Z
        week  Asia/Kolkata     2026-11-22T18:29:59Z 2026-11-15T18:30:00Z 2026-11-22T18:30:00Z
        week  UTC              2026-11-23T00:00:00Z 2026-11-23T00:00:00Z 2026-11-30T00:00:00Z";

    #[test]
    fn field_05_budgets_begin_at_the_teams_midnight() {
        let lines = BUDGETS
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut tried = 0;
        for line in lines {
            let [per, zone, moment, start, end] = line[..] else {
                continue;
            };
            let Ok(per) = serde_json::from_str::<Per>(&format!("\"{per}\"")) else {
                continue;
            };
            let window = Window::of(per, at(moment), zone);
            assert_eq!(
                (window.start, window.end),
                (at(start), Some(at(end))),
                "{line:?}"
            );
            tried += 1;
        }
        assert_eq!(tried, 12);
    }

    #[test]
    fn what_has_no_end_has_none() {
        assert_eq!(
            Window::of(Per::Ever, at("2026-11-21T00:00:00Z"), "UTC"),
            Window::EVER
        );
        assert_eq!(Window::of(Per::Day, Millis(u64::MAX), "UTC"), Window::EVER);
        assert_eq!(
            Window::of(Per::Day, at("2026-11-21T01:00:00Z"), "Mars/Olympus"),
            Window::of(Per::Day, at("2026-11-21T01:00:00Z"), "UTC")
        );
    }

    #[test]
    fn a_minute_is_one_of_the_clock() {
        let window = Window::minute(Millis(119_999));
        assert_eq!(
            (window.start, window.end),
            (Millis(60_000), Some(Millis(120_000)))
        );
        assert!(!window.is_over(Millis(119_999)) && window.is_over(Millis(120_000)));
    }
}
