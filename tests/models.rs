//! `meridian models update` as people run it, in a copy of the project: what it
//! proposes from made-up catalogues, what it writes, and what it leaves alone.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder with the project's configuration, gone when the test is.
struct Project(PathBuf);

static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Project {
    fn new() -> Project {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("meridian-models-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for inside in ["", "regions", "regions/zones", "regions/endpoints"] {
            fs::create_dir_all(folder.join(inside)).unwrap();
            for entry in fs::read_dir(root.join(inside)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|ending| ending == "toml") {
                    fs::copy(&path, folder.join(inside).join(path.file_name().unwrap())).unwrap();
                }
            }
        }
        Project(folder)
    }

    /// The same with catalogues in files.
    fn with(catalogues: &[(&str, &str)]) -> Project {
        let project = Project::new();
        for (file, text) in catalogues {
            fs::write(project.0.join(file), text).unwrap();
        }
        project
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }

    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        command.args(arguments.split(' ')).current_dir(&self.0);
        command.output().unwrap()
    }

    /// What a run that succeeds prints.
    fn told(&self, arguments: &str) -> String {
        let done = self.run(arguments);
        assert!(
            done.status.success(),
            "{arguments}: {}{}",
            out(&done),
            err(&done)
        );
        out(&done)
    }

    /// Every config file and its text.
    fn files(&self) -> Vec<(String, String)> {
        let mut names = vec!["prices.toml".to_owned(), "gateway.toml".to_owned()];
        for entry in fs::read_dir(self.0.join("regions/endpoints")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            names.push(format!("regions/endpoints/{name}"));
        }
        names.sort();
        let read = |name: String| (name.clone(), self.read(&name));
        names.into_iter().map(read).collect()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The lines under a title of the list.
fn section(told: &str, title: &str) -> Vec<String> {
    let lines = told
        .lines()
        .skip_while(|line| !line.starts_with(title))
        .skip(1);
    lines
        .take_while(|line| line.starts_with("  "))
        .map(|line| line.trim().to_owned())
        .collect()
}

const NEW: &str = r#"{
  "claude-opus-9": {"litellm_provider": "anthropic", "mode": "chat", "max_input_tokens": 2000000,
    "max_output_tokens": 256000, "input_cost_per_token": 6.5e-06, "output_cost_per_token": 3.25e-05,
    "cache_read_input_token_cost": 6.5e-07, "input_cost_per_token_above_500k_tokens": 1.3e-05,
    "output_cost_per_token_above_500k_tokens": 6.5e-05,
    "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 0.01}},
  "claude-opus-9-20260901": {"litellm_provider": "anthropic", "mode": "chat", "max_input_tokens": 2000000,
    "max_output_tokens": 256000, "input_cost_per_token": 6.5e-06, "output_cost_per_token": 3.25e-05,
    "cache_read_input_token_cost": 6.5e-07, "input_cost_per_token_above_500k_tokens": 1.3e-05,
    "output_cost_per_token_above_500k_tokens": 6.5e-05},
  "claude-opus-8": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 1e-06,
    "output_cost_per_token": 1e-06},
  "claude-opus-1": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 1e-06,
    "output_cost_per_token": 1e-06},
  "claude-novel-9": {"litellm_provider": "anthropic", "mode": "chat", "deprecation_date": "2020-01-01",
    "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
  "claude-free-9": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 0.0,
    "output_cost_per_token": 0.0},
  "eu.anthropic.claude-opus-9": {"litellm_provider": "bedrock_converse", "mode": "chat",
    "input_cost_per_token": 7.15e-06, "output_cost_per_token": 3.575e-05},
  "eu.amazon.nova-9-pro-v1:0": {"litellm_provider": "bedrock_converse", "mode": "chat",
    "input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06},
  "amazon.nova-9-lite-v1:0": {"litellm_provider": "bedrock_converse", "mode": "chat",
    "input_cost_per_token": 1e-07, "output_cost_per_token": 4e-07}
}"#;

