"""Templates of stores that an older version wrote."""

from __future__ import annotations

from logmedic.core.mining.masks import shape_of
from logmedic.core.templates import message_of
from logmedic.model.changed import changed
from logmedic.model.issue import Template


def restored(template: Template) -> Template:
    """With the shape of its sample where it has none, so that new errors of its kind find it. Its fingerprint stays."""
    if template.shape or template.merged_into:
        return template
    return changed(template, shape=shape_of(message_of(template.sample)))
