//! The shape of the code, held by a test: modules name only modules above
//! them, nothing outside `edge/` touches the platform, a clock or randomness,
//! and files and functions stay of a size one can read.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 80;
const NO_NAMES: [&str; 4] = ["utils", "common", "helpers", "misc"];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules that a file lists, in order: of `lib.rs`, or of a folder's `mod.rs`.
fn modules(file: &str) -> Vec<String> {
    let text = fs::read_to_string(source().join(file)).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .map(|rest| rest.trim_end_matches(';').to_owned())
        .collect()
}

/// The top module a file belongs to.
fn module_of(file: &Path) -> String {
    let relative = file.strip_prefix(source()).unwrap();
    let first = relative
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file without its tests and comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_folder_names_only_folders_above_it() {
    let order = modules("lib.rs");
    assert!(order.len() > 10 && order.last().is_some_and(|last| last == "edge"));
    let rank = |name: &str| order.iter().position(|known| known == name);
    for file in rust_files(&source()) {
        let Some(own) = rank(&module_of(&file)) else {
            continue;
        };
        for named in code(&file).split("crate::").skip(1) {
            for named in first_names(named) {
                let Some(other) = rank(&named) else { continue };
                assert!(
                    other <= own,
                    "{file:?} names `{named}`, which stands below it in lib.rs"
                );
            }
        }
    }
}

/// Folders whose modules stand in the order of a call, or of use.
const ORDERED: [&str; 6] = ["config", "request", "upstream", "answer", "admin", "report"];

#[test]
fn in_a_folder_a_module_names_only_modules_above_it() {
    for folder in ORDERED {
        let order = modules(&format!("{folder}/mod.rs"));
        let rank = |name: &str| order.iter().position(|known| known == name);
        assert!(order.len() > 2, "{folder}");
        for file in rust_files(&source().join(folder)) {
            let relative = file.strip_prefix(source().join(folder)).unwrap();
            let first = relative.iter().next().unwrap().to_string_lossy();
            let Some(own) = rank(first.trim_end_matches(".rs")) else {
                continue;
            };
            let inside = format!("crate::{folder}::");
            for named in code(&file).split(&inside).skip(1) {
                for named in first_names(named) {
                    let Some(other) = rank(&named) else { continue };
                    assert!(
                        other <= own,
                        "{file:?} names `{named}`, which stands below it in {folder}/mod.rs"
                    );
                }
            }
        }
    }
}

/// The modules named right after `crate::`, also of a list in braces.
fn first_names(after: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    match after.strip_prefix('{') {
        Some(list) => list
            .split('}')
            .next()
            .unwrap_or_default()
            .split(',')
            .map(name)
            .collect(),
        None => vec![name(after)],
    }
}

#[test]
fn only_the_edge_touches_platform_clock_and_randomness() {
    let forbidden = [
        "worker::",
        "web_sys",
        "js_sys",
        "wasm_bindgen",
        "Instant::",
        "SystemTime",
        "thread_rng",
        "getrandom",
        "HashMap<",
        "std::env::",
        "std::net",
    ];
    for file in rust_files(&source()) {
        let module = module_of(&file);
        if module == "edge" || module == "bin" {
            continue;
        }
        for word in forbidden {
            assert!(
                !code(&file).contains(word),
                "{file:?} uses `{word}`: that belongs into edge/"
            );
        }
    }
}

#[test]
fn files_and_functions_stay_readable() {
    for file in rust_files(&source()) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !NO_NAMES.contains(&name.as_str()),
            "{file:?}: say what it does instead"
        );
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST_FILE,
            "{file:?} has {lines} lines: one thing a file"
        );
        let starts = text
            .lines()
            .next()
            .is_some_and(|line| line.starts_with("//!"));
        assert!(starts, "{file:?} does not begin by saying what it is for");
        for (function, length) in functions(&text) {
            assert!(
                length <= LONGEST_FUNCTION,
                "{file:?}: `{function}` has {length} lines"
            );
        }
    }
}

/// Functions and their lengths, by the indentation that rustfmt gives.
fn functions(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let Some((before, rest)) = line.split_once("fn ") else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        if !before.trim().is_empty()
            && !before.trim().starts_with("pub")
            && !before.trim().starts_with("async")
        {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == close) {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            found.push((name.to_owned(), length + 1));
        }
    }
    found
}

#[test]
fn the_table_and_the_row_have_the_same_columns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sql = fs::read_to_string(root.join("migrations/0001_usage.sql")).unwrap();
    let table = sql
        .split("CREATE TABLE usage (")
        .nth(1)
        .unwrap()
        .split("\n)")
        .next()
        .unwrap();
    let mut columns: Vec<String> = table
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    let mut later: Vec<PathBuf> = fs::read_dir(root.join("migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    later.sort();
    for file in later {
        let sql = fs::read_to_string(file).unwrap();
        for added in sql.split("ALTER TABLE usage ADD COLUMN ").skip(1) {
            columns.extend(added.split_whitespace().next().map(str::to_owned));
        }
    }
    let insert = meridian::answer::record::INSERT;
    let list = insert.split('(').nth(1).unwrap().split(')').next().unwrap();
    let inserted: Vec<&str> = list.split(", ").collect();
    assert_eq!(columns, inserted);
    for column in columns {
        assert!(
            insert.contains(&format!("value->>'{column}'")),
            "{column} is never filled"
        );
    }
}
