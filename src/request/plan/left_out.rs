//! Why an endpoint that has the model is left out of a plan.

use super::Considered;
use crate::regions::Guarantee;
use crate::request::zone::Outside;

/// Why an endpoint that has the model is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// The map says that it is not to be used.
    Off {
        /// Why not.
        why: String,
    },
    /// The zone does not allow it.
    Zone(Outside, Guarantee),
    /// It has no dialect that supports the operation.
    Dialect,
    /// It has no claim for completions with this model.
    Completions,
    /// The zone does not allow what the request makes a provider do.
    Forbidden,
    /// It has no claim for the egress of the request.
    Unclaimed {
        /// The kind of egress.
        kind: String,
    },
    /// Its claim for that egress is outside the zone.
    Egress(String, Outside, Guarantee),
    /// The request names the place of processing, and the endpoint does not override
    /// it.
    Place {
        /// The field that says so.
        field: String,
    },
}

impl Considered<'_> {
    /// Why it is left out, in words, if it is.
    pub fn left_out(&self) -> Option<String> {
        let name = &self.endpoint.name;
        let claim = self.claim;
        Some(match self.attempt.as_ref().err()? {
            LeftOut::Off { why } => format!("{name} is switched off: {why}"),
            LeftOut::Zone(Outside::Hosting, _) => {
                format!("{name} processes requests in {}", claim.hosting)
            }
            LeftOut::Zone(Outside::Guarantee, wanted) => format!(
                "{name} promises only {}, and the zone requires {wanted}",
                claim.guarantee
            ),
            LeftOut::Dialect => {
                format!(
                    "{name} uses {}, which does not support this operation",
                    self.endpoint.spoken()
                )
            }
            LeftOut::Completions => {
                format!("{name} has no claim for `completions` with this model")
            }
            LeftOut::Forbidden => format!("{name} is not allowed to do what the request asks for"),
            LeftOut::Unclaimed { kind } => {
                format!("{name} has no claim for `{kind}` with this model")
            }
            LeftOut::Egress(kind, Outside::Hosting, _) => {
                let place = claim
                    .egress
                    .get(kind)
                    .map(|claim| claim.hosting.to_string());
                format!("{name} does `{kind}` in {}", place.unwrap_or_default())
            }
            LeftOut::Egress(kind, Outside::Guarantee, wanted) => {
                format!("{name} does not promise {wanted} for `{kind}`")
            }
            LeftOut::Place { field } => {
                format!("{name} would follow the request's own `{field}`")
            }
        })
    }
}
