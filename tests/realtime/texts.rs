//! The texts of files: read once after the upload, shown in states, and given to models.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::Scene;
use crate::support::{Setup, repository};

const MODEL: &str = "fake-words-1";

/// The bytes of a file in `tests/cases`.
fn case(name: &str) -> Vec<u8> {
    let path = repository().join("tests/cases").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A picture of one pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

impl Scene {
    async fn with_files(files: &[(&str, &[u8])]) -> Self {
        let scene = Self::new(Setup::app(), &[MODEL]).await;
        for (name, bytes) in files {
            scene.upload(name, bytes).await;
        }
        scene
    }

    /// Uploads a file to the chat; its id.
    async fn upload(&self, name: &str, bytes: &[u8]) -> String {
        self.server
            .chat_file(&self.user, &self.chat, name, bytes)
            .await
    }

    /// The instructions that the model gets with the next message.
    async fn told(&self) -> String {
        let prompt = json!({ "prompt": "What do they say?", "model": MODEL });
        self.ask(&prompt).await.has_status(202);
        self.settles().await;
        let asked = self.model.last().await;
        let system = asked["body"]["messages"][0]["content"].as_str();
        system.expect("instructions").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyday_files_reach_the_model_as_text() {
    let cases: [(&str, &[&str]); 7] = [
        (
            "excel-unicode-text.csv",
            &["Müller", "Größe – ok", "Łukasz", "café"],
        ),
        ("excel-windows1252.csv", &["Müller", "Größe – ok", "café"]),
        (
            "text-and-picture-300k.pdf",
            &["The contract ends on 31 March 2031."],
        ),
        ("letter.docx", &["The deadline is 12 May."]),
        ("form-xobject.pdf", &["Footer outside."]),
        ("macroman.pdf", &["Prix : 12 €, été “français”"]),
        ("tf1-tm-kerned.pdf", &["Hello world"]),
    ];
    let scene = Scene::with_files(&[]).await;
    for (name, _) in &cases {
        scene.upload(name, &case(&format!("files/{name}"))).await;
    }
    let told = scene.told().await;
    for (name, texts) in cases {
        assert!(
            told.contains(&format!("The file {name}:\n")),
            "{name} in {told}"
        );
        for text in texts {
            assert!(told.contains(text), "{text} of {name} in {told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_read_is_named_with_the_reason() {
    let scene = Scene::with_files(&[
        ("secret.pdf", &case("pdf/libreoffice-writer-password.pdf")),
        ("dot.png", PNG),
        ("empty.txt", b""),
    ])
    .await;
    let told = scene.told().await;
    assert!(
        told.contains("The file secret.pdf has no text here. The file is protected by a password"),
        "{told}"
    );
    assert!(
        told.contains("The file dot.png has no text here. The file is a picture (PNG)"),
        "{told}"
    );
    assert!(told.contains("The file empty.txt:\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_file_leaves_room_for_short_ones_and_says_how_long_it_is() {
    let setup = Setup::app().variable("context_chars", "5000");
    let scene = Scene::new(setup, &[MODEL]).await;
    scene.upload("short.txt", b"short and whole").await;
    scene
        .upload("long.txt", "\u{1f41b}".repeat(9000).as_bytes())
        .await;
    let told = scene.told().await;
    assert!(told.contains("short and whole"), "{told}");
    let (_, rest) = told
        .split_once("The file long.txt (only the first ")
        .expect("its beginning");
    let (count, rest) = rest
        .split_once(" of 9000 characters):\n")
        .expect("and its length");
    let there = rest
        .chars()
        .filter(|character| *character == '\u{1f41b}')
        .count();
    assert_eq!(count.parse(), Ok(there));
    assert!(!told.contains('\u{fffd}'), "no character is cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_file_costs_only_itself() {
    // A workbook that unpacks to more than is allowed, and a PDF that ends in the middle.
    let bomb = zip_bomb();
    let pdf = case("files/text-and-picture-300k.pdf");
    let scene = Scene::with_files(&[]).await;
    let good = scene
        .upload("letter.docx", &case("files/letter.docx"))
        .await;
    let bomb = scene.upload("bomb.docx", &bomb).await;
    let broken = scene.upload("broken.pdf", &pdf[..400]).await;
    for (file, state) in [(&good, "ready"), (&bomb, "failed"), (&broken, "failed")] {
        let shown = scene.server.reads(file).await;
        assert_eq!(shown["text_state"], state, "{shown}");
        let has_reason = shown["text_error"]
            .as_str()
            .is_some_and(|why| why.ends_with('.'));
        assert_eq!(has_reason, state == "failed", "{shown}");
    }
    let told = scene.told().await;
    assert!(told.contains("The deadline is 12 May."), "{told}");
    for name in ["bomb.docx", "broken.pdf"] {
        assert!(
            told.contains(&format!("The file {name} has no text here. ")),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_are_in_the_lists_and_versions_are_texts() {
    let scene = Scene::with_files(&[]).await;
    let letter = scene
        .upload("letter.docx", &case("files/letter.docx"))
        .await;
    let picture = scene.upload("dot.png", PNG).await;
    let note = scene.upload("note.md", b"first").await;
    for file in [&letter, &picture, &note] {
        scene.server.reads(file).await;
    }
    let path = format!("/chat-file/{note}/versions");
    let saved = scene
        .server
        .post(&path)
        .form(&[("content", "second")])
        .send()
        .await;
    saved.has_status(200);
    for list in [
        format!("/chat/{}/files", scene.chat),
        format!("/workspace/{}/files", scene.user.workspace),
    ] {
        let files = scene.server.get(&list).send().await.json()["files"].clone();
        let states: Vec<_> = files
            .as_array()
            .expect("a list")
            .iter()
            .map(|file| &file["text_state"])
            .collect();
        assert_eq!(states, ["ready", "failed", "ready"], "{list}: {files}");
        assert!(
            files[1]["text_error"]
                .as_str()
                .is_some_and(|why| why.contains("picture")),
            "{files}"
        );
    }
    let told = scene.told().await;
    assert!(
        told.contains("second") && !told.contains("first\n"),
        "{told}"
    );
}

/// A database from before texts were kept has none of its files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_file_is_read_when_it_is_needed() {
    let scene = Scene::with_files(&[]).await;
    let letter = scene
        .upload("letter.docx", &case("files/letter.docx"))
        .await;
    scene.server.reads(&letter).await;
    scene.server.change("DELETE FROM file_text").await;
    let shown = scene
        .server
        .get(&format!("/file/{letter}"))
        .send()
        .await
        .json();
    assert_eq!(shown["text_state"], "pending");
    assert!(scene.told().await.contains("The deadline is 12 May."));
    assert_eq!(scene.server.reads(&letter).await["text_state"], "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uploads_answer_has_the_text_of_a_small_pdf_and_of_any_encoding() {
    let scene = Scene::with_files(&[]).await;
    let form = scene
        .user
        .upload_to(&scene.chat, "true")
        .file("files", "macroman.pdf", case("files/macroman.pdf"))
        .file("files", "broken.pdf", b"%PDF-1.4")
        .file("files", "table.csv", case("files/excel-unicode-text.csv"))
        .file("files", "old.csv", case("files/excel-windows1252.csv"));
    let uploaded = scene.server.upload(form).await;
    uploaded.has_status(200);
    let details = uploaded.json()["details"].clone();
    let content = |place: usize| details[place]["content"].as_str().unwrap_or_default();
    assert!(content(0).contains("été “français”"), "{details}");
    assert_eq!(content(1), "[Error parsing PDF]");
    assert_eq!(details[1]["text_state"], "failed");
    for place in [2, 3] {
        assert!(content(place).contains("Größe – ok"), "{details}");
        assert_eq!(details[place]["text_state"], "ready");
    }
    // The first frame of a window has the same texts.
    let mut socket = scene.server.v1(&scene.chat).await;
    let files = socket.json().await["chat_files"].clone();
    for (place, detail) in details.as_array().expect("a list").iter().enumerate() {
        assert_eq!(files[place]["content"], detail["content"], "{files}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_count_where_they_are_longer_than_their_files() {
    let scene = Scene::with_files(&[]).await;
    let rtf = format!("{{\\rtf1 {}}}", "\\u8364?".repeat(5000));
    let file = scene.upload("a.rtf", rtf.as_bytes()).await;
    scene.server.reads(&file).await;
    let letter = scene
        .upload("letter.docx", &case("files/letter.docx"))
        .await;
    scene.server.reads(&letter).await;
    let database = scene.server.database().await;
    database.knows_how_much_is_stored().await;
    scene
        .server
        .delete(&format!("/file/delete/{file}"))
        .send()
        .await
        .has_status(200);
    database.knows_how_much_is_stored().await;
    assert_eq!(database.count("file_text").await, 1);
}

/// A Word document that is 300 MB of spaces.
fn zip_bomb() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let block = vec![b' '; 1 << 20];
    for _ in 0..300 {
        packed.write_all(&block).expect("bytes");
    }
    let packed = packed.finish().expect("bytes");
    // What gzip has is what zip has, between a head of ten bytes and an end of eight, of which the first are the CRC.
    let (data, end) = packed[10..].split_at(packed.len() - 18);
    let crc = [end[0], end[1], end[2], end[3]];
    let mut parts = Vec::new();
    let mut list = Vec::new();
    for (name, crc, data, size) in [
        ("[Content_Types].xml", [0; 4], &[3, 0][..], 0_u32),
        ("word/document.xml", crc, data, 300 << 20),
    ] {
        // Packed, with neither a date nor anything else that may be left out.
        let mut entry = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        entry.extend(crc);
        entry.extend((data.len() as u32).to_le_bytes());
        entry.extend(size.to_le_bytes());
        entry.extend((name.len() as u16).to_le_bytes());
        entry.extend([0, 0]);
        list.extend(b"PK\x01\x02\x14\0");
        list.extend(&entry);
        list.extend([0; 10]);
        list.extend((parts.len() as u32).to_le_bytes());
        list.extend(name.as_bytes());
        parts.extend(b"PK\x03\x04");
        parts.extend(&entry);
        parts.extend(name.as_bytes());
        parts.extend(data);
    }
    let (start, length) = (parts.len() as u32, list.len() as u32);
    parts.extend(list);
    parts.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0");
    parts.extend(length.to_le_bytes());
    parts.extend(start.to_le_bytes());
    parts.extend([0, 0]);
    parts
}

impl Scene {
    /// What the database says about the text of an uploaded file.
    async fn marks_as_being_read(&self, file: &str, alive_at: i64) {
        let sql = format!(
            "INSERT OR REPLACE INTO file_text (content_id, state, alive_at)
             SELECT content_id, 'pending', {alive_at} FROM file WHERE id = '{file}'"
        );
        self.server.change(&sql).await;
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("a clock").as_millis()).expect("a time")
}

/// The process that was reading it has died.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nothing_reads_any_more_is_read_when_it_is_looked_at() {
    let scene = Scene::with_files(&[]).await;
    let letter = scene
        .upload("letter.docx", &case("files/letter.docx"))
        .await;
    scene.server.reads(&letter).await;
    for list in [
        format!("/file/{letter}"),
        format!("/chat/{}/files", scene.chat),
        format!("/workspace/{}/files", scene.user.workspace),
    ] {
        scene.marks_as_being_read(&letter, now() - 10_000).await;
        scene.server.get(&list).send().await.has_status(200);
        // What follows only asks the database, so that the list alone has it read.
        let database = scene.server.database().await;
        let ready = "SELECT count(*) FROM file_text WHERE state = 'ready'";
        let deadline = std::time::Instant::now() + crate::support::PATIENCE;
        while database.number(ready).await == 0 {
            assert!(std::time::Instant::now() < deadline, "{list} reads nothing");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// However many files of one user take long, the files of others are read; and short texts wait for none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_take_long_stop_only_their_owner() {
    let scene = Scene::with_files(&[]).await;
    let mut slow = Vec::new();
    for number in 0..3 {
        let file = scene
            .upload(&format!("{number}.docx"), &case("files/letter.docx"))
            .await;
        scene.server.reads(&file).await;
        slow.push(file);
    }
    // Two are being read for a long time to come, as far as anyone can see; the third has to wait.
    for file in &slow[..2] {
        scene.marks_as_being_read(file, now() + 3_000).await;
    }
    scene.server.change(&format!(
        "DELETE FROM file_text WHERE content_id = (SELECT content_id FROM file WHERE id = '{}')",
        slow[2]
    )).await;
    let path = format!("/file/{}", slow[2]);
    scene.server.get(&path).send().await.has_status(200);
    let note = scene.upload("n.txt", b"short").await;
    let shown = scene
        .server
        .get(&format!("/file/{note}"))
        .send()
        .await
        .json();
    assert_eq!(shown["text_state"], "ready", "{shown}");
    let other = crate::support::login(&scene.server, "other@example.com").await;
    let chat = scene.server.chat(&other, "other").await;
    let letter = scene
        .server
        .chat_file(&other, &chat, "letter.docx", case("files/letter.docx"))
        .await;
    assert_eq!(scene.server.reads(&letter).await["text_state"], "ready");
    let third = format!(
        "SELECT count(*) FROM file_text WHERE content_id = (SELECT content_id FROM file WHERE id = '{}')",
        slow[2]
    );
    let database = scene.server.database().await;
    assert_eq!(
        database.number(&third).await,
        0,
        "nothing has begun to read the third"
    );
}

/// What was read is what is edited; the versions are in UTF-8.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_in_other_encodings_are_edited_as_they_are_read() {
    let scene = Scene::with_files(&[]).await;
    for (name, first) in [
        ("excel-unicode-text.csv", "Größe – ok"),
        ("excel-windows1252.csv", "Größe – ok"),
    ] {
        let file = scene.upload(name, &case(&format!("files/{name}"))).await;
        scene.server.reads(&file).await;
        let path = format!("/chat-file/{file}/versions");
        let saved = scene.server.post(&path).form(&[("content", "neu: ü\r\n")]);
        saved.send().await.has_status(200);
        let versions = scene.server.get(&path).send().await.json()["versions"].clone();
        assert_eq!(versions.as_array().map(Vec::len), Some(2), "{versions}");
        let text = async |number: usize| {
            let id = versions[number]["id"].as_str().expect("an id");
            let version = scene.server.get(&format!("{path}/{id}")).send().await;
            version.json()["content"]
                .as_str()
                .expect("a text")
                .to_owned()
        };
        assert!(text(0).await.contains(first), "{name}");
        assert!(
            text(1)
                .await
                .trim_start_matches('\u{feff}')
                .starts_with("neu: ü"),
            "{name}"
        );
    }
}
