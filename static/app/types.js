// What goes over the wire and what the store has, for editors and for `tsc --checkJs`. There is no code in here.

/**
 * @typedef {{id: string, name: string}} Workspace
 *
 * @typedef {object} Model
 * @property {string} id
 * @property {string} name
 * @property {string} base_url
 * @property {string} user_id
 *
 * @typedef {object} ListedChat
 * @property {string} id
 * @property {string} name
 * @property {string} workspace_id
 * @property {string} active_at
 * @property {string} preview
 * @property {boolean} is_pinned
 * @property {boolean} is_archived
 * @property {object | null} generation
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {string | null} parent_id
 * @property {"user" | "assistant" | "system"} role
 * @property {"text" | "file"} type
 * @property {string | null} content
 * @property {"complete" | "running" | "stopped" | "interrupted" | "error"} status
 * @property {string | null} [model]
 * @property {string} [created_at]
 * @property {string} [reasoning]
 * @property {string} [finish_reason]
 * @property {Record<string, number>} [usage]
 * @property {string} [error]
 * @property {string[]} [file_ids] Of a prompt: its files.
 * @property {boolean} [truncated]
 * @property {"good" | "bad" | null} [rating]
 * @property {string | null} [note]
 *
 * @typedef {object} ChatFile
 * @property {string} id
 * @property {string | null} file_id
 * @property {string} filename
 * @property {number} size
 * @property {string} type `based`, `image`, `code`, …
 * @property {string} url
 * @property {string | null} media_type
 * @property {"pending" | "ready" | "failed"} text_state
 * @property {string | null} text_error
 * @property {number} num_versions
 *
 * @typedef {{id: string, number: number, timestamp: string, size: number}} Version
 *
 * What a search finds.
 * @typedef {object} Hit
 * @property {"message" | "file_text" | "chat_name" | "file_name"} kind
 * @property {string} snippet
 * @property {{start: number, end: number}[]} marks in the snippet
 * @property {string} workspace_id
 * @property {string | null} chat_id
 * @property {string | null} chat_name
 * @property {string | null} message_id
 * @property {"user" | "assistant" | "system" | null} role
 * @property {string | null} created_at
 * @property {string | null} file_id
 * @property {string | null} filename
 * @property {string[]} chat_ids
 *
 * What replies are made with. Set for the user, a workspace or a chat; the nearer one holds.
 * @typedef {"user" | "workspace" | "chat"} Level
 * @typedef {object} ReplySettings
 * @property {string | null} instructions
 * @property {string | null} model_id
 * @property {number | null} temperature
 * @property {number | null} top_p
 * @property {number | null} max_tokens
 * @property {"none" | "minimal" | "low" | "medium" | "high" | null} reasoning_effort
 * @property {Record<string, unknown> | null} extra
 *
 * @typedef {object} About
 * @property {string} version
 * @property {"open" | "token"} auth_mode
 * @property {boolean} sends_codes
 * @property {string | null} identity_provider
 * @property {number} max_upload_bytes
 * @property {{name: string, base_url: string, ak: string} | null} demo_model
 *
 * A prompt that the server has not confirmed yet.
 * @typedef {object} Waiting
 * @property {string} clientId
 * @property {string} prompt empty: another reply to the same one
 * @property {string | null} after the message that it will follow
 * @property {Record<string, unknown>} frame what is sent
 * @property {string} [error] why the server refused it
 *
 * @typedef {object} Transfer
 * @property {string} id
 * @property {string} chatId the chat that the file is added to
 * @property {string} name
 * @property {number} sent
 * @property {number} size
 * @property {string} [error]
 * @property {string} [fileId] it is stored, as this file
 * @property {() => void} cancel
 *
 * @typedef {"none" | "connecting" | "online" | "reconnecting" | "offline" | "refused"} Connection
 *
 * @typedef {object} State
 * @property {About | null} about
 * @property {{id: string, email: string} | null} user
 * @property {boolean} isReady whether it is known who is there
 * @property {Workspace[]} workspaces
 * @property {string | null} workspaceId
 * @property {ListedChat[]} chats
 * @property {string | null} moreChats
 * @property {boolean} showsArchived
 * @property {Model[]} models
 * @property {string | null} modelId
 * @property {string | null} chatId
 * @property {string} chatName
 * @property {boolean} isOpening whether the chat's first frame is still missing
 * @property {Message[]} messages the visible branch
 * @property {Map<string, string[]>} siblings by the id of a message
 * @property {boolean} hasOlder
 * @property {string | null} runningId the message that a reply is written to
 * @property {Waiting[]} waiting
 * @property {ChatFile[]} files
 * @property {Transfer[]} transfers
 * @property {Connection} connection
 * @property {boolean} isSidebarOpen
 * @property {boolean} isPanelOpen
 * @property {boolean} isPanelWide for changes side by side
 * @property {string | null} fileId the file that the panel shows
 * @property {boolean} isComposing whether replies may make and change files
 * @property {string | null} selectedFile
 * @property {string | null} dialog
 * @property {string | null} editing the message that is being edited
 * @property {string | null} target the message to be scrolled to
 * @property {Level} level whose settings of replies the dialog shows first
 * @property {{id: number, text: string, isError: boolean}[]} notes
 */

export {};
