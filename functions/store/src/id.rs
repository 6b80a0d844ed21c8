//! The one maker of ids.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid, Variant, Version};

/// A new id: UUID v7, lower case with dashes. Ids made later sort after earlier ones, so that the index of a table's
/// primary key grows at its end. Ids in requests are opaque text and never parsed.
pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// The id that a thing of another account gets when it is imported for `user`: always the same one, and for another kind,
/// source or user another one. It is as old as its source, if that has an id of ours.
pub fn id_for(user: &str, kind: &str, source: &str) -> String {
    let mut hash = Sha256::new();
    for part in [user, kind, source] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    if let Ok(source) = Uuid::try_parse(source)
        && source.get_version_num() == 7
    {
        bytes[..6].copy_from_slice(&source.as_bytes()[..6]);
    }
    Builder::from_bytes(bytes)
        .with_version(Version::SortRand)
        .with_variant(Variant::RFC4122)
        .into_uuid()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::{id_for, new_id};

    #[test]
    fn ids_of_what_is_imported_follow_from_their_sources() {
        let source = new_id();
        let id = id_for("u", "chat", &source);
        assert_eq!((id.len(), &id[14..15]), (36, "7"));
        assert_eq!(id, id_for("u", "chat", &source));
        assert_eq!(id[..13], source[..13]);
        for other in [
            id_for("v", "chat", &source),
            id_for("u", "file", &source),
            id_for("u", "chat", "any text"),
            id_for("uc", "hat", &source),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn ids_are_version_7_and_ascending() {
        let ids: Vec<String> = (0..1000).map(|_| new_id()).collect();
        assert!(ids.iter().all(|id| id.len() == 36 && &id[14..15] == "7"));
        assert!(ids.is_sorted());
    }
}
