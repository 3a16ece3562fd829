// The page: reads the state, draws the open conversation, and follows changes.

import { el, fill, icon, narrow, note } from "./dom.js";
import { composer } from "./composer.js";
import { renderBlocks } from "./blocks.js";
import { act, showModals } from "./dialogs.js";
import { drawList, ofChannel, ofThread } from "./messages.js";
import { drawSidebar, openSidebar, title } from "./sidebar.js";
import { direct, listen, loadMessages, loadState, on, people, post, state } from "./store.js";
import { toggleWire } from "./wire.js";

const main = document.getElementById("main");
const side = document.getElementById("thread");
const parts = {};

const here = () => state.channels.get(state.current);
const botName = () => state.users[state.bot]?.name ?? "the bot";

function drawMain() {
  const channel = here();
  if (!channel) return fill(main, el("p", { class: "blank", text: "There is nothing here." }));
  const app = channel.kind === "im";
  const caret = parts.composer?.caret();
  parts.list = el("div", { class: "list", role: "log", tabindex: "0", aria: { label: `Messages in ${title()}` }, data: { testid: "messages" } });
  parts.foot = el("div", { class: "status", role: "status" });
  parts.home = el("section", { class: "home", data: { testid: "home" }, aria: { label: "App Home" } });
  parts.composer = composer({ id: "composer", target: () => ({ channel: state.current, placeholder: app ? `Message ${botName()}` : `Message ${title()}` }) });
  parts.prompts = el("div", { class: "prompts" });
  const member = channel.members.includes(state.me);
  fill(main, heading(channel, app),
    app && state.homeTab && tabs(),
    parts.home, parts.list, parts.foot, parts.prompts,
    member ? parts.composer : el("div", { class: "outside" }, el("span", { text: `You are not in ${title()}.` }),
      el("button", { type: "button", class: "button primary", text: "Join", on: { click: () => post("join", { channel: channel.id }) } })));
  drawTab();
  if (caret) parts.composer.putCaret(caret);
}

function heading(channel, app) {
  const count = channel.members.length;
  return el("header", { class: "top" },
    el("button", { type: "button", class: "quiet phone", data: { testid: "menu" }, aria: { label: "Open the menu" }, on: { click: () => openSidebar(true) } }, icon("menu", 22)),
    el("div", { class: "names" }, el("h2", { text: title() }),
      el("p", { class: "faint", text: app ? "Your conversation with the app" : channel.topic })),
    !app && el("span", { class: "faint members", title: channel.members.map((id) => state.users[id]?.real_name).join(", "), text: `${count} ${count === 1 ? "member" : "members"}` }));
}

function tabs() {
  const tab = (name, text) => el("button", { type: "button", role: "tab", id: `tab-${name}`, data: { testid: `tab-${name}` },
    aria: { selected: String(state.tab === name) }, text, on: { click: () => openTab(name) } });
  return el("div", { class: "tabs", role: "tablist", aria: { label: "App" } }, tab("home", "Home"), tab("messages", "Messages"));
}

function openTab(name) {
  state.tab = name;
  post("open_home", { tab: name });
  drawMain();
}

function drawTab() {
  const home = here()?.kind === "im" && state.tab === "home";
  parts.home.hidden = !home;
  for (const part of [parts.list, parts.foot, parts.prompts, parts.composer]) part.hidden = home;
  if (home) drawHome();
  else drawMessages();
}

function drawHome() {
  const view = state.home;
  const place = view && { key: view.id, act: (used) => act({ view_id: view.id, ...used }) };
  fill(parts.home, view ? el("div", { class: "sheet" }, renderBlocks(view.blocks, place))
    : el("p", { class: "blank", text: `${botName()} has published no Home for you yet.` }));
}

function drawMessages() {
  const messages = ofChannel(state.current);
  drawList(parts.list, messages, { channel: state.current, lastRead: state.lastRead[state.current] });
  if (!messages.length) fill(parts.list, hint());
  drawStatus();
  drawPrompts(messages);
  markRead(messages);
}

function hint() {
  const app = here().kind === "im";
  const ask = app ? "what's failing?" : `@${botName()} what's failing?`;
  const joined = here().members.includes(state.bot);
  return el("div", { class: "blank", data: { testid: "hint" } },
    el("h3", { text: app ? `This is your line to ${botName()}` : `This is the beginning of ${title()}` }),
    joined ? el("p", {}, "Type ", el("button", { type: "button", class: "try", text: ask, on: { click: () => parts.composer.insert(ask) } }), app ? "" : " to ask the bot.")
      : el("p", {}, `${botName()} is not in this channel. Type `, el("button", { type: "button", class: "try", text: `/invite @${botName()}`, on: { click: () => parts.composer.insert(`/invite @${botName()}`) } }), " to add it."),
    el("p", { class: "faint", text: "Slash commands start with /. Choose who you are under “Acting as”." }));
}

function drawPrompts(messages) {
  const offered = state.prompts[state.current];
  const show = offered && here()?.kind === "im" && messages.length < 3;
  fill(parts.prompts, show ? offered.prompts.map((one) => el("button", { type: "button", class: "button", text: one.title,
    on: { click: () => post("say", { channel: state.current, text: one.message }) } })) : []);
}

const marking = { timer: 0, status: 0 };
function drawStatus() {
  const words = (thread) => {
    const now = state.statuses.get(`${state.current}:${thread}`);
    return now && now.until * 1000 > Date.now() ? `${botName()} ${now.status}` : "";
  };
  parts.foot.textContent = words("");
  if (parts.threadFoot) parts.threadFoot.textContent = words(state.thread);
  clearTimeout(marking.status);
  marking.status = setTimeout(drawStatus, 5000);
}

