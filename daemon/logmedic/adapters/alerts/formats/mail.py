"""Mail: plain text, HTML beside it, the evidence as a file, and the headers that keep a thread together."""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from typing import ClassVar

from logmedic.adapters.alerts.formats.shape import Given, Shape, Texts
from logmedic.adapters.alerts.parts import evidence_file
from logmedic.adapters.alerts.text import one_line

EVIDENCE_FILE = "evidence.txt"
SUBJECT_CHARS = 200
_EVIDENCE_CHARS = 1_000_000
_OURS = frozenset(
    {
        *("subject", "message-id", "in-reply-to", "references", "auto-submitted", "mime-version", "x-application"),
        *("content-type", "content-transfer-encoding", "content-disposition"),
    }
)
_WORD = re.compile(r"[A-Za-z0-9-]{1,80}\Z")
_POLICY = email.policy.SMTP.clone(cte_type="7bit", max_line_length=78)


class Mail(Shape):
    """The plugin's letter gives the addresses, the date, and the headers of the receiver's URL; all else is ours. One
    that it has signed or encrypted stays as it is: the plain text. `html` of `texts` is not None."""

    name: ClassVar[str] = "email"
    wants: ClassVar[frozenset[str]] = frozenset({"body", "html"})

    def __init__(self, texts: Texts) -> None:
        super().__init__(texts)
        self._subject = one_line(texts.message.subject or texts.title)[:SUBJECT_CHARS]
        self._evidence = evidence_file(texts.message)[:_EVIDENCE_CHARS]

    def given(self) -> Given:
        return Given(self._subject, self._texts.body)

    def preview(self) -> str:
        return self._texts.body

    @property
    def title(self) -> str:
        return self._subject

    @property
    def files(self) -> tuple[str, ...]:
        return (EVIDENCE_FILE,) if self._evidence else ()

    def letter(self, raw: str) -> str:
        """ASCII alone, with line ends as on the wire. The thread's root is a letter that nobody has: each letter
        answers to it, so that one that was lost or filtered keeps none from its thread. The id of a letter is the
        alert's: of one that is sent twice, a mailbox may keep one."""
        plugins = email.message_from_string(raw, policy=email.policy.default)
        if plugins.get_content_type() != "text/plain":
            return raw
        letter = EmailMessage(policy=_POLICY)
        for name, value in plugins.items():
            if name.lower() not in _OURS:
                letter[name] = one_line(str(value))
        self._add_headers(letter, _domain_of(plugins.get("From", "")))
        self._add_content(letter)
        return letter.as_string()

    def _add_headers(self, letter: EmailMessage, domain: str) -> None:
        message = self._message
        root = f"<{_word(message.thread)}.thread@{domain}>"
        letter["Subject"] = self._subject
        letter["Message-ID"] = f"<{_word(message.id)}@{domain}>"
        letter["In-Reply-To"] = root
        letter["References"] = root
        letter["Auto-Submitted"] = "auto-generated"
        letter["X-Logmedic-Alert"] = one_line(message.id)
        letter["X-Logmedic-Event"] = message.event.value
        letter["X-Logmedic-Severity"] = message.severity.value
        letter["X-Logmedic-Host"] = one_line(message.host)
        incidents = [one_line(each.incident) for each in message.stories if each.incident]
        if incidents:
            letter["X-Logmedic-Incident"] = ", ".join(incidents)

    def _add_content(self, letter: EmailMessage) -> None:
        # The Subject is the thread's: what is new has to stand in the letter.
        letter.set_content(f"{self._texts.title}\n\n{self._texts.body}", cte="quoted-printable")
        letter.add_alternative(self._texts.html or "", subtype="html", cte="quoted-printable")
        if self._evidence:
            evidence = self._evidence.encode("utf-8", "replace")
            letter.add_attachment(evidence, maintype="text", subtype="plain", filename=EVIDENCE_FILE)
            list(letter.iter_attachments())[-1].set_param("charset", "utf-8")


def _word(text: str) -> str:
    """`text` where it can stand in a message's id, else what stands for it: always the same."""
    return text if _WORD.match(text) else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _domain_of(sender: object) -> str:
    address = parseaddr(str(sender))[1]
    try:
        domain = Address(addr_spec=address).domain
    except ValueError:
        domain = ""
    return domain if re.match(r"[A-Za-z0-9.-]{1,200}\Z", domain) else "logmedic.invalid"
