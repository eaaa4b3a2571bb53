// One message as an element of the timeline.

import { button, element } from "./elements.js";

const REACTIONS = ["👍", "❤️", "😂", "🎉", "👀"];

/** `actions` has react(seq, emoji, on), edit(message), remove(message). */
export function messageElement(message, me, actions) {
  const mine = message.author.id === me.id;
  const item = element("li", { id: `message-${message.seq}`, class: mine ? "mine" : "", tabIndex: 0 });
  item.append(
    element("div", { class: "quiet" },
      element("strong", {}, message.author.display_name), " ",
      element("time", { dateTime: message.created_at }, time(message.created_at)),
      message.edited_at && !message.deleted_at ? " · edited" : null));
  if (message.deleted_at) {
    item.append(element("p", { class: "deleted" }, "deleted"));
    return item;
  }
  item.append(element("p", { class: "body" }, ...linked(message.body)));
  for (const preview of message.previews ?? []) item.append(previewElement(preview));
  item.append(reactions(message, me, actions), tools(message, mine, actions));
  return item;
}

function time(text) {
  return new Date(text).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** The text with its links as links; only http and https, so that no script hides in one. */
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, index) =>
    index % 2 ? element("a", { href: part, rel: "noopener noreferrer nofollow", target: "_blank" }, part) : part);
}

function previewElement(preview) {
  return element("a", { class: "preview", href: preview.url, rel: "noopener noreferrer nofollow", target: "_blank" },
    element("span", { class: "quiet" }, preview.site_name ?? new URL(preview.url).hostname),
    element("br"), element("strong", {}, preview.title ?? preview.url),
    preview.description ? element("p", {}, preview.description) : null);
}

function reactions(message, me, actions) {
  return element("div", { class: "reactions row" }, ...message.reactions.map(({ emoji, user_ids }) => {
    const on = user_ids.includes(me.id);
    return button(`${emoji} ${user_ids.length}`, `${emoji}, ${user_ids.length}, ${on ? "take back" : "add"}`,
      () => actions.react(message.seq, emoji, !on), { "aria-pressed": String(on) });
  }));
}

function tools(message, mine, actions) {
  const row = element("div", { class: "tools", role: "toolbar", "aria-label": "Message" });
  for (const emoji of REACTIONS) {
    row.append(button(emoji, `React with ${emoji}`, () => actions.react(message.seq, emoji, true)));
  }
  if (mine) {
    row.append(button("✎", "Edit", () => actions.edit(message)),
      button("🗑", "Delete", () => actions.remove(message)));
  }
  return row;
}
