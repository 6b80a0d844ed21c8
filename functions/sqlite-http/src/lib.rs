//! `spin:sqlite` for hosts that have none: the interface as a component exports it, over a libSQL server that is spoken to
//! by HTTP (docs/running.md#akamai-functions).
//!
//! It is no endpoint. A manifest gives it to the components that store something as the component which they import
//! `spin:sqlite` from; it then lives in their instances, and has their variables and their hosts.
//!
//! * `database`: where the server is, and how it is asked.
//! * `connection`: a connection as a component sees it, and what becomes of one that is left in a transaction.
//! * `send`: a request and its answer.

mod connection;
mod database;
mod send;

mod bindings {
    use super::connection::Connection;

    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));

    /// What exports the interface.
    struct Provider;

    impl exports::spin::sqlite::sqlite::Guest for Provider {
        type Connection = Connection;
    }

    export!(Provider);
}
