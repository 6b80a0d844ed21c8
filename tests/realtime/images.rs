//! Files of messages: stored and shown with them, and pictures among them seen by models.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use serde_json::{Value, json};

use super::Scene;
use crate::support::{Setup, login};

const PARTS: &str = "fake-parts-rate-0";
const BLIND: &str = "fake-no-images-parts-rate-0";

/// A picture of one colour.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    encoded(
        &RgbImage::from_pixel(width, height, Rgb([200, 30, 30])).into(),
        format,
    )
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut bytes), format)
        .expect("a picture");
    bytes
}

/// The texts of the parts of a message, and its images.
fn parts(message: &Value) -> (String, Vec<String>) {
    let Some(parts) = message["content"].as_array() else {
        let text = message["content"].as_str().expect("a text");
        return (text.to_owned(), Vec::new());
    };
    let text = parts[0]["text"].as_str().expect("first the text");
    let urls = parts[1..].iter().map(|part| {
        assert_eq!(part["type"], "image_url");
        part["image_url"]["url"].as_str().expect("a URL").to_owned()
    });
    (text.to_owned(), urls.collect())
}

impl Scene {
    async fn picture(&self, name: &str) -> String {
        self.has_file(name, &picture(60, 40, ImageFormat::Png))
            .await
    }

    /// Uploads a file to the chat, and waits until it has been read; its id.
    async fn has_file(&self, name: &str, bytes: &[u8]) -> String {
        let (user, chat) = (&self.user, &self.chat);
        let file = self.server.chat_file(user, chat, name, bytes).await;
        self.server.reads(&file).await;
        file
    }

    /// Sends a prompt with these files, and waits for the end of the reply. The id of the message.
    async fn shows(&self, model: &str, prompt: &str, files: Value) -> String {
        let asked = json!({ "prompt": prompt, "model": model, "file_ids": files });
        let asked = self.ask(&asked).await;
        asked.has_status(202);
        self.settles().await;
        asked.string("/message_id")
    }

    /// What the model was asked last: the messages after the instructions.
    async fn asked_parts(&self) -> Vec<Value> {
        let body = &self.model.last().await["body"];
        let messages = body["messages"].as_array().expect("messages");
        messages[1..].to_vec()
    }

    /// Edits a message, and waits for the end of the reply; the new message in the history.
    async fn edits(&self, message: &str, body: Value) -> Value {
        let path = format!("/chat/{}/messages/{message}/edit", self.chat);
        let request = self.server.post(&path);
        let request = request.header("accept", "application/json");
        let edited = request.json(body.to_string()).send().await;
        edited.has_status(202);
        self.settles().await;
        self.message(&edited.string("/message_id")).await
    }

    /// The messages of the active branch.
    async fn history(&self) -> Vec<Value> {
        let path = format!("/chat/{}/messages", self.chat);
        let history = self.server.get(&path).send().await.json();
        history["messages"].as_array().expect("a list").clone()
    }

    async fn message(&self, id: &str) -> Value {
        let mut messages = self.history().await.into_iter();
        messages
            .find(|message| message["id"] == id)
            .expect("it is in the history")
    }

    async fn last_reply(&self) -> Value {
        self.history().await.pop().expect("a reply")
    }

