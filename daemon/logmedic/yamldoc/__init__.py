"""YAML with places: what is written where, what is wrong with it, and how that is shown.

Serves the rule files and the main config. The traps of YAML 1.1 are off: `no` is text, `1:30` is text, `010` is text.
"""

from logmedic.core.durations import duration_text
from logmedic.core.sizes import size_text
from logmedic.yamldoc.document import Document, DocumentInvalid, Node, parse_document
from logmedic.yamldoc.fields import Fields, Problems, meant
from logmedic.yamldoc.render import render_problems
from logmedic.yamldoc.units import moment, parse_duration, parse_size

__all__ = [
    "Document",
    "DocumentInvalid",
    "Fields",
    "Node",
    "Problems",
    "duration_text",
    "meant",
    "moment",
    "parse_document",
    "parse_duration",
    "parse_size",
    "render_problems",
    "size_text",
]
