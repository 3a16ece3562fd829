// Times in the viewer's own zone, and Slack's date tokens.

import { el } from "./dom.js";

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** Reads a message's ts. */
export const moment = (ts) => new Date(Number.parseFloat(ts) * 1000);

/** Says the time of day. */
export const timeOf = (ts) => clock.format(moment(ts));

/** Says date and time in full. */
export const fullTime = (ts) => whole.format(moment(ts));

/** Names the day, for dividers: Today, Yesterday, or the date. */
export const dayOf = (ts) => pretty(moment(ts), (date) => `${DAYS[date.getDay()]}, ${ordinal(date)}`);

const ordinal = (date) => {
  const day = date.getDate();
  const ending = day % 10 === 1 && day !== 11 ? "st" : day % 10 === 2 && day !== 12 ? "nd" : day % 10 === 3 && day !== 13 ? "rd" : "th";
  return `${MONTHS[date.getMonth()]} ${day}${ending}`;
};

function pretty(date, otherwise) {
  const day = (one) => new Date(one.getFullYear(), one.getMonth(), one.getDate()).getTime();
  const apart = Math.round((day(date) - day(new Date())) / 86_400_000);
  return { 0: "Today", "-1": "Yesterday", 1: "Tomorrow" }[apart] ?? otherwise(date);
}

const two = (number) => String(number).padStart(2, "0");
const short = (date) => `${MONTHS[date.getMonth()].slice(0, 3)} ${date.getDate()}, ${date.getFullYear()}`;
const medium = (date) => `${ordinal(date)}, ${date.getFullYear()}`;
const long = (date) => `${DAYS[date.getDay()]}, ${medium(date)}`;

const FORMS = {
  date_num: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  date_slash: (date) => `${two(date.getMonth() + 1)}/${two(date.getDate())}/${date.getFullYear()}`,
  date: medium,
  date_short: short,
  date_long: long,
  date_pretty: (date) => pretty(date, medium),
  date_short_pretty: (date) => pretty(date, short),
  date_long_pretty: (date) => pretty(date, long),
  time: (date) => clock.format(date),
  time_secs: (date) => seconds.format(date),
  ago,
};

/** Says how long ago a moment is, or how soon. */
export function ago(date) {
  const away = Math.round((Date.now() - date.getTime()) / 1000);
  const [count, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]]
    .map(([size, name]) => [Math.floor(Math.abs(away) / size), name]).find(([one]) => one > 0) ?? [0, ""];
  if (!unit || (unit === "second" && count < 5)) return "just now";
  const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return away >= 0 ? `${words} ago` : `in ${words}`;
}

/** Renders the inside of a date token: stamp^format^link, with its fallback. */
export function dateToken(body, fallback, link) {
  const [stamp, format = "", url] = body.split("^");
  const date = new Date(Number(stamp) * 1000);
  if (!/^\d+$/.test(stamp) || Number.isNaN(date.getTime())) return document.createTextNode(fallback);
  const write = () => format.replace(/\{(\w+)\}/g, (token, name, at) => {
    if (!FORMS[name]) return token;
    const words = FORMS[name](date);
    const inside = at > 0 && /^(Today|Yesterday|Tomorrow)$/.test(words);
    return inside ? words.toLowerCase() : words;
  }).replace(/\u200B/g, "");
  const node = el("time", { datetime: date.toISOString(), title: whole.format(date), text: write() });
  if (format.includes("{ago}")) {
    const timer = setInterval(() => { if (node.isConnected) node.textContent = write(); else clearInterval(timer); }, 30_000);
  }
  if (!url) return node;
  const anchor = link(url, "");
  if (anchor instanceof HTMLElement) anchor.append(node);
  return anchor instanceof HTMLElement ? anchor : node;
}
