//! The API's description (`/openapi.json`) and what the server does, side by side: where they part, a test fails.

mod described;
mod pages;
mod schemathesis;
