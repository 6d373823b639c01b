//! What is under way arrives, is lost, comes late or twice; contexts end.

use super::network::{Envelope, Owner, Purpose, What};
use super::world::World;
use meridian::ledger::{instance, object};

/// How long a reply is awaited, and how long a request may be under way all the same.
const PATIENCE_MS: u64 = 5_000;
const LATEST_MS: u64 = 60_000;

impl World {
    /// A context ends: nobody learns what became of what it has sent.
    pub fn end(&mut self, context: usize) {
        let Some(ended) = self.contexts[context].take() else {
            return;
        };
        match (ended.purpose, ended.owner) {
            (Purpose::Serve { asker, id }, _) => {
                self.put(
                    asker,
                    What::Reply(id, Err("the object was gone".to_owned())),
                );
            }
            // The platform runs an alarm again that has not ended well.
            (Purpose::Alarm, Owner::Object(at)) => self.nodes[at].alarm = Some(self.now),
            _ => {}
        }
    }

    pub fn deliver(&mut self, which: usize, lose_reply: bool, twice: bool) {
        let Envelope { context, what, .. } = self.sent.remove(which);
        let fails = self.database.fails;
        let failed = || "the database fails".to_owned();
        match what {
            What::Request(id, request) => {
                let at = self.node_named(&request.to);
                if twice {
                    let ghost = self.context(Owner::Object(at), Purpose::Ghost);
                    self.object(ghost, object::Input::Request(request.clone()));
                }
                let purpose = match lose_reply {
                    true => Purpose::Ghost,
                    false => Purpose::Serve { asker: context, id },
                };
                let serving = self.context(Owner::Object(at), purpose);
                self.object(serving, object::Input::Request(request));
                if lose_reply {
                    let lost = Err("the reply was lost".to_owned());
                    self.put(context, What::Reply(id, lost));
                }
            }
            What::Reply(id, result) => match self.owner(context) {
                Some(Owner::Instance(_)) => {
                    self.instance(context, instance::Input::Replied(id, result));
                }
                Some(Owner::Object(_)) => {
                    self.object(context, object::Input::Replied(id, result));
                }
                None => {}
            },
            What::Timer(_, timer) => self.instance(context, instance::Input::Due(timer)),
            What::Spill(spill) => {
                let stored = !fails && !lose_reply;
                if stored {
                    self.database.spill(&spill);
                }
                self.instance(context, instance::Input::Spilled(spill.id, stored));
            }
            What::Exchange(exchange) => {
                let found = match fails {
                    true => Err(failed()),
                    false => Ok(self.database.exchange(&exchange)),
                };
                let found = found.and_then(|found| match lose_reply {
                    true => Err(failed()),
                    false => Ok(found),
                });
                self.object(context, object::Input::Exchanged(exchange, found));
            }
            What::ReadSpilled(mark) => {
                let read = match fails {
                    true => Err(failed()),
                    false => Ok(self.database.spilled(&mark)),
                };
                self.object(context, object::Input::SpilledRead(read));
            }
            What::DeleteSpilled(ids, then) => {
                let deleted = match fails {
                    true => Err(failed()),
                    false => {
                        self.database.delete(&ids);
                        Ok(())
                    }
                };
                self.object(context, object::Input::SpilledDeleted(then, deleted));
            }
        }
    }

    /// Something fails, and its sender notices. A request may still arrive later.
    pub fn fail(&mut self, which: usize, late: bool) {
        let context = self.sent[which].context;
        match &self.sent[which].what {
            What::Request(id, request) => {
                let (id, request) = (*id, request.clone());
                self.sent.remove(which);
                self.put(context, What::Reply(id, Err("no reply".to_owned())));
                if late {
                    let at = self.node_named(&request.to);
                    let ghost = self.context(Owner::Object(at), Purpose::Ghost);
                    self.put(ghost, What::Request(0, request));
                }
            }
            What::Reply(id, _) => {
                let lost = What::Reply(*id, Err("the reply was lost".to_owned()));
                self.sent[which].what = lost;
            }
            _ => {
                let before = std::mem::replace(&mut self.database.fails, true);
                self.deliver(which, false, false);
                self.database.fails = before;
            }
        }
    }

    /// What is under way for too long: senders stop waiting, and requests may still
    /// arrive for a while.
    pub fn lose_what_is_late(&mut self) {
        while let Some(which) = self.sent.iter().position(|one| {
            let age = self.now.since(one.since);
            let is_ghost = matches!(one.what, What::Request(0, _));
            match one.what {
                What::Request(..) if is_ghost => age > LATEST_MS,
                What::Request(..) => age > PATIENCE_MS,
                _ => false,
            }
        }) {
            match self.sent[which].what {
                What::Request(0, _) => drop(self.sent.remove(which)),
                _ => self.fail(which, true),
            }
        }
    }
}
