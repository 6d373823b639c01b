//! The command line as people run it, in a copy of the project: whether a
//! deploy is fit, what an edit changes, what would happen to a request.

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
        let name = format!(
            "meridian-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
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

    /// The same, as a git repository with one commit.
    fn in_git() -> Project {
        let project = Project::new();
        for arguments in [
            "init -q",
            "add -A",
            "-c user.name=t -c user.email=t@example.com commit -qm first",
        ] {
            let done = Command::new("git")
                .args(arguments.split(' '))
                .current_dir(&project.0)
                .output()
                .unwrap();
            assert!(done.status.success(), "{done:?}");
        }
        project
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.0.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// The line of the last place where a word stands in a file.
    fn line(&self, file: &str, word: &str) -> usize {
        let text = fs::read_to_string(self.0.join(file)).unwrap();
        text[..text.rfind(word).unwrap()].matches('\n').count() + 1
    }

    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        command.args(arguments.split(' ')).current_dir(&self.0);
        command
            .env_remove("MERIDIAN_URL")
            .env_remove("MERIDIAN_ADMIN_KEY");
        command.output().unwrap()
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

/// A project whose production environment is filled in.
fn deployable() -> Project {
    let project = Project::new();
    project.edit(
        "wrangler.toml",
        "create-me-production.example.com",
        "llm.example.com",
    );
    project.edit("wrangler.toml", "\"create-me\"", "\"0123\"");
    project
}

#[test]
fn a_filled_in_environment_is_fit() {
    let checked = deployable().run("check --env production");
    assert!(
        checked.status.success(),
        "{}{}",
        out(&checked),
        err(&checked)
    );
    let text = out(&checked);
    assert!(text.contains("249 countries"), "{text}");
}

#[test]
fn what_stands_against_a_deploy_is_found_at_its_line() {
    let production = "[env.production]\n";
    let slips = [
        ("smart-placement", production, "[env.production]\nplacement = { mode = \"smart\" } # wrong\n", "placement = ", "remove"),
        ("workers-dev-open", "name = \"meridian-production\"\n# Only a custom domain can be held to a region; workers.dev cannot.\nworkers_dev = false", "name = \"meridian-production\"\nworkers_dev = true # wrong", "workers_dev = true", "workers_dev = false"),
        ("workers-dev-open", "name = \"meridian-production\"\n", "name = \"meridian-production\"\npreview_urls = true\n", "preview_urls", "preview_urls = false"),
        ("binding-jurisdiction", "database_name = \"meridian-production-usage-eu\"\njurisdiction = \"eu\"", "database_name = \"meridian-production-usage-eu\"", "[[env.production.d1_databases]]\nbinding = \"USAGE_EU\"", "jurisdiction = \"eu\""),
        ("missing-binding", "[[env.production.d1_databases]]\nbinding = \"AUDIT\"", "[[env.production.d1_databases]]\nbinding = \"ADUIT\"", "[env.production]", "AUDIT"),
        ("missing-binding", "[[env.production.kv_namespaces]]\nbinding = \"KEYS\"", "[[env.production.kv_namespaces]]\nbinding = \"KYES\"", "[env.production]", "KEYS"),
        ("missing-cron", "crons = [", "cron = [", "[triggers]", "[triggers]"),
        ("missing-cron", production, "[env.production]\ntriggers = { crons = [] }\n", "triggers = {", "crons = ["),
        ("create-me", "pattern = \"llm.example.com\"", "pattern = \"create-me.example.com\"", "create-me.example.com", "Deploy"),
        ("local-only", "main = \"build/worker/index.js\"", "main = \".local/worker/front.js\"", ".local/worker", "build/worker"),
    ];
    for (rule, from, to, at, instead) in slips {
        let project = deployable();
        project.edit("wrangler.toml", from, to);
        let line = project.line("wrangler.toml", at);
        let checked = project.run("check --env production");
        assert!(!checked.status.success(), "{rule} lets a deploy pass");
        let text = out(&checked);
        let told = text
            .lines()
            .zip(text.lines().skip(1))
            .find(|(told, _)| told.contains(&format!("[{rule}]")));
        let (told, way_out) = told.unwrap_or_else(|| panic!("{rule} is not in {text}"));
        assert!(
            told.starts_with(&format!("✗ wrangler.toml:{line}:")),
            "{rule}: {told}, not {line}"
        );
        assert!(way_out.contains(instead), "{rule}: {way_out}");
    }
}

#[cfg(unix)]
#[test]
fn a_secret_that_an_endpoint_needs_and_nobody_set_is_found() {
    use std::os::unix::fs::PermissionsExt;
    let project = deployable();
    let bin = project.0.join("node_modules/.bin");
    fs::create_dir_all(&bin).unwrap();
    // What wrangler prints for `secret list`, notice and all.
    let script = "#!/bin/sh\necho '⛅️ wrangler'\ncase $1 in\nsecret) echo '[{\"name\":\"OPENAI_EU_KEY\",\"type\":\"secret_text\"}]';;\nkv) echo '{\"seq\":2,\"versions\":[\"0123456789ab\"]}';;\nesac\n";
    fs::write(bin.join("wrangler"), script).unwrap();
    fs::set_permissions(bin.join("wrangler"), fs::Permissions::from_mode(0o755)).unwrap();
    let text = out(&project.run("check --env production --online"));
    assert!(
        text.contains(
            "nobody has set the secret BEDROCK_EU_KEY, which bedrock-frankfurt, bedrock-ireland"
        ),
        "{text}"
    );
    assert!(
        text.contains("nobody has set the secret RECEIPT_KEYS"),
        "{text}"
    );
    assert!(!text.contains("the secret OPENAI_EU_KEY"), "{text}");
    assert!(
        text.contains("map 0123456789ab was published and stays in force"),
        "{text}"
    );
    // Nothing is asked of an endpoint that is off.
    assert!(!text.contains("AZURE_EU_KEY"), "{text}");
}

#[test]
fn diff_tells_what_an_edit_changes_and_fails_where_it_should() {
    let project = Project::in_git();
    assert!(out(&project.run("diff")).contains("Nothing changes for any request."));
    assert!(project.run("diff --fail-on any").status.success());

    project.edit(
        "regions/endpoints/bedrock.toml",
        "[bedrock-ireland]\n",
        "[bedrock-ireland]\noff = \"an outage\"\n",
    );
    let stronger = project.run("diff --fail-on weaker");
    assert!(stronger.status.success(), "{}", err(&stronger));
    let text = out(&stronger);
    let opus = "claude-opus-4-6, claude-opus-4-7, claude-opus-4-8, claude-opus-5, claude-opus-5-5";
    let sonnet = "claude-sonnet-4-6, claude-sonnet-5, claude-sonnet-5-5";
    for line in [
        format!("eu, claude-haiku-4-5, claude-haiku-5-5, {opus}, {sonnet}: loses bedrock-ireland"),
        format!("eu: only bedrock-frankfurt serves claude-haiku-5-5, {opus}, {sonnet}"),
    ] {
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    assert!(!project.run("diff --fail-on any").status.success());

    project.edit("regions/zones/uk.toml", "\"GB\", ", "");
    project.edit("regions/zones/us.toml", "\"US\", ", "\"US\", \"GB\", ");
    project.edit(
        "regions/zones/jp.toml",
        "guarantee = \"storage\"",
        "guarantee = \"processing\"",
    );
    project.edit(
        "regions/endpoints/mistral.toml",
        "host = \"api.eu.mistral.ai\"",
        "host = \"llm.example.com\"",
    );
    project.edit(
        "regions/endpoints/mistral.toml",
        "alone = \"Mistral has one host for each region\"\n",
        "",
    );
    let weaker = project.run("diff --markdown --fail-on weaker");
    assert!(!weaker.status.success());
    let text = out(&weaker);
    for line in [
        "- ⚠️ **weaker**: GB: from uk (processed in eu, uk, processing) to us (processed in us, processing)",
        "- stronger: jp: the weakest promise accepted is processing and was storage",
        "- ⚠️ **weaker**: mistral-eu is now contacted at llm.example.com/v1 instead of api.eu.mistral.ai/v1, without a newer review",
        "- jp: nothing serves gpt-4.1, gpt-4o-mini, gpt-5-mini, gpt-5.4, gpt-5.4-mini, gpt-5.6-luna, gpt-5.6-sol, gpt-5.6-terra, gpt-6-astra, gpt-6-luna, gpt-6-sol any more; such requests are refused",
        "- mistral-eu no longer says why it may be the only endpoint for a model",
        "### Countries that move",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&out(&project.run("diff --json"))).unwrap();
    assert!(json["diff"]["changes"].as_array().unwrap().len() > 5);
    assert!(err(&project.run("diff nonsense")).contains("nonsense"));
}

#[test]
fn diff_and_explain_tell_how_long_records_are_kept() {
    let keep = |project: &Project, zone: &str, days: &str| {
        let file = format!("regions/zones/{zone}.toml");
        project.edit(&file, "review_by", &format!("{days}review_by"));
    };
    let project = Project::in_git();
    keep(&project, "eu", "retention_days = 90\n");
    assert!(project.run("diff --fail-on weaker").status.success());
    let text = out(&project.run("diff"));
    assert!(
        text.contains("▲ stronger: eu: its records are kept for 90 days and were kept for good; those that are older are deleted within the hour, and no rollback brings them back"),
        "{text}"
    );
    let explained = out(&project.run("explain --country AT --model claude-sonnet"));
    assert!(
        explained.contains(
            "is kept in the database USAGE_EU, in European Union and EEA (eu), for 90 days."
        ),
        "{explained}"
    );
    keep(&project, "uk", "retention_days = 1\n");
    let none = out(&project.run("explain --country US --model claude-sonnet"));
    assert!(
        none.contains("in the database USAGE_US, in United States (us). "),
        "{none}"
    );

    let commit = "-c user.name=t -c user.email=t@example.com commit -qam second";
    let git = |arguments: &str| {
        let done = Command::new("git")
            .args(arguments.split(' '))
            .current_dir(&project.0)
            .output();
        assert!(done.unwrap().status.success());
    };
    git(commit);
    project.edit(
        "regions/zones/eu.toml",
        "retention_days = 90",
        "retention_days = 365",
    );
    project.edit("regions/zones/uk.toml", "retention_days = 1\n", "");
    keep(&project, "jp", "retention_days = 30\n");
    let weaker = project.run("diff --fail-on weaker");
    assert!(!weaker.status.success());
    for line in [
        "▼ weaker: eu: its records are kept for 365 days and were kept for 90 days\n",
        "▼ weaker: uk: its records are kept for good and were kept for 1 day\n",
        "▲ stronger: jp: its records are kept for 30 days and were kept for good; ",
    ] {
        assert!(
            out(&weaker).contains(line),
            "{line} is not in {}",
            out(&weaker)
        );
    }
    git("checkout -q .");

    // A country that moves to where records are kept longer, and a zone that goes.
    project.edit("regions/zones/eu.toml", "\"@eea\", ", "");
    project.edit(
        "regions/zones/ch.toml",
        "[\"CH\"]",
        "[\"CH\", \"NO\", \"IS\", \"LI\"]",
    );
    fs::remove_file(project.0.join("regions/zones/uk.toml")).unwrap();
    let text = out(&project.run("diff"));
    for line in [
        "▼ weaker: IS, LI, NO: from eu (processed in eu, processing) to ch (processed in eu, processing); records kept for good, before for 90 days",
        "▼ weaker: the zone uk is gone: what there is of its records is kept for good from now on, and was kept for 1 day",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[test]
fn explain_reads_as_a_paragraph_and_as_json() {
    let project = Project::new();
    let text = out(&project.run("explain --country at --model claude-sonnet"));
    for words in [
        "A request from AT for the model claude-sonnet (that is, claude-sonnet-4-6)",
        "because the caller is in AT, which is in eu",
        "It rests on: GDPR Art. 44-49.",
        "It may be processed in European Union and EEA (eu) only",
        "It would be sent to bedrock-frankfurt (bedrock-runtime.eu-central-1.amazonaws.com)",
        "; if that fails, to bedrock-ireland",
        "No other endpoint would be contacted, whatever fails.",
        "anthropic-us processes requests in us",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    assert_eq!(text.trim().lines().count(), 1, "one paragraph");
    let json = out(&project.run("explain --country AT --model claude-sonnet --json"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["tried"][0]["name"], "bedrock-frankfurt");
    assert_eq!(json["zone"]["id"], "eu");
    let refused = out(&project.run("explain --country AT --model gpt-mini --zone us"));
    assert!(
        refused.contains("It would be refused, and no provider would be contacted."),
        "{refused}"
    );
    assert!(err(&project.run("explain --country UK --model gpt-mini")).contains("did you mean GB?"));
    let off = out(&project.run("explain --country DE --model gpt-4.1"));
    assert!(
        off.contains("azure-sweden is switched off: an example"),
        "{off}"
    );
}

#[test]
fn obvious_mistakes_get_a_line_that_helps() {
    let project = Project::new();
    for (arguments, help) in [
        ("history", "say which gateway: --url https://"),
        (
            "history --url http://example.com",
            "a key is sent by https only",
        ),
        (
            "history --url https://127.0.0.1:9",
            "who are you? Set MERIDIAN_ADMIN_KEY",
        ),
        (
            "history --url http://127.0.0.1:9 --admin-key x",
            "did not answer",
        ),
        (
            "status --env prodction",
            "no environment prodction in wrangler.toml; there are: staging, production",
        ),
        ("status --env staging", "still to be filled in"),
        (
            "drill block bedrock-frankfurt --for 10",
            "say a number and its unit: 90s, 10m, 1h",
        ),
        (
            "drill block bedrock-frankfurt --for 10m --as 500",
            "possible values: 429, 529, connect, slow, cut",
        ),
        ("check --env prodction", "there are: staging, production"),
        (
            "check --explain country-twise",
            "did you mean `country-twice`?",
        ),
        (
            "admins add --who anna --role compliance",
            "is no mail address",
        ),
        ("retention", "say which gateway: --url https://"),
        ("retention rum", "a similar subcommand exists: 'run'"),
        (
            "retention run --url http://127.0.0.1:9",
            "who are you? Set MERIDIAN_ADMIN_KEY",
        ),
        ("verify nonsense --jwks wrangler.toml", "these are no keys"),
    ] {
        let ran = project.run(arguments);
        assert!(!ran.status.success(), "{arguments}");
        assert!(err(&ran).contains(help), "{arguments}: {}", err(&ran));
    }
    let empty = std::env::temp_dir();
    let ran = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .arg("check")
        .current_dir(empty)
        .output()
        .unwrap();
    assert!(err(&ran).contains("run this in the project's folder"));
}
