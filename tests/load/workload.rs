//! What the clients do.

use crate::client::{Call, Client};
use anyhow::Context;
use http::Method;
use serde_json::Value;
use uuid::Uuid;

/// Chats made beforehand for each client that deletes them.
const CHATS_TO_DELETE: usize = 12_000;

/// A kind of request, repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Login of a user with one workspace.
    Login,
    /// Login of a user with 20 workspaces of 10 chats each.
    LoginLarge,
    /// A new chat.
    ChatNew,
    /// A chat renamed, each client its own.
    ChatRename,
    /// A chat deleted, a different one each time.
    ChatDelete,
    /// An upload of 100 KB to a workspace.
    UploadSmall,
    /// An upload of 10 MB to a workspace.
    UploadLarge,
}

/// The requests of one client, made ready.
pub struct Plan {
    calls: Vec<Call>,
    once: bool,
    next: usize,
}

impl Plan {
    /// The next request; none when everything there was to do is done.
    pub fn next(&mut self) -> Option<Call> {
        if self.next == self.calls.len() {
            if self.once {
                return None;
            }
            self.next = 0;
        }
        self.next += 1;
        self.calls.get(self.next - 1).cloned()
    }
}

impl Workload {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::Login,
        Self::LoginLarge,
        Self::ChatNew,
        Self::ChatRename,
        Self::ChatDelete,
        Self::UploadSmall,
        Self::UploadLarge,
    ];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginLarge => "login 20x10",
            Self::ChatNew => "chat/new",
            Self::ChatRename => "chat/rename",
            Self::ChatDelete => "chat/delete",
            Self::UploadSmall => "upload 100 KB",
            Self::UploadLarge => "upload 10 MB",
        }
    }

    /// Makes the users, workspaces and chats that `clients` clients need, and their requests.
    pub async fn prepare(self, address: &str, clients: usize) -> anyhow::Result<Vec<Plan>> {
        let mut client = Client::connect(address).await?;
        if self == Self::LoginLarge {
            let email = fresh_email();
            let user = User::new(&mut client, &email).await?;
            for workspace in 0..20 {
                let workspace = match workspace {
                    0 => user.workspace.clone(),
                    number => user.new_workspace(&mut client, number).await?,
                };
                for _ in 0..10 {
                    client.json(user.new_chat(&workspace)).await?;
                }
            }
            return Ok((0..clients)
                .map(|_| repeated(Call::login(&email)))
                .collect());
        }
        let mut plans = Vec::new();
        for _ in 0..clients {
            let email = fresh_email();
            let user = User::new(&mut client, &email).await?;
            plans.push(match self {
                Self::Login | Self::LoginLarge => repeated(Call::login(&email)),
                Self::ChatNew => repeated(user.new_chat(&user.workspace)),
                Self::ChatRename => {
                    let chat = user.chat(&mut client).await?;
                    let fields = [("chat_id", chat.as_str()), ("new_name", "Renamed")];
                    repeated(Call::form(Method::PATCH, "/chat/rename", &fields))
                }
                Self::ChatDelete => {
                    let mut calls = Vec::new();
                    for _ in 0..CHATS_TO_DELETE.div_ceil(clients) {
                        let chat = user.chat(&mut client).await?;
                        calls.push(Call::form(Method::DELETE, &format!("/chat/{chat}"), &[]));
                    }
                    Plan {
                        calls,
                        once: true,
                        next: 0,
                    }
                }
                Self::UploadSmall => repeated(Call::upload(&user.id, &user.workspace, 100_000)),
                Self::UploadLarge => repeated(Call::upload(&user.id, &user.workspace, 10_000_000)),
            });
        }
        Ok(plans)
    }
}

fn repeated(call: Call) -> Plan {
    Plan {
        calls: vec![call],
        once: false,
        next: 0,
    }
}

/// Also on a server that was measured before, where a user of then has more than one of now should.
fn fresh_email() -> String {
    format!("load-{}@example.com", Uuid::now_v7().simple())
}

struct User {
    id: String,
    workspace: String,
}

impl User {
    async fn new(client: &mut Client, email: &str) -> anyhow::Result<Self> {
        let login = client.json(Call::login(email)).await?;
        Ok(Self {
            id: text(&login["user_id"])?,
            workspace: text(&login["workspaces"][0]["id"])?,
        })
    }

    async fn new_workspace(&self, client: &mut Client, number: usize) -> anyhow::Result<String> {
        let name = format!("Workspace{number}");
        let fields = [("owner_id", self.id.as_str()), ("name", name.as_str())];
        let made = client
            .json(Call::form(Method::POST, "/workspace/new", &fields))
            .await?;
        text(&made["workspace_id"])
    }

    fn new_chat(&self, workspace: &str) -> Call {
        let fields = [
            ("user_id", self.id.as_str()),
            ("workspace_id", workspace),
            ("chat_name", "General+Chat"),
        ];
        Call::form(Method::POST, "/chat/new", &fields)
    }

    async fn chat(&self, client: &mut Client) -> anyhow::Result<String> {
        let made = client.json(self.new_chat(&self.workspace)).await?;
        text(&made["chat_id"])
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().context("an id is missing")?.to_owned())
}
