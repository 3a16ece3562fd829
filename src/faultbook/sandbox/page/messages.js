// Lists of messages: a conversation's, and a thread's.

import { add, el, icon, menu, narrow, note, place as put } from "./dom.js";
import { QUICK, emoji } from "./emoji.js";
import { dayOf, fullTime, moment, timeOf } from "./dates.js";
import { renderMessage } from "./blocks.js";
import { act, ask, askText, showJson } from "./dialogs.js";
import { plain } from "./mrkdwn.js";
import { post, state, tell } from "./store.js";

const TOGETHER = 5 * 60 * 1000;
const PAGE = 120;
const shown = new Map();
const HUES = [12, 38, 88, 150, 178, 205, 232, 262, 292, 330];

/** Draws somebody's picture: initials on a colour of their own, or the bot's mark. */
export function avatar(id, name, size = "") {
  if (id === state.bot) return el("span", { class: `avatar bot ${size}`, aria: { hidden: "true" } });
  const hue = HUES[[...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % HUES.length];
  const letters = name.split(/\s+/).map((word) => word[0]).join("").slice(0, 2).toUpperCase();
  return el("span", { class: `avatar hue${HUES.indexOf(hue)} ${size}`, aria: { hidden: "true" }, text: letters });
}

const author = (message) => message.username ?? state.users[message.user]?.real_name ?? message.bot_profile?.name ?? "Somebody";

/** Lists what a conversation shows: no replies, but what only this person sees. */
export function ofChannel(channel) {
  const said = [...(state.messages.get(channel)?.values() ?? [])]
    .filter((one) => !one.thread_ts || one.thread_ts === one.ts || one.subtype === "thread_broadcast");
  return sorted([...said, ...whispers(channel, "")]);
}

/** Lists a thread, its parent first. */
export function ofThread(channel, ts) {
  const said = [...(state.messages.get(channel)?.values() ?? [])].filter((one) => one.ts === ts || one.thread_ts === ts);
  return sorted([...said, ...whispers(channel, ts)]);
}

const whispers = (channel, thread) => [...(state.ephemerals.get(channel)?.values() ?? [])].filter((one) => (one.thread_ts ?? "") === thread);
const sorted = (list) => list.sort((a, b) => (a.ts < b.ts ? -1 : 1));

/** Draws a list of messages, keeping to its end if it was there, and every node that did not change. */
export function drawList(list, messages, { channel, thread = "", lastRead = "" }) {
  const key = `${channel}:${thread}`;
  const nearEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const atEnd = list.dataset.drawn !== "kept" && (nearEnd || list.dataset.drawn !== key);
  const most = shown.get(key) ?? PAGE;
  const hidden = messages.length - most;
  const rows = hidden > 0 ? [earlier(list, messages, { channel, thread, lastRead }, hidden)] : [];
  let before = null;
  let marked = false;
  for (const message of messages.slice(Math.max(0, hidden))) {
    const newDay = !thread && (!before || dayOf(before.ts) !== dayOf(message.ts));
    if (newDay) rows.push(divider(dayOf(message.ts), "day"));
    const unread = !thread && !marked && lastRead && before && message.ts > lastRead && message.user !== state.me;
    if (unread) rows.push(divider("New", "day new"));
    marked ||= Boolean(unread);
    const compact = !newDay && !unread && follows(before, message, thread);
    rows.push([JSON.stringify([message, compact, state.me]), () => drawMessage(message, { channel, thread, compact })]);
    if (thread && message.ts === thread && messages.length > 1) {
      const count = messages.length - 1;
      rows.push(divider(`${count} ${count === 1 ? "reply" : "replies"}`, "day replies"));
    }
    before = message;
  }
  settle(list, rows);
  list.dataset.drawn = key;
  if (atEnd) requestAnimationFrame(() => { list.scrollTop = list.scrollHeight; });
}

const divider = (text, kind) => [`${kind}:${text}`, () => el("div", { class: kind, role: "separator" }, el("span", { text }))];

function earlier(list, messages, place, hidden) {
  const key = `${place.channel}:${place.thread}`;
  const count = Math.min(hidden, PAGE);
  const more = () => {
    shown.set(key, (shown.get(key) ?? PAGE) + PAGE);
    list.dataset.drawn = "kept";
    drawList(list, messages, place);
    list.scrollTop = 0;
  };
  return [`earlier:${messages.length}:${hidden}`, () => el("button", { type: "button", class: "link earlier", text: `Show ${count} earlier messages`, on: { click: more } })];
}

// Whether a message belongs to the one before, so that its author need not be named again.
function follows(before, message, thread) {
  return Boolean(before) && before.user === message.user && author(before) === author(message) && !before.reply_count
    && !before.is_ephemeral && !message.is_ephemeral && before.ts !== thread
    && moment(message.ts) - moment(before.ts) < TOGETHER;
}

// Puts rows of [signature, maker] into the list; a node with the same signature stays as it is,
// with its focus, its open menus and what was entered in it.
function settle(list, rows) {
  const old = new Map([...list.children].map((node) => [node.signature, node]));
  const active = document.activeElement;
  const holder = list.contains(active) ? active.closest("[data-ts]") : null;
  const where = holder && [holder.dataset.ts, active.dataset.action ?? "", active.dataset.value ?? ""];
  const nodes = rows.map(([signature, make]) => {
    const node = old.get(signature) ?? make();
    old.delete(signature);
    node.signature = signature;
    return node;
  });
  for (const node of [...list.children]) if (!nodes.includes(node)) node.remove();
  nodes.forEach((node, index) => { if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null); });
  if (!where || list.contains(document.activeElement)) return;
  const again = [...list.querySelectorAll(`[data-ts="${CSS.escape(where[0])}"] [data-action]`)]
    .find((one) => one.dataset.action === where[1] && (one.dataset.value ?? "") === where[2]);
  (again ?? list.querySelector(`[data-ts="${CSS.escape(where[0])}"]`))?.focus({ preventScroll: true });
}

