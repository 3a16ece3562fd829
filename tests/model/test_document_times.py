"""Times in documents, read and written back."""

from faultbook.model.documents import read_close


def test_a_document_with_a_time_can_be_written_back_without_a_warning() -> None:
    body = b'{"exit_code":0,"ended_at":"2026-11-18T11:06:40.000001Z"}'
    document = read_close(body)
    assert document.ended_at == 1_795_000_000_000_001
    told = document.model_dump_json(exclude_defaults=True)
    assert told == '{"ended_at":"1795000000000001","exit_code":0}'
