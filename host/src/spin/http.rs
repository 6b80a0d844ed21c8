//! `wasi:http/client`, where requests of components are traced: it knows which request of an instance calls.
//!
//! An instance serves several requests at a time. The hooks that send a component's request see none of them, so what is
//! called here first tells them.

use crate::{instance::State, trace};
use wasmtime::{
    AsContextMut,
    component::{Access, Accessor, GuestTaskId, HasData, HasSelf, Linker, Resource},
};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::{
    WasiHttp, WasiHttpCtxView, WasiHttpView,
    p3::{
        Request, Response,
        bindings::http::{
            client::{self, HostWithStore},
            types::{self, ErrorCode},
        },
    },
};

/// The client of components whose requests are traced.
struct Traced;

impl HasData for Traced {
    type Data<'a> = WasiHttpCtxView<'a>;
}

impl HostWithStore<State> for Traced {
    async fn send(
        accessor: &Accessor<State, Self>,
        request: Resource<Request>,
    ) -> Result<Resource<Response>, TrappableError<ErrorCode>> {
        accessor.with(|mut access| {
            let mut store = access.as_context_mut();
            let tasks = tasks(store.as_context_mut());
            let state = store.data_mut();
            let caller = state.caller(&tasks);
            state.calls_for(caller);
        });
        // It gives the request to the hooks before it waits for anything.
        let http = accessor.with_getter::<WasiHttp>(State::http);
        WasiHttp::send(&http, request).await
    }
}

/// Adds `wasi:http` to `linker`.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    if trace::get().is_none() {
        return wasmtime_wasi_http::p3::add_to_linker(linker);
    }
    client::add_to_linker::<_, Traced>(linker, State::http)?;
    types::add_to_linker::<_, WasiHttp>(linker, State::http)
}

/// The tasks of an instance that have led to what it calls now, the youngest first.
fn tasks<T: 'static>(mut store: wasmtime::StoreContextMut<'_, T>) -> Vec<GuestTaskId> {
    let stack = store.async_call_stack();
    stack.map(Iterator::collect).unwrap_or_default()
}

/// The span of the request that calls now.
pub(super) fn caller<T: 'static>(
    access: &mut Access<'_, T, HasSelf<State>>,
) -> Option<trace::Context> {
    let tasks = tasks(access.as_context_mut());
    access.get().caller(&tasks)
}