function drawMessage(message, { channel, thread, compact }) {
  const ephemeral = Boolean(message.is_ephemeral);
  const gone = message.subtype === "tombstone";
  const name = author(message);
  const when = el("time", { class: "when", datetime: moment(message.ts).toISOString(), title: fullTime(message.ts), text: timeOf(message.ts) });
  const place = {
    key: `${state.me}:${channel}:${message.ts}`,
    act: (used) => act({ channel, ts: message.ts, ...used }),
  };
  const head = !compact && el("div", { class: "head" },
    el("strong", { text: name }), message.bot_id && el("span", { class: "tag", text: "app" }),
    state.users[message.user]?.is_restricted && el("span", { class: "tag", text: "guest" }), when);
  const body = el("div", { class: "body" },
    ephemeral && el("p", { class: "only" }, icon("eye", 14), "Only visible to you"),
    head,
    el("div", { class: "content" }, gone ? el("em", { class: "faint", text: message.text }) : renderMessage(message, place),
      message.edited && !message.bot_id && el("small", { class: "faint edited", title: fullTime(message.edited.ts), text: "(edited)" })),
    reactions(message, channel),
    ephemeral && el("button", { type: "button", class: "link small", text: "Dismiss", on: { click: () => post("dismiss", { ts: message.ts }) } }),
    !thread && message.reply_count > 0 && threadLink(message, channel));
  const side = compact ? el("div", { class: "side" }, when) : el("div", { class: "side" }, avatar(message.user, name));
  return el("article", {
    class: `message${compact ? " compact" : ""}${ephemeral ? " ephemeral" : ""}`, tabindex: "-1",
    data: { testid: "message", ts: message.ts, ephemeral: String(ephemeral), user: message.user ?? "" },
    aria: { label: `${name}, ${timeOf(message.ts)}${ephemeral ? ", only visible to you" : ""}` },
  }, side, body, !ephemeral && !gone && tools(message, channel, thread));
}

function reactions(message, channel) {
  if (!message.reactions?.length) return null;
  return el("div", { class: "reactions" }, message.reactions.map((one) => {
    const mine = one.users.includes(state.me);
    const who = one.users.map((id) => state.users[id]?.real_name ?? id).join(", ");
    return el("button", {
      type: "button", class: mine ? "reaction mine" : "reaction", title: `${who}: :${one.name}:`,
      aria: { label: `${one.name}, ${one.count}, ${who}`, pressed: String(mine) }, data: { testid: "reaction", name: one.name },
      on: { click: () => post(mine ? "unreact" : "react", { channel, ts: message.ts, name: one.name }) },
    }, emoji(one.name, 16) ?? `:${one.name}:`, el("span", { text: String(one.count) }));
  }));
}

