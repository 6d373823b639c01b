//! `meridian endpoints`: what the map lists, and which secrets it needs.

use super::project::load;

/// `meridian endpoints`.
pub fn run(json: bool) -> Result<(), String> {
    let config = load()?;
    if json {
        let endpoints: Vec<_> = config
            .regions
            .endpoints
            .iter()
            .map(|e| serde_json::json!({"name": e.name, "host": e.host, "auth": e.auth.kind(), "secret": e.auth.secret(), "dialect": e.dialects}))
            .collect();
        println!("{}", serde_json::Value::from(endpoints));
        return Ok(());
    }
    for endpoint in &config.regions.endpoints {
        println!(
            "{}  {}  {}  secret {}",
            endpoint.name,
            endpoint.host,
            endpoint.spoken(),
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
