//! `export.json`: what is set for all chats of the user, their models and their workspaces.

use kafka_common::api::MAX_NAME_CHARS;
use kafka_common::api::models::MAX_URL_CHARS;
use kafka_common::config::{allow_private_models, variable};
use kafka_common::db::{self, Db};
use kafka_common::error::Result;
use kafka_common::grip::ORIGINS;
use kafka_common::params;
use kafka_common::seal::{Binding, Keys};
use kafka_llm::settings::parse_query;
use kafka_llm::{KeyHeader, Policy, check_base_url};
use kafka_unpack::json::{Event, Shape, Take};
use serde::Deserialize;

use super::refused;
use super::settings::{self, Settings};
use super::work::{Work, check_id, check_length, parse};

/// What is taken of the document.
pub const USER: Shape = Shape::Object(&[
    ("version", Take::Whole),
    ("settings", Take::Whole),
    ("models", Take::Each),
    ("workspaces", Take::Each),
]);

/// As many as a list of models has.
const MAX_MODELS: i64 = 200;

/// What is appended to a name that the user has for another model.
const IMPORTED: &str = " (imported)";

const SET_USER: &str = include_str!("set_user.sql");
const SET_WORKSPACE: &str = include_str!("set_workspace.sql");
const MAKE_MODEL: &str = include_str!("make_model.sql");
const NAMED: &str = include_str!("named.sql");
const SET_MODEL: [&str; 3] = [
    include_str!("model_of_user.sql"),
    include_str!("model_of_workspaces.sql"),
    include_str!("model_of_chats.sql"),
];

/// The document, as far as it has come.
#[derive(Default)]
pub struct User {
    /// Set at the end, since the model comes after it.
    settings: Settings,
    has_version: bool,
}

/// A model of the archive.
#[derive(Deserialize)]
struct Model {
    id: String,
    name: String,
    base_url: String,
    context_chars: Option<i64>,
    timeout_seconds: Option<i64>,
    query: Option<String>,
    key_header: Option<String>,
}

/// A workspace of the archive.
#[derive(Deserialize)]
struct Workspace {
    id: String,
    name: String,
    #[serde(default)]
    settings: Settings,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    base_url: String,
}

/// 400 for a document of another version than ours.
pub fn check_version(path: &str, json: &[u8]) -> Result<()> {
    let version: u64 = parse(path, "version", json)?;
    match version {
        1 => Ok(()),
        _ => Err(refused(
            path,
            format_args!("its version is {version}, and this server reads version 1 only"),
        )),
    }
}

impl User {
    /// A value of the document.
    pub async fn take(&mut self, path: &str, event: Event, work: &mut Work) -> Result<()> {
        let Event::Value(name, json) = event else {
            return Ok(());
        };
        match name {
            "version" => {
                check_version(path, &json)?;
                self.has_version = true;
                Ok(())
            }
            _ if !self.has_version => Err(refused(path, "it does not begin with its version")),
            "settings" => {
                self.settings = settings::read(path, name, &json)?.unwrap_or_default();
                Ok(())
            }
            "models" => model(path, parse(path, name, &json)?, work).await,
            _ => {
                settings::check_size(path, name, &json)?;
                workspace(path, parse(path, name, &json)?, work).await
            }
        }
    }

