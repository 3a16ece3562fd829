"""files.*: asking for an upload address, uploading, and sharing what was uploaded."""

import mimetypes
import secrets
from pathlib import Path
from urllib.parse import quote

from faultbook.sandbox import talk
from faultbook.sandbox.api.call import Call, method
from faultbook.sandbox.clock import new_id
from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.errors import SlackError
from faultbook.sandbox.kinds import Json, as_dict, as_list

_LARGEST = 100_000_000


def path_of(sandbox: Sandbox, file_id: str) -> Path:
    """Tells where a file's bytes are kept."""
    return sandbox.home / "files" / file_id


@method("files.getUploadURLExternal", "t4", "files:write")
def get_upload_url(call: Call) -> Json:
    """Hands out an address to upload one file to."""
    for name in ("filename", "length"):
        if not call.text(name):
            raise SlackError("missing_argument")
    length = call.number("length", 0, least=1, most=_LARGEST)
    bot = call.sandbox.identity.bot_user_id
    file = _new_file(call.sandbox, bot, call.text("filename"), length)
    call.sandbox.state.save_file({**file, "_state": "asked"})
    return {
        "upload_url": f"{call.sandbox.base_url}upload/v1/{file['_key']}",
        "file_id": file["id"],
    }


def _new_file(sandbox: Sandbox, user: str, name: str, size: int) -> Json:
    file_id = new_id("F")
    address = f"{sandbox.base_url}files-pri/{file_id}"
    return {
        "id": file_id,
        "name": name,
        "title": name,
        "size": size,
        "mimetype": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "filetype": name.rpartition(".")[2].lower() or "binary",
        "created": int(sandbox.clock.now()),
        "user": user,
        "mode": "hosted",
        "is_external": False,
        "url_private": address,
        "url_private_download": f"{address}/download/{quote(name, safe='')}",
        "permalink": f"{sandbox.base_url}files/{user}/{file_id}/{quote(name, safe='')}",
        "_key": secrets.token_urlsafe(18),
    }


def add_file(sandbox: Sandbox, user: str, name: str, content: bytes) -> Json:
    """Keeps a file that a person chose, and gives it as payloads show it."""
    file = {**_new_file(sandbox, user, name, len(content)), "_state": "done"}
    path = path_of(sandbox, file["id"])
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    sandbox.state.save_file(file)
    return shown(file)


def find_file(sandbox: Sandbox, file_id: object) -> Json:
    """Finds a file that is there to be read.

    Raises:
        SlackError: `file_not_found`.
    """
    file = sandbox.state.files.get(file_id) if isinstance(file_id, str) else None
    if file is None or file["_state"] != "done":
        raise SlackError("file_not_found")
    return file


def take_upload(sandbox: Sandbox, key: str, content: bytes) -> bool:
    """Keeps uploaded bytes; tells whether the address was good."""
    for file in sandbox.state.files.values():
        if secrets.compare_digest(file["_key"], key) and file["_state"] == "asked":
            path = path_of(sandbox, file["id"])
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            sandbox.state.save_file({**file, "size": len(content), "_state": "uploaded"})
            return True
    return False


def shown(file: Json) -> Json:
    """Gives a file as the Web API shows it."""
    return {key: value for key, value in file.items() if not key.startswith("_")}


@method("files.completeUploadExternal", "t4", "files:write")
def complete_upload(call: Call) -> Json:
    """Finishes uploads, and shares them in a channel if one is named."""
    call.need("files")
    wanted = as_list(call.structure("files", "invalid_arguments"))
    state = call.sandbox.state
    done = []
    for one in map(as_dict, wanted):
        file = state.files.get(str(one.get("id")))
        if file is None or file["_state"] != "uploaded":
            raise SlackError("file_not_found")
        done.append({**file, "title": one.get("title") or file["title"], "_state": "done"})
    channel = call.channel("channel_id", member=True) if call.text("channel_id") else None
    for file in done:
        state.save_file(file)
    if channel is not None:
        message: Json = {
            **talk.bot_author(call.sandbox),
            "type": "message",
            "ts": "",
            "text": call.text("initial_comment"),
            "files": [shown(file) for file in done],
            "upload": True,
        }
        talk.add(call.sandbox, channel, message, call.text("thread_ts"))
    return {"files": [shown(file) for file in done]}


@method("files.info", "t4", "files:read")
def info(call: Call) -> Json:
    """Shows one file's record."""
    file = call.sandbox.state.files.get(call.text("file"))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": shown(file)}
