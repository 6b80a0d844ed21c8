//! Component `workspace`.
