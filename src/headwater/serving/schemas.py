"""What the routes of a recommender take and give, as JSON Schema with examples."""

from __future__ import annotations

from typing import Any, Final

_NAME: Final = {"type": ["string", "integer"]}
_CHOICE: Final[dict[str, Any]] = {
    "k": {"type": "integer", "minimum": 1, "maximum": 1000, "example": 10},
    "where": {"type": "object", "description": "Columns of the items' table, and what they must hold.",
              "example": {"genre": "Comedy"}},
    "why": {"type": "boolean", "description": "Whether to say which items of the history speak for each."},
}  # fmt: skip
_ITEM: Final[dict[str, Any]] = {
    "type": "object", "required": ["item"],
    "properties": {"item": _NAME, "title": {"type": "string"}, "score": {"type": "number"}},
}  # fmt: skip

RECOMMEND: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "user": {**_NAME, "example": "42"},
        "history": {"type": "array", "items": _NAME, "example": ["12", "7"],
                    "description": "Items that somebody had to do with; beside a user, what is new."},
        **_CHOICE,
    },
    "anyOf": [{"required": ["user"]}, {"required": ["history"]}],
    "example": {"user": "42", "k": 3, "why": True},
}  # fmt: skip
SIMILAR: Final[dict[str, Any]] = {
    "type": "object", "required": ["item"], "properties": {"item": {**_NAME, "example": "12"}, **_CHOICE},
    "example": {"item": "12", "k": 3},
}  # fmt: skip
LIST: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": {**_ITEM, "properties": {
            **_ITEM["properties"], "why": {"type": "array", "items": _ITEM},
        }}},
        "history": {"type": "array", "items": _ITEM, "description": "What the list goes by, the latest first."},
        "ignored": {"type": "array", "items": _NAME, "description": "Items of the request that are not known."},
    },
}  # fmt: skip
INTERACTIONS: Final[dict[str, Any]] = {
    "type": "object", "required": ["interactions"],
    "properties": {"interactions": {"type": "array", "items": {
        "type": "object", "required": ["user", "item"],
        "properties": {"user": {**_NAME, "example": "42"}, "item": {**_NAME, "example": "12"},
                       "rating": {"type": "number"}, "timestamp": {"type": "number"}},
    }}},
    "example": {"interactions": [{"user": "42", "item": "12"}]},
}  # fmt: skip
TAKEN: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "added": {"type": "integer", "description": "Interactions that are new, and on the disk."},
        "known": {"type": "integer", "description": "Those that were known before; they change nothing."},
    },
}  # fmt: skip
SEARCH: Final[list[dict[str, Any]]] = [
    {"name": "q", "in": "query", "schema": {"type": "string"}, "description": "A part of a name or title."},
    {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}},
]