    /// What is known of a model's images.
    async fn takes_images(&self, name: &str) -> Value {
        let path = format!("/models?user_id={}", self.user.id);
        let models = self.server.get(&path).send().await.json();
        let mut models = models["models"]
            .as_array()
            .expect("a list")
            .clone()
            .into_iter();
        let model = models
            .find(|model| model["name"] == name)
            .expect("the model");
        model["capabilities"]["images"].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_go_to_the_model_with_their_message_and_again_with_the_history() {
    let scene = Scene::new(Setup::app(), &[PARTS]).await;
    assert_eq!(scene.takes_images(PARTS).await, Value::Null);
    let mut ids = Vec::new();
    for (name, format) in [
        ("large.png", ImageFormat::Png),
        ("photo.jpg", ImageFormat::Jpeg),
        ("web.webp", ImageFormat::WebP),
        ("moving.gif", ImageFormat::Gif),
    ] {
        let bytes = picture(2400, 1200, format);
        ids.push(scene.has_file(name, &bytes).await);
    }
    let clear = RgbaImage::from_pixel(30, 20, Rgba([1, 2, 3, 100])).into();
    let clear = encoded(&clear, ImageFormat::Png);
    ids.push(scene.has_file("clear.png", &clear).await);
    ids.push(scene.has_file("notes.md", b"A note.").await);
    let message = scene.shows(PARTS, "What is there?", json!(ids)).await;

    let asked = scene.asked_parts().await;
    let (text, images) = parts(&asked[0]);
    assert_eq!(
        text,
        "[Files of this message: large.png, photo.jpg, web.webp, moving.gif, clear.png, notes.md]\n\nWhat is there?"
    );
    assert_eq!(images.len(), 5);
    for (number, url) in images.iter().enumerate() {
        let (media_type, size) = match number {
            4 => ("image/png", (30, 20)),
            _ => ("image/jpeg", (2048, 1024)),
        };
        let data = url.strip_prefix(&format!("data:{media_type};base64,"));
        let bytes = BASE64.decode(data.expect(media_type)).expect("Base64");
        assert!(bytes.len() <= 4_000_000);
        let image = image::load_from_memory(&bytes).expect("an image");
        assert_eq!((image.width(), image.height()), size);
    }
    // The text of the other one is where those of all files are.
    let system = scene.model.last().await["body"]["messages"][0]["content"].clone();
    assert!(system.as_str().expect("a text").contains("A note."));
    assert!(scene.reply().await.starts_with("image/jpeg of "));
    let message = scene.message(&message).await;
    assert_eq!(message["file_ids"], json!(ids));
    let reply = scene.last_reply().await;
    assert_eq!(
        (&reply["error"], &reply["file_ids"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(scene.takes_images(PARTS).await, true);

    scene.shows(PARTS, "And now?", Value::Null).await;
    let asked = scene.asked_parts().await;
    assert_eq!(parts(&asked[0]).1, images);
    assert_eq!(parts(&asked[2]), ("And now?".to_owned(), Vec::new()));
    // They were made once.
    let database = scene.server.database().await;
    assert_eq!(database.number("SELECT count(*) FROM file_image").await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_again_has_the_same_files_unless_it_names_others() {
    let scene = Scene::new(Setup::app(), &[PARTS]).await;
    let (first, second) = (scene.picture("a.png").await, scene.picture("b.png").await);
    let prompt = scene
        .shows(PARTS, "What is it?", json!([first, first]))
        .await;
    assert_eq!(scene.message(&prompt).await["file_ids"], json!([first]));
    let path = format!("/chat/{}/messages/{prompt}/regenerate", scene.chat);
    let again = scene
        .server
        .post(&path)
        .header("accept", "application/json");
    again.json("{}".to_owned()).send().await.has_status(202);
    scene.settles().await;
    let (_, images) = parts(&scene.asked_parts().await[0]);
    assert_eq!(images.len(), 1);
    for (body, files) in [
        (json!({ "prompt": "What?" }), json!([first])),
        (
            json!({ "prompt": "What?", "file_ids": null }),
            json!([first]),
        ),
        (
            json!({ "prompt": "What?", "file_ids": [second] }),
            json!([second]),
        ),
        (json!({ "prompt": "What?", "file_ids": [] }), Value::Null),
    ] {
        let edited = scene.edits(&prompt, body.clone()).await;
        assert_eq!(edited["file_ids"], files, "{body}");
        let (text, images) = parts(&scene.asked_parts().await[0]);
        assert_eq!(images.len(), usize::from(files != Value::Null), "{body}");
        let name = if files == json!([second]) {
            "b.png"
        } else {
            "a.png"
        };
        assert_eq!(text.contains(name), files != Value::Null, "{text}");
    }
    // What has left the chat is kept by no message.
    let gone = scene
        .server
        .delete(&format!("/file/delete/{first}"))
        .send()
        .await;
    gone.has_status(200);
    let edited = scene.edits(&prompt, json!({ "prompt": "And?" })).await;
    assert_eq!(edited["file_ids"], Value::Null);
    let database = scene.server.database().await;
    assert_eq!(database.number("SELECT count(*) FROM file_image").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_without_eyes_is_asked_without_images_and_remembered() {
    for model in [BLIND, "fake-no-images-mute-parts-rate-0"] {
        let scene = Scene::new(Setup::app(), &[]).await;
        let id = scene.has_model(model).await;
        let file = scene.picture("a.png").await;
        let unseen = "This model takes no images. It has not seen a.png.";
        for requests in [2, 3] {
            scene.shows(model, "What is it?", json!([file])).await;
            let reply = scene.last_reply().await;
            assert_eq!(reply["status"], "complete", "{reply}");
            assert_eq!(reply["content"], "no images");
            assert_eq!(reply["error"], unseen);
            let (text, _) = parts(&scene.asked_parts().await[0]);
            assert!(text.starts_with("[Not shown here: a.png]\n\n"), "{text}");
            assert_eq!(scene.model.requests().await, requests);
            assert_eq!(scene.takes_images(model).await, false);
        }
        let set = async |value: &str| {
            let change = scene.server.patch(&format!("/models/{id}"));
            let change = change
                .json(format!(r#"{{"capabilities": {value}}}"#))
                .send()
                .await;
            change.has_status(200);
            change.json()["capabilities"]["images"].clone()
        };
        for (images, requests) in [("null", 5), ("true", 7), ("false", 8)] {
            let set = set(&format!(r#"{{"images": {images}}}"#)).await;
            assert_eq!(set.to_string(), images);
            scene.shows(model, "What is it?", json!([file])).await;
            assert_eq!(scene.model.requests().await, requests, "{images}");
        }
        // An empty object changes nothing, another name forgets.
        assert_eq!(set("{}").await, false);
        let renamed = scene.server.patch(&format!("/models/{id}"));
        let renamed = renamed.form(&[("name", PARTS)]).send().await;
        assert_eq!(renamed.json()["capabilities"], json!({ "images": null }));
        for wrong in [r#"{"images": 1}"#, r#"{"eyes": true}"#, "[]", "true"] {
            let change = scene.server.patch(&format!("/models/{id}"));
            let body = format!(r#"{{"capabilities": {wrong}}}"#);
            change.json(body).send().await.has_status(422);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capabilities_are_set_with_a_new_model() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let body = json!({
        "user_id": scene.user.id, "name": BLIND, "ak": super::KEY, "base_url": scene.model.base_url(),
        "capabilities": { "images": false }
    });
    let saved = scene
        .server
        .post("/models/new")
        .json(body.to_string())
        .send()
        .await;
    saved.has_status(200);
    assert_eq!(saved.json()["capabilities"], json!({ "images": false }));
    let file = scene.picture("a.png").await;
    scene.shows(BLIND, "What is it?", json!([file])).await;
    assert_eq!(scene.model.requests().await, 1);
    let login = scene.server.login(&scene.user.email).await.json();
    assert_eq!(
        login["models"][0]["capabilities"],
        json!({ "images": false })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_seen_is_told_and_the_reply_comes() {
    let scene = Scene::new(Setup::app(), &[PARTS]).await;
    let whole = picture(300, 300, ImageFormat::Png);
    let broken = &whole[..whole.len() / 2];
    let large = picture(8000, 6000, ImageFormat::Png);
    let mut ids = Vec::new();
    for (name, bytes) in [
        ("broken.png", broken),
        ("large.png", &large),
        ("good.png", &whole),
    ] {
        ids.push(scene.has_file(name, bytes).await);
    }
    scene.shows(PARTS, "What is there?", json!(ids)).await;
    let reply = scene.last_reply().await;
    assert_eq!(reply["status"], "complete");
    let error = reply["error"].as_str().expect("it says so");
    for words in [
        "The model has not seen broken.png. The file is a picture (PNG) that can't be looked at: it is damaged",
        "The model has not seen large.png. The file is a picture (PNG) that can't be looked at: it has more than 40 million",
    ] {
        assert!(error.contains(words), "{error}");
    }
    let (text, images) = parts(&scene.asked_parts().await[0]);
    assert!(text.contains("broken.png, large.png, good.png"), "{text}");
    assert_eq!(images.len(), 1);
    let system = scene.model.last().await["body"]["messages"][0]["content"].clone();
    let system = system.as_str().expect("a text").to_owned();
    assert!(
        system.contains("The file broken.png has no text here."),
        "{system}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_the_workspace_becomes_one_of_the_chat() {
    let scene = Scene::new(Setup::app(), &[PARTS]).await;
    let bytes = picture(60, 40, ImageFormat::Png);
    let upload = scene.user.to_workspace().file("files", "a.png", &bytes[..]);
    let uploaded = scene
        .server
        .post("/file/upload")
        .multipart(upload)
        .send()
        .await;
    let file = uploaded.string("/files/0");
    let mut client = scene.server.v2(&scene.chat).await;
    let message = scene.shows(PARTS, "What is it?", json!([file])).await;
    let seen = client.action("message").await;
    assert_eq!(seen["message"]["id"], json!(message));
    assert_eq!(seen["message"]["file_ids"], json!([file]));
    let path = format!("/chat/{}/files", scene.chat);
    let files = scene.server.get(&path).send().await.json();
    assert_eq!(files["files"][0]["id"], json!(file));
    let (_, images) = parts(&scene.asked_parts().await[0]);
    assert_eq!(images.len(), 1);
    // Again, it is there already.
    scene.shows(PARTS, "And?", json!([file])).await;
    let files = scene.server.get(&path).send().await.json();
    assert_eq!(files["files"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_files_are_refused_and_nothing_is_stored() {
    let scene = Scene::new(Setup::app(), &[PARTS]).await;
    let file = scene.picture("a.png").await;
    let other = login(&scene.server, "other@example.com").await;
    let elsewhere = scene.server.chat(&other, "c").await;
    let foreign = scene
        .server
        .chat_file(&other, &elsewhere, "x.png", "x")
        .await;
    for (files, status, words) in [
        (
            json!(["unknown"]),
            404,
            "File unknown not found in the chat or its workspace.",
        ),
        (
            json!([file, foreign]),
            404,
            "not found in the chat or its workspace.",
        ),
        (json!(vec!["x"; 11]), 413, "file_ids is too long."),
        (json!("x"), 400, "file_ids must be a list of ids."),
        (json!([1]), 400, "file_ids must be a list of ids."),
        (json!([""]), 404, "not found in the chat or its workspace."),
    ] {
        let asked = json!({ "prompt": "x", "model": PARTS, "file_ids": files });
        let asked = scene.ask(&asked).await;
        asked.has_status(status);
        assert!(asked.text().contains(words), "{}", asked.text());
    }
    assert_eq!(scene.stored().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_messages_are_exported_copied_and_deleted() {
    let scene = Scene::new(Setup::app(), &[PARTS]).await;
    let file = scene.picture("a *b*.png").await;
    scene.shows(PARTS, "What is it?", json!([file])).await;
    let export = |format: &str| {
        let path = format!("/chat/{}/export?format={format}", scene.chat);
        scene.server.get(&path).send()
    };
    let json = export("json").await.json();
    assert_eq!(json["messages"][0]["file_ids"], json!([file]));
    assert_eq!(json["files"][0]["id"], json!(file));
    let markdown = export("markdown").await.text().to_owned();
    assert!(
        markdown.contains("*Files: a *b*.png*\n\nWhat is it?"),
        "{markdown}"
    );

    let reply = scene.last_reply().await["id"].clone();
    let copy = scene.server.post(&format!("/chat/{}/copy", scene.chat));
    let copied = copy
        .json(json!({ "message_id": reply }).to_string())
        .send()
        .await;
    copied.has_status(200);
    let copy = copied.string("/chat_id");
    let files = scene
        .server
        .get(&format!("/chat/{copy}/files"))
        .send()
        .await
        .json();
    let history = scene
        .server
        .get(&format!("/chat/{copy}/messages"))
        .send()
        .await
        .json();
    assert_eq!(
        history["messages"][0]["file_ids"],
        json!([files["files"][0]["id"]])
    );
    assert_ne!(files["files"][0]["id"], json!(file));

    let database = scene.server.database().await;
    assert_eq!(database.number("SELECT count(*) FROM file_image").await, 1);
    let deleted = scene
        .server
        .delete(&format!("/user/{}", scene.user.id))
        .send()
        .await;
    deleted.has_status(200);
    assert_eq!(database.number("SELECT count(*) FROM file_image").await, 0);
}
