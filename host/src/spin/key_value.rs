//! `spin:key-value@3.0.0` over [`crate::storage`].

use super::{
    bindings::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore},
    log_call,
};
use crate::{instance::State, storage::KeyValue};
use std::sync::Arc;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

/// A guest's open store: one label of the host's key-value file.
#[derive(Clone)]
pub struct Store {
    file: Arc<KeyValue>,
    label: String,
}

impl Host for State {}

impl HostStore for State {
    fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl<T: 'static> HostStoreWithStore<T> for HasSelf<State> {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        accessor.with(|mut access| {
            let state = access.get();
            match state.component.key_value.get(&label) {
                Some(file) => {
                    let file = file.clone();
                    Ok(Ok(state.table.push(Store { file, label })?))
                }
                None => Ok(Err(Error::AccessDenied)),
            }
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let store = opened(accessor, &store)?;
        Ok(store.file.get(&store.label, &key).await.map_err(other))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let store = opened(accessor, &store)?;
        Ok(store
            .file
            .set(&store.label, &key, value)
            .await
            .map_err(other))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let store = opened(accessor, &store)?;
        Ok(store.file.delete(&store.label, &key).await.map_err(other))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        let store = opened(accessor, &store)?;
        Ok(store.file.exists(&store.label, &key).await.map_err(other))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let store = opened(accessor, &store)?;
        let (keys, end) = match store.file.get_keys(&store.label).await {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(other(error))),
        };
        accessor.with(|mut access| {
            Ok((
                StreamReader::new(&mut access, keys)?,
                FutureReader::new(&mut access, async { wasmtime::error::Ok(end) })?,
            ))
        })
    }
}

fn opened<T>(
    accessor: &Accessor<T, HasSelf<State>>,
    store: &Resource<Store>,
) -> wasmtime::Result<Store> {
    accessor.with(|mut access| {
        let state = access.get();
        log_call(&state.component.id, "key-value");
        Ok(state.table.get(store)?.clone())
    })
}

fn other(error: impl std::fmt::Display) -> Error {
    Error::Other(error.to_string())
}
