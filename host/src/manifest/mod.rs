//! Reads `spin.toml`.
