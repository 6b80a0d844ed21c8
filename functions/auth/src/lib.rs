//! Component `auth`.
