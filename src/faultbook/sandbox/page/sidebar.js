// The sidebar: who you act as, channels, the app, and a few tools.

import { el, fill, icon, menu, note } from "./dom.js";
import { askText } from "./dialogs.js";
import { avatar, useShortcut } from "./messages.js";
import { direct, people, post, state, tell } from "./store.js";

const root = document.getElementById("sidebar");
const shade = document.getElementById("shade");

/** Draws the sidebar. */
export function drawSidebar() {
  const mine = [...state.channels.values()].filter((one) => one.kind !== "im");
  const joined = mine.filter((one) => one.members.includes(state.me)).sort(byName);
  const others = mine.filter((one) => !one.members.includes(state.me) && !one.archived).sort(byName);
  const scroll = root.scrollTop;
  fill(root,
    el("header", {},
      el("img", { src: "/page/mark.svg", width: 30, height: 30, alt: "" }),
      el("div", {}, el("h1", { text: "Local workspace" }), connection()),
      el("button", { type: "button", class: "quiet phone", aria: { label: "Close the menu" }, on: { click: () => openSidebar(false) } }, icon("close"))),
    persona(),
    el("div", { class: "group" }, el("h2", { text: "Channels" }),
      el("button", { type: "button", class: "quiet", title: "New channel", aria: { label: "New channel" }, on: { click: newChannel } }, "+")),
    el("ul", {}, joined.map(row)),
    others.length > 0 && [el("div", { class: "group" }, el("h2", { text: "Not joined" })), el("ul", {}, others.map(row))],
    direct() && [el("div", { class: "group" }, el("h2", { text: "App" })), el("ul", {}, row(direct()))],
    el("div", { class: "foot" }, shortcuts(),
      el("button", { type: "button", class: "quiet wide", data: { testid: "wire-toggle" }, on: { click: () => { openSidebar(false); tell("toggle-wire"); } } }, icon("wire"), "Wire log")));
  root.scrollTop = scroll;
  const unread = [...joined, direct()].reduce((sum, one) => sum + (one?.unread ?? 0), 0);
  document.title = `${unread ? `(${unread}) ` : ""}${title()} · Local workspace`;
}

const byName = (a, b) => a.name.localeCompare(b.name);

/** Names the open conversation. */
export function title() {
  const channel = state.channels.get(state.current);
  if (!channel) return "Nothing open";
  return channel.kind === "im" ? state.users[state.bot]?.name : `#${channel.name}`;
}

function connection() {
  const up = state.connected > 0 || state.http;
  const name = state.users[state.bot]?.name ?? "The bot";
  const words = state.connected > 0 ? `${name} is connected` : state.http ? `${name} gets events over HTTP` : `${name} is not connected`;
  return el("p", { class: up ? "link-state up" : "link-state", data: { testid: "connection" }, text: words });
}

function persona() {
  const me = state.users[state.me];
  const choose = el("select", { id: "persona", title: `Member id ${state.me}`, data: { testid: "persona" }, on: { change: () => tell("act-as", choose.value) } },
    people().map((one) => el("option", { value: one.id, selected: one.id === state.me, text: `${one.real_name}${one.title ? ` · ${one.title}` : ""}` })));
  return el("div", { class: "persona" }, avatar(state.me, me?.real_name ?? "?"),
    el("div", {}, el("label", { for: "persona", text: "Acting as" }), choose));
}

function row(channel) {
  const app = channel.kind === "im";
  const here = channel.id === state.current;
  const name = app ? state.users[state.bot]?.name : channel.name;
  const sign = app ? avatar(state.bot, name, "tiny") : icon(channel.kind === "private" ? "lock" : "hash", 15);
  return el("li", {}, el("a", {
    href: `#${channel.id}`, class: `row${here ? " here" : ""}${channel.unread ? " unread" : ""}`, data: { testid: "channel", name: app ? "dm" : name },
    aria: here ? { current: "page" } : {}, on: { click: () => openSidebar(false) },
  }, sign, el("span", { text: name }), channel.unread > 0 && el("span", { class: "count", aria: { label: `${channel.unread} unread` }, text: channel.unread > 99 ? "99+" : String(channel.unread) })));
}

function shortcuts() {
  const offered = state.shortcuts.filter((one) => one.kind === "global");
  if (!offered.length) return null;
  const node = el("button", { type: "button", class: "quiet wide", data: { testid: "shortcuts" }, aria: { haspopup: "menu", expanded: "false" } }, icon("bolt"), "Shortcuts");
  node.addEventListener("click", () => menu(node, offered.map((one) => ({
    label: one.name, hint: one.description, run() { openSidebar(false); useShortcut(one.callback_id); },
  })), { label: "Shortcuts" }));
  return node;
}

async function newChannel() {
  const name = await askText({ title: "New channel", label: "Name", yes: "Create" });
  if (!name) return;
  const wanted = name.toLowerCase().replace(/^#/, "").replace(/[^a-z0-9_-]+/g, "-");
  const answer = await post("new_channel", { name: wanted });
  if (answer.ok) location.hash = answer.id;
  else note("There is a channel of that name.", { bad: true });
}

/** Opens or closes the sidebar on a narrow screen. */
export function openSidebar(open) {
  root.classList.toggle("open", open);
  shade.hidden = !open;
  if (open) setTimeout(() => root.querySelector("a.here, a")?.focus(), 60);
}

shade.addEventListener("click", () => openSidebar(false));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") openSidebar(false); });
