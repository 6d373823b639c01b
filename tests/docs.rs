//! What the docs name exists: files that they link to, and the functions of the walks
//! in docs/architecture.md. The README stays short.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

const LONGEST_README: usize = 8_192;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let own = ["README.md", "CONTRIBUTING.md"].map(|name| root().join(name));
    own.into_iter()
        .chain(docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")))
        .collect()
}

#[test]
fn links_lead_to_files() {
    let mut links = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or_default();
            if link.is_empty() || link.starts_with("http") {
                continue;
            }
            let file = page.parent().unwrap().join(link);
            assert!(file.exists(), "{page:?} links to {link}");
            links += 1;
        }
    }
    assert!(links > 20);
}

#[test]
fn the_functions_of_the_walks_exist() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut named = 0;
    for code in text.split('`').skip(1).step_by(2) {
        let Some((file, function)) = code.split_once("::") else {
            continue;
        };
        if !file.starts_with("src/") {
            continue;
        }
        let path = root().join(file);
        assert!(Path::new(&path).exists(), "{file}");
        let source = fs::read_to_string(path).unwrap();
        let mut heads = [format!("fn {function}("), format!("fn {function}<")]
            .into_iter()
            .chain([format!("function {function}("), format!(" {function}(")]);
        assert!(heads.any(|head| source.contains(&head)), "{code}");
        named += 1;
    }
    assert!(named > 20);
}

#[test]
fn the_readme_is_short() {
    let length = fs::read_to_string(root().join("README.md")).unwrap().len();
    assert!(length < LONGEST_README, "{length} bytes");
}
