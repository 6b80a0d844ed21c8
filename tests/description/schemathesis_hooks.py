"""What schemathesis can't make up: a model that is there, and people and places that stay."""

import itertools
import json
import os
import re

import schemathesis

# {"base_url": …, "user_id": …, "owner_id": …, "target_id": …, "workspace_id": …}
KNOWN = json.loads(os.environ["KNOWN"])

NUMBERS = itertools.count()

# Whose ids no link gives, or a stranger's: of a form with files, schemathesis takes what a link has changed for a mistake; and a login's
# first workspace may be deleted.
TAKES_KNOWN = {"/file/upload", "/workspace/new", "/chat/new", "/models/new"}

# What gateways send is sent as it is.
schemathesis.serializer.alias("application/websocket-events", "text/plain")


@schemathesis.hook
def map_body(context, body):
    operation = context.operation
    if operation is not None and operation.path in TAKES_KNOWN and isinstance(body, dict):
        for name in ("user_id", "owner_id", "target_id", "workspace_id"):
            if isinstance(body.get(name), str) and len(body[name]) <= 255:
                body[name] = KNOWN[name]
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    # Only models that are there, or it would call strangers. What is no address stays, and is refused. A change is one:
    # to the address that a model has already, no key is needed.
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("base_url"), str):
        if re.match(r"(?i)^https?://[a-z0-9]", body["base_url"]):
            is_change = case.operation.method.upper() == "PATCH"
            body["base_url"] = KNOWN["base_url"] + (f"/{next(NUMBERS)}" if is_change else "")
