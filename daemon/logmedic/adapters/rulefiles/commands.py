"""Programs, and what they may see and use: of steps, and of checks."""

from __future__ import annotations

from datetime import timedelta

from logmedic.adapters.rulefiles.amounts import GIB, MIB
from logmedic.model.sandbox import Network, SandboxKind, SandboxSpec
from logmedic.yamldoc import Fields

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
EXAMPLE = "run: [/path/to/program, argument]"


def build_argv(owner: Fields, *, required: bool = False) -> tuple[str, ...]:
    """A text would be a shell's command line: where its arguments end is for a list to say."""
    node = owner.node_of("run", required=required)
    if node is None:
        return ()
    if not isinstance(node.value, tuple):
        owner.problems.add(node, f"`run` has to be a list, and is {node.kind}", EXAMPLE)
        return ()
    if not node.value:
        owner.problems.add(node, "`run` is empty", EXAMPLE)
    return tuple(owner.text_of(each, "run") for each in node.value)


def build_sandbox(owner: Fields) -> SandboxSpec:
    fields = owner.mapping("sandbox")
    if fields is None:
        return SandboxSpec()
    usual = SandboxSpec()
    spec = SandboxSpec(
        kind=fields.choice("kind", SandboxKind, usual.kind) or usual.kind,
        write=tuple(fields.texts("write")),
        read=tuple(fields.texts("read")),
        network=fields.choice("network", Network, usual.network) or usual.network,
        memory_bytes=fields.size("memory", usual.memory_bytes, minimum=4 * MIB, maximum=64 * GIB),
        tasks=fields.integer("tasks", usual.tasks, minimum=1, maximum=4096),
        file_bytes=fields.size("file_size", usual.file_bytes, minimum=0, maximum=1024 * GIB),
        cpu=fields.duration("time", SECOND, minimum=SECOND, maximum=HOUR) if "time" in fields else None,
        user=fields.text("user"),
    )
    fields.node_of("time")
    fields.done()
    return spec
