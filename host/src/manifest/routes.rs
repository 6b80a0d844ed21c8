//! Finds the component for a path, as Spin does: by the same library and with the same rules on top of it.
//!
//! A pattern's parts are literal text, `:name` for any one segment, and `/...` at the end for the rest of the path
//! (or nothing). Of all patterns that match, the most specific wins: literal before `:name` before `/...`, from
//! the left. A slash at the end of the path makes no difference to which.

use super::{Manifest, Route};
use anyhow::{Context, anyhow, bail};
use routefinder::{RouteSpec, Segment};

/// All routes of an application.
#[derive(Debug)]
pub struct Router {
    finder: routefinder::Router<usize>,
    routes: Vec<Route>,
}

/// A path's component and what the pattern caught.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'router> {
    /// The component's id.
    pub component: &'router str,
    /// The pattern as the manifest has it: Spin's header `spin-raw-component-route`.
    pub raw_route: &'router str,
    /// The pattern with a slash in front and none at the end: `spin-matched-route`.
    pub matched_route: String,
    /// The pattern without `/...`: `spin-component-route`.
    pub component_route: &'router str,
    /// The path that `/...` matched, with its slashes: `spin-path-info`. Empty where the pattern has none.
    pub path_info: String,
    /// The segment that each `:name` matched, undecoded: the headers `spin-path-match-<name>`.
    pub params: Vec<(String, String)>,
}

impl Router {
    /// Takes the routes of a manifest.
    ///
    /// # Errors
    /// When a pattern is not valid, for instance because a wildcard is not at its end.
    pub fn new(manifest: &Manifest) -> anyhow::Result<Self> {
        let routes = manifest.routes.clone();
        let mut finder = routefinder::Router::new();
        for (index, Route { pattern, .. }) in routes.iter().enumerate() {
            let spec =
                spec(pattern).with_context(|| format!("the route {pattern:?} is not valid"))?;
            let Ok(()) = finder.add(spec, index);
        }
        Ok(Self { finder, routes })
    }

    /// Finds the component for the path of a request, which is not decoded and has no query.
    pub fn find(&self, path: &str) -> Option<Match<'_>> {
        let best = self.finder.best_match(path)?;
        let Route { pattern, component } = self.routes.get(*best.handler())?;
        let captures = best.captures();
        let path_info = match captures.wildcard() {
            None => String::new(),
            // The library drops slashes at both ends of the rest; Spin keeps them.
            Some(rest) => {
                let front = if rest.is_empty() { "" } else { "/" };
                let back = if path.ends_with('/') { "/" } else { "" };
                format!("{front}{rest}{back}")
            }
        };
        Some(Match {
            component,
            raw_route: pattern,
            matched_route: absolute(pattern),
            component_route: pattern.strip_suffix("/...").unwrap_or(pattern),
            path_info,
            params: captures
                .params()
                .iter()
                .map(|capture| (capture.name().to_owned(), capture.value().to_owned()))
                .collect(),
        })
    }

    /// All routes with their components, in the manifest's order.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes
            .iter()
            .map(|route| (route.pattern.as_str(), route.component.as_str()))
    }
}

/// A pattern in the library's terms.
fn spec(pattern: &str) -> anyhow::Result<RouteSpec> {
    let absolute = absolute(pattern);
    let spec: RouteSpec = match absolute.strip_suffix("/...") {
        Some(prefix) => format!("{prefix}/*").parse(),
        None => absolute.parse(),
    }
    .map_err(|reason: String| anyhow!(reason))?;
    // The library would panic at the first path it compares with such a pattern.
    let before_last = spec
        .segments()
        .split_last()
        .map_or(&[][..], |(_, before)| before);
    if before_last.contains(&Segment::Wildcard) {
        bail!("a wildcard must be at its end");
    }
    Ok(spec)
}

/// A pattern with a slash in front and none at the end.
fn absolute(pattern: &str) -> String {
    let front = if pattern.starts_with('/') { "" } else { "/" };
    format!("{front}{}", pattern.strip_suffix('/').unwrap_or(pattern))
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
