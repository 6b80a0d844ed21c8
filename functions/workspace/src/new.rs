//! `POST /workspace/new`: a workspace, and its first files with it.

use axum::extract::Request;
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::auth::{FileName, LoginWorkspace};
use kafka_common::api::id::WorkspaceId;
use kafka_common::api::workspace::{MakeWorkspace, NewFile, NewWorkspace};
use kafka_common::content::{Staging, Upload};
use kafka_common::db::{self, Db};
use kafka_common::error::{Error, Result, answer};
use kafka_common::files::{self, Target};
use kafka_common::form;
use kafka_common::limits::Limit;
use kafka_common::room::Thing;
use kafka_common::{feed, id, owner, params, texts};

const INSERT: &str = include_str!("new.sql");

/// Makes the workspace and all of its files, or nothing.
pub(crate) async fn create(access: Access, request: Request) -> Result<Response> {
    let room = access.admit(&[Limit::Create, Limit::Upload]).await?;
    let mut staging = Staging::within(room);
    let answer = receive(access, request, &mut staging).await;
    staging.settle(answer).await
}

async fn receive(access: Access, request: Request, staging: &mut Staging) -> Result<Response> {
    let form: MakeWorkspace<Upload> = form::read(request, staging).await?;
    let mut uploads = form.files.0;
    let caller = access.caller(Some(form.owner_id.as_str()))?;

    let mut db = Db::open().await?;
    let workspace_id = WorkspaceId::from(id::new_id());
    let most = caller.most(Thing::Workspaces);
    let parameters = params![&workspace_id, form.name.as_str(), caller.user_id(), most];
    let unread = files::unread(&uploads);
    let created = if uploads.is_empty() {
        let created: Option<WorkspaceId> = db.query_one_as(INSERT, parameters).await?;
        created.is_some()
    } else {
        insert_all(&mut db, parameters, &workspace_id, &mut uploads, &caller).await?
    };
    if !created {
        let missing = Error::user_not_found();
        return Err(owner::why_no_other(&mut db, &caller, Thing::Workspaces, missing).await);
    }
    let made = uploads.iter().map(|upload| upload.file_id.as_str());
    feed::tell(made.chain([workspace_id.as_str()])).await;
    texts::begin(unread).await;
    let files = uploads.iter().map(|upload| NewFile {
        file_id: upload.file_id.clone().into(),
        filename: upload.filename.clone(),
    });
    let files = files.collect();
    let listed = uploads.into_iter().map(|upload| FileName {
        id: upload.file_id.into(),
        filename: upload.filename,
    });
    let workspace = LoginWorkspace {
        id: workspace_id.clone(),
        name: form.name,
        files: listed.collect(),
        chats: Vec::new(),
        has_more: None,
    };
    Ok(answer(&NewWorkspace {
        workspace_id,
        files,
        workspace,
    }))
}

/// Inserts the workspace with files; `false` if the owner doesn't exist, or may have no other.
async fn insert_all(
    db: &mut Db,
    workspace: Vec<db::Value>,
    workspace_id: &WorkspaceId,
    uploads: &mut [Upload],
    caller: &Caller,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    let created: Option<WorkspaceId> = tx.query_one_as(INSERT, workspace).await?;
    if created.is_none() {
        return Ok(false);
    }
    let target = Target::Workspace(workspace_id.as_str());
    let inserted = files::insert(&mut tx, uploads, target, caller).await?;
    if inserted.is_some() {
        tx.commit().await?;
    }
    Ok(inserted.is_some())
}
