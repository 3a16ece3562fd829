"""Webhooks' addresses: what agents may name, and what may not be reached by any spelling."""

import pytest

from faultbook.base.errors import InvalidError
from faultbook.model.webhook import WebhookRules, is_public, read_webhook

REFUSED = [
    "http://a.example/",
    "ftp://a.example/",
    "file:///etc/passwd",
    "gopher://a.example/",
    "https://localhost/",
    "https://api.localhost/",
    "https://intranet/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://①②⑦.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[::7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://224.0.0.1/",
    "https://good@evil.example/",
    "https://good:pw@evil.example/",
    "https://evil.example\\@good.example/",
    "https://evil.example#@good.example/",
    "https://a.example/\n",
    "https://a.example/ b",
    "https://a.example:0/",
    "https://a.example:65536/",
    "https://a..example/",
    "https://a.example./",
    "https://%61.example/",
    "https://\u017f.example/",  # folds to an s
    "https://a.example/?token=xoxb-123456789012-abcdef",
    "https://a.example/" + "a" * 2000,
    "",
]


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_public_or_can_be_read_two_ways_is_refused(url: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read_webhook(url, WebhookRules())
    assert refused.value.code == "bad_webhook"
    assert refused.value.next_step
    assert not url or url not in refused.value.message


def test_public_names_and_addresses_are_taken() -> None:
    read = read_webhook("https://Hooks.Example.com:8443/a/b?x=1&y=%20", WebhookRules())
    assert (read.scheme, read.host, read.port) == ("https", "hooks.example.com", 8443)
    assert read.path == "/a/b?x=1&y=%20"
    assert not read.is_allowed
    assert read_webhook("https://[2606:4700::1111]", WebhookRules()).path == "/"
    assert read_webhook("https://1.1.1.1/", WebhookRules()).port == 443


def test_what_the_settings_allow_may_be_private_and_plain_at_that_port_only() -> None:
    rules = WebhookRules(frozenset({"127.0.0.1:9000", "::1:9001"}))
    assert read_webhook("http://127.0.0.1:9000/x", rules).is_allowed
    assert read_webhook("http://[::1]:9001/x", rules).is_allowed
    with pytest.raises(InvalidError):
        read_webhook("http://127.0.0.1:9001/x", rules)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "100.64.0.1", "169.254.169.254", "192.0.2.1", "0.0.0.0"),  # noqa: S104 - an address to refuse
        *("224.0.0.1", "255.255.255.255", "192.88.99.1", "::", "::1", "::7f00:1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::1", "2002:808:808::1", "2001::1"),
        *("2001:db8::1", "fe80::1", "fec0::1", "fd00::1", "ff02::1", "100::1", "x", "fe80::1%e"),
    ],
)
def test_an_address_that_is_not_one_machine_on_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::8a"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)
