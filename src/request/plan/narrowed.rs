//! Narrows plans to the attempts that may get the blobs of a request, or whose response
//! can be fetched later.

use super::{Attempt, Plan};
use crate::dialect::{Api, BlobOwner, Wanted};
use crate::refusal::{NoBackground, Refusal};

impl<'c> Plan<'c> {
    /// Only the attempts whose response can be fetched later.
    pub(super) fn in_background(self, api: Api, wanted: &Wanted) -> Result<Plan<'c>, Refusal> {
        let refuse = |why| Err(Refusal::Background(why));
        if api != Api::Responses {
            return refuse(NoBackground::OtherOperation);
        }
        if wanted.stream {
            return refuse(NoBackground::Stream);
        }
        let keeps =
            |attempt: &Attempt<'_>| attempt.keeps_answers() && attempt.dialect == api.native();
        let left: Vec<Attempt<'c>> = self.attempts().filter(keeps).collect();
        match left.split_first() {
            Some((first, fallbacks)) => Ok(Plan {
                first: *first,
                fallbacks: fallbacks.to_vec(),
                ..self
            }),
            None => refuse(NoBackground::NotKept),
        }
    }

    /// Only the attempts that may get the blobs of the request: the endpoint that made
    /// them, if it is known, and those that accept its signatures; otherwise the first
    /// that has the client's own dialect, which most likely did. Where there is none,
    /// thinking is left out, and a request that continues a response stored elsewhere
    /// is refused.
    pub fn bound_to(self, blob_owner: &BlobOwner, api: Api) -> Result<Plan<'c>, Refusal> {
        let signers = self.signers();
        let takes = |names: &[String], attempt: &Attempt<'_>| {
            let mut names = names.iter();
            names.all(|name| signers.share(name, &attempt.endpoint.name))
        };
        let left: Vec<Attempt<'c>> = match blob_owner {
            BlobOwner::None => return Ok(self),
            BlobOwner::Endpoints(names) => {
                let attempts = self.attempts();
                attempts.filter(|attempt| takes(names, attempt)).collect()
            }
            BlobOwner::Keeper(name) => {
                let keeps = |attempt: &Attempt<'_>| attempt.endpoint.name == *name;
                self.attempts().filter(keeps).collect()
            }
            BlobOwner::Unknown => {
                let native = |attempt: &Attempt<'_>| attempt.dialect == api.native();
                self.attempts().filter(native).take(1).collect()
            }
        };
        match (left.split_first(), blob_owner) {
            (Some((first, fallbacks)), _) => Ok(Plan {
                first: *first,
                fallbacks: fallbacks.to_vec(),
                ..self
            }),
            (None, BlobOwner::Keeper(name)) => Err(Refusal::Bound {
                kept_by: name.clone(),
            }),
            (None, _) => Ok(Plan {
                leaves_thoughts: true,
                ..self
            }),
        }
    }
}
