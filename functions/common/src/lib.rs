//! What all components share: the HTTP edge, storage and domain types.
//!
//! The edge ([`app`], [`access`], [`form`], [`json`], [`email`], [`error`]) turns a request into checked values and
//! every failure into the shape the HTTP contract asks for. It knows nothing about storage.
#![forbid(unsafe_code)]

pub mod access;
pub mod app;
mod body;
pub mod clock;
pub mod config;
pub mod db;
pub mod email;
pub mod error;
pub mod form;
pub mod id;
pub mod json;
