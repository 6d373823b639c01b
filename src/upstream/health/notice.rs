//! Notices between instances: a circuit opened or closed, or an endpoint rests. The
//! newest notice about an endpoint wins.

use super::{key, Entry, Health};
use crate::units::Millis;
use crate::upstream::judge::Why;
use serde::{Deserialize, Serialize};

/// The state of one endpoint with one model, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The endpoint.
    pub endpoint: String,
    /// The model.
    pub model: String,
    /// When the state changed.
    pub at: Millis,
    /// The circuit is open until then, and is probed after.
    pub open_until: Option<Millis>,
    /// How often in a row it opened.
    pub opened: u32,
    /// It rests until then.
    pub rest_until: Option<Millis>,
    /// Why it last failed.
    pub why: Option<String>,
}

impl Health {
    /// The notices for other instances. They count as sent from now on.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        let unsent = std::mem::take(&mut self.unsent);
        let notice = |(endpoint, model): (String, String)| {
            let entry = self.entries.get(&(endpoint.clone(), model.clone()))?;
            Some(Notice {
                endpoint,
                model,
                at: entry.changed?,
                open_until: entry.open_until,
                opened: entry.opened,
                rest_until: entry.rest_until,
                why: entry.last.map(|(_, why)| why.as_str().to_owned()),
            })
        };
        unsent.into_iter().filter_map(notice).collect()
    }

    /// Queues notices again that could not be sent.
    pub fn requeue(&mut self, notices: Vec<Notice>) {
        let names = notices
            .into_iter()
            .map(|notice| (notice.endpoint, notice.model));
        self.unsent.extend(names);
    }

    /// Resets one endpoint, or all, and returns the notices for other instances.
    pub fn forget(&mut self, endpoint: Option<&str>, now: Millis) -> Vec<Notice> {
        let all = self.entries.iter_mut();
        let these = all.filter(|((name, _), _)| endpoint.is_none_or(|endpoint| endpoint == name));
        let mut notices = Vec::new();
        for ((endpoint, model), entry) in these {
            let notice = Notice {
                endpoint: endpoint.clone(),
                model: model.clone(),
                at: now,
                open_until: None,
                opened: 0,
                rest_until: None,
                why: None,
            };
            entry.take(&notice);
            entry.last = None;
            notices.push(notice);
        }
        notices
    }

    /// Applies a notice of another instance, if it is newer than the own state.
    pub fn receive(&mut self, notice: &Notice) {
        let entry = self
            .entries
            .entry(key(&notice.endpoint, &notice.model))
            .or_default();
        if entry.changed.is_some_and(|changed| changed >= notice.at) {
            return;
        }
        entry.take(notice);
    }
}

impl Entry {
    fn take(&mut self, notice: &Notice) {
        self.changed = Some(notice.at);
        self.open_until = notice.open_until;
        self.opened = notice.opened;
        self.rest_until = notice.rest_until;
        self.probing_until = None;
        if let Some(why) = notice.why.as_deref().and_then(Why::read) {
            self.last = Some((notice.at, why));
        }
        if notice.open_until.is_none() {
            // It is healthy elsewhere, so earlier failures here no longer count.
            self.recent.clear();
        }
    }
}