#[test]
fn a_new_model_is_claimed_for_no_place_and_all_else_is_for_a_reviewer() {
    let project = Project::with(&[("l.json", NEW)]);
    let before = project.files();
    let claims = project.told("endpoints");
    let shown = project.told("models update --from l.json");
    assert_eq!(project.files(), before, "nothing is written unasked");
    assert!(
        shown.ends_with("Nothing is written; --write makes these edits.\n"),
        "{shown}"
    );
    let new = section(&shown, "New models");
    assert_eq!(new.len(), 2, "{new:?}");
    assert!(
        new[0].starts_with("claude-opus-9  6.50 / 32.50  (LiteLLM)  claimed at anthropic-global")
    );
    assert!(
        new[1].starts_with("nova-9-lite  0.10 / 0.40  (LiteLLM)  price only"),
        "{new:?}"
    );
    let review = section(&shown, "For a reviewer").join("\n");
    for endpoint in [
        "anthropic-us",
        "bedrock-frankfurt",
        "bedrock-tokyo",
        "bedrock-frankfurt-converse",
    ] {
        assert!(review.contains(endpoint), "{review}");
    }

    let told = project.told("models update --from l.json --write");
    assert!(told.contains("✓ written: prices.toml\n"), "{told}");
    let prices = project.read("prices.toml");
    let block = "# From LiteLLM alone.\n[claude-opus-9]\ninput = \"6.50\"\noutput = \"32.50\"\ncache_read = \"0.65\"\nsource = \"https://platform.claude.com/docs/en/about-claude/pricing\"\n";
    assert!(prices.contains(block), "{prices}");
    let long = "[claude-opus-9.long_input]\nabove = 500000\ninput = \"13.00\"\noutput = \"65.00\"\ncache_read = \"0.65\"\n\n[claude-opus-9.per_use]\nweb-search = \"0.01\"\n";
    assert!(prices.contains(long), "{prices}");
    let claim = project.read("regions/endpoints/anthropic.toml");
    let claim = claim
        .split("[anthropic-global.models.\"claude-opus-9\"]\n")
        .nth(1)
        .unwrap();
    let claim: Vec<&str> = claim.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(claim[0], "id = \"claude-opus-9-20260901\"");
    for line in [
        "context = 2000000",
        "max_output = 256000",
        "hosting = \"global\"",
        "guarantee = \"none\"",
        "reviewer = \"nobody yet (meridian models update)\"",
    ] {
        assert!(claim.contains(&line), "{line}: {claim:?}");
    }
    let alias = "\"claude-opus-9-20260901\" = \"claude-opus-9\"\n";
    assert!(project.read("gateway.toml").contains(alias));
    let note = project.read("regions/endpoints/bedrock.toml");
    assert!(
        note.contains("# nova-9-lite (amazon.nova-9-lite-v1:0) is claimed nowhere. TODO"),
        "{note}"
    );

    // Whatever was added promises nothing.
    let after = project.told("endpoints");
    let added = after.lines().filter(|line| !claims.contains(line));
    let added: Vec<&str> = added.collect();
    assert_eq!(added.len(), 1, "{added:?}");
    assert!(
        added[0].contains("claude-opus-9  in global, none"),
        "{added:?}"
    );
    // What was there stays, letter by letter and in its order.
    for ((file, old), (_, new)) in before.iter().zip(project.files()) {
        let mut lines = new.lines();
        assert!(
            old.lines().all(|line| lines.any(|one| one == line)),
            "{file}"
        );
    }
    let checked = project.told("check --strict");
    assert!(checked.starts_with('✓'), "{checked}");
    let again = project.told("models update --from l.json");
    assert!(
        !again.contains("New models") && !again.contains("+++"),
        "{again}"
    );
}

