"""Views: each person's modal stack and App Home, with hashes that guard against races."""

import json

from faultbook.sandbox.clock import Clock, new_id
from faultbook.sandbox.errors import SlackError
from faultbook.sandbox.home import Identity
from faultbook.sandbox.kinds import Json, as_dict, as_list
from faultbook.sandbox.store import Store

DEEPEST = 3
LARGEST = 250_000


class Modals:
    """Every view that is open or published.

    Attributes:
        stacks: Per person the ids of open modals, the lowest first.
        homes: Per person the published Home view.
        views: Open modals by id.
        errors: Per modal the last field errors, by block id.
        inputs: Per view or message what a person has entered, by block and action id.
    """

    def __init__(self, store: Store, clock: Clock, identity: Identity) -> None:
        self._store = store
        self._clock = clock
        self._identity = identity
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, Json] = {}
        self.views: dict[str, Json] = {}
        self.errors: dict[str, Json] = {}
        self.inputs: dict[str, Json] = {}
        for user, body in store.all("home"):
            self.homes[user] = body
        for user, body in store.all("stack"):
            self.stacks[user] = [view["id"] for view in body["views"]]
            self.views.update({view["id"]: view for view in body["views"]})

    def stack(self, user: str) -> list[Json]:
        """Lists a person's open modals, the lowest first."""
        return [self.views[one] for one in self.stacks.get(user, [])]

    def open(self, user: str, wanted: Json) -> Json:
        """Opens a modal in place of whatever is open."""
        self._unused(wanted)
        for view in self.stack(user):
            self._forget(view["id"])
        view = self._make(wanted, previous="", root="")
        self._keep(user, [view])
        return view

    def push(self, user: str, wanted: Json) -> Json:
        """Puts a modal on top of the stack.

        Raises:
            SlackError: `push_limit_reached` or `not_found`.
        """
        stack = self.stack(user)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= DEEPEST:
            raise SlackError("push_limit_reached")
        self._unused(wanted)
        view = self._make(wanted, previous=stack[-1]["id"], root=stack[0]["id"])
        self._keep(user, [*stack, view])
        return view

    def update(self, view_id: str, wanted: Json, view_hash: str = "") -> tuple[str, Json]:
        """Replaces a modal's content; tells whose it is.

        Raises:
            SlackError: `not_found`, `hash_conflict` or `duplicate_external_id`.
        """
        user = self.owner(view_id)
        old = self.views.get(view_id)
        if old is None or not user:
            raise SlackError("not_found")
        if view_hash and view_hash != old["hash"]:
            raise SlackError("hash_conflict")
        self._unused(wanted, but=view_id)
        view = self._make(wanted, previous=old["previous_view_id"] or "", root=old["root_view_id"])
        view["id"] = view_id
        self.errors.pop(view_id, None)
        self.views[view_id] = view
        self._keep(user, self.stack(user))
        return user, view

    def publish(self, user: str, wanted: Json, view_hash: str = "") -> Json:
        """Replaces a person's Home.

        Raises:
            SlackError: `hash_conflict`.
        """
        old = self.homes.get(user)
        if view_hash and (old is None or view_hash != old["hash"]):
            raise SlackError("hash_conflict")
        view = self._make(wanted, previous="", root="")
        if old is not None:
            view["id"] = view["root_view_id"] = old["id"]
        self.homes[user] = view
        self._store.put("home", user, view)
        return view

    def close(self, user: str, *, everything: bool) -> list[Json]:
        """Closes a person's top modal or all of them; gives the closed ones, top first."""
        stack = self.stack(user)
        closed = stack[::-1] if everything else stack[-1:]
        for view in closed:
            self._forget(view["id"])
        self._keep(user, stack[: len(stack) - len(closed)])
        return closed

    def owner(self, view_id: str) -> str:
        """Finds whose stack a modal is in; empty if it is closed."""
        return next((user for user, ids in self.stacks.items() if view_id in ids), "")

    def by_external_id(self, external_id: str) -> str:
        """Finds an open modal by the id its app gave it; empty if there is none."""
        found = (v["id"] for v in self.views.values() if v["external_id"] == external_id)
        return next(found, "")

    def _unused(self, wanted: Json, but: str = "") -> None:
        external_id = wanted.get("external_id")
        if external_id and self.by_external_id(external_id) not in {"", but}:
            raise SlackError("duplicate_external_id")

    def _make(self, wanted: Json, *, previous: str, root: str) -> Json:
        view_id = new_id("V")
        return {
            "id": view_id,
            "team_id": self._identity.team_id,
            "type": wanted["type"],
            "blocks": with_ids(as_list(wanted.get("blocks"))),
            "private_metadata": wanted.get("private_metadata") or "",
            "callback_id": wanted.get("callback_id") or "",
            "state": {"values": {}},
            "hash": f"{self._clock.ts()}.{new_id('', 6).lower()}",
            "title": wanted.get("title"),
            "clear_on_close": bool(wanted.get("clear_on_close")),
            "notify_on_close": bool(wanted.get("notify_on_close")),
            "close": wanted.get("close"),
            "submit": wanted.get("submit"),
            "previous_view_id": previous or None,
            "root_view_id": root or view_id,
            "app_id": self._identity.app_id,
            "external_id": wanted.get("external_id") or "",
            "app_installed_team_id": self._identity.team_id,
            "bot_id": self._identity.bot_id,
        }

    def _keep(self, user: str, views: list[Json]) -> None:
        self.stacks[user] = [view["id"] for view in views]
        self.views.update({view["id"]: view for view in views})
        if views:
            self._store.put("stack", user, {"views": views})
        else:
            self._store.drop("stack", user)

    def _forget(self, view_id: str) -> None:
        self.views.pop(view_id, None)
        self.errors.pop(view_id, None)
        self.inputs.pop(view_id, None)


def with_ids(blocks: list[Json]) -> list[Json]:
    """Copies blocks, giving a block id and action ids to those that came without."""
    copied: list[Json] = json.loads(json.dumps(blocks))
    for block in copied:
        block.setdefault("block_id", new_id("", 5))
        inner = [*as_list(block.get("elements")), block.get("accessory"), block.get("element")]
        if block["type"] in {"actions", "section", "input", "context_actions"}:
            for element in inner:
                if as_dict(element) and element["type"] not in {"image", "mrkdwn", "plain_text"}:
                    element.setdefault("action_id", new_id("", 5))
    return copied
