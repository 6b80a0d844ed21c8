//! The variables of `spin.toml` that only this component reads.

use std::sync::OnceLock;

use kafka_common::config::allow_private_models;
use kafka_common::grip::ORIGINS;
use kafka_llm::Policy;

/// What they say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which addresses may be called.
    pub policy: Policy,
    /// How many characters a model gets to read at most.
    pub context_chars: usize,
}

impl Settings {
    /// Reads them. What can't be read is as strict as can be.
    pub async fn get() -> &'static Self {
        static SETTINGS: OnceLock<Settings> = OnceLock::new();
        if let Some(settings) = SETTINGS.get() {
            return settings;
        }
        let settings = Self::read().await;
        SETTINGS.get_or_init(|| settings)
    }

    async fn read() -> Self {
        let mut own = Vec::new();
        for name in ORIGINS {
            own.push(variable(name).await);
        }
        Self {
            policy: Policy {
                own,
                allow_private: allow_private_models().await.unwrap_or(false),
            },
            context_chars: variable("context_chars")
                .await
                .trim()
                .parse()
                .unwrap_or(100_000),
        }
    }
}

async fn variable(name: &str) -> String {
    match spin_sdk::variables::get(name).await {
        Ok(value) => value,
        Err(error) => {
            tracing::error!("variable {name}: {error}");
            String::new()
        }
    }
}
