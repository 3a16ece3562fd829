"""The section `[webhooks]`: where the outcomes of approvals may be posted to."""

from pydantic import Field, field_validator

from faultbook.base.settings_section import Section

_LAST_PORT = 65_535


class WebhookSettings(Section):
    """Where the outcomes of approvals may be posted to."""

    allow: list[str] = Field(default_factory=list)
    """`host:port` of receivers that may be private or without TLS; all others have to be public and
    speak HTTPS, since it is agents that name them."""

    @field_validator("allow")
    @classmethod
    def _are_places(cls, allow: list[str]) -> list[str]:
        for place in allow:
            host, _, port = place.rpartition(":")
            if not host or not (port.isascii() and port.isdigit() and int(port) <= _LAST_PORT):
                raise ValueError(f"`{place}` is no `host:port`")
        return [place.lower().replace("[", "").replace("]", "") for place in allow]
