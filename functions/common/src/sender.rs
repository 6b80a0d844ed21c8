//! What a request says about where it came from: the client's address, the name the server was called by, and the web
//! page that made it. Who may call follows from that (`crate::access`).

pub(crate) mod called;
pub(crate) mod client;
pub(crate) mod hosts;
pub(crate) mod origins;
