"""What schemathesis can't make up: a model that is there, and people, places and things that stay."""

import collections
import itertools
import json
import os
import re

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode

# What there is and stays, by the names of parameters and fields: {"user_id": …, "chat_id": …, "base_url": …}
KNOWN = json.loads(os.environ["KNOWN"])

# What may be deleted, once each, or changed: {"DELETE /chat/{chat_id}": […], …}
SPARE = json.loads(os.environ["SPARE"])

# What nothing is called.
UNKNOWN_ID = "123e4567-e89b-12d3-a456-426614174000"

# The ids that the server makes: what looks like one came from it, and is left alone.
MADE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

# The id of the description's examples, which looks like one and is none.
EXAMPLE = "01936b3f-5d3e-7a1b-8c2d-4e5f60718293"

# Of so many ids that schemathesis has made up one stays: the operation answers 404 for it.
STRANGERS = 5

NUMBERS = itertools.count()

# So many right requests of each operation are all about what there is: what links and answers give may not belong together.
FIRST = 5
RIGHT = collections.Counter()

# Whose ids no link gives, or a stranger's: of a form with files, schemathesis takes what a link has changed for a mistake.
TAKES_KNOWN = {"/file/upload", "/workspace/new"}


@schemathesis.serializer("application/zip")
def archive(context, value):
    """An archive is its bytes."""
    return value.encode() if isinstance(value, str) else value


@schemathesis.hook
def map_body(context, body):
    operation = context.operation
    if operation is not None and operation.path in TAKES_KNOWN and isinstance(body, dict):
        for name, value in body.items():
            if name in KNOWN and isinstance(value, str) and len(value) <= 255:
                body[name] = KNOWN[name]
            # A form is text: 0 or false for `is_chat` is no mistake.
            elif isinstance(value, (bool, int, float)):
                body[name] = json.dumps(value)
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    is_right = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
    RIGHT[case.operation.label] += is_right
    is_first = is_right and RIGHT[case.operation.label] <= FIRST
    if is_first or next(NUMBERS) % STRANGERS:
        for place, values in (
            (ParameterLocation.PATH, case.path_parameters),
            (ParameterLocation.QUERY, case.query),
            (ParameterLocation.BODY, case.body),
        ):
            if isinstance(values, dict) and is_valid(case, place):
                for name, value in values.items():
                    values[name] = known(case, name, value, is_first)
    # What stays is not deleted, and the model not called otherwise.
    if case.method.upper() == "DELETE" or case.operation.path == "/models/{model_id}":
        for name, value in (case.path_parameters or {}).items():
            if value in KNOWN.values():
                case.path_parameters[name] = UNKNOWN_ID
    # `before` and `after` exclude each other, which OpenAPI can't say of parameters.
    if case.operation.path == "/chat/{chat_id}/messages" and isinstance(case.query, dict) and case.query.get("before"):
        case.query.pop("after", None)
    # Only models that are there, or it would call strangers. What is no address stays, and is refused. A change is one:
    # to the address that a model has already, no key is needed.
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("base_url"), str):
        if re.match(r"(?i)^https?://[a-z0-9]", body["base_url"]):
            is_change = case.operation.method.upper() == "PATCH"
            body["base_url"] = KNOWN["base_url"] + (f"/{next(NUMBERS)}" if is_change else "")


def is_valid(case, place):
    """Whether the values of a place are meant to be valid."""
    component = case.meta.components.get(place) if case.meta else None
    return component is not None and component.mode == GenerationMode.POSITIVE


def known(case, name, value, always):
    """A thing that there is instead of one that was made up, or always."""
    if isinstance(value, list):
        return [known(case, name.removesuffix("s"), item, always) for item in value]
    if name == "base_url" or name not in KNOWN or not isinstance(value, str):
        return value
    if MADE.fullmatch(value) and value != EXAMPLE and not always:
        return value
    deletes = case.method.upper() == "DELETE"
    spare = SPARE.get(f"{case.method.upper()} {case.operation.path}")
    if spare and f"{{{name}}}" in case.operation.path:
        taken = spare.pop()
        if not deletes:
            spare.insert(0, taken)
        return taken
    return value if deletes else KNOWN[name]


# Why a message that there is can't be edited, or answered again.
UNFIT = {
    "Only what a person has said can be edited.",
    "Only a reply, or what a person has said, can be answered again.",
}


@schemathesis.check
def refuses_unfit_messages_only(context, response, case):
    """400 is allowed where a message is asked for another reply (schemathesis.toml), but for these reasons only."""
    path = case.operation.path
    if path.removesuffix("/stream").endswith(("/edit", "/regenerate")) and response.status_code == 400:
        is_right = all(is_valid(case, place) for place in (ParameterLocation.PATH, ParameterLocation.BODY))
        if is_right and response.json().get("detail") not in UNFIT:
            raise AssertionError(f"refused a valid request: {response.text}")
