// Emoji by their short codes. The signs the bot leans on are drawn, so that they look the same
// wherever this page is opened; the others are the system's own.

import { drawing, el } from "./dom.js";

const WHITE = { fill: "none", stroke: "#fff", "stroke-width": "2.6", "stroke-linecap": "round", "stroke-linejoin": "round" };
const disc = (fill) => [["circle", { cx: 12, cy: 12, r: 9.5, fill }]];

const DRAWN = {
  x: [["path", { d: "M5.5 5.5l13 13M18.5 5.5l-13 13", fill: "none", stroke: "#dc2626", "stroke-width": "4.6", "stroke-linecap": "round" }]],
  no_entry: [...disc("#dc2626"), ["rect", { x: 6, y: 10, width: 12, height: 4, rx: 1, fill: "#fff" }]],
  warning: [
    ["path", { d: "M12 2.8L22.5 21a1 1 0 0 1-.9 1H2.4a1 1 0 0 1-.9-1z", fill: "#f59e0b" }],
    ["path", { d: "M12 9v6", fill: "none", stroke: "#1f2937", "stroke-width": "2.6", "stroke-linecap": "round" }],
    ["circle", { cx: 12, cy: 18.6, r: 1.5, fill: "#1f2937" }],
  ],
  grey_question: [
    ["path", { d: "M7.5 8.3a4.6 4.6 0 1 1 6.8 4.2c-1.6.9-2.3 1.7-2.3 3.2", fill: "none", stroke: "#94a3b8", "stroke-width": "3.4", "stroke-linecap": "round" }],
    ["circle", { cx: 12, cy: 20.2, r: 2.1, fill: "#94a3b8" }],
  ],
  zzz: [["path", { d: "M3 12.5h7l-7 8h7M12.5 6.5h5l-5 6h5M18.5 2.5h3.5l-3.5 4.2h3.5", fill: "none", stroke: "#3b82f6", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round" }]],
  white_check_mark: [
    ["rect", { x: 2.5, y: 2.5, width: 19, height: 19, rx: 4.5, fill: "#16a34a" }],
    ["path", { d: "M7 12.4l3.4 3.4L17 8.7", ...WHITE }],
  ],
  heavy_check_mark: [["path", { d: "M4.5 13l5 5L20 6.5", fill: "none", stroke: "#16a34a", "stroke-width": "4", "stroke-linecap": "round", "stroke-linejoin": "round" }]],
  eyes: [
    ["ellipse", { cx: 7, cy: 12, rx: 4.8, ry: 7.2, fill: "#fff", stroke: "#64748b", "stroke-width": "1.2" }],
    ["ellipse", { cx: 17, cy: 12, rx: 4.8, ry: 7.2, fill: "#fff", stroke: "#64748b", "stroke-width": "1.2" }],
    ["circle", { cx: 5.6, cy: 13, r: 2.6, fill: "#1f2937" }],
    ["circle", { cx: 15.6, cy: 13, r: 2.6, fill: "#1f2937" }],
  ],
  raised_hand: [
    ["path", { d: "M6.5 13V6.3a1.5 1.5 0 0 1 3 0V4a1.5 1.5 0 0 1 3 0v1a1.5 1.5 0 0 1 3 0v2a1.5 1.5 0 0 1 3 0v8c0 4-2.6 7-6.6 7-3.3 0-4.9-1.6-6.2-4l-2.6-4.7a1.5 1.5 0 0 1 2.4-1.7z", fill: "#fbbf24", stroke: "#d97706", "stroke-width": ".9" }],
    ["path", { d: "M9.5 6.5V12M12.5 5v7M15.5 7v5", fill: "none", stroke: "#d97706", "stroke-width": ".9", "stroke-linecap": "round" }],
  ],
  rotating_light: [
    ["path", { d: "M12 1.5v2.6M3.6 5.2l1.9 1.8M20.4 5.2L18.5 7M1.5 12.5h2.4M20.1 12.5h2.4", fill: "none", stroke: "#f59e0b", "stroke-width": "2", "stroke-linecap": "round" }],
    ["path", { d: "M6 18v-5.5a6 6 0 0 1 12 0V18z", fill: "#dc2626" }],
    ["rect", { x: 3.5, y: 18, width: 17, height: 4, rx: 1, fill: "#475569" }],
    ["path", { d: "M9 14.5v-2a3 3 0 0 1 2.4-2.9", ...WHITE, "stroke-width": "1.6" }],
  ],
  heart: [["path", { d: "M12 20.5S3 15.2 3 8.8A4.8 4.8 0 0 1 12 6.5a4.8 4.8 0 0 1 9 2.3c0 6.4-9 11.7-9 11.7z", fill: "#e11d48" }]],
  "+1": [["path", { d: "M3 11h4v10H3zM8.5 11l4-8c1.7 0 2.6 1.2 2.3 2.8L14 9.5h5.2a2 2 0 0 1 2 2.4l-1.5 7.4a2 2 0 0 1-2 1.7H8.5z", fill: "#fbbf24", stroke: "#d97706", "stroke-width": ".9", "stroke-linejoin": "round" }]],
  hourglass: [["path", { d: "M6 2.5h12M6 21.5h12M7.5 3c0 5 4.5 6 4.5 9s-4.5 4-4.5 9h9c0-5-4.5-6-4.5-9s4.5-4 4.5-9z", fill: "#fde68a", stroke: "#92400e", "stroke-width": "1.4", "stroke-linejoin": "round" }]],
  red_circle: disc("#dc2626"),
  large_green_circle: disc("#16a34a"),
  large_yellow_circle: disc("#eab308"),
  large_orange_circle: disc("#f97316"),
  large_blue_circle: disc("#2563eb"),
  black_circle: disc("#1f2937"),
  white_circle: [["circle", { cx: 12, cy: 12, r: 9, fill: "#f8fafc", stroke: "#94a3b8", "stroke-width": "1.4" }]],
};
const ALIAS = {
  thumbsup: "+1", hand: "raised_hand", hourglass_flowing_sand: "hourglass", negative_squared_cross_mark: "x",
  white_question: "grey_question", green_circle: "large_green_circle", large_red_circle: "red_circle",
};

const SYSTEM = Object.fromEntries(`
-1 👎|thumbsdown 👎|tada 🎉|fire 🔥|rocket 🚀|wave 👋|pray 🙏|clap 👏|muscle 💪|ok_hand 👌|point_right 👉
point_left 👈|point_up 👆|point_down 👇|smile 😄|smiley 😃|grinning 😀|joy 😂|slightly_smiling_face 🙂|wink 😉
blush 😊|thinking_face 🤔|neutral_face 😐|disappointed 😞|cry 😢|sob 😭|scream 😱|angry 😠|sunglasses 😎|sweat_smile 😅
robot_face 🤖|ghost 👻|skull 💀|100 💯|star ⭐|sparkles ✨|zap ⚡|boom 💥|bulb 💡|bell 🔔|no_bell 🔕|mega 📣
rotating_light 🚨|construction 🚧|lock 🔒|unlock 🔓|key 🔑|shield 🛡️|hammer 🔨|wrench 🔧|gear ⚙️|link 🔗
paperclip 📎|pushpin 📌|memo 📝|pencil ✏️|pencil2 ✏️|page_facing_up 📄|clipboard 📋|open_file_folder 📂|file_folder 📁
books 📚|book 📖|bookmark 🔖|calendar 📆|date 📅|clock1 🕐|alarm_clock ⏰|stopwatch ⏱️|timer_clock ⏲️|repeat 🔁
arrows_counterclockwise 🔄|arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|leftwards_arrow_with_hook ↩️
heavy_plus_sign ➕|heavy_minus_sign ➖|heavy_multiplication_x ✖️|question ❓|exclamation ❗|grey_exclamation ❕
information_source ℹ️|octagonal_sign 🛑|no_entry_sign 🚫|stop_sign 🛑|checkered_flag 🏁|triangular_flag_on_post 🚩
ballot_box_with_check ☑️|large_blue_square 🟦|large_green_square 🟩|large_red_square 🟥|black_square_for_stop ⏹️
chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|mag 🔍|computer 💻|package 📦|inbox_tray 📥
outbox_tray 📤|envelope ✉️|email 📧|phone 📞|money_with_wings 💸|moneybag 💰|credit_card 💳|receipt 🧾|bug 🐛|snake 🐍
snail 🐌|turtle 🐢|dog 🐶|cat 🐱|coffee ☕|pizza 🍕|cake 🍰|beers 🍻|christmas_tree 🎄|sun_with_face 🌞|umbrella ☔
cloud ☁️|snowflake ❄️|rainbow 🌈|earth_africa 🌍|house 🏠|office 🏢|hospital 🏥|sos 🆘|new 🆕|ok 🆗|up 🆙|recycle ♻️
broken_heart 💔|blue_heart 💙|green_heart 💚|yellow_heart 💛|purple_heart 💜|speech_balloon 💬|thought_balloon 💭
bust_in_silhouette 👤|busts_in_silhouette 👥|detective 🕵️|technologist 🧑‍💻|see_no_evil 🙈|crossed_fingers 🤞|eyes_closed 😌
`.trim().split(/[|\n]/).map((pair) => pair.split(" ")));

/** The reactions offered first. */
export const QUICK = ["white_check_mark", "eyes", "raised_hand", "+1", "heart", "x", "warning", "hourglass"];

/** Makes the picture of a short code; null if there is none. */
export function emoji(code, size = 18) {
  const name = ALIAS[code] ?? code;
  if (DRAWN[name]) {
    const picture = drawing(DRAWN[name], { size, label: `${code} emoji` });
    picture.classList.add("emoji");
    return picture;
  }
  if (SYSTEM[name]) {
    return el("span", { class: "emoji", role: "img", aria: { label: `${code} emoji` }, title: `:${code}:`, text: SYSTEM[name] });
  }
  return null;
}
