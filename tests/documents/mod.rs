//! The documents: references to them name existing headings, and their examples work.

mod alerts;
mod examples;
mod references;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repository;

/// The text of a file of the repository.
fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The texts that people write, as paths from the repository's root: no lock file, nothing that is built.
fn texts() -> Vec<String> {
    let (root, mut found) = (repository(), Vec::new());
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let (name, path) = (entry.file_name(), folder.join(entry.file_name()));
            let name = name.to_string_lossy();
            if entry.path().is_dir() {
                if !name.starts_with('.') && name != "target" || name == ".ci" {
                    folders.push(path);
                }
            } else if is_text(&path) {
                found.push(path.display().to_string());
            }
        }
    }
    found.sort_unstable();
    found
}

fn is_text(path: &Path) -> bool {
    const EXTENSIONS: [&str; 9] = ["css", "html", "js", "md", "py", "rs", "sh", "sql", "toml"];
    match path.extension() {
        Some(extension) => EXTENSIONS.iter().any(|text| extension == *text),
        None => path.ends_with(".ci/run"),
    }
}

/// The headings of a document, as GitHub names them in links.
fn headings(markdown: &str) -> Vec<String> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in markdown.lines() {
        in_code ^= line.starts_with("```");
        if let Some(heading) = line.strip_prefix('#').filter(|_| !in_code) {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter_map(|c| match c {
                ' ' => Some('-'),
                c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                _ => None,
            });
            found.push(kept.collect());
        }
    }
    found
}
