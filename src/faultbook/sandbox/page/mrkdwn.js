// Slack's mrkdwn to nodes: tokens first, then styles, so that neither can break the other.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { dateToken } from "./dates.js";
import { state } from "./store.js";

const OPEN = "\uE000";
const SHUT = "\uE001";
const HELD = /\uE000(\d+)\uE001/g;
const URL = /https?:\/\/[^\s<>|\uE000\uE001]+[^\s<>|.,;:!?)'"\uE000\uE001]/g;
const STYLES = [
  ["strong", /(^|[^\w*])\*(\S|\S[^*\n]*?\S)\*(?![\w*])/],
  ["em", /(^|[^\w_])_(\S|\S[^_\n]*?\S)_(?![\w_])/],
  ["s", /(^|[^\w~])~(\S|\S[^~\n]*?\S)~(?![\w~])/],
];

/** Undoes Slack's three escapes. */
export const plain = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

/** Renders a text object. */
export function textObject(object) {
  if (object.type === "mrkdwn") return mrkdwn(object.text, { verbatim: object.verbatim });
  return [el("span", { class: "plain" }, ...withEmoji(object.text))];
}

/** Renders mrkdwn as a list of nodes. */
export function mrkdwn(text, { verbatim = false } = {}) {
  const nodes = [];
  for (const [index, part] of text.split(/```/).entries()) {
    const closed = index % 2 === 1 && text.split(/```/).length > index + 1;
    if (closed) nodes.push(el("pre", { text: plain(part.replace(/<([^<>|]+)(?:\|([^<>]*))?>/g, (_, a, b) => b ?? a).replace(/^\n|\n$/g, "")) }));
    else if (part) nodes.push(...paragraphs(index % 2 ? "```" + part : part, verbatim));
  }
  return nodes;
}

function paragraphs(text, verbatim) {
  const nodes = [];
  let quote = null;
  let rest = false;
  const lines = text.replace(/^\n|\n$/g, "").split("\n");
  lines.forEach((line, index) => {
    const mark = /^(&gt;&gt;&gt;|&gt;)\s?/.exec(line);
    if (mark?.[1].length > 4) rest = true;
    if (mark || rest) {
      if (!quote) nodes.push(quote = el("blockquote"));
      else quote.append(el("br"));
      quote.append(...inline(mark ? line.slice(mark[0].length) : line, verbatim));
      return;
    }
    if (index && !quote) nodes.push(el("br"));
    quote = null;
    nodes.push(...inline(line, verbatim));
  });
  return nodes;
}

function inline(line, verbatim) {
  const held = [];
  const hold = (node) => `${OPEN}${held.push(node) - 1}${SHUT}`;
  let text = line.replace(/[\uE000\uE001]/g, "");
  text = text.replace(/`([^`\n]+)`/g, (_, code) => hold(el("code", {}, ...codeParts(code))));
  text = text.replace(/<([^<>\n]+)>/g, (whole, token) => hold(tokenNode(token)));
  if (!verbatim) text = text.replace(URL, (url) => hold(linkNode(url, url)));
  text = text.replace(/:([a-z0-9_+'-]+):(?::skin-tone-\d:)?/g, (whole, code) => {
    const picture = emoji(code);
    return picture ? hold(picture) : whole;
  });
  return styled(text, held);
}

function codeParts(code) {
  return code.split(/(<[^<>\n]+>)/).map((part) => {
    const token = /^<([^<>]+)>$/.exec(part);
    return token ? tokenNode(token[1]) : plain(part);
  });
}

function styled(text, held) {
  let first = null;
  for (const [tag, form] of STYLES) {
    const match = form.exec(text);
    if (match && (!first || match.index < first.match.index)) first = { tag, match };
  }
  if (!first) return unheld(text, held);
  const { tag, match } = first;
  const from = match.index + match[1].length;
  return [
    ...unheld(text.slice(0, from), held),
    el(tag, {}, styled(match[2], held)),
    ...styled(text.slice(match.index + match[0].length), held),
  ];
}

function unheld(text, held) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(HELD)) {
    if (match.index > at) nodes.push(plain(text.slice(at, match.index)));
    nodes.push(held[Number(match[1])]);
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(plain(text.slice(at)));
  return nodes;
}

function tokenNode(token) {
  const cut = token.indexOf("|");
  const body = cut < 0 ? token : token.slice(0, cut);
  const label = cut < 0 ? "" : plain(token.slice(cut + 1));
  if (body.startsWith("@")) return userNode(body.slice(1), label);
  if (body.startsWith("#")) return channelNode(body.slice(1), label);
  if (body.startsWith("!subteam^")) return groupNode(body.slice(9), label);
  if (body.startsWith("!date^")) return dateToken(body.slice(6), label, linkNode);
  if (body.startsWith("!")) return broadcastNode(body.slice(1));
  return linkNode(plain(body), label || plain(body));
}

/** Makes a link; anything but http, https and mailto stays text. */
export function linkNode(url, label) {
  if (!/^(https?:|mailto:)/i.test(url)) return document.createTextNode(label);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer", title: url, text: label });
}

/** Shows a person's name. */
export function userNode(id, label = "") {
  const name = state.users[id]?.name ?? label ?? "";
  const mine = id === state.me ? " mine" : "";
  return el("span", { class: `mention${mine}`, text: `@${name || id}` });
}

/** Shows a channel's name. */
export function channelNode(id, label = "") {
  const channel = state.channels.get(id);
  if (!channel) return el("span", { class: "mention", text: `#${label || id}` });
  return el("a", { class: "mention", href: `#${id}`, text: `#${channel.name}` });
}

/** Shows a user group's handle. */
export function groupNode(id, label = "") {
  const group = state.groups[id];
  const mine = group?.users.includes(state.me) ? " mine" : "";
  return el("span", { class: `mention${mine}`, text: group ? `@${group.handle}` : label || `@${id}` });
}

/** Shows @here and its kin; they reach everybody. */
export function broadcastNode(range) {
  return el("span", { class: "mention mine", text: `@${range}` });
}

/** Renders plain text with its emoji codes. */
export function withEmoji(text) {
  return text.split(/(:[a-z0-9_+'-]+:)/).map((part) => {
    const code = /^:(.+):$/.exec(part);
    return (code && emoji(code[1])) || part;
  });
}
