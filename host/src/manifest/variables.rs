//! The values of the application's variables, and what components see of them.

use super::{Component, Manifest, OutboundHosts, is_word, template::Template};
use anyhow::{Context, anyhow, bail};
use std::{collections::BTreeMap, env};

/// The value of every variable of the application.
#[derive(Clone)]
pub struct Variables(BTreeMap<String, String>);

/// The beginning of a variable's name in the environment.
const PREFIX: &str = "SPIN_VARIABLE_";

/// The name of a variable in the environment.
pub fn in_environment(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase())
}

impl Manifest {
    /// Finds the value of each variable: in `overrides`, else in the environment as `SPIN_VARIABLE_<NAME>` (name in
    /// upper case), else its default.
    ///
    /// # Errors
    /// When a required variable has no value, `overrides` or the environment has a name that the manifest lacks, or an
    /// environment variable is not UTF-8.
    pub fn resolve_variables(
        &self,
        overrides: &BTreeMap<String, String>,
    ) -> anyhow::Result<Variables> {
        // As one that is mistyped on the command line: what it should set would stay as it is.
        let given = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for name in given {
            let of_ours = name.strip_prefix(PREFIX).map(str::to_ascii_lowercase);
            if of_ours.is_some_and(|name| !self.variables.contains_key(&name)) {
                bail!("{name} is set, and the application has no such variable");
            }
        }
        self.resolve_variables_from(overrides, |name| match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("environment variable {name}")),
        })
    }

    fn resolve_variables_from(
        &self,
        overrides: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> anyhow::Result<Option<String>>,
    ) -> anyhow::Result<Variables> {
        if let Some(name) = overrides
            .keys()
            .find(|name| !self.variables.contains_key(*name))
        {
            let known: Vec<&str> = self.variables.keys().map(String::as_str).collect();
            bail!(
                "the application has no variable {name:?}, only {}",
                known.join(", ")
            );
        }
        let mut values = BTreeMap::new();
        for (name, variable) in &self.variables {
            let in_environment = in_environment(name);
            let value = match overrides.get(name) {
                Some(value) => Some(value.clone()),
                None => environment(&in_environment)?.or_else(|| variable.default.clone()),
            };
            let value = value.ok_or_else(|| {
                anyhow!("variable {name:?} needs a value: set {in_environment}, or give --variable {name}=VALUE")
            })?;
            values.insert(name.clone(), value);
        }
        Ok(Variables(values))
    }
}

impl Variables {
    /// The values of a component, by the names it uses.
    ///
    /// # Errors
    /// When one of its templates is not valid; a loaded manifest has none such.
    pub fn of_component(&self, component: &Component) -> anyhow::Result<BTreeMap<String, String>> {
        component
            .variables
            .iter()
            .map(|(name, text)| Ok((name.clone(), self.fill(text)?)))
            .collect()
    }

    /// The hosts the component may call.
    ///
    /// # Errors
    /// When an entry of its list is not an address once its variables are filled in.
    pub fn outbound_hosts(&self, component: &Component) -> anyhow::Result<OutboundHosts> {
        let hosts: Vec<String> = component
            .allowed_outbound_hosts
            .iter()
            .map(|text| self.fill(text))
            .collect::<anyhow::Result<_>>()?;
        OutboundHosts::parse(&hosts)
    }

    fn fill(&self, text: &str) -> anyhow::Result<String> {
        Template::parse(text)?.fill(|name| {
            let value = self.0.get(name).map(String::as_str);
            value.ok_or_else(|| anyhow!("there is no variable {name:?}"))
        })
    }
}

/// Checks the name of a variable: words of lower-case letters and digits, joined by single `_`, beginning with a
/// letter.
///
/// # Errors
/// When the name is anything else.
pub fn check_name(name: &str) -> anyhow::Result<()> {
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.split('_').all(is_word)
    {
        bail!(
            "{name:?} is no name of a variable: it must be words of a-z and 0-9, joined by single _"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Manifest, check_name};
    use std::collections::BTreeMap;

    const MANIFEST: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "test"
        [variables]
        mode = { default = "open" }
        key = { required = true, secret = true }
        origin = { default = "http://127.0.0.1:5561" }
        [component.a]
        source = "a.wasm"
        variables = { mode = "{{ mode }}", both = "{{ mode }}:{{key}}", fixed = "x" }
        allowed_outbound_hosts = ["{{ origin }}", "https://example.com"]
    "#;

    fn manifest() -> Manifest {
        Manifest::parse(MANIFEST).expect("valid manifest")
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// The values of component `a` with these overrides and this environment.
    fn seen(
        overrides: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let manifest = manifest();
        let environment = map(environment);
        manifest
            .resolve_variables_from(&map(overrides), |name| Ok(environment.get(name).cloned()))?
            .of_component(&manifest.components["a"])
    }

    #[test]
    fn values_come_from_overrides_then_environment_then_defaults() {
        let expected = |mode: &str| {
            map(&[
                ("mode", mode),
                ("both", &format!("{mode}:k")),
                ("fixed", "x"),
            ])
        };
        let key = ("SPIN_VARIABLE_KEY", "k");
        assert_eq!(seen(&[], &[key]).expect("default"), expected("open"));
        let from_environment = [key, ("SPIN_VARIABLE_MODE", "token")];
        assert_eq!(
            seen(&[], &from_environment).expect("environment"),
            expected("token")
        );
        let both = seen(&[("mode", "mine"), ("key", "k")], &from_environment);
        assert_eq!(both.expect("override"), expected("mine"));
    }

    #[test]
    fn an_empty_value_is_a_value() {
        let seen = seen(
            &[],
            &[("SPIN_VARIABLE_KEY", "k"), ("SPIN_VARIABLE_MODE", "")],
        )
        .expect("resolves");
        assert_eq!(seen["mode"], "");
    }

    #[test]
    fn a_missing_required_variable_is_named() {
        let error = seen(&[], &[]).expect_err("key has no value").to_string();
        assert!(
            error.contains("SPIN_VARIABLE_KEY") && error.contains("--variable key="),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_override_is_named() {
        let error = seen(&[("kye", "k")], &[])
            .expect_err("no such variable")
            .to_string();
        assert!(
            error.contains("\"kye\"") && error.contains("key"),
            "{error}"
        );
    }

    #[test]
    fn outbound_hosts_follow_variables() {
        let manifest = manifest();
        let hosts = |origin: &str| {
            manifest
                .resolve_variables_from(&map(&[("key", "k"), ("origin", origin)]), |_| Ok(None))?
                .outbound_hosts(&manifest.components["a"])
        };
        let allowed = hosts("http://10.0.0.1:5561").expect("valid");
        assert!(allowed.allows("http", "10.0.0.1", 5561));
        assert!(allowed.allows("https", "example.com", 443));
        assert!(!allowed.allows("http", "127.0.0.1", 5561));
        assert!(hosts("not an address").is_err());
    }

    #[test]
    fn names_are_lower_snake_case() {
        for name in ["a", "abc", "a1b2c3", "a_1", "a_1_b_3"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "aX", "1bc", "_x", "x.y", "x_", "a__b", "x-y", "é"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
