//! Builds the components and makes sure their compilation target is there.
