//! The manifest as data, and its reading from TOML.

use super::{check_label, outbound, template::Template, variables};
use anyhow::{Context, bail};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
};

/// An application: its components, where they are routed, and the variables that configure them.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The application's name.
    pub name: String,
    /// The application's variables, by name.
    pub variables: BTreeMap<String, Variable>,
    /// The components, by id.
    pub components: BTreeMap<String, Component>,
    /// The HTTP triggers that have a route, in the manifest's order.
    pub routes: Vec<Route>,
    /// The ids of components that only other components reach: with `route = { private = true }`, and no other one.
    pub private: BTreeSet<String>,
}

/// A variable of the application.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its purpose, for people.
    pub description: Option<String>,
    /// Its value if no provider has one. Without it the variable is required.
    pub default: Option<String>,
    /// Whether a value must be provided.
    #[serde(default)]
    pub required: bool,
    /// Whether the value is secret.
    #[serde(default)]
    pub secret: bool,
}

/// A component and what it may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The compiled component's file, relative to the manifest.
    #[serde(deserialize_with = "local_file")]
    pub source: PathBuf,
    /// Its meaning, for people.
    pub description: Option<String>,
    /// Values the component can read, by name: templates over the application's variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Its environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The hosts it may call: templates over the application's variables.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// Labels of the key-value stores it may open.
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    /// Labels of the SQLite databases it may open.
    #[serde(default)]
    pub sqlite_databases: Vec<String>,
    /// Where it gets interfaces from that it imports, by their names: other components, which are composed with it.
    #[serde(default)]
    pub dependencies: BTreeMap<String, Dependency>,
    /// Whether those may use what this component may use. This host supports no other ones.
    #[serde(default)]
    dependencies_inherit_configuration: bool,
    /// How it is built; without it, its file is taken as it is.
    pub build: Option<Build>,
    /// The kinds of hosts that it is for, which `spin build` checks.
    #[serde(default, rename = "targets")]
    _targets: toml::value::Array,
    /// Settings of other tools, which the manifest's format allows every reader to ignore.
    #[serde(default, rename = "tool")]
    _tool: toml::Table,
}

/// A component that exports what another one imports.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "DependencyForm")]
pub struct Dependency {
    /// The compiled component's file, relative to the manifest.
    pub path: PathBuf,
}

/// Spin can also fetch one from a server or a registry, which this host does not do.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "only local files are supported as dependencies: { path = \"FILE\" }"
)]
enum DependencyForm {
    File(DependencyFile),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DependencyFile {
    path: PathBuf,
}

impl From<DependencyForm> for Dependency {
    fn from(DependencyForm::File(DependencyFile { path }): DependencyForm) -> Self {
        Self { path }
    }
}

impl Component {
    /// The files that it is composed of: its own, and those of its dependencies with what each is for.
    #[must_use]
    pub fn parts(&self) -> String {
        let mut parts = self.source.display().to_string();
        for (import, Dependency { path }) in &self.dependencies {
            parts += &format!(" + {} ({import})", path.display());
        }
        parts
    }
}

/// How a component is built.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Shell commands, run one after the other.
    #[serde(rename = "command", deserialize_with = "one_or_many")]
    pub commands: Vec<String>,
    /// The folder they run in, relative to the manifest's.
    pub workdir: Option<PathBuf>,
    /// The files that `spin watch` watches.
    #[serde(default)]
    pub watch: Vec<String>,
}

/// An HTTP trigger: the requests a component gets.
#[derive(Debug, Clone)]
pub struct Route {
    /// The pattern of paths, such as `/chat/:id/messages` or `/auth/...`.
    pub pattern: String,
    /// The id of the component.
    pub component: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    spin_manifest_version: i64,
    application: Application,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    #[serde(default)]
    trigger: Triggers,
    #[serde(default)]
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    name: String,
    #[serde(rename = "version")]
    _version: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    #[serde(default, rename = "targets")]
    _targets: toml::value::Array,
    #[serde(default, rename = "tool")]
    _tool: toml::Table,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTrigger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    #[serde(rename = "id")]
    _id: Option<String>,
    component: String,
    route: HttpRoute,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a route must be a string or { private = true }")]
enum HttpRoute {
    Public(String),
    Private(PrivateRoute),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrivateRoute {
    private: bool,
}

impl Manifest {
    /// The labels of all databases.
    #[must_use]
    pub fn databases(&self) -> Vec<String> {
        self.labels(|component| &component.sqlite_databases)
    }

    /// The labels of all key-value stores.
    #[must_use]
    pub fn stores(&self) -> Vec<String> {
        self.labels(|component| &component.key_value_stores)
    }

