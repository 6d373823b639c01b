//! What the configuration says: its endpoints, and whether it checks.

use meridian::config::{self, Config, Files};
use std::path::Path;

/// Reads the project's configuration.
pub fn load() -> Result<Config, String> {
    let files = Files::load(Path::new("."))
        .map_err(|e| format!("{e}; run this in the project's folder"))?;
    config::read(&files).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n✗ ")
    })
}

/// `meridian check`.
pub fn check() -> Result<(), String> {
    let config = load()?;
    let regions = &config.regions;
    println!(
        "✓ {} zones, {} endpoints, {} models; map {}",
        regions.zones.len(),
        regions.endpoints.len(),
        regions.models().len(),
        regions.version
    );
    Ok(())
}

/// `meridian endpoints`.
pub fn run(json: bool) -> Result<(), String> {
    let config = load()?;
    if json {
        let endpoints: Vec<_> = config
            .regions
            .endpoints
            .iter()
            .map(|e| serde_json::json!({"name": e.name, "host": e.host, "secret": e.auth.secret(), "dialect": e.dialect}))
            .collect();
        println!("{}", serde_json::Value::from(endpoints));
        return Ok(());
    }
    for endpoint in &config.regions.endpoints {
        println!(
            "{}  {}  {}  secret {}",
            endpoint.name,
            endpoint.host,
            endpoint.dialect,
            endpoint.auth.secret()
        );
        for claim in &endpoint.models {
            println!(
                "    {}  in {}, {}  ({})",
                claim.model, claim.hosting, claim.guarantee, claim.source
            );
        }
    }
    Ok(())
}
