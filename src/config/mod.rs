//! Everything people configure, in the form the gateway runs on: the region
//! map, the engineers' config and the price book. `meridian config` reads and checks
//! the files for the build; a config that does not check does not build.

pub mod timeouts;
pub mod limits;
pub mod runaway;
pub mod cors;
pub mod gateway;
pub mod prices;

use crate::config::gateway::Gateway;
use crate::config::limits::{Dimension, Who};
use crate::config::prices::PriceBook;
use crate::config::runaway::Rules;
use crate::config::timeouts::Timeouts;
use crate::regions::check::{self, Rule};
use crate::regions::finding::{Finding, Spot};
use crate::regions::RegionMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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

impl Config {
    /// Whether a name is that of a model, or an alias of one.
    pub fn knows(&self, name: &str) -> bool {
        let model = self.gateway.model(name);
        let mut endpoints = self.regions.endpoints.iter();
        endpoints.any(|endpoint| endpoint.claim(model).is_some())
    }

    /// Everything that is wrong with it on a day (`YYYY-MM-DD`).
    pub fn check(&self, today: &str) -> Vec<Finding> {
        let mut findings = check::check(&self.regions, today);
        self.unresolved(&mut findings);
        findings
    }

    /// Checks for names that do not exist.
    fn unresolved(&self, findings: &mut Vec<Finding>) {
        let models = self.regions.models();
        for (alias, model) in &self.gateway.aliases {
            let spot = Spot::at(&["gateway", "aliases", alias]);
            if !models.contains(model.as_str()) {
                let what = format!("the alias `{alias}` means `{model}`, which no endpoint serves");
                let finding = Finding::new(Rule::AliasToNothing, spot.clone(), what);
                findings.push(finding.suggest(model, models.iter().copied()));
            }
            if models.contains(alias.as_str()) {
                let what = format!("`{alias}` is a model's own name and cannot be an alias");
                findings.push(Finding::new(Rule::AliasShadows, spot, what));
            }
        }
        for model in self.gateway.models.keys() {
            if !models.contains(model.as_str()) {
                let what = format!("there is no model `{model}`, so nothing is said by this");
                let spot = Spot::at(&["gateway", "models", model]);
                let finding = Finding::new(Rule::UnknownModel, spot, what);
                findings.push(finding.suggest(model, models.iter().copied()));
            }
        }
        self.limits(&models, findings);
        self.timeouts(findings);
        self.runaway(findings);
        for model in models {
            if !self.prices.0.contains_key(model) {
                let what = format!("`{model}` is served by an endpoint but has no price");
                let finding = Finding::new(Rule::PriceMissing, Spot::at(&["prices"]), what);
                findings.push(finding.instead(format!("a table `[\"{model}\"]` in prices.toml")));
            }
        }
    }
}

impl Config {
    /// Checks for limits about models that do not exist.
    fn limits(&self, models: &BTreeSet<&str>, findings: &mut Vec<Finding>) {
        for (name, limit) in &self.gateway.limits.all {
            let spot = Spot::at(&["gateway", "limits", name]);
            let scope = match limit.scope.get(&Dimension::Model) {
                Some(Who::Only(model)) => Some(("model", model)),
                _ => None,
            };
            let downgrade = limit.downgrade.as_ref().map(|model| ("downgrade", model));
            for (field, model) in scope.into_iter().chain(downgrade) {
                if !models.contains(model.as_str()) {
                    let what = format!(
                        "there is no model `{model}`; limits name models by their own names"
                    );
                    let finding = Finding::new(Rule::UnknownModel, spot.then(field), what);
                    findings.push(finding.suggest(model, models.iter().copied()));
                }
            }
        }
    }

    /// Checks for timeouts that could never be reached.
    fn timeouts(&self, findings: &mut Vec<Finding>) {
        let (usual, thinks) = (self.gateway.timeouts, self.gateway.reasoning);
        let usual = usual.over(Timeouts::USUAL);
        let mut all = vec![
            (Spot::at(&["gateway", "timeouts"]), usual),
            (
                Spot::at(&["gateway", "timeouts", "reasoning"]),
                thinks.over(Timeouts::REASONING),
            ),
        ];
        for (model, special) in &self.gateway.models {
            let spot = Spot::at(&["gateway", "models", model, "timeouts"]);
            all.push((spot, special.timeouts.over(usual)));
        }
        for (spot, limits) in all {
            let parts = [
                ("connect", limits.connect),
                ("first_token", limits.first_token),
                ("between_tokens", limits.between_tokens),
                ("answer", limits.answer),
                ("keep_alive", limits.keep_alive),
            ];
            for (name, _) in parts.iter().filter(|(_, span)| *span > limits.total) {
                let what = format!("`{name}` is longer than `total`, which is {}", limits.total);
                findings.push(Finding::new(Rule::TimeoutOrder, spot.then(name), what));
            }
        }
    }
}