    fn labels(&self, of: impl Fn(&Component) -> &Vec<String>) -> Vec<String> {
        let labels: BTreeSet<_> = self.components.values().flat_map(of).collect();
        labels.into_iter().cloned().collect()
    }

    /// Reads the file, usually `spin.toml`.
    ///
    /// # Errors
    /// When there is no such file, or for the reasons of [`Manifest::parse`]; the message begins with the file's
    /// name.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| {
            format!(
                "can't read the manifest {}; is this the application's folder?",
                path.display()
            )
        })?;
        Self::parse(&text).with_context(|| format!("the manifest {} can't be used", path.display()))
    }

    /// Reads a manifest's text.
    ///
    /// # Errors
    /// When it is not TOML, not a Spin manifest of version 2, contradicts itself, or asks for something this host
    /// does not support. The message names the line or the part.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let document: Document = toml::from_str(text)
            .context("not a Spin manifest, or one that uses what this host does not support")?;
        if document.spin_manifest_version != 2 {
            bail!("spin_manifest_version must be 2");
        }
        let (routes, private) = routes(document.trigger.http)?;
        let manifest = Self {
            name: document.application.name,
            variables: document.variables,
            components: document.component,
            routes,
            private,
        };
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> anyhow::Result<()> {
        for (name, variable) in &self.variables {
            variables::check_name(name)?;
            if variable.default.is_none() && !variable.required {
                bail!("variable {name:?} needs a default or `required = true`");
            }
            if variable.default.is_some() && variable.required {
                bail!("variable {name:?} is required, so it can't have a default");
            }
        }
        for (id, component) in &self.components {
            self.check_component(id, component)
                .with_context(|| format!("component {id:?}"))?;
        }
        for Route { pattern, component } in &self.routes {
            if !self.components.contains_key(component) {
                bail!("route {pattern:?} leads to component {component:?}, which does not exist");
            }
        }
        for component in &self.private {
            if !self.components.contains_key(component) {
                bail!("a private route leads to component {component:?}, which does not exist");
            }
        }
        Ok(())
    }

    fn check_component(&self, id: &str, component: &Component) -> anyhow::Result<()> {
        let kebab = |word: &str| {
            word.starts_with(|first: char| first.is_ascii_alphabetic())
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !id.split('-').all(kebab) {
            bail!("an id must be words of letters and digits, joined by -");
        }
        for label in component
            .sqlite_databases
            .iter()
            .chain(&component.key_value_stores)
        {
            check_label(label)?;
        }
        if !component.dependencies.is_empty() && !component.dependencies_inherit_configuration {
            bail!("dependencies are supported only with dependencies_inherit_configuration = true");
        }
        for (name, text) in &component.variables {
            variables::check_name(name)?;
            self.check_template(&Template::parse(text)?)?;
        }
        for text in &component.allowed_outbound_hosts {
            let template = Template::parse(text)?;
            self.check_template(&template)?;
            if template.is_literal() {
                outbound::check(text)?;
            }
        }
        Ok(())
    }

    fn check_template(&self, template: &Template) -> anyhow::Result<()> {
        match template
            .names()
            .find(|name| !self.variables.contains_key(*name))
        {
            Some(name) => bail!("there is no variable {name:?}"),
            None => Ok(()),
        }
    }
}

/// The public routes, and the components with private ones only. A pattern that occurs twice is a mistake.
fn routes(triggers: Vec<HttpTrigger>) -> anyhow::Result<(Vec<Route>, BTreeSet<String>)> {
    let mut seen = HashSet::new();
    let (mut routes, mut private_components) = (Vec::new(), BTreeSet::new());
    for trigger in triggers {
        match trigger.route {
            HttpRoute::Public(pattern) => {
                if !seen.insert(pattern.clone()) {
                    bail!("the route {pattern:?} occurs twice");
                }
                routes.push(Route {
                    pattern,
                    component: trigger.component,
                });
            }
            HttpRoute::Private(PrivateRoute { private: true }) => {
                private_components.insert(trigger.component);
            }
            HttpRoute::Private(PrivateRoute { private: false }) => {
                bail!(
                    "component {:?}: a route must be a string or {{ private = true }}",
                    trigger.component
                );
            }
        }
    }
    for Route { component, .. } in &routes {
        private_components.remove(component);
    }
    Ok((routes, private_components))
}

/// A component's source. Spin can also fetch one from a server, which this host does not do.
fn local_file<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "only a local file is supported as a component's source"
    )]
    enum Source {
        File(PathBuf),
    }
    let Source::File(path) = Source::deserialize(deserializer)?;
    Ok(path)
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a command or a list of commands")]
    enum Commands {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Commands::deserialize(deserializer)? {
        Commands::One(command) => vec![command],
        Commands::Many(commands) => commands,
    })
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
