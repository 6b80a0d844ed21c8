//! Where models may be (promise 3).

use super::{Person, Town};
use crate::support::{FakeModel, Response, Setup};

async fn save(town: &Town, person: &Person, base_url: &str) -> Response {
    let form = [
        ("user_id", person.id.as_str()),
        ("name", "fake-words-2-rate-0"),
        ("ak", "sk-1"),
        ("base_url", base_url),
    ];
    let request = town.server.post("/models/new").by(person).form(&form);
    request.send().await
}

#[tokio::test]
async fn models_are_in_public_unless_the_operator_says_otherwise() {
    let model = FakeModel::start();
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    for url in [
        model.base_url(),
        "http://10.0.0.1/v1".to_owned(),
        "http://169.254.169.254/latest".to_owned(),
    ] {
        save(&town, &josef, &url).await.has_status(422);
    }
    assert_eq!(town.server.database().await.count("model").await, 0);
    // It resolves to this machine only when it is called, and is refused then.
    let named = format!(
        "http://{}/v1",
        model.address().replace("127.0.0.1", "localhost")
    );
    let saved = save(&town, &josef, &named).await;
    if saved.status == 200 {
        let path = format!("/models/{}/test", saved.string("/id"));
        let tested = town.server.post(&path).by(&josef).send().await;
        assert_eq!(tested.json()["ok"], false, "{}", tested.text());
    }
    assert_eq!(model.requests().await, 0);

    let town = Town::with(Setup::app().variable("allow_private_models", "true")).await;
    let josef = town.person("josef@example.com").await;
    let saved = save(&town, &josef, &model.base_url()).await;
    let path = format!("/models/{}/test", saved.string("/id"));
    let tested = town.server.post(&path).by(&josef).send().await;
    tested.is(200, r#"{"ok":true,"error":null}"#);
}
