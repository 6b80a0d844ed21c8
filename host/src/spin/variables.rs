//! `spin:variables@3.0.0`: a component sees only the variables that its table in `spin.toml` names.

use super::{
    bindings::spin::variables::variables::{Error, Host, HostWithStore},
    log_call,
};
use crate::{instance::State, manifest::check_name};
use wasmtime::component::{Accessor, HasSelf};

impl Host for State {}

impl<T> HostWithStore<T> for HasSelf<State> {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        if check_name(&name).is_err() {
            return Ok(Err(Error::InvalidName(name)));
        }
        Ok(accessor.with(|mut access| {
            let component = &access.get().component;
            log_call(&component.id, "variable");
            match component.variables.get(&name) {
                Some(value) => Ok(value.clone()),
                None => Err(Error::Undefined(format!(
                    "no variable for {:?}.{name:?}",
                    component.id
                ))),
            }
        }))
    }
}
