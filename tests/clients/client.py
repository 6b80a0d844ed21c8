"""A client that openapi-python-client has made: logs in, uploads, chats, lists, deletes.

Arguments: the address of the server, and the base URL of a model.
"""

import io
import sys

from kafka_client import Client
from kafka_client.api.auth import auth_login
from kafka_client.api.chat import chat_delete, chat_files, chat_new
from kafka_client.api.conversation import (
    conversation_events_of_reply,
    conversation_history,
    conversation_send,
    conversation_send_stream,
)
from kafka_client.api.file import file_content, file_delete, file_upload
from kafka_client.api.models import models_new
from kafka_client.api.workspace import workspace_chats, workspace_files
from kafka_client.models import (
    AuthLoginBody,
    ChatNewBody,
    ConversationSendBody,
    ConversationSendStreamBody,
    FileUploadBody,
    ModelsNewBody,
)
from kafka_client.types import File

TEXT = b"Someone must have slandered Josef K.\n"

address, base_url = sys.argv[1:]
client = Client(base_url=address, raise_on_unexpected_status=True)

person = auth_login.sync(client=client, body=AuthLoginBody(email="python@example.com"))
workspace = person.workspaces[0].id

file = File(payload=io.BytesIO(TEXT), file_name="trial.txt", mime_type="text/plain")
form = FileUploadBody(user_id=person.user_id, target_id=workspace, is_chat=False, files=[file])
uploaded = file_upload.sync(client=client, body=form)
assert uploaded.details[0].name == "trial.txt", uploaded
file_id = uploaded.details[0].id
content = file_content.sync(file_id, client=client)
assert content.payload.read() == TEXT

model = ModelsNewBody(user_id=person.user_id, name="fake-words-3-rate-0", ak="key", base_url=base_url)
model = models_new.sync(client=client, body=model)
form = ChatNewBody(
    user_id=person.user_id, workspace_id=workspace, chat_name="The trial", selected_file_ids=[file_id]
)
chat = chat_new.sync(client=client, body=form)
prompt = ConversationSendBody(prompt="Who accuses me?", model_id=model.id)
begun = conversation_send.sync(chat.chat_id, client=client, body=prompt)
# It ends with the reply.
events = conversation_events_of_reply.sync(chat.chat_id, begun.generation_id, client=client)
assert "generation_ended" in events, events
prompt = ConversationSendStreamBody(prompt="Of what?", model_id=model.id)
events = conversation_send_stream.sync(chat.chat_id, client=client, body=prompt)
assert "generation_ended" in events, events

messages = conversation_history.sync(chat.chat_id, client=client).messages
assert [message.role for message in messages] == ["user", "assistant"] * 2, messages
assert messages[1].status == "complete", messages[1]
assert [it.filename for it in chat_files.sync(chat.chat_id, client=client).files] == ["trial.txt"]
assert [it.id for it in workspace_chats.sync(workspace, client=client).chats] == [chat.chat_id]

chat_delete.sync(chat.chat_id, client=client)
file_delete.sync(file_id, client=client)
assert workspace_chats.sync(workspace, client=client).chats == []
assert workspace_files.sync(workspace, client=client).files == []
print("openapi-python-client: logged in, uploaded, chatted, listed, deleted")
