//! Component `web`.
