//! What all components share: the HTTP edge, storage and domain types.
#![forbid(unsafe_code)]
