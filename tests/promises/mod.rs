//! What the system keeps under load, faults and bad input; the numbers are those of the promises
//! in docs/promises.md.

mod acknowledged;
mod door;
mod leftovers;
mod limits;
mod memory;
mod migrations;
mod much;
mod names;
mod parts;
mod plans;
mod private_addresses;
mod served_files;
mod sizes;
mod statements;
mod strangers;
mod writers;
