//! All that is proposed: what is found, and the edits that come of it.

use super::additions::Project;
use super::catalogue::Catalogue;
use super::edit::{Document, Edit, Files};
use super::endings::{self, Ending, Look, Newer};
use super::fresh::{Found, Search};
use super::map_model;
use super::only::Only;
use super::prices::{self, Compared};
use meridian::config::Config;

/// What comes of the comparison.
pub struct Proposal<'c> {
    /// The edits, in no order.
    pub edits: Vec<Edit>,
    /// New models.
    pub found: Found<'c>,
    /// Prices, by model.
    pub compared: Vec<(String, Compared)>,
    /// What ends.
    pub endings: Vec<Ending>,
    /// Aliases for which there is a newer model.
    pub newer: Vec<Newer>,
    /// Models that no catalogue lists.
    pub unlisted: Vec<String>,
    /// The day.
    pub today: String,
}

impl<'c> Proposal<'c> {
    /// Compares a configuration with catalogues.
    pub fn new(
        config: &'c Config,
        files: &Files,
        catalogues: &[Catalogue],
        only: &Only,
        today: &str,
    ) -> Result<Proposal<'c>, String> {
        let project = documents(files)?;
        let all = map_model::all(config);
        let meant: Vec<_> = all
            .iter()
            .filter(|mapped| only.means(&mapped.names))
            .collect();
        let search = Search {
            config,
            mapped: &all,
            catalogues,
            only,
        };
        let look = Look {
            config,
            mapped: &all,
            catalogues,
            today,
        };
        let found = search.run().map_err(|too_many| too_many.to_string())?;
        if meant.is_empty() && found.fresh.is_empty() && found.unknown.is_empty() {
            let known = all.iter().map(|mapped| mapped.model);
            only.missed(known).map_or(Ok(()), Err)?;
        }
        let mut edits: Vec<Edit> = Vec::new();
        let mut compared = Vec::new();
        for mapped in &meant {
            let prices = prices::compare(mapped, catalogues);
            let changes = prices::edits(&project.prices, mapped.model, &prices.changes, today);
            edits.extend(changes);
            compared.push((mapped.model.to_owned(), prices));
        }
        let aliases = config.gateway.aliases.iter();
        let aliases =
            aliases.filter(|(_, model)| meant.iter().any(|mapped| mapped.model == *model));
        let newer: Vec<Newer> = aliases.filter_map(|(alias, _)| look.newer(alias)).collect();
        edits.extend(
            newer
                .iter()
                .filter_map(|newer| endings::edit(&project.gateway, newer)),
        );
        for fresh in &found.fresh {
            edits.extend(fresh.edits(&project, &all, today));
        }
        let unlisted = meant.iter().filter(|mapped| look.is_unlisted(mapped));
        Ok(Proposal {
            edits,
            compared,
            endings: meant.iter().flat_map(|mapped| look.ends(mapped)).collect(),
            newer,
            unlisted: unlisted.map(|mapped| mapped.model.to_owned()).collect(),
            found,
            today: today.to_owned(),
        })
    }
}

fn documents(files: &Files) -> Result<Project<'_>, String> {
    let open = |file: &str| {
        let (file, text) = files.get_key_value(file)?;
        Document::new(file, text)
    };
    let needed = |file: &str| open(file).ok_or_else(|| format!("{file} is no TOML"));
    let others = files
        .keys()
        .filter(|file| **file != prices::FILE && **file != endings::FILE);
    Ok(Project {
        prices: needed(prices::FILE)?,
        gateway: needed(endings::FILE)?,
        endpoints: others.map(|file| needed(file)).collect::<Result<_, _>>()?,
    })
}
