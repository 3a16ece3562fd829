// The wire log: what went between bot and workspace.

import { el, fill, icon } from "./dom.js";
import { timeOf } from "./dates.js";
import { loadWire, on, state, wireBody } from "./store.js";

const root = document.getElementById("wire");
const SHOWN = 300;
let wanted = "";
let list = null;

/** Opens or closes the log. */
export async function toggleWire() {
  root.hidden = !root.hidden;
  document.body.classList.toggle("with-wire", !root.hidden);
  if (root.hidden) return;
  list = el("ol", { class: "wire-list" });
  const filter = el("input", { type: "search", placeholder: "Filter", aria: { label: "Filter the wire log" }, value: wanted,
    on: { input: () => { wanted = filter.value.toLowerCase(); drawAll(); } } });
  fill(root, el("header", {}, el("h2", { text: "Wire log" }), filter,
    el("button", { type: "button", class: "quiet", text: "Clear", on: { click: () => { state.wire = []; drawAll(); } } }),
    el("button", { type: "button", class: "quiet", aria: { label: "Close the wire log" }, on: { click: toggleWire } }, icon("close"))), list);
  await loadWire();
  drawAll();
  filter.focus();
}

const fits = (entry) => !wanted || `${entry.kind} ${entry.name} ${entry.body}`.toLowerCase().includes(wanted);

function drawAll() {
  fill(list, state.wire.filter(fits).slice(-SHOWN).map(line));
  if (!list.childElementCount) fill(list, el("li", { class: "faint empty", text: wanted ? "Nothing fits." : "Nothing yet. Say something to the bot." }));
  list.scrollTop = list.scrollHeight;
}

const SIGNS = { in: "←", out: "→", note: "·" };
const WORDS = { in: "from the bot", out: "to the bot", note: "note" };

function line(entry) {
  const bad = entry.ok === false || entry.lost || entry.kind === "fault" || (entry.status ?? 200) >= 400;
  const facts = [entry.error, entry.status && entry.status !== 200 ? entry.status : "", entry.ms !== undefined ? `${entry.ms} ms` : "", entry.socket ? `socket ${entry.socket}` : "", entry.lost ? "lost" : "", entry.outcome, entry.event_id, entry.method];
  const summary = el("summary", { class: `way-${entry.dir}${bad ? " bad" : ""}` },
    el("span", { class: "faint", text: timeOf(String(entry.at)) }),
    el("span", { class: "sign", title: WORDS[entry.dir], text: SIGNS[entry.dir] }),
    el("span", { class: "faint", text: entry.kind }), el("strong", { text: headline(entry) }),
    el("span", { class: "faint", text: facts.filter(Boolean).join(" · ") }));
  const details = el("details", {}, summary);
  details.addEventListener("toggle", async () => {
    if (!details.open || details.childElementCount > 1) return;
    const shown = el("pre", { class: "json" });
    details.append(shown);
    shown.textContent = indented(await wireBody(entry));
  });
  return el("li", { data: { testid: "wire-entry" } }, details);
}

function headline(entry) {
  if (entry.name !== "events_api" && entry.name !== "interactive") return entry.name;
  const kind = /"type": ?"(app_mention|app_home_opened|message|member_joined_channel|reaction_added|block_actions|view_submission|view_closed|shortcut|message_action)"/.exec(entry.body);
  return kind ? `${entry.name}: ${kind[1]}` : entry.name;
}

function indented(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body || "(empty)";
  }
}

on("wire", (entry) => {
  if (root.hidden || !list || !fits(entry)) return;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.querySelector(".empty")?.remove();
  list.append(line(entry));
  while (list.childElementCount > SHOWN) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
});
