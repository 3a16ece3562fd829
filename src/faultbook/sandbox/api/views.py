"""views.* and assistant.threads.*: modals, Home, and the assistant's prompts and status."""

from faultbook.sandbox.api.call import Call, method
from faultbook.sandbox.blockkit import check_view
from faultbook.sandbox.blockkit.surfaces import size
from faultbook.sandbox.errors import SlackError, bad_arguments
from faultbook.sandbox.kinds import Json, as_list
from faultbook.sandbox.modals import LARGEST

_PROMPTS_MOST = 4


def read_view(raw: object, *kinds: str) -> Json:
    """Checks a view.

    Raises:
        SlackError: `invalid_arguments` with every problem, or `view_too_large`.
    """
    if not isinstance(raw, dict):
        raise bad_arguments("must be an object [json-pointer:/view]")
    problems = check_view(raw, "/view", kinds)
    if problems:
        raise bad_arguments(*(one.as_message() for one in problems))
    if size(raw) > LARGEST:
        raise SlackError("view_too_large")
    return raw


def _wanted(call: Call, *kinds: str) -> Json:
    call.need("view")
    return read_view(call.structure("view", "invalid_arguments"), *kinds)


def _trigger(call: Call) -> object:
    return call.args.get("trigger_id") or call.args.get("interactivity_pointer")


@method("views.open", "t4")
def open_(call: Call) -> Json:
    """Opens a modal for whoever acted."""
    wanted = _wanted(call, "modal")
    trigger = call.sandbox.triggers.exchange(_trigger(call))
    view = call.sandbox.modals.open(trigger.user, wanted)
    call.sandbox.show_views(trigger.user)
    return {"view": view}


@method("views.push", "t4")
def push(call: Call) -> Json:
    """Puts a modal on top of the one that was acted in."""
    wanted = _wanted(call, "modal")
    trigger = call.sandbox.triggers.exchange(_trigger(call))
    view = call.sandbox.modals.push(trigger.user, wanted)
    call.sandbox.show_views(trigger.user)
    return {"view": view}


@method("views.update", "t4")
def update(call: Call) -> Json:
    """Replaces an open modal's content."""
    wanted = _wanted(call, "modal", "home")
    view_id = call.text("view_id")
    if not view_id:
        call.need("external_id")
        view_id = call.sandbox.modals.by_external_id(call.text("external_id"))
    for user, home in call.sandbox.modals.homes.items():
        if home["id"] == view_id:
            return {"view": _publish(call, user, wanted)}
    user, view = call.sandbox.modals.update(view_id, wanted, call.text("hash"))
    call.sandbox.show_views(user)
    return {"view": view}


@method("views.publish", "t4")
def publish(call: Call) -> Json:
    """Replaces a person's App Home."""
    call.need("user_id")
    wanted = _wanted(call, "home")
    if not call.sandbox.manifest.home_tab:
        raise SlackError("not_enabled")
    user = call.user("user_id", error="invalid_arguments")
    return {"view": _publish(call, user.id, wanted)}


def _publish(call: Call, user: str, wanted: Json) -> Json:
    view = call.sandbox.modals.publish(user, wanted, call.text("hash"))
    call.sandbox.live.push("home", {"user": user, "view": view})
    return view


def _thread(call: Call) -> tuple[str, str]:
    call.need("channel_id")
    channel = call.channel("channel_id", member=True)
    thread_ts = call.text("thread_ts")
    if thread_ts and thread_ts not in call.sandbox.state.messages[channel.id]:
        raise SlackError("invalid_thread_ts")
    return channel.id, thread_ts


@method("assistant.threads.setStatus", "t5", "chat:write", "assistant:write")
def set_status(call: Call) -> Json:
    """Shows what the bot is doing, for two minutes at most."""
    channel, thread_ts = _thread(call)
    status = call.text("status")
    until = call.sandbox.clock.now() + call.sandbox.options.status_seconds
    if status:
        call.sandbox.statuses[channel, thread_ts] = {"status": status, "until": until}
    else:
        call.sandbox.statuses.pop((channel, thread_ts), None)
    call.sandbox.live.push(
        "status",
        {"channel": channel, "thread_ts": thread_ts, "status": status, "until": until},
    )
    return {}


@method("assistant.threads.setTitle", "t4", "assistant:write")
def set_title(call: Call) -> Json:
    """Names an assistant thread."""
    call.need("title")
    call.sandbox.titles[_thread(call)] = call.text("title")
    return {}


@method("assistant.threads.setSuggestedPrompts", "t4", "assistant:write")
def set_prompts(call: Call) -> Json:
    """Offers up to four prompts in a conversation."""
    channel, _ = _thread(call)
    prompts = as_list(call.structure("prompts", "invalid_arguments"))
    if not prompts or len(prompts) > _PROMPTS_MOST:
        raise bad_arguments(f"prompts must have 1 to {_PROMPTS_MOST} items")
    for one in prompts:
        if not isinstance(one, dict) or not one.get("title") or not one.get("message"):
            raise bad_arguments("each prompt must have title and message")
    shown: Json = {"title": call.text("title"), "prompts": prompts}
    call.sandbox.prompts[channel] = shown
    call.sandbox.live.push("prompts", {"channel": channel, **shown})
    return {}