#[test]
fn what_catalogues_agree_on_is_proposed_and_what_they_do_not_is_shown() {
    let litellm = r#"{
      "claude-opus-5": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 4.5e-06,
        "output_cost_per_token": 2.5e-05},
      "claude-opus-4-8": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 5e-06,
        "output_cost_per_token": 2.5e-05, "input_cost_per_token_above_200k_tokens": 1e-05,
        "output_cost_per_token_above_200k_tokens": 5e-05},
      "claude-sonnet-5": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 2e-06,
        "output_cost_per_token": 1e-05},
      "mistral/mistral-large-2512": {"litellm_provider": "mistral", "mode": "chat",
        "input_cost_per_token": 5.0000000000000004e-07, "output_cost_per_token": 1.5e-06},
      "eu.amazon.nova-pro-v1:0": {"litellm_provider": "bedrock_converse", "mode": "chat",
        "input_cost_per_token": 9e-06, "output_cost_per_token": 9e-06},
      "amazon.nova-pro-v1:0": {"litellm_provider": "bedrock_converse", "mode": "chat",
        "input_cost_per_token": 8e-07, "output_cost_per_token": 3.2e-06}
    }"#;
    let models_dev = r#"{"anthropic": {"id": "anthropic", "npm": "x", "models": {
      "claude-opus-5": {"cost": {"input": 4.5, "output": 25}},
      "claude-opus-4-8": {"cost": {"input": 5, "output": 25, "tiers": [
        {"tier": {"size": 200000}, "input": 10, "output": 50}]}},
      "claude-sonnet-5": {"cost": {"input": 3, "output": 10}}}}}"#;
    let project = Project::with(&[("l.json", litellm), ("m.json", models_dev)]);
    let before = project.read("prices.toml");
    let told = project.told("models update --from l.json m.json --write");
    let changes = section(&told, "Prices that change");
    assert_eq!(
        changes[1], "claude-opus-5  input 5.00 → 4.50 (LiteLLM, models.dev)",
        "{told}"
    );
    assert!(
        changes[0].starts_with("claude-opus-4-8  long_input.above none → 200000"),
        "{told}"
    );
    let disputed = section(&told, "Catalogues disagree");
    assert_eq!(
        disputed,
        ["claude-sonnet-5  input 2.00 (here, LiteLLM) or 3.00 (models.dev)"]
    );
    let inexact = section(&told, "Prices that are no exact amount");
    assert_eq!(inexact, ["mistral-large  (LiteLLM)"]);
    let prices = project.read("prices.toml");
    let new: Vec<&str> = prices
        .lines()
        .filter(|line| !before.contains(line))
        .collect();
    assert_eq!(new[0], "[claude-opus-4-8.long_input]", "{new:?}");
    assert!(prices.contains("[claude-opus-5]\ninput = \"4.50\"\noutput = \"25.00\"\n"));
    let [sonnet, nova] = ["[claude-sonnet-5]\n", "[nova-pro]\n"].map(|table| {
        let block = |text: &str| {
            text.split(table)
                .nth(1)
                .unwrap()
                .split("\n\n")
                .next()
                .unwrap()
                .to_owned()
        };
        (block(&before), block(&prices))
    });
    assert_eq!(sonnet.0, sonnet.1);
    assert_eq!(nova.0, nova.1, "the price of a geography is no list price");
    project.told("check --strict");
}

#[test]
fn what_ends_is_told_and_an_alias_of_what_is_over_follows_the_newest() {
    let litellm = r#"{
      "claude-opus-4-6": {"litellm_provider": "anthropic", "mode": "chat", "deprecation_date": "2020-01-31",
        "input_cost_per_token": 5e-06, "output_cost_per_token": 2.5e-05},
      "claude-sonnet-4-6": {"litellm_provider": "anthropic", "mode": "chat", "deprecation_date": "2020-01-31",
        "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05},
      "claude-opus-5": {"litellm_provider": "anthropic", "mode": "chat", "deprecation_date": "2999-01-31",
        "input_cost_per_token": 5e-06, "output_cost_per_token": 2.5e-05},
      "gpt-5.4-mini-2026-03-17": {"litellm_provider": "openai", "mode": "chat",
        "input_cost_per_token": 7.5e-07, "output_cost_per_token": 4.5e-06}
    }"#;
    let genai = r#"[{"id": "openai", "api_pattern": "x", "models": [{"id": "gpt-5.4-mini", "deprecated": true,
      "match": {"equals": "gpt-5.4-mini-2026-03-17"}, "prices": {"input_mtok": 0.75, "output_mtok": 4.5}}]}]"#;
    let project = Project::with(&[("l.json", litellm), ("g.json", genai)]);
    let told = project.told("models update --from l.json --from g.json --write");
    let ending = section(&told, "Models that end").join("\n");
    assert!(ending.contains("claude-opus-4-6 ended on 2020-01-31 at anthropic-us, anthropic-global (LiteLLM); newer: claude-opus-5-5"), "{ending}");
    assert!(
        ending.contains(
            "gpt-5.4-mini is deprecated (genai-prices); aliases: gpt-5.4-mini-2026-03-17, gpt-mini"
        ),
        "{ending}"
    );
    assert!(!ending.contains("claude-opus-5 "), "{ending}");
    let gateway = project.read("gateway.toml");
    assert!(
        gateway.contains("\nclaude-opus = \"claude-opus-5-5\"\n"),
        "{gateway}"
    );
    // Its successor is not in all zones; and a dated name means that version.
    assert!(gateway.contains("\nclaude-sonnet = \"claude-sonnet-4-6\"\n"));
    assert!(gateway.contains("\"claude-opus-4-6-20260205\" = \"claude-opus-4-6\"\n"));
    let aliases = section(&told, "Aliases with a newer model").join("\n");
    assert!(aliases.contains("claude-sonnet means claude-sonnet-4-6, which is over; newer: claude-sonnet-5-5, but not in the zones au, jp"), "{aliases}");
    let unlisted = section(&told, "Models that no catalogue lists").join("\n");
    assert!(
        unlisted.contains("claude-haiku-5-5") && !unlisted.contains("mistral"),
        "{unlisted}"
    );
    project.told("check --strict");
}