const lately = (ts) => (dayOf(ts) === "Today" ? timeOf(ts) : dayOf(ts));

function threadLink(message, channel) {
  const count = message.reply_count;
  return el("button", { type: "button", class: "thread-link", data: { testid: "thread-link" }, on: { click: () => tell("open-thread", { channel, ts: message.ts }) } },
    (message.reply_users ?? []).slice(0, 3).map((id) => avatar(id, state.users[id]?.real_name ?? "?", "tiny")),
    el("strong", { text: `${count} ${count === 1 ? "reply" : "replies"}` }),
    el("span", { class: "faint", text: `Last ${lately(message.latest_reply)}` }));
}

function tools(message, channel, thread) {
  const react = el("button", { type: "button", aria: { label: "Add a reaction", haspopup: "menu", expanded: "false" }, title: "React",
    on: { click: () => pickReaction(react, message, channel) } }, icon("smile"));
  const reply = !thread && el("button", { type: "button", aria: { label: "Reply in thread" }, title: "Reply in thread", data: { testid: "reply" },
    on: { click: () => tell("open-thread", { channel, ts: message.thread_ts ?? message.ts }) } }, icon("reply"));
  const more = el("button", { type: "button", aria: { label: "More actions", haspopup: "menu", expanded: "false" }, title: "More", data: { testid: "more" },
    on: { click: () => menu(more, moreItems(message, channel), { label: "Message actions" }) } }, icon("more"));
  return el("div", { class: "tools" }, !narrow() && react, reply, more);
}

function moreItems(message, channel) {
  const mine = message.user === state.me;
  const name = state.users[state.bot]?.name;
  const offered = state.shortcuts.filter((one) => one.kind === "message").map((one) => ({
    label: one.name, hint: name, run: () => useShortcut(one.callback_id, channel, message.ts),
  }));
  const link = () => {
    const address = `${location.origin}/archives/${channel}/p${message.ts.replace(".", "")}`;
    navigator.clipboard?.writeText(address).then(() => note("Link copied."), () => note(address));
  };
  return [
    ...offered, offered.length ? null : undefined,
    narrow() ? { label: "React", run: () => post("react", { channel, ts: message.ts, name: "white_check_mark" }) } : undefined,
    { label: "Copy link", run: link },
    { label: "Show as JSON", run: () => showJson(`Message ${message.ts}`, message) },
    mine ? null : undefined,
    mine ? { label: "Edit message", run: () => editMessage(message, channel) } : undefined,
    mine ? { label: "Delete message", danger: true, run: () => deleteMessage(message, channel) } : undefined,
  ].filter((item) => item !== undefined);
}

/** Uses a shortcut, on a message if one is named. */
export async function useShortcut(callback_id, channel, ts) {
  const answer = await post("shortcut", { callback_id, channel, ts });
  const words = answer.ok ? answer.complaint : answer.error;
  if (words) note(words, { bad: true });
}

async function editMessage(message, channel) {
  const now = plain(message.text.replace(/<@(U\w+)>/g, (_, id) => `@${state.users[id]?.name ?? id}`).replace(/<(https?:[^<>|]+)>/g, "$1"));
  const text = await askText({ title: "Edit message", label: "Message", value: now, multiline: true });
  if (text && text !== now) await post("edit", { channel, ts: message.ts, text });
}

async function deleteMessage(message, channel) {
  const sure = await ask({ title: "Delete this message?", body: "The bot hears of it, as it does in Slack.", yes: "Delete", no: "Keep", danger: true });
  if (sure) await post("delete", { channel, ts: message.ts });
}

function pickReaction(anchor, message, channel) {
  document.querySelector(".menu")?.remove();
  const close = () => {
    box.remove();
    document.removeEventListener("pointerdown", outside, true);
  };
  const outside = (event) => { if (!box.contains(event.target)) close(); };
  const box = el("div", { class: "menu quick", role: "menu", aria: { label: "Reactions" } });
  add(box, QUICK.map((name) => el("button", { type: "button", role: "menuitem", title: `:${name}:`, aria: { label: name },
    on: { click: () => { close(); post("react", { channel, ts: message.ts, name }); } } }, emoji(name, 20))));
  box.addEventListener("keydown", (event) => { if (event.key === "Escape") { close(); anchor.focus(); } });
  document.body.append(box);
  put(box, anchor);
  document.addEventListener("pointerdown", outside, true);
  box.querySelector("button").focus();
}
