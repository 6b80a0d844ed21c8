//! Component `file`.
