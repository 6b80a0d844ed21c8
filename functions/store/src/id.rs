//! The one maker of ids.

use uuid::Uuid;

/// A new id: UUID v7, lower case with dashes. Ids made later sort after earlier ones, so that the index of a table's
/// primary key grows at its end. Ids in requests are opaque text and never parsed.
pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}

#[cfg(test)]
mod tests {
    use super::new_id;

    #[test]
    fn ids_are_version_7_and_ascending() {
        let ids: Vec<String> = (0..1000).map(|_| new_id()).collect();
        assert!(ids.iter().all(|id| id.len() == 36 && &id[14..15] == "7"));
        assert!(ids.is_sorted());
    }
}
