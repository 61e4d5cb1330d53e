"""Every fault that the daemon has to stand, and what it promises then: the one place. Tests name them in their names,
`test_f07_...`; the page docs/faults.md is made of both."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """`more`: where in docs/ people read about it, with an anchor."""

    number: int
    fault: str
    promise: str
    more: str

    @property
    def name(self) -> str:
        return f"F{self.number:02d}"


@dataclass(frozen=True, slots=True)
class Invariant:
    """`faults`: those whose tests hold a part of it."""

    number: int
    promise: str
    faults: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"I{self.number}"


FILES = "sources.md#files"
JOURNAL = "sources.md#the-journal"
PROOF = "sources.md#the-proof"
LOST = "guarantees.md"
DAMAGED = "storage.md#when-the-file-is-damaged"
UNWRITABLE = "storage.md#when-it-cannot-be-written"
LIMITS = "safety.md#every-limit-and-the-test-that-proves-it"
OUTBOX = "alerts.md#the-outbox"

READING = (
    Fault(
        1, "renamed, and a new file made", "the old file is read to its end, then the new one from its beginning", FILES
    ),
    Fault(2, "a late line to the renamed file", "read, as long as it comes within the grace", LOST),
    Fault(
        3, "copied and truncated", "read from 0; what was unread is finished from the copy, known by its content", FILES
    ),
    Fault(4, "truncated and grown back between two looks", "noticed, by the bytes before the position", FILES),
    Fault(5, "the inode is used again", "a new file, from 0: content decides as well as the number", FILES),
    Fault(
        6, "several rotations while nobody reads", "from the oldest unread generation on, all of them, in order", FILES
    ),
    Fault(
        7,
        "a packed generation",
        "passed by when it was read, else unpacked and read, with a cap on bytes and ratio",
        FILES,
    ),
    Fault(
        8, "deleted and made anew while nobody reads", "a position of the old file is never used for the new one", FILES
    ),
    Fault(9, "the file vanishes", "waited for, told once, read again when it is back", FILES),
    Fault(10, "its directory is removed and made anew", "watched again within five seconds", FILES),
    Fault(
        11,
        "a link that leads elsewhere by now",
        "as a rotation; writes to a target in another directory wake as well",
        FILES,
    ),
    Fault(12, "events of inotify are lost", "everything is looked at, and the loss is counted", FILES),
    Fault(
        13,
        "no instances or watches of inotify are left",
        "files are polled, which is told, until there are some",
        FILES,
    ),
    Fault(14, "a write that makes no event (mmap)", "found by the next look at size and time", FILES),
    Fault(15, "no newline at the end", "held, let go after a time or at a rotation, and never read twice", LOST),
    Fault(16, "a line of a gigabyte", "cut at its limit, the rest passed over and counted; memory stays bounded", LOST),
    Fault(
        17,
        "NUL bytes, and the hole of a truncation",
        "bytes are kept for matching, escaped for people; a hole is skipped",
        FILES,
    ),
    Fault(18, "bytes that are no UTF-8", "matched as they are; positions are in bytes", FILES),
    Fault(19, "CR LF", "one CR before the newline goes; a CR alone ends no line", FILES),
    Fault(20, "UTF-16, or a byte order mark", "the mark is passed over; UTF-16 is refused, loudly", FILES),
    Fault(21, "permission is lost", "what is open is read on; else told once, and tried again ever more rarely", FILES),
    Fault(22, "the file answers EIO or ESTALE", "closed, opened again later; other files are not touched", FILES),
    Fault(23, "a FIFO, a device, a directory at the path", "refused without hanging on it", FILES),
    Fault(24, "the file system of the log is full or read-only", "reading goes on", FILES),
    Fault(25, "ten thousand files", "all followed with a budget of descriptors; who is closed keeps its place", FILES),
    Fault(26, "two globs or hard links to one file", "read once", FILES),
    Fault(
        27,
        "the journal: restarts, long messages, a lost cursor",
        "no entry skipped or doubled; what is missing is a gap",
        JOURNAL,
    ),
    Fault(28, "the reader of the journal dies or stalls", "started again at its cursor, ever more rarely", JOURNAL),
    Fault(29, "a source goes quiet", "shown with its lag and its last line; told where that is asked for", PROOF),
)

RUNNING = (
    Fault(
        30,
        "kill -9 at any moment",
        "nothing committed is lost, what was not is read again, and no fix runs twice",
        LOST,
    ),
    Fault(
        31,
        "SIGTERM, and a second one",
        "it finishes or cancels, commits, exits 0 in time; a second signal forces it",
        "install.md",
    ),
    Fault(32, "the engine hangs", "the watchdog hears of real progress only, so that systemd ends it", "install.md"),
    Fault(
        33,
        "the clock jumps, or the host sleeps",
        "no cooldown shrinks, no age is below zero, nothing bursts a day later",
        "sources.md#the-time-of-a-line",
    ),
    Fault(
        34,
        "a broken rule file at a reload",
        "its last good version stays, people are told, the others load; nothing is forgotten",
        "rules.md#reload",
    ),
    Fault(
        35,
        "a half-written file, an editor that renames",
        "loaded once it is whole; until then as a broken one",
        "rules.md#reload",
    ),
    Fault(36, "the directory of the rules disappears", "the last good rules stay", "rules.md#reload"),
    Fault(37, "a storm of SIGHUP", "as few reloads as will do", "rules.md#reload"),
    Fault(
        38,
        "a second instance",
        "refused with the PID of the first, and an exit code of its own",
        "install.md",
    ),
    Fault(39, "killed at its memory limit", "started again, it goes on where it was", "install.md"),
    Fault(40, "no descriptors or processes to be had", "it does less, says so, and skips no line", LOST),
    Fault(
        41,
        "a library cannot be imported",
        "`doctor` names it; the daemon ends before it says that it is ready",
        "cli.md",
    ),
    Fault(
        42,
        "a pattern that explodes when it is compiled",
        "compiled in a child with limits: the file is refused, and nothing else suffers",
        "rules.md#what-is-refused",
    ),
    Fault(
        43,
        "a pattern that explodes on a line",
        "given up for that line; after several, its rule is quarantined and people are told",
        "rules.md#what-a-rule-may-cost",
    ),
    Fault(
        44, "a record that breaks the decision", "set aside alone, with an event that says so; all else goes on", LOST
    ),
)

STORED = (
    Fault(45, "another process has the store", "refused, with its PID", "storage.md#backup-and-restore"),
    Fault(
        46,
        "a damaged write-ahead log",
        "originals kept, cut where it is damaged, else set aside; it starts, and tells",
        DAMAGED,
    ),
    Fault(
        47,
        "a damaged, empty or foreign file",
        "set aside; what can be read, the newest good copy or a new file instead; told",
        DAMAGED,
    ),
    Fault(
        48,
        "the disk is full at a commit",
        "positions wait, memory is bounded, people are told, and nothing is lost",
        UNWRITABLE,
    ),
    Fault(
        49,
        "the disk is full at a checkpoint, fsync fails",
        "closed and opened once more; what was committed is there once",
        UNWRITABLE,
    ),
    Fault(50, "the directory of the store is read-only", "it says that nothing is stored, and runs no fix", UNWRITABLE),
    Fault(51, "the store grows", "retention and compaction keep it below its limit", "storage.md#the-limit"),
    Fault(52, "a store of a newer version", "refused with a clear message, and not touched", DAMAGED),
    Fault(
        53,
        "a backup while it runs",
        "through SQL; the copy opens, and has every committed row",
        "storage.md#backup-and-restore",
    ),
)

FIXES = (
    Fault(54, "a fix ignores SIGTERM", "killed at its time limit", LIMITS),
    Fault(55, "a fork bomb", "capped, and the daemon does not feel it", LIMITS),
    Fault(
        56,
        "a fix leaves a child behind",
        "it dies with the sandbox, and nobody waits for the pipe that it holds",
        LIMITS,
    ),
    Fault(57, "a fix that fills disks or memory", "capped", LIMITS),
    Fault(58, "endless output", "always drained; its first and last 64 KiB are kept", LIMITS),
    Fault(59, "a fix exits 0, and the fault stays", "the checks decide: not fixed", LIMITS),
    Fault(
        60,
        "its program is gone, replaced, or others can write to it",
        "refused, and told",
        "sandbox.md#the-program-of-a-step",
    ),
    Fault(
        61, "there is no sandbox", "no fix runs; all else goes on; DISARMED, with the reason", "sandbox.md#armed-or-not"
    ),
    Fault(
        62,
        "the daemon dies in the middle of a fix",
        "the fix dies with it; later it is *unknown*: checked, and not run again",
        "safety.md#while-it-runs-the-ladder",
    ),
    Fault(63, "many fixes at once", "one of a target at a time; the hourly budgets hold, over restarts too", LIMITS),
    Fault(
        64,
        "a fix writes to the log that started it",
        "its own lines start nothing; circles are stopped and told",
        LIMITS,
    ),
    Fault(65, "a late approval", "only what is not well by then is run; an expired one does nothing", LIMITS),
    Fault(66, "an empty set of targets", "means nothing, and never everything", LIMITS),
)

ALERTS = (
    Fault(
        67,
        "a receiver refuses, or nobody listens",
        "the message waits in the outbox, and is tried again, over restarts",
        OUTBOX,
    ),
    Fault(
        68,
        "a server that hangs or drips",
        "given up as a whole, in a process of its own; others are not delayed",
        OUTBOX,
    ),
    Fault(
        69,
        "429, 5xx, other 4xx",
        "waits as long as it is asked to; tries again; or is disabled, and the next in line is used",
        OUTBOX,
    ),
    Fault(70, "an address that cannot be used", "found at the start, without sending", "configuration.md#receivers"),
    Fault(71, "delivered, and reported as failed", "sent again, recognisable by its id", OUTBOX),
    Fault(72, "nobody can be reached", "kept, in the journal as critical, and `status` fails", OUTBOX),
    Fault(73, "an alert storm", "a message a group, with counts that add up", "alerts.md#what-is-told-together"),
    Fault(74, "hostile text", "shown as text, and obeyed by nobody", "alerts.md#messages"),
    Fault(75, "a problem is over", "whoever was told of it is told of its end, whatever was silenced in between", LOST),
)

ROOMS = {
    "Reading": READING,
    "Process, time, rules": RUNNING,
    "Store and disk": STORED,
    "Fixes": FIXES,
    "Alerts": ALERTS,
}
FAULTS = tuple(fault for room in ROOMS.values() for fault in room)

INVARIANTS = (
    Invariant(
        1,
        "Each line has its effect in the store exactly once, except where [guarantees.md](guarantees.md) says.",
        (*range(1, 12), 15, 26, 27, 30, 39, 40, 46, 47, 48, 49),
    ),
    Invariant(
        2,
        "One bad source, rule, fix or receiver never stops another.",
        (22, 28, 34, 43, 44, 55, 68, 69),
    ),
    Invariant(3, "No fix starts without a stored intent, and none runs twice for one.", (30, 50, 62, 63)),
    Invariant(
        4,
        "The daemon never fails again and again on its own state: damage is salvaged, originals kept, people told.",
        (45, 46, 47, 49, 52),
    ),
    Invariant(
        5,
        "Every loss, cut, gap, hold and time limit is counted, and shows in `status` and in the metrics.",
        (7, 12, 16, 27, 29, 44, 73),
    ),
    Invariant(
        6,
        "Memory, descriptors, threads, disk and messages are bounded.",
        (7, 16, 25, 40, 42, 48, 51, 55, 57, 58, 63, 73),
    ),
    Invariant(
        7,
        "Nothing of a log line reaches a shell; what reaches an argument or a message is a typed capture or quoted.",
        (66, 74),
    ),
    Invariant(
        8,
        "A rule, a fix or a setting is armed only after it proved itself; else nothing runs, and `status` says why.",
        (34, 41, 42, 60, 61, 70),
    ),
)