#[test]
fn a_run_can_be_narrowed_and_then_proposes_older_models_too() {
    let project = Project::with(&[("l.json", NEW)]);
    let told = project.told("models update --from l.json --only opus-1");
    assert!(
        section(&told, "New models")[0].starts_with("claude-opus-1  1.00 / 1.00"),
        "{told}"
    );
    assert!(!told.contains("opus-9") && !told.contains("nova"), "{told}");
    let told = project.told("models update --from l.json --only *-9-lite");
    assert_eq!(section(&told, "New models").len(), 1, "{told}");
    let many: Vec<String> = (0..150)
        .map(|n| format!("\"claude-x{n}-9\": {{\"litellm_provider\": \"anthropic\", \"mode\": \"chat\", \"input_cost_per_token\": 1e-06}}"))
        .collect();
    fs::write(
        project.0.join("many.json"),
        format!("{{{}}}", many.join(",")),
    )
    .unwrap();
    let refused = project.run("models update --from many.json");
    assert!(
        err(&refused).contains("name some with --only"),
        "{}",
        err(&refused)
    );
    let told = project.told("models update --from many.json --only claude-x1*");
    assert_eq!(section(&told, "New models").len(), 61, "{told}");
    let missed = project.run("models update --from l.json --only claude-opsu-5");
    assert!(!missed.status.success());
    assert!(
        err(&missed).contains("did you mean `claude-opus-5`"),
        "{}",
        err(&missed)
    );
}

#[test]
fn what_cannot_be_used_is_refused_and_nothing_is_written() {
    let project = Project::with(&[
        ("l.json", NEW),
        ("other.json", "{\"a\": 1}"),
        ("not.json", "{\"a\": "),
    ]);
    fs::write(project.0.join("bytes.json"), [0xff, 0xfe]).unwrap();
    let before = project.files();
    for (arguments, code, expected) in [
        ("models update --from other.json --write", 1, "other.json is no catalogue: it is JSON of another kind"),
        ("models update --from not.json --write", 1, "LiteLLM's model_prices_and_context_window.json, the data.json of genai-prices or the api.json of models.dev"),
        ("models update --from none.json --write", 1, "cannot read none.json"),
        ("models update --from bytes.json --write", 1, "cannot read bytes.json"),
        ("models update --write", 2, "--from <FILE>"),
        ("models update --from l.json --wrte", 2, "--write"),
        ("models udpate --from l.json", 2, "update"),
    ] {
        let done = project.run(arguments);
        assert_eq!(done.status.code(), Some(code), "{arguments}");
        assert!(err(&done).contains(expected), "{arguments}: {}", err(&done));
    }
    let broken = project.read("gateway.toml") + "\nnonsense = 1\n";
    fs::write(project.0.join("gateway.toml"), &broken).unwrap();
    let refused = project.run("models update --from l.json --write");
    assert!(
        err(&refused).contains("does not check"),
        "{}",
        err(&refused)
    );
    fs::write(project.0.join("gateway.toml"), &before[0].1).unwrap();
    assert_eq!(project.files(), before);
}

#[test]
fn the_public_catalogues_leave_the_map_checked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/prices");
    let litellm = folder.join("model_prices_and_context_window_backup.json");
    let genai = folder.join("genai-prices/data.json");
    if !litellm.exists() || !genai.exists() {
        eprintln!("the public catalogues are not beside the project: nothing is tried with them");
        return;
    }
    let project = Project::new();
    let from = format!(
        "models update --from {} {}",
        litellm.display(),
        genai.display()
    );
    let told = project.told(&from);
    assert!(!section(&told, "New models").is_empty(), "{told}");
    project.told(&format!("{from} --write"));
    let checked = project.told("check --strict");
    assert!(checked.starts_with('✓'), "{checked}");
    assert!(
        !project.told(&from).contains("+++"),
        "a second run has nothing to add"
    );
}
