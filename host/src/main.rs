//! The `kafka` command.

fn main() {}
