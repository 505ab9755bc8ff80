"""Which addresses a connection may reach (reliability.md, case 41).

An admin of the shop types the address, the operator of the machine decides whether it may lie inside: without that, a
connection could read the machine's own services or a cloud's metadata. The check runs where it cannot be fooled: the
connection resolves the name itself and dials only the numbers it has just vetted, so a name that resolves to something
else a moment later (rebinding) gets no second look-up.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

from connectors.errors import ConfigError

_NAT64 = ip_network("64:ff9b::/96")


class NotConnectedError(Exception):
    """No connection came about: surely nothing was sent. `__cause__` says why."""


def address_check(url: str, *, allow_private: bool) -> None:
    """Raises ConfigError when the host of `url` lies where a connection must not reach; nothing when it is unknown now."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ConfigError(f"“{url}” is not a web address.", next_step="Write it like https://shop.example.", code="address")
    try:
        _vetted(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), allow_private=allow_private)
    except socket.gaierror:
        return  # the request itself will say so, as an error that may pass


def _vetted(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The numeric addresses of `host`, all of them allowed. Raises ConfigError when one is not, socket.gaierror when unknown."""
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError as error:  # a label too long or not encodable as a host name
        raise ConfigError(f"“{host}” is not a host name.", next_step="Check the address.", code="address") from error
    for number in found:
        if not _allowed(ip_address(number), allow_private=allow_private):
            raise ConfigError(
                f"The address {host} leads to {number}, inside a private network, where a connection may not reach.",
                next_step="Use its public address, or let the operator allow private networks.",
                code="address",
            )
    return list(dict.fromkeys(found))


def _allowed(number: IPv4Address | IPv6Address, *, allow_private: bool) -> bool:
    if isinstance(number, IPv6Address):
        inner = number.ipv4_mapped or number.sixtofour
        if inner is None and number in _NAT64:
            inner = IPv4Address(number.packed[-4:])
        if inner is not None:
            return _allowed(inner, allow_private=allow_private)
    if number.is_link_local or number.is_multicast or number.is_unspecified:
        return False  # a cloud's metadata service lives on a link-local address, a shop never does
    return allow_private or number.is_global


class _Vetted(HTTPConnection):
    """Dials only vetted numbers; the name stays for the Host header and the certificate."""

    allow_private = False

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            numbers = _vetted(name.strip("[]"), self.port, allow_private=self.allow_private)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        try:
            for last, number in enumerate(numbers, start=1):
                self._dns_host = number
                try:
                    return super()._new_conn()
                except HTTPError:
                    if last == len(numbers):
                        raise
        finally:
            self._dns_host = name
        raise AssertionError("getaddrinfo gave no address and no error")

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError) as error:
            raise NotConnectedError from error


class _VettedTls(_Vetted, HTTPSConnection):
    """The same over TLS."""


def pools(*, allow_private: bool) -> dict[str, type[Any]]:
    """Connection pool classes by scheme, for urllib3's pool manager."""
    inner = {"allow_private": allow_private}
    plain = type("Plain", (HTTPConnectionPool,), {"ConnectionCls": type("PlainConnection", (_Vetted,), inner)})
    tls = type("Tls", (HTTPSConnectionPool,), {"ConnectionCls": type("TlsConnection", (_VettedTls,), inner)})
    return {"http": plain, "https": tls}
