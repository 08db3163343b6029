"""Where a request comes from."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """Return the client's address; for IPv6 the /64, as a client can choose the rest (RFC 4291)."""
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        network = IPv6Network((address, 64), strict=False)
        address = address.ipv4_mapped or network.network_address
    return str(address)