impl Config {
    /// Checks for runaway rules that would flag every call or none.
    fn runaway(&self, findings: &mut Vec<Finding>) {
        let (rules, spot) = (&self.gateway.runaway, Spot::at(&["gateway", "runaway"]));
        if !Rules::CALLS.contains(&rules.calls) {
            let what = format!("{} calls are no sign of a loop", rules.calls);
            let (least, most) = (Rules::CALLS.start(), Rules::CALLS.end());
            let ways = format!("a number from {least} to {most}, such as 20");
            let finding = Finding::new(Rule::RunawayPace, spot.then("calls"), what);
            findings.push(finding.instead(ways));
        }
        if !Rules::WITHIN.contains(&rules.within) {
            let what = format!("a loop is not seen within {}", rules.within);
            let finding = Finding::new(Rule::RunawayPace, spot.then("within"), what);
            findings.push(finding.instead("from `\"1s\"` to `\"10m\"`, such as `\"60s\"`"));
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use reading::{read, Files, Outcome};

#[cfg(not(target_arch = "wasm32"))]
mod reading {
    //! From files to a [`Config`] and everything that is wrong with it.

    use super::Config;
    use crate::regions::finding::Severity;
    use crate::regions::problem::{Problem, Source};
    use crate::regions::read::{self as regions, Notes, RegionFiles};
    use std::path::Path;
    use std::{fs, io};

    /// The text of every config file.
    #[derive(Debug, Clone)]
    pub struct Files {
        policy: Source,
        groups: Source,
        places: Source,
        colos: Source,
        egress: Source,
        zones: Vec<Source>,
        endpoints: Vec<Source>,
        gateway: Source,
        prices: Source,
    }

    impl Files {
        /// Loads them from a project's folder.
        pub fn load(root: &Path) -> io::Result<Files> {
            Files::from(&|name| fs::read_to_string(root.join(name)), &|folder| {
                let entries = fs::read_dir(root.join(folder))?;
                let names =
                    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
                names.collect()
            })
        }

        /// Loads them from wherever `text` finds a file and `names` the names
        /// in a folder.
        pub fn from(
            text: &dyn Fn(&str) -> io::Result<String>,
            names: &dyn Fn(&str) -> io::Result<Vec<String>>,
        ) -> io::Result<Files> {
            let failed = |name: &str, e: &io::Error| {
                io::Error::new(e.kind(), format!("cannot read {name}: {e}"))
            };
            let file = |name: &str| {
                let text = text(name).map_err(|e| failed(name, &e))?;
                Ok::<_, io::Error>(Source::new(name, text))
            };
            let folder = |folder: &str| {
                let mut all = names(folder).map_err(|e| failed(folder, &e))?;
                all.retain(|name| name.ends_with(".toml"));
                all.sort();
                all.iter()
                    .map(|name| file(&format!("{folder}/{name}")))
                    .collect::<io::Result<Vec<_>>>()
            };
            Ok(Files {
                policy: file("regions/policy.toml")?,
                groups: file("regions/groups.toml")?,
                places: file("regions/places.toml")?,
                colos: file("regions/colos.toml")?,
                egress: file("regions/egress.toml")?,
                zones: folder("regions/zones")?,
                endpoints: folder("regions/endpoints")?,
                gateway: file("gateway.toml")?,
                prices: file("prices.toml")?,
            })
        }

        /// The same without what keeps the rest from being read, which is noted.
        fn mended(&self, notes: &mut Notes) -> Files {
            let mut files = self.clone();
            let single = [
                &mut files.policy,
                &mut files.groups,
                &mut files.places,
                &mut files.colos,
                &mut files.egress,
                &mut files.gateway,
                &mut files.prices,
            ];
            let many = files.zones.iter_mut().chain(&mut files.endpoints);
            many.chain(single)
                .for_each(|source| regions::mend(source, notes));
            files
        }
    }

    /// What reading the files brought.
    #[derive(Debug)]
    pub struct Outcome {
        config: Config,
        /// Everything that is wrong, by file and line.
        pub problems: Vec<Problem>,
    }

    impl Outcome {
        /// The configuration, if nothing worse than warnings was found.
        pub fn checked(self) -> Result<Config, Vec<Problem>> {
            match self.has_errors() {
                false => Ok(self.config),
                true => Err(self.problems),
            }
        }

        /// Whether anything worse than warnings was found.
        pub fn has_errors(&self) -> bool {
            self.problems
                .iter()
                .any(|problem| problem.severity == Severity::Error)
        }
    }

    /// Reads and checks everything, as of a day (`YYYY-MM-DD`).
    pub fn read(files: &Files, today: &str) -> Outcome {
        let mut notes = Notes::default();
        let files = files.mended(&mut notes);
        let regions = regions::read(
            &RegionFiles {
                policy: &files.policy,
                groups: &files.groups,
                places: &files.places,
                colos: &files.colos,
                egress: &files.egress,
                zones: &files.zones,
                endpoints: &files.endpoints,
            },
            &mut notes,
        );
        let gateway = crate::config::gateway::read(&files.gateway, &mut notes);
        let prices = crate::config::prices::read(&files.prices, &mut notes);
        let config = Config {
            regions,
            gateway,
            prices,
        };
        let Notes {
            mut problems,
            lines,
        } = notes;
        let findings = config.check(today);
        problems.extend(findings.into_iter().filter_map(|f| lines.problem(f)));
        problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        problems.dedup();
        Outcome { config, problems }
    }
}
