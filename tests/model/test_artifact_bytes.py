"""What an artifact's bytes come to, however they arrive."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.model.artifact_bytes import ArtifactReader
from faultbook.model.evidence import Artifact, Check
from faultbook.model.verdict import Reason

HEAD = 16_384


def read(data: bytes, *cuts: int, claimed: str | None = None) -> Artifact:
    reader = ArtifactReader("a", "text/plain", "out/a", claimed)
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        reader.feed(data[start:end])
    return reader.finish()


def test_bytes_that_say_something_are_verified_with_digest_size_and_excerpt() -> None:
    artifact = read(b"40 invoices\n")
    assert artifact.check is Check.VERIFIED
    assert artifact.sha256 == hashlib.sha256(b"40 invoices\n").hexdigest()
    assert (artifact.size, artifact.excerpt, artifact.uri) == (12, "40 invoices\n", "out/a")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \t\r\n",
        "\u00a0\u2003\u3000\u2028\x85".encode(),
        "\ufeff".encode(),
        "\ufeff \u200b\n".encode(),
        b" " * (HEAD * 3),
        "\u3000".encode() * HEAD,
        b"\n" * HEAD + "\u2003\ufeff".encode() * 500,
    ],
)
@pytest.mark.parametrize("cuts", [(), (1,), (HEAD - 1, HEAD + 1), range(0, HEAD * 3, 4097)])
def test_nothing_but_white_space_is_empty(data: bytes, cuts: tuple[int, ...]) -> None:
    artifact = read(data, *cuts)
    assert (artifact.check, artifact.excerpt) == (Check.EMPTY, None)
    assert artifact.size == len(data)
    assert artifact.detail == ("a has no bytes" if not data else "a holds white space only")


@pytest.mark.parametrize(
    "data", [b"\0", b"\xff\xfe", b" \xe3", b" " * HEAD + b"x", b" " * (HEAD - 1) + b"\xe3\x80"]
)
def test_anything_else_is_content(data: bytes) -> None:
    assert read(data).check is Check.VERIFIED
    assert read(data, 1, HEAD - 1).check is Check.VERIFIED


def test_other_bytes_than_claimed_are_a_mismatch_whatever_they_are() -> None:
    wanted = hashlib.sha256(b"x").hexdigest()
    assert read(b"x", claimed=wanted.upper()).check is Check.VERIFIED
    for data in (b"y", b""):
        artifact = read(data, claimed=wanted)
        assert (artifact.check, artifact.mismatch) == (Check.MISMATCH, Reason.DIGEST_MISMATCH)
        assert wanted[:12] in artifact.detail
    nothing = hashlib.sha256(b"").hexdigest()
    assert read(b"", claimed=nothing).check is Check.EMPTY


@pytest.mark.parametrize("data", [b"%PDF-1.7\n\xe2\xe3", b"text\0with nul", b"\x89PNG"])
def test_binary_content_gives_no_excerpt(data: bytes) -> None:
    assert read(data).excerpt is None


def test_the_excerpt_is_the_first_lines_and_holds_no_secret() -> None:
    secret = "ghp_" + "a" * 36
    excerpt = read(f"token {secret}\n".encode() * 30).excerpt
    assert excerpt is not None
    assert excerpt.count("\n") == 20
    assert secret not in excerpt
    assert len(read(b"x" * 50_000).excerpt or "") == 2_000


def test_a_secret_across_the_excerpt_s_end_is_not_halved() -> None:
    secret = "ghp_" + "a" * 36
    data = b"x" * 1_980 + b" " + secret.encode()
    assert "ghp_" not in (read(data).excerpt or "")


def test_a_character_cut_at_the_head_s_end_costs_no_excerpt() -> None:
    data = ("x" * (HEAD - 1) + "é" * 10).encode()
    assert (read(data).excerpt or "").startswith("xxx")


@given(
    st.binary(max_size=200) | st.text(max_size=60).map(str.encode), st.lists(st.integers(0, 200))
)
def test_it_does_not_matter_how_the_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    assert read(data, *cuts) == read(data)
    assert read(data).sha256 == hashlib.sha256(data).hexdigest()
