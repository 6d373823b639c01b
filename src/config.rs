//! Everything people configure, in the form the gateway runs on: the region
//! map, the engineers' config and the price book. `build.rs` reads and checks
//! the files and embeds the result; a config that does not check does not build.

use crate::gateway::Gateway;
use crate::prices::PriceBook;
use crate::regions::RegionMap;
use serde::{Deserialize, Serialize};

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// What compliance staff write.
    pub regions: RegionMap,
    /// What engineers write.
    pub gateway: Gateway,
    /// What things cost.
    pub prices: PriceBook,
}

#[cfg(not(target_arch = "wasm32"))]
pub use reading::{read, Files};

#[cfg(not(target_arch = "wasm32"))]
mod reading {
    //! From files to a checked [`Config`].

    use super::{Config, Gateway, PriceBook, RegionMap};
    use crate::regions::problem::{Problem, Source};
    use crate::regions::read::{self as regions, RegionFiles};
    use std::path::Path;
    use std::{fs, io};

    /// The text of every config file.
    pub struct Files {
        policy: Source,
        groups: Source,
        zones: Vec<Source>,
        endpoints: Vec<Source>,
        gateway: Source,
        prices: Source,
    }

    impl Files {
        /// Loads them from a project's folder.
        pub fn load(root: &Path) -> io::Result<Files> {
            Ok(Files {
                policy: file(root, "regions/policy.toml")?,
                groups: file(root, "regions/groups.toml")?,
                zones: folder(root, "regions/zones")?,
                endpoints: folder(root, "regions/endpoints")?,
                gateway: file(root, "gateway.toml")?,
                prices: file(root, "prices.toml")?,
            })
        }
    }

    fn file(root: &Path, name: &str) -> io::Result<Source> {
        let text = fs::read_to_string(root.join(name))
            .map_err(|e| io::Error::new(e.kind(), format!("cannot read {name}: {e}")))?;
        let file = name.to_owned();
        Ok(Source { file, text })
    }

    fn folder(root: &Path, name: &str) -> io::Result<Vec<Source>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(root.join(name))
            .map_err(|e| io::Error::new(e.kind(), format!("cannot read {name}: {e}")))?
        {
            let entry = entry?.file_name().to_string_lossy().into_owned();
            if entry.ends_with(".toml") {
                names.push(format!("{name}/{entry}"));
            }
        }
        names.sort();
        names.iter().map(|name| file(root, name)).collect()
    }

    /// Reads and checks everything; all files' problems are reported at once.
    pub fn read(files: &Files) -> Result<Config, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |found: Vec<Problem>| problems.extend(found);
        let regions = regions::read(&RegionFiles {
            policy: &files.policy,
            groups: &files.groups,
            zones: &files.zones,
            endpoints: &files.endpoints,
        })
        .map_err(&mut keep)
        .ok();
        let gateway = files
            .gateway
            .parse::<Gateway>()
            .map_err(|p| keep(vec![p]))
            .ok();
        let prices = crate::prices::read(&files.prices).map_err(&mut keep).ok();
        if let (Some(regions), Some(gateway), Some(prices)) = (regions, gateway, prices) {
            problems.extend(unresolved(files, &regions, &gateway, &prices));
            if problems.is_empty() {
                return Ok(Config {
                    regions,
                    gateway,
                    prices,
                });
            }
        }
        Err(problems)
    }

    /// Names in one file that no other file explains.
    fn unresolved(
        files: &Files,
        regions: &RegionMap,
        gateway: &Gateway,
        prices: &PriceBook,
    ) -> Vec<Problem> {
        let models = regions.models();
        let mut problems = Vec::new();
        let at = |source: &Source, word: &str| source.text.find(word).unwrap_or_default();
        for (alias, model) in &gateway.aliases {
            if !models.contains(model.as_str()) {
                let what = format!("the alias `{alias}` means `{model}`, which no endpoint serves");
                let problem = files.gateway.problem(at(&files.gateway, alias), what);
                problems.push(problem.suggest(model, models.iter().copied()));
            }
            if models.contains(alias.as_str()) {
                let what = format!("`{alias}` is a model's own name and cannot be an alias");
                problems.push(files.gateway.problem(at(&files.gateway, alias), what));
            }
        }
        for model in models {
            if !prices.0.contains_key(model) {
                let what = format!("`{model}` is served by an endpoint but has no price");
                let problem = files.prices.problem(files.prices.text.len(), what);
                problems.push(problem.instead(format!("a table `[{model}]`")));
            }
        }
        problems
    }
}
