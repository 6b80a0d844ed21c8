//! References to documents: in comments as `docs/decisions.md#write-transactions`, in documents as links.

use std::fs;
use std::path::Path;

use super::{headings, read, texts};
use crate::support::repository;

/// The error of a reference to `path`, relative to the repository's root, if there is one.
fn trouble(path: &str, heading: Option<&str>) -> Option<String> {
    let file = repository().join(path);
    match heading {
        _ if !file.exists() => Some("there is no such file".to_owned()),
        None => None,
        Some(heading) => {
            let text = fs::read_to_string(file).unwrap_or_default();
            let known = headings(&text).iter().any(|known| known == heading);
            (!known).then(|| format!("there is no heading #{heading}"))
        }
    }
}

/// The documents that a line names: all in `docs/`, and those whose name is in capitals.
fn named(line: &str) -> Vec<(&str, Option<&str>)> {
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let mut found = Vec::new();
    for (at, _) in line.match_indices(".md") {
        let (before, after) = (&line[..at], &line[at + 3..]);
        if after.starts_with(is_of_path) && !after.starts_with(['.', '/']) {
            continue;
        }
        let start = before.rfind(|c| !is_of_path(c)).map_or(0, |last| {
            last + before[last..].chars().next().map_or(1, char::len_utf8)
        });
        let path = &line[start..at + 3];
        let stem = &path[path.rfind('/').map_or(0, |slash| slash + 1)..path.len() - 3];
        let path = match path.rfind("docs/") {
            Some(docs) => &path[docs..],
            None if !stem.is_empty() && stem.bytes().all(|c| c.is_ascii_uppercase()) => {
                path.trim_start_matches("../")
            }
            None => continue,
        };
        let heading = after.strip_prefix('#').map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '-');
            &rest[..end.unwrap_or(rest.len())]
        });
        found.push((path, heading));
    }
    found
}

/// The targets of a line's links, without those to other sites and to paths of the server.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.starts_with("http") && !target.starts_with('/'))
}

/// Words that refer to something outside of the repository, or to a place in it that can't be looked up.
fn vague(line: &str) -> Option<String> {
    let line = line.to_lowercase();
    let contracts = ["http", "websocket", "grip"].map(|of| format!("{of} contract"));
    let quoting = [".md", "readme"].map(|document| format!("{document}, \""));
    let mut phrases = contracts.iter().chain(&quoting);
    if let Some(phrase) = phrases.find(|phrase| line.contains(*phrase)) {
        return Some(phrase.clone());
    }
    let numbered = ["promise ", "promises ", "issue ", "issue #"];
    let is_numbered = |word: &&&str| {
        let mut rests = line.split(**word).skip(1);
        rests.any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let found = numbered.iter().find(is_numbered);
    found.map(|word| format!("{word}with a number"))
}

#[test]
fn every_reference_names_a_heading_that_exists() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for file in texts() {
        for (number, line) in read(&file).lines().enumerate() {
            let mut report = |what: String| wrong.push(format!("{file}:{}: {what}", number + 1));
            if let Some(phrase) = vague(line) {
                report(format!(
                    "“{phrase}” is no reference to a document of this repository"
                ));
            }
            for (path, heading) in named(line) {
                seen += 1;
                if let Some(trouble) = trouble(path, heading) {
                    report(format!("{path}: {trouble}"));
                }
            }
            if !file.ends_with(".md") {
                continue;
            }
            let folder = Path::new(&file).parent().expect("a folder");
            for link in links(line) {
                let (path, heading) = match link.split_once('#') {
                    Some((path, heading)) => (path, Some(heading)),
                    None => (link, None),
                };
                let path = match path {
                    "" => file.clone(),
                    path => folder.join(path).display().to_string(),
                };
                seen += 1;
                if let Some(trouble) = trouble(&path, heading) {
                    report(format!("{link}: {trouble}"));
                }
            }
        }
    }
    assert!(seen > 100, "{seen} references");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `promises::writers` and the like, in documents that name the test of a promise.
#[test]
fn the_tests_that_documents_name_exist() {
    let is_module = |name: &&str| {
        let mut parts = name.split("::");
        let is_name = |part: &str| {
            !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')
        };
        parts.clone().count() == 2 && parts.all(is_name)
    };
    for document in ["docs/promises.md", "docs/threat-model.md"] {
        let text = read(document);
        for section in text.split("\n## ").skip(1) {
            let code = section.split('`').skip(1).step_by(2);
            let modules: Vec<&str> = code.filter(is_module).collect();
            let heading = section.lines().next().unwrap_or_default();
            assert!(!modules.is_empty(), "{document}, {heading}: no test");
            for module in modules {
                let path = repository().join("tests").join(module.replace("::", "/"));
                let exists = path.is_dir() || path.with_extension("rs").is_file();
                assert!(exists, "{document}, {heading}: there is no {module}");
            }
        }
    }
}

#[test]
fn wrong_references_are_found() {
    let seen = |line: &str| {
        let mut named = named(line).into_iter();
        vague(line).is_some() || named.any(|(path, heading)| trouble(path, heading).is_some())
    };
    // Put together here, or this file would be found.
    let md = ".md";
    for wrong in [
        format!("(docs/nothing{md})"),
        format!("(docs/decisions{md}#nothing)"),
        format!("../../DESIGN{md}, D5"),
        format!("README{md}, \"Running it\""),
        format!("Promise {}: something", 7),
        format!("the {} contract", "HTTP"),
    ] {
        assert!(seen(&wrong), "{wrong}");
    }
    for right in [
        "(docs/decisions.md#write-transactions).",
        "docs/promises.md and README.md",
        "a file `notes.md` of a chat",
    ] {
        assert!(!seen(right), "{right}");
    }
}
