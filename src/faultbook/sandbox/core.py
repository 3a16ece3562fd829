"""One running workspace: its parts, put together, and the events they give rise to."""

from pathlib import Path

from faultbook.sandbox.clock import Clock, new_id
from faultbook.sandbox.delivery import Deliverer
from faultbook.sandbox.faults import Faults
from faultbook.sandbox.home import open_home
from faultbook.sandbox.httpdoor import HttpDoor
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.limits import Limits
from faultbook.sandbox.live import Live
from faultbook.sandbox.manifest import Manifest
from faultbook.sandbox.modals import Modals
from faultbook.sandbox.options import Options
from faultbook.sandbox.seed import plant
from faultbook.sandbox.sockets import SocketHub
from faultbook.sandbox.state import Channel, State, User
from faultbook.sandbox.store import Store
from faultbook.sandbox.triggers import Triggers
from faultbook.sandbox.wire import Wire

_GLIMPSE = 800
_CHANNEL_TYPE = {"public": "channel", "private": "group", "im": "im"}
_SUBSCRIPTION = {"public": "message.channels", "private": "message.groups", "im": "message.im"}


class Sandbox:
    """The workspace and everything it runs on."""

    def __init__(self, home: Path, manifest: Manifest, options: Options) -> None:
        self.home = home
        self.identity = open_home(home)
        self.manifest = manifest
        self.options = options
        self.clock = Clock()
        self.wire = Wire(self.clock.now)
        self.live = Live()
        self.wire.watch = self._show_wire
        self.faults = Faults(self.wire)
        self.limits = Limits(options, self.clock)
        self.store = Store(home / "workspace.db")
        self.state = State(self.store, self.clock)
        plant(self.state, self.identity, manifest.bot_name)
        self.triggers = Triggers(options, self.clock)
        self.modals = Modals(self.store, self.clock, self.identity)
        self.hub = SocketHub(options, self.clock, self.wire, self.faults)
        self.hub.app_id = self.identity.app_id
        self.hub.changed = self.show_bot
        self.http = HttpDoor(options, self.wire, self.identity.signing_secret)
        self.deliverer = Deliverer(options, self.store, self.wire, self.faults, self.hub, self.http)
        self.statuses: dict[tuple[str, str], Json] = {}
        self.titles: dict[tuple[str, str], str] = {}
        self.prompts: dict[str, Json] = {}
        self.base_url = ""

    @property
    def bot(self) -> User:
        """The bot's own user."""
        return self.state.users[self.identity.bot_user_id]

    async def close(self) -> None:
        """Stops everything and closes the home."""
        self.live.close_all()
        await self.deliverer.close()
        await self.hub.close()
        await self.http.close()
        self.store.close()

    def emit(self, event: Json, *, subscription: str = "") -> None:
        """Sends an event to the bot, if it is subscribed to it.

        Args:
            event: The inner event.
            subscription: The name it is subscribed by, if not its type.
        """
        if (subscription or event["type"]) not in self.options.subscriptions:
            return
        identity = self.identity
        now = self.clock.now()
        self.deliverer.offer(
            {
                "token": identity.verification_token,
                "team_id": identity.team_id,
                "context_team_id": identity.team_id,
                "context_enterprise_id": None,
                "api_app_id": identity.app_id,
                "event": event,
                "type": "event_callback",
                "event_id": new_id("Ev", 11),
                "event_time": int(now),
                "authorizations": [
                    {
                        "enterprise_id": None,
                        "team_id": identity.team_id,
                        "user_id": identity.bot_user_id,
                        "is_bot": True,
                        "is_enterprise_install": False,
                    }
                ],
                "is_ext_shared_channel": False,
                "event_context": f"4-{new_id('', 24)}",
            }
        )

    def emit_message(self, channel: Channel, event: Json) -> None:
        """Sends a message event, if the bot is in the channel and subscribed to its kind."""
        if self.identity.bot_user_id in channel.members:
            whole = {**event, "channel": channel.id, "channel_type": _CHANNEL_TYPE[channel.kind]}
            self.emit(whole, subscription=_SUBSCRIPTION[channel.kind])

    def _show_wire(self, entry: Json) -> None:
        self.live.push("wire", {"entry": {**entry, "body": entry["body"][:_GLIMPSE]}})

    def show_bot(self) -> None:
        """Tells open pages whether the bot is connected."""
        self.live.push("bot", {"connected": len(self.hub.sockets)})

    def show_message(self, channel: str, message: Json) -> None:
        """Tells open pages about a new or changed message."""
        self.live.push("message", {"channel": channel, "message": message})

    def show_views(self, user: str) -> None:
        """Tells open pages about a person's modals."""
        self.live.push("views", {"user": user, **self.view_state(user)})

    def view_state(self, user: str) -> Json:
        """Gives a person's modal stack with its field errors."""
        stack = self.modals.stack(user)
        errors = {view["id"]: self.modals.errors.get(view["id"], {}) for view in stack}
        return {"stack": stack, "errors": errors}
