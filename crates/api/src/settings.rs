//! What users set about replies, at three levels: for all of their chats (`/user/{user_id}/settings`), for the chats of a
//! workspace and for one chat (in the operations of those). The nearer level wins.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::operation::Operation;
use super::schema::Schema;
use crate::MAX_ID_CHARS;
use crate::form::form;
use crate::id::ModelId;
use crate::words::{Level, ReasoningEffort};

/// The longest instructions of a level, in bytes.
pub const MAX_INSTRUCTIONS_BYTES: usize = 16 * 1024;

/// The longest `extra` of a level as JSON, in bytes.
pub const MAX_EXTRA_BYTES: usize = 16 * 1024;

/// How deep `extra` may be nested; an object without objects and arrays has a depth of one.
pub const MAX_EXTRA_DEPTH: usize = 16;

/// The largest `max_tokens`.
pub const MAX_TOKENS: u32 = 10_000_000;

pub(super) const INSTRUCTIONS: Schema =
    Schema::Nullable(&Schema::ShortText(MAX_INSTRUCTIONS_BYTES));
pub(super) const MODEL: Schema = Schema::Nullable(&Schema::ShortText(MAX_ID_CHARS));
pub(super) const TEMPERATURE: Schema = Schema::Nullable(&Schema::Between(0, 2));
pub(super) const TOP_P: Schema = Schema::Nullable(&Schema::Between(0, 1));
pub(super) const TOKENS: Schema = Schema::Nullable(&Schema::Range(1, MAX_TOKENS));
pub(super) const EFFORT: Schema = Schema::Nullable(&Schema::OneOf(&[
    "none", "minimal", "low", "medium", "high",
]));
pub(super) const EXTRA: Schema = Schema::Nullable(&Schema::Open(&[]));

/// The settings in a form, as they were sent. `None`: not sent; `null`: what is set further out is to hold.
#[derive(Debug, Default)]
pub struct Sent {
    /// The field `instructions`.
    pub instructions: Option<Value>,
    /// The field `model_id`.
    pub model_id: Option<Value>,
    /// The field `temperature`.
    pub temperature: Option<Value>,
    /// The field `top_p`.
    pub top_p: Option<Value>,
    /// The field `max_tokens`.
    pub max_tokens: Option<Value>,
    /// The field `reasoning_effort`.
    pub reasoning_effort: Option<Value>,
    /// The field `extra`.
    pub extra: Option<Value>,
}

/// Takes the settings out of a form that has them.
macro_rules! takes_settings {
    ($form:ident) => {
        impl $form {
            /// Takes the settings out.
            pub fn take_settings(&mut self) -> $crate::settings::Sent {
                $crate::settings::Sent {
                    instructions: self.instructions.take(),
                    model_id: self.model_id.take(),
                    temperature: self.temperature.take(),
                    top_p: self.top_p.take(),
                    max_tokens: self.max_tokens.take(),
                    reasoning_effort: self.reasoning_effort.take(),
                    extra: self.extra.take(),
                }
            }
        }
    };
}
pub(super) use takes_settings;

form! {
    /// The form of [`CHANGE`]. What is not sent stays; `null`: nothing is set.
    pub struct ChangeSettings {
        /// What models read before every conversation of the user; at most 16 KiB.
        instructions: Option<Value> => max_chars(MAX_INSTRUCTIONS_BYTES) schema(INSTRUCTIONS),
        /// One of the user's models, which prompts ask that name none.
        model_id: Option<Value> => max_chars(MAX_ID_CHARS) schema(MODEL),
        /// How much chance there is in replies.
        temperature: Option<Value> => schema(TEMPERATURE),
        /// The share of probability from which tokens are drawn.
        top_p: Option<Value> => schema(TOP_P),
        /// The most tokens of a reply.
        max_tokens: Option<Value> => schema(TOKENS),
        /// How much models think before they answer.
        reasoning_effort: Option<Value> => schema(EFFORT),
        /// Further fields of the request to the model, of at most 16 KiB; `model`, `messages` and `stream` are left out.
        extra: Option<Value> => max_chars(MAX_EXTRA_BYTES) schema(EXTRA),
    }
}

takes_settings!(ChangeSettings);

/// What is set at one level. `null`: nothing, so what is set further out holds.
#[derive(Debug, Default, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// What models read before a conversation. Those of all levels are read, the user's first and the chat's last.
    pub instructions: Option<String>,
    /// The model that a prompt asks if it names none.
    pub model_id: Option<ModelId>,
    /// How much chance there is in replies.
    pub temperature: Option<f64>,
    /// The share of probability from which tokens are drawn.
    pub top_p: Option<f64>,
    /// The most tokens of a reply.
    pub max_tokens: Option<u32>,
    /// How much models think before they answer.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Further fields of the request to the model.
    #[serde(deserialize_with = "object")]
    pub extra: Option<Map<String, Value>>,
}

/// An object, or as the row has it a text of JSON.
fn object<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Map<String, Value>>, D::Error> {
    Ok(match Option::<Value>::deserialize(value)? {
        Some(Value::String(json)) => serde_json::from_str(&json).ok(),
        Some(Value::Object(object)) => Some(object),
        _ => None,
    })
}

/// What is set at each level that is about a chat.
#[derive(Debug, Default, Deserialize)]
pub struct Levels {
    /// For all chats of its owner.
    pub user: Settings,
    /// For the chats of its workspace.
    pub workspace: Settings,
    /// For itself.
    pub chat: Settings,
}

