//! SQLite databases and key-value stores behind `spin:sqlite` and `spin:key-value`.
