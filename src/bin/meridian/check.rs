//! `meridian check`: everything that is wrong with the configuration, in one
//! run, and with `--env` whether it is fit to be deployed there.

use super::{preflight, project};
use clap::Args;
use meridian::regions::check::Rule;
use meridian::regions::finding::Severity;
use meridian::regions::problem::Problem;
use meridian::regions::{shown, Country};

/// What to check and how to say it.
#[derive(Debug, Args)]
pub struct Check {
    /// Check wrangler.toml for a deploy to this environment too.
    #[arg(long)]
    env: Option<String>,
    /// Ask Cloudflare which secrets are set (needs `wrangler login`).
    #[arg(long, requires = "env")]
    online: bool,
    /// Let warnings fail as well.
    #[arg(long)]
    strict: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Say what a rule is for, or all of them.
    #[arg(long, value_name = "RULE", num_args = 0..=1, default_missing_value = "all")]
    explain: Option<String>,
}

/// Runs it.
pub fn run(options: &Check) -> Result<(), String> {
    if let Some(rule) = &options.explain {
        return explain(rule);
    }
    let outcome = project::read()?;
    let mut problems = outcome.problems.clone();
    let config = outcome.checked().ok();
    if let (Some(config), Some(env)) = (&config, &options.env) {
        problems.extend(preflight::check(config, env, options.online)?);
    }
    let count = |severity| problems.iter().filter(|p| p.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if options.json {
        let text = serde_json::to_string_pretty(&problems).map_err(|e| e.to_string())?;
        println!("{text}");
    } else {
        problems.iter().for_each(tell);
    }
    if errors > 0 || options.strict && warnings > 0 {
        return Err(format!(
            "{errors} errors, {warnings} warnings; `meridian check --explain RULE` says more about a [rule]"
        ));
    }
    if let (Some(config), false) = (&config, options.json) {
        let map = &config.regions;
        let named: usize = map.zones.values().map(|zone| zone.countries.len()).sum();
        println!(
            "✓ {} zones, {} endpoints, {} models; map {}{}",
            map.zones.len(),
            map.endpoints.len(),
            map.models().len(),
            shown(&map.version),
            if warnings > 0 {
                format!("; {warnings} warnings")
            } else {
                String::new()
            }
        );
        println!(
            "  {} countries: {named} in a zone of their own, {} in `{}`",
            Country::all().count(),
            Country::all().count() - named,
            map.policy.default_zone
        );
    }
    Ok(())
}

fn tell(problem: &Problem) {
    let mark = match problem.severity {
        Severity::Error => "✗",
        Severity::Warning => "!",
    };
    println!("{mark} {problem}");
}

fn explain(asked: &str) -> Result<(), String> {
    let rules: Vec<&Rule> = Rule::ALL
        .iter()
        .filter(|rule| asked == "all" || rule.id() == asked)
        .collect();
    if rules.is_empty() {
        let known = Rule::ALL.iter().map(|rule| rule.id());
        let hint = meridian::regions::finding::nearest(asked, known).unwrap_or_default();
        return Err(format!("there is no rule `{asked}`; did you mean {hint}?"));
    }
    for rule in rules {
        println!(
            "{} ({:?})\n    {}\n    {}\n",
            rule.id(),
            rule.severity(),
            rule.title(),
            rule.why()
        );
    }
    Ok(())
}
