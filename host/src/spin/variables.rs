//! `spin:variables@3.0.0`: a component sees only the variables that its table in `spin.toml` names.

use super::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use crate::instance::State;
use wasmtime::component::{Accessor, HasSelf};

impl Host for State {}

impl<T> HostWithStore<T> for HasSelf<State> {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        if !is_valid_name(&name) {
            return Ok(Err(Error::InvalidName(name)));
        }
        Ok(accessor.with(
            |mut access| match access.get().component.variables.get(&name) {
                Some(value) => Ok(value.clone()),
                None => Err(Error::Undefined(format!(
                    "no variable for {:?}.{name:?}",
                    access.get().component.id
                ))),
            },
        ))
    }
}

/// Spin's rule for keys: lower-case letters, digits and single underscores, beginning with a letter.
fn is_valid_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.ends_with('_')
        && !name.contains("__")
}
