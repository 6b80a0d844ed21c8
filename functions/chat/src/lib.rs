//! Component `chat`.