function markRead(messages) {
  const last = messages.at(-1)?.ts;
  const channel = here();
  if (!last || document.hidden || !channel?.members.includes(state.me)) return;
  const had = channel.unread;
  channel.unread = 0;
  if (had) drawSidebar();
  clearTimeout(marking.timer);
  channel.last_read = newest(channel.id);
  const body = { channel: channel.id, ts: channel.last_read };
  marking.timer = setTimeout(() => post("read", body), 150);
}

const newest = (channel) => [...(state.messages.get(channel)?.keys() ?? [])].reduce((a, b) => (a > b ? a : b), "");

const atEnd = (list) => list && list.scrollHeight - list.scrollTop - list.clientHeight < 80;

function openThread(channel, ts) {
  const stay = atEnd(parts.list);
  state.thread = ts;
  side.hidden = !ts;
  document.body.classList.toggle("with-thread", Boolean(ts));
  if (stay) requestAnimationFrame(() => { parts.list.scrollTop = parts.list.scrollHeight; });
  if (!ts) return parts.composer?.focusInput();
  parts.threadList = el("div", { class: "list", role: "log", tabindex: "0", aria: { label: "Messages in the thread" } });
  parts.threadFoot = el("div", { class: "status", role: "status" });
  const box = composer({ testid: "thread-composer", sendid: "thread-send", target: () => ({ channel, thread: ts, placeholder: "Reply" }) });
  fill(side,
    el("header", { class: "top" }, el("div", { class: "names" }, el("h2", { text: "Thread" }), el("p", { class: "faint", text: title() })),
      el("button", { type: "button", class: "quiet", data: { testid: "thread-close" }, aria: { label: "Close the thread" }, on: { click: () => openThread(channel, "") } }, icon(narrow() ? "back" : "close", 20))),
    parts.threadList, parts.threadFoot, box);
  drawThread();
  if (!narrow()) box.focusInput();
}

function drawThread() {
  if (!state.thread) return;
  const messages = ofThread(state.current, state.thread);
  if (!messages.some((one) => one.ts === state.thread)) return openThread(state.current, "");
  drawList(parts.threadList, messages, { channel: state.current, thread: state.thread });
}

async function openChannel(id, ts = "") {
  const channel = state.channels.get(id) ?? [...state.channels.values()].find((one) => id && one.name === id)
    ?? [...state.channels.values()].find((one) => one.name === "general") ?? direct();
  if (!channel) return;
  if (state.current !== channel.id) state.tab = "messages";
  state.current = channel.id;
  const mine = state.users[state.me];
  await loadMessages(channel.id);
  state.lastRead[channel.id] = channel.unread ? channel.last_read : "";
  openThread(channel.id, "");
  drawMain();
  drawSidebar();
  if (mine && channel.kind === "im" && !ts) post("open_home", { tab: state.tab });
  if (ts) reveal(ts);
  else if (!narrow()) parts.composer.focusInput();
}

function reveal(ts) {
  const message = state.messages.get(state.current)?.get(ts);
  if (!message) return note("That message is gone.", { bad: true });
  if (message.thread_ts && message.thread_ts !== ts) openThread(state.current, message.thread_ts);
  requestAnimationFrame(() => {
    const node = document.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
    node?.scrollIntoView({ block: "center" });
    node?.classList.add("flash");
  });
}

function route() {
  const [id, mark] = decodeURIComponent(location.hash.slice(1)).split("/");
  const digits = /^p(\d+)(\d{6})$/.exec(mark ?? "");
  return openChannel(id, digits ? `${digits[1]}.${digits[2]}` : "");
}

async function actAs(id) {
  state.me = id;
  localStorage.setItem("me", state.users[id]?.name ?? "");
  state.values.clear();
  await reload();
}

async function reload() {
  await loadState();
  const kept = here();
  if (kept?.kind === "im" && kept.user !== state.me) state.current = direct()?.id ?? "";
  await openChannel(state.current || decodeURIComponent(location.hash.slice(1)).split("/")[0]);
  showModals();
}

// Many changes in one breath are drawn once.
let drawing = false;
function redraw() {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    if (here()?.kind !== "im" || state.tab === "messages") drawMessages();
    drawThread();
  });
}

on("message", ({ channel, message, fresh }) => {
  if (channel === state.current) return redraw();
  const other = state.channels.get(channel);
  if (other && fresh && message.user !== state.me && other.members.includes(state.me)) {
    const known = (other.seen ??= new Set());
    if (!known.has(message.ts)) other.unread = (other.unread ?? 0) + 1;
    known.add(message.ts);
    drawSidebar();
  }
});
on("deleted", ({ channel }) => {
  if (channel === state.current) redraw();
});
on("views", showModals);
on("home", () => { if (here()?.kind === "im" && state.tab === "home") drawHome(); });
on("status", drawStatus);
on("prompts", () => { if (parts.list) drawPrompts(ofChannel(state.current)); });
on("bot", drawSidebar);
on("directory", () => { drawSidebar(); drawMain(); });
on("open-thread", ({ channel, ts }) => openThread(channel, ts));
on("act-as", actAs);
on("toggle-wire", toggleWire);
on("line", (up) => document.body.classList.toggle("cut", !up));
addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => { if (!document.hidden && parts.list) drawMessages(); });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.thread && !document.querySelector("dialog[open], .menu")) openThread(state.current, "");
});

// The stream is open before anything is read, so that no change falls between the two.
async function start() {
  await listen(reload);
  await loadState();
  const wanted = new URLSearchParams(location.search).get("as") ?? localStorage.getItem("me");
  state.me = (people().find((one) => one.name === wanted) ?? people()[0]).id;
  await loadState();
  await route();
  showModals();
}

start();