    /// The document is complete: where the user has set nothing themselves, what is set there holds.
    pub async fn end(self, path: &str, work: &mut Work) -> Result<()> {
        if !self.has_version {
            return Err(refused(path, "it has no version"));
        }
        let settings = self.settings.check(path)?;
        let mut db = Db::open().await?;
        let mut tx = db.begin().await?;
        let user = work.user.clone();
        settings
            .set(&mut tx, work, SET_USER, "user_model", &user)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Makes a model without its key, unless it is there.
async fn model(path: &str, model: Model, work: &mut Work) -> Result<()> {
    check_length(path, "the name of a model", &model.name, MAX_NAME_CHARS)?;
    check_id(path, &model.id)?;
    let what = format!("model {}", model.name);
    if model.base_url.chars().count() > MAX_URL_CHARS {
        let reason = format!("Its base URL has more than {MAX_URL_CHARS} characters.");
        work.leave_out(&what, reason);
        return Ok(());
    }
    if let Err(reason) = check_url(&model.base_url, &work.own).await? {
        work.leave_out(&what, reason);
        return Ok(());
    }
    let id = work.id("model", &model.id);
    let binding = Binding {
        owner: &work.user,
        row: &id,
        base_url: &model.base_url,
    };
    // An empty key is sealed, too.
    let sealed = Keys::get().await?.seal(binding, "")?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    if work.model(&mut tx, &model.id).await?.is_some() {
        work.done.there_already.models += 1;
        return Ok(());
    }
    let mut name = model.name;
    let asked = params![work.user.as_str(), name.as_str()];
    let named: Option<Named> = tx.query_one_as(NAMED, asked).await?;
    let mut stands_for = id.clone();
    match named {
        Some(named) if named.base_url == model.base_url => {
            work.link(&mut tx, "model", &model.id, &named.id).await?;
            work.done.there_already.models += 1;
            stands_for = named.id;
        }
        named => {
            if named.is_some() {
                let room = MAX_NAME_CHARS - IMPORTED.len();
                name = name.chars().take(room).collect::<String>() + IMPORTED;
            }
            let bounded = |number: Option<i64>, least, most| {
                number.filter(|number| (least..=most).contains(number))
            };
            let query = model.query.filter(|query| parse_query(query).is_ok());
            let header = model.key_header.as_deref().and_then(KeyHeader::parse);
            let header = header.filter(|header| !matches!(header, KeyHeader::Authorization));
            let made = params![
                id.as_str(),
                name.as_str(),
                sealed,
                model.base_url,
                work.user.as_str(),
                MAX_MODELS,
                work.caller.address(),
                bounded(model.context_chars, 1_000, 10_000_000),
                bounded(model.timeout_seconds, 1, 3_600),
                query,
                header.map(|header| header.as_str())
            ];
            if tx.query_one(MAKE_MODEL, made).await?.is_none() {
                drop(tx);
                let reason = "There is another model of this name, or there are too many models.";
                work.leave_out(&what, reason);
                return Ok(());
            }
            work.done.made.models += 1;
            work.done.models_without_key.push(id.into());
        }
    }
    for sql in SET_MODEL {
        let set = params![work.user.as_str(), model.id.as_str(), stands_for.as_str()];
        tx.execute(sql, set).await?;
    }
    for kind in ["user_model", "workspace_model", "chat_model"] {
        work.unlink(&mut tx, kind, &model.id).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Why a model may not be at this address.
async fn check_url(base_url: &str, own: &[String]) -> Result<std::result::Result<(), String>> {
    let mut own = own.to_vec();
    for name in ORIGINS {
        own.push(variable(name).await?);
    }
    let policy = Policy {
        own,
        allow_private: allow_private_models().await?,
    };
    Ok(check_base_url(base_url, &policy).map(drop))
}

/// Makes a workspace with its settings, unless it is there. One that was made before its name was known gets it.
async fn workspace(path: &str, workspace: Workspace, work: &mut Work) -> Result<()> {
    let name = workspace.name.as_str();
    check_length(path, "the name of a workspace", name, MAX_NAME_CHARS)?;
    check_id(path, &workspace.id)?;
    let settings = workspace.settings.check(path)?;
    let mut db = Db::open().await?;
    let found = work.find_workspace(&mut db, &workspace.id).await?;
    let mut tx = db.begin().await?;
    let unnamed = work
        .unlink(&mut tx, "workspace_name", &workspace.id)
        .await?;
    let id = match found {
        Some(id) if unnamed.contains(&id) => {
            let sql = "UPDATE workspace SET name = ?2 WHERE id = ?1";
            tx.execute(sql, params![id.as_str(), name]).await?;
            id
        }
        Some(_) => {
            work.done.there_already.workspaces += 1;
            return Ok(());
        }
        None => {
            let id = work.id("workspace", &workspace.id);
            match work.make_workspace(&mut tx, &id, name).await {
                Ok(true) => {}
                Ok(false) => {
                    drop(tx);
                    return Err(work.no_workspace(&mut db).await);
                }
                Err(error) => return Err(error),
            }
            work.done.made.workspaces += 1;
            id
        }
    };
    settings
        .set(&mut tx, work, SET_WORKSPACE, "workspace_model", &id)
        .await?;
    let committed: db::Result<()> = tx.commit().await;
    Ok(committed?)
}
