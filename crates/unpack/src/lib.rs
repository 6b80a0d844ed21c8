//! Takes apart what arrives in pieces and may be much larger than memory: the entries of a ZIP archive ([`zip`]), and the
//! values of a long JSON document ([`json`]). Both read from front to back, hold what they need for the next value, and
//! take their input for hostile. Bytes in, values out, no I/O.
#![forbid(unsafe_code)]

pub mod json;
pub mod zip;
