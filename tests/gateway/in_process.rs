//! The gateway of `kafka up`.
