"""Who is at the door of the pages behind links: what they call this daemon, where they are, who they are."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request

from logmedic.adapters.web.parameters import BadRequest, Forbidden
from logmedic.core.evidence import clean
from logmedic.model.errors import PermanentError

LONGEST_NAME = 40
_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names that no network answers for."""
_PORTS = {"http": 80, "https": 443}
_MARKS = str.maketrans("()[]<>,;", "        ")
"""They have a meaning in what is recorded, or where it is shown: nobody writes an address of their own choice there."""


@dataclass(frozen=True, slots=True)
class Doors:
    """`host`, `port`: where it listens. `url`: how links begin. `user_header`: in which a proxy on this host names
    whom it has signed in; empty: people write their names themselves. `any_port`: ssh may forward any port to it, so
    that browsers call it by the names of their own host, which nobody can have point elsewhere."""

    host: str
    port: int
    url: str
    user_header: str = ""
    any_port: bool = False

    def check_host(self, request: Request) -> None:
        """Raises Forbidden for a name that is not ours: a page elsewhere had it point here (DNS rebinding)."""
        told = request.headers.get("host", "").lower()
        if told in self._names() or self._is_any_address(told) or self._is_forwarded(told):
            return
        key = "web.dashboard_url" if self.any_port else "web.url"
        raise Forbidden("this daemon is not called that", f"open {self.url}, or set {key} to what it is called")

    def check_origin(self, request: Request) -> None:
        """Raises Forbidden for a form of another site.

        Whoever knows the token may act: no site can make a browser send one that it does not know, so that a nonce in
        the form would protect nothing more. But a link that leaked could be sent by the browser of somebody else, in
        their name (`user_header`) and from their address. Browsers say where a form came from; what says nothing, such
        as curl, acts for the one who typed it.
        """
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        ours = {_origin(urlsplit(self.url)), f"http://{request.headers.get('host', '').lower()}"}
        if site in (None, "same-origin") and (origin is None or origin.lower() in ours):
            return
        raise Forbidden("this form is of another site", "open the link itself, and decide there")

    def address(self, request: Request) -> str:
        """Of the person. A proxy on this host is believed in whom it speaks for, and named."""
        peer = _plain(request.client.host if request.client else "")
        seen = request.headers.getlist("x-forwarded-for")
        if not seen or not _is_loopback(peer):
            return peer
        told = _plain(seen[-1].rpartition(",")[2].strip())
        return f"{told} through {peer}" if told else peer

    def signed_in(self, request: Request) -> str:
        """As the proxy names them; empty: this host asks for no sign-in. Raises Forbidden."""
        if not self.user_header:
            return ""
        told = request.headers.getlist(self.user_header)
        name = name_of(told[0]) if len(told) == 1 else ""
        if name and _is_loopback(_plain(request.client.host if request.client else "")):
            return name
        raise Forbidden("you are not signed in", f"open the link through {self.url}")

    def _names(self) -> set[str]:
        url = urlsplit(self.url)
        known = {url.netloc.lower()}
        if url.hostname and url.port in (None, _PORTS.get(url.scheme)):
            known |= {_bracketed(url.hostname), f"{_bracketed(url.hostname)}:{_PORTS.get(url.scheme)}"}
        here = {self.host} | ({"localhost", "127.0.0.1", "::1"} if _listens_on_loopback(self.host) else set())
        known |= {f"{_bracketed(each)}:{self.port}" for each in here}
        return known | ({_bracketed(each) for each in here} if self.port == _PORTS["http"] else set())

    def _is_forwarded(self, told: str) -> bool:
        name, colon, port = told.rpartition(":")
        bare = name if colon and port.isascii() and port.isdigit() else told
        return self.any_port and bare in _OWN_NAMES

    def _is_any_address(self, told: str) -> bool:
        """Listening on every address, it answers to each: nobody can have an address point elsewhere."""
        if not _is_unspecified(self.host):
            return False
        name, colon, port = told.rpartition(":")
        named, right = (name, port == str(self.port)) if colon and port.isdigit() else (told, self.port == 80)
        return right and bool(_plain(named.strip("[]")))


def listen_address(told: str) -> tuple[str, int]:
    """Of `HOST:PORT`, or `[HOST]:PORT`. Raises PermanentError."""
    host, _, port = told.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or len(port) > 5 or int(port) > 65535:
        raise PermanentError(f"web.listen is {told[:80]!r}", 'write it as "127.0.0.1:8633"')
    return host.strip("[]"), int(port)


def name_of(told: str) -> str:
    """A name as it is recorded: one line, without what could be taken for more than a name. May be empty."""
    return " ".join(clean(told, LONGEST_NAME, keep="").translate(_MARKS).split())


def typed_name(told: str) -> str:
    """Raises BadRequest for one that says nothing."""
    name = name_of(told)
    if not any(each.isalnum() for each in name):
        raise BadRequest("write your name: it is recorded with what you decide", "it is kept nowhere else")
    return name


def _origin(url: SplitResult) -> str:
    return f"{url.scheme}://{url.netloc}".lower()


def _plain(told: str) -> str:
    """An address as people write it; empty for anything else."""
    try:
        found = ip_address(told.partition("%")[0])
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def _is_loopback(address: str) -> bool:
    return bool(address) and ip_address(address).is_loopback


def _listens_on_loopback(host: str) -> bool:
    return host == "localhost" or _is_unspecified(host) or _is_loopback(_plain(host))


def _is_unspecified(host: str) -> bool:
    return bool(plain := _plain(host)) and ip_address(plain).is_unspecified


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
