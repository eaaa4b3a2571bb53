// The messages of the open room: in their order, older ones as one scrolls up.

import { $ } from "./elements.js";
import { messageElement } from "./message.js";

const PAGE = 50;
const NEAR = 200; // pixels from an end that count as being there

export class Timeline {
  constructor(api, actions) {
    this.api = api;
    this.actions = actions;
    this.list = $("timeline");
    this.list.addEventListener("scroll", () => this.list.scrollTop < NEAR && this.older());
    this.clear();
  }

  clear() {
    this.messages = new Map(); // by seq
    this.hasBefore = false;
    this.loading = null;
    this.list.replaceChildren();
  }

  /** Show the latest messages of a room. */
  async open(roomId) {
    this.roomId = roomId;
    this.clear();
    await this.reload();
  }

  /** Ask again for the latest, after a gap or on opening. */
  async reload() {
    const roomId = this.roomId;
    const page = await this.api.get(`/rooms/${roomId}/messages?limit=${PAGE}`);
    if (roomId !== this.roomId) return;
    this.clear();
    this.hasBefore = page.has_before;
    for (const message of page.messages) this.put(message);
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** Load what is above the first message, and stay where one is reading. */
  async older() {
    if (!this.hasBefore || this.loading) return;
    const roomId = this.roomId;
    const first = Math.min(...this.messages.keys());
    this.loading = this.api.get(`/rooms/${roomId}/messages?before=${first}&limit=${PAGE}`);
    try {
      const page = await this.loading;
      if (roomId !== this.roomId) return;
      const fromBottom = this.list.scrollHeight - this.list.scrollTop;
      for (const message of page.messages) this.put(message);
      this.hasBefore = page.has_before;
      this.list.scrollTop = this.list.scrollHeight - fromBottom;
    } finally {
      this.loading = null;
    }
  }

  /** Show a message, or what has become of it. */
  put(message) {
    const atEnd = this.isAtEnd();
    const made = messageElement(message, this.api.me, this.actions);
    const shown = $(`message-${message.seq}`);
    if (shown) shown.replaceWith(made);
    else this.list.insertBefore(made, this.following(message.seq));
    this.messages.set(message.seq, message);
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  /** A change to a message that is not loaded is seen when it is. */
  change(message) {
    if (this.messages.has(message.seq)) this.put(message);
  }

  get last() {
    return this.messages.size ? Math.max(...this.messages.keys()) : 0;
  }

  lastOf(userId) {
    return [...this.messages.values()].sort((a, b) => b.seq - a.seq)
      .find((message) => message.author.id === userId && !message.deleted_at);
  }

  isAtEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR;
  }

  following(seq) {
    const next = Math.min(...[...this.messages.keys()].filter((other) => other > seq));
    return Number.isFinite(next) ? $(`message-${next}`) : null;
  }
}
