//! Settings of an archive, which are checked like those that a client sends.

use kafka_common::api::settings::Sent;
use kafka_common::db::{Transaction, Value};
use kafka_common::error::{Error, Result};
use kafka_common::params;
use kafka_common::settings::Change;
use serde::Deserialize;
use serde_json::Value as Json;

use super::refused;
use super::work::{Work, parse};

/// How long the settings of a level may be in the archive, in bytes of JSON: they are values of any shape until they are
/// checked, which take many times that.
const MAX_BYTES: usize = 512 << 10;

/// The settings of a level, as they are in the archive. One that is missing sets nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    instructions: Option<Json>,
    model_id: Option<Json>,
    temperature: Option<Json>,
    top_p: Option<Json>,
    max_tokens: Option<Json>,
    reasoning_effort: Option<Json>,
    extra: Option<Json>,
}

/// Settings that may be set.
#[derive(Default)]
pub struct Checked {
    /// The archive's id of the model.
    pub model: Option<String>,
    /// The others, as the columns come: instructions, temperature, top_p, max_tokens, reasoning_effort, `extra`.
    values: Vec<Value>,
    /// How long their texts are together, in bytes.
    pub bytes: i64,
}

/// Reads settings that may be missing; 400 where they are too long, or no object.
pub fn read(path: &str, name: &str, json: &[u8]) -> Result<Option<Settings>> {
    check_size(path, name, json)?;
    parse(path, name, json)
}

/// 400 for a value with settings that is too long.
pub fn check_size(path: &str, name: &str, json: &[u8]) -> Result<()> {
    match json.len() > MAX_BYTES {
        true => Err(refused(
            path,
            format_args!("{name}: it has more than {MAX_BYTES} bytes"),
        )),
        false => Ok(()),
    }
}

impl Settings {
    /// 400 where one of them is not what it may be.
    pub fn check(self, path: &str) -> Result<Checked> {
        let sent = Sent {
            instructions: self.instructions,
            model_id: self.model_id,
            temperature: self.temperature,
            top_p: self.top_p,
            max_tokens: self.max_tokens,
            reasoning_effort: self.reasoning_effort,
            extra: self.extra,
        };
        let change = Change::read(sent).map_err(|error| match error {
            Error::Invalid(errors) => {
                let first = errors.into_iter().next();
                let (field, reason) = first.map_or((Json::Null, String::new()), |it| {
                    (it.loc.into_iter().next_back().unwrap_or_default(), it.msg)
                });
                refused(path, format_args!("the setting {field}: {reason}"))
            }
            error => error,
        })?;
        let model = change.model().map(str::to_owned);
        // Which are sent, the instructions, the model, and the others.
        let mut values = change.params();
        values.drain(..1);
        values.remove(1);
        let length = |value: &Value| match value {
            Value::Text(text) => text.len() as i64,
            _ => 0,
        };
        let bytes = [values.first(), values.last()];
        let bytes = bytes.into_iter().flatten().map(length).sum();
        Ok(Checked {
            model,
            values,
            bytes,
        })
    }
}

impl Checked {
    /// Sets them by `sql`, in which ?1 is what they are set for, ?2 the model, and ?3 to ?8 are the others. Where the model
    /// has not come yet, it will be set by `kind`.
    pub async fn set(
        self,
        tx: &mut Transaction<'_>,
        work: &Work,
        sql: &str,
        kind: &str,
        id: &str,
    ) -> Result<()> {
        let mut model = None;
        if let Some(source) = &self.model {
            model = work.model(tx, source).await?;
            if model.is_none() {
                work.link(tx, kind, source, id).await?;
            }
        }
        let mut parameters = params![id, model];
        parameters.extend(self.values);
        Ok(tx.execute(sql, parameters).await?)
    }
}
