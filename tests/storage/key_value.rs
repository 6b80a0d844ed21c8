//! The key-value stores.

use kafka_host::storage::{KeyValue, Options};

#[tokio::test]
async fn the_key_value_store_keeps_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key_value.db");
    let store = KeyValue::open(&file, Options::default()).await.unwrap();
    assert_eq!(store.get("a", "key").await.unwrap(), None);
    store.set("a", "key", vec![0, 1]).await.unwrap();
    store.set("a", "key", vec![0, 2]).await.unwrap();
    store.set("a", "empty", vec![]).await.unwrap();
    store.set("b", "other", vec![3]).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = KeyValue::open(&file, Options::default()).await.unwrap();
    assert_eq!(store.get("a", "key").await.unwrap(), Some(vec![0, 2]));
    assert_eq!(store.get("a", "empty").await.unwrap(), Some(vec![]));
    assert_eq!(store.get_keys("a").await.unwrap(), ["empty", "key"]);
    assert!(store.exists("b", "other").await.unwrap());
    store.delete("b", "other").await.unwrap();
    store.delete("b", "other").await.unwrap();
    assert!(!store.exists("b", "other").await.unwrap());
}
