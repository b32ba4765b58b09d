"""The words in which the rest of ``workflow`` asks a transaction.

Conditions and statements on the tables.

They are the ORM's own; that they come from here keeps it the store's business which ORM that is.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, bindparam, exists, func, text, update
from sqlalchemy import select as columns
from sqlmodel import col, delete, or_, select

__all__ = [
    "ColumnElement",
    "bindparam",
    "col",
    "columns",
    "delete",
    "exists",
    "func",
    "or_",
    "select",
    "text",
    "update",
]
