"""Which addresses may be spoken to."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.outside.ssrf import AddressPolicy, is_public

_REFUSED = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255
    127.0.0.1 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.1 192.0.0.170 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
    198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1
    255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:808:808 64:ff9b::7f00:1
    64:ff9b::808:808 64:ff9b:1::a00:1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
    2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1
    fd00:ec2::254 fe80::1 fec0::1 ff02::1 ff0e::1
"""
_PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.215.14 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0
    191.255.255.255 192.0.1.1 198.17.255.255 223.255.255.255
    2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001:80f::200e
"""

# The forms of IPv6 addresses that carry an IPv4 address, by the bits on either side of it.
EMBEDDING = {
    "compatible": (0, 96),
    "mapped": (0xFFFF, 96),
    "translated": (0xFFFF0000, 96),
    "NAT64": (0x0064_FF9B << 64, 96),
    "local NAT64": (0x0064_FF9B_0001 << 48, 96),
    "6to4": (0x2002, 16),
    "Teredo": (0x2001_0000 << 64, 96),
}


@pytest.mark.parametrize("address", _REFUSED.split())
def test_what_is_not_public_is_refused(address: str) -> None:
    """Private, local, shared, reserved, documented and translated addresses are not spoken to."""
    assert not is_public(ip_address(address))
    assert not AddressPolicy().permit(ip_address(address), 443)


@pytest.mark.parametrize("address", _PUBLIC.split())
def test_what_is_public_is_permitted(address: str) -> None:
    """Public addresses are, those just beside a refused range among them."""
    assert AddressPolicy().permit(ip_address(address), 443)
    assert AddressPolicy().permit(ip_address(address), 80)


@given(st.ip_addresses(v=4), st.sampled_from(sorted(EMBEDDING)), st.integers(0, 2**80 - 1))
def test_no_ipv4_address_gets_in_by_way_of_ipv6(inner: IPv4Address, form: str, rest: int) -> None:
    """An IPv6 address that embeds an IPv4 address is refused, whichever that is."""
    prefix, length = EMBEDDING[form]
    tail = 128 - length - 32
    outer = (prefix << (128 - length)) | (int(inner) << tail) | (rest & ((1 << tail) - 1))
    if length == 96:
        outer = (prefix << 32) | int(inner)
    assert not is_public(IPv6Address(outer))


@given(st.ip_addresses())
def test_nothing_that_the_standard_library_calls_private_is_public(
    address: IPv4Address | IPv6Address,
) -> None:
    """This table is never laxer than the registry that comes with Python."""
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert not is_public(address)


@pytest.mark.parametrize("port", [0, 22, 25, 81, 5432, 6379, 8080, 65535])
def test_only_the_ports_of_the_web_are_spoken_to(port: int) -> None:
    """A public address is no way to a mail server or a database."""
    assert not AddressPolicy().permit(ip_address("8.8.8.8"), port)
    assert not AddressPolicy().permit_port(port)


def test_exceptions_are_as_narrow_as_they_are_written() -> None:
    """An exception with a port is for that port, one without is for 80 and 443."""
    some = AddressPolicy("10.0.0.0/8, 127.0.0.1:8080 ,[::1]:9090,fd00::/8")
    permitted = {
        (address, port)
        for address in ("10.1.2.3", "127.0.0.1", "127.0.0.2", "::1", "fd00::7", "192.168.0.1")
        for port in (80, 443, 8080, 9090)
        if some.permit(ip_address(address), port)
    }
    assert permitted == {
        ("10.1.2.3", 80),
        ("10.1.2.3", 443),
        ("127.0.0.1", 8080),
        ("::1", 9090),
        ("fd00::7", 80),
        ("fd00::7", 443),
    }


@pytest.mark.parametrize("text", ["localhost", "10.0.0.1/8", "127.0.0.1:http", "300.0.0.1", "[::1"])
def test_an_exception_that_cannot_be_read_is_named(text: str) -> None:
    """A typing error in OUTSIDE_ALLOW stops the start, and says where it is."""
    with pytest.raises(ValueError, match="OUTSIDE_ALLOW"):
        AddressPolicy(text)