/// A setting, and the level that it is from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Leveled<T> {
    /// The level.
    pub level: Level,
    /// The setting.
    pub value: T,
}

/// The settings that hold in a chat, and the levels that they are from. `null`: none has any.
#[derive(Debug, Default, Clone, Serialize, Deserialize, JsonSchema)]
pub struct InForce {
    /// All instructions, in the order in which models read them.
    pub instructions: Vec<Leveled<String>>,
    /// The model that a prompt asks if it names none; `null`: the newest of the owner's.
    pub model_id: Option<Leveled<ModelId>>,
    /// How much chance there is in replies.
    pub temperature: Option<Leveled<f64>>,
    /// The share of probability from which tokens are drawn.
    pub top_p: Option<Leveled<f64>>,
    /// The most tokens of a reply.
    pub max_tokens: Option<Leveled<u32>>,
    /// How much models think before they answer.
    pub reasoning_effort: Option<Leveled<ReasoningEffort>>,
    /// Further fields of the request to the model.
    pub extra: Option<Leveled<Map<String, Value>>>,
}

impl InForce {
    /// What holds where this is set.
    pub fn of(levels: &Levels) -> Self {
        let Levels {
            user,
            workspace,
            chat,
        } = levels;
        let levels = [
            (Level::User, user),
            (Level::Workspace, workspace),
            (Level::Chat, chat),
        ];
        let instructions = levels.iter().filter_map(|(level, settings)| {
            let value = settings.instructions.clone()?;
            Some(Leveled {
                level: *level,
                value,
            })
        });
        Self {
            instructions: instructions.collect(),
            model_id: nearest(levels, |it| it.model_id.clone()),
            temperature: nearest(levels, |it| it.temperature),
            top_p: nearest(levels, |it| it.top_p),
            max_tokens: nearest(levels, |it| it.max_tokens),
            reasoning_effort: nearest(levels, |it| it.reasoning_effort),
            extra: nearest(levels, |it| it.extra.clone()),
        }
    }

    /// The fields of a request to a model that are set. What is in `extra` is meant.
    pub fn parameters(&self) -> Map<String, Value> {
        let set = [
            (
                "temperature",
                self.temperature.as_ref().map(|it| it.value.into()),
            ),
            ("top_p", self.top_p.as_ref().map(|it| it.value.into())),
            (
                "max_tokens",
                self.max_tokens.as_ref().map(|it| it.value.into()),
            ),
            (
                "reasoning_effort",
                self.reasoning_effort
                    .as_ref()
                    .map(|it| it.value.as_str().into()),
            ),
        ];
        let set = set
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let extra = self.extra.iter().flat_map(|it| it.value.clone());
        set.chain(extra).collect()
    }
}

/// The setting of the nearest level that has one; the levels are in order, the nearest last.
fn nearest<T>(
    levels: [(Level, &Settings); 3],
    setting: impl Fn(&Settings) -> Option<T>,
) -> Option<Leveled<T>> {
    levels.into_iter().rev().find_map(|(level, settings)| {
        let value = setting(settings)?;
        Some(Leveled { level, value })
    })
}

operations! {
    "settings": "What users set about replies: for all of their chats, for those of a workspace, and for one chat. \
        Those of workspaces and chats are fields of these."

    /// Show a user's settings
    ///
    /// Answers with what is set for all chats of the user. What holds in a chat is in the answer of
    /// `GET /chat/{chat_id}`.
    SHOW = Operation::get("/user/{user_id}/settings")
        .answers::<Settings>()
        .not_found("`User not found.`");

    /// Change a user's settings
    ///
    /// Changes what is sent, all of it or nothing, for all chats of the user; `null` sets nothing. The next replies are
    /// made with it.
    CHANGE = Operation::patch("/user/{user_id}/settings")
        .form::<ChangeSettings>()
        .limited()
        .answers::<Settings>()
        .not_found("`User not found.` or `Model not found.`");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{InForce, Levels, Settings};
    use crate::words::Level;

    fn settings(value: Value) -> Settings {
        serde_json::from_value(value).expect("settings")
    }

    #[test]
    fn the_nearer_level_wins() {
        let nothing = json!({"instructions": null, "model_id": null, "temperature": null, "top_p": null,
            "max_tokens": null, "reasoning_effort": null, "extra": null});
        let with = |more: Value| {
            let mut all = nothing.clone();
            for (name, value) in more.as_object().expect("an object") {
                all[name] = value.clone();
            }
            settings(all)
        };
        let levels = Levels {
            user: with(
                json!({"instructions": "a", "temperature": 1.5, "extra": {"seed": 1, "n": 2}}),
            ),
            workspace: with(json!({"model_id": "m", "temperature": 0.5, "extra": "{\"seed\":7}"})),
            chat: with(json!({"instructions": "b", "reasoning_effort": "low"})),
        };
        let in_force = InForce::of(&levels);
        let texts: Vec<_> = in_force
            .instructions
            .iter()
            .map(|it| (it.level, &*it.value))
            .collect();
        assert_eq!(texts, [(Level::User, "a"), (Level::Chat, "b")]);
        let temperature = in_force.temperature.as_ref().expect("a temperature");
        assert_eq!(
            (temperature.level, temperature.value),
            (Level::Workspace, 0.5)
        );
        assert_eq!(
            Value::from(in_force.parameters()),
            json!({"temperature": 0.5, "reasoning_effort": "low", "seed": 7})
        );
        let read: InForce = serde_json::from_value(json!(in_force)).expect("it is read again");
        assert_eq!(json!(read), json!(in_force));
    }
}
