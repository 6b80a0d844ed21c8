//! What all components share: the HTTP edge, storage and domain types.
//!
//! The edge ([`app`], [`access`], [`form`], [`json`], [`email`], [`error`]) turns a request into checked values and
//! every failure into the shape the HTTP contract asks for. It knows nothing about storage.
//!
//! Storage ([`db`], [`content`]) keeps everything: one small module for all SQL, one for the bytes of files. What
//! several components do with it is in [`files`] and [`owner`]; [`id`] and [`clock`] make ids and times.
#![forbid(unsafe_code)]

pub mod access;
pub mod app;
mod body;
pub mod clock;
pub mod config;
pub mod content;
pub mod db;
pub mod email;
pub mod error;
pub mod events;
pub mod files;
pub mod form;
pub mod id;
pub mod json;
pub mod owner;
pub mod versions;
