// Where one writes: Enter sends, Shift and Enter breaks the line, arrow up edits the last message.

import { $ } from "./elements.js";

const TYPING_EVERY = 2000; // milliseconds between two hints that one is typing

export class Composer {
  /** `room` has roomId, lastOwn(), sent(message) and typing(). */
  constructor(api, room) {
    this.api = api;
    this.room = room;
    this.editing = null;
    this.hinted = 0;
    this.body = $("body");
    $("composer").onsubmit = (event) => { event.preventDefault(); this.submit(); };
    this.body.onkeydown = (event) => this.key(event);
    this.body.oninput = () => this.typed();
  }

  show(visible) {
    $("composer").hidden = !visible;
    this.stopEditing();
    if (visible) this.body.focus();
  }

  edit(message) {
    this.editing = message;
    this.body.value = message.body;
    this.body.setAttribute("aria-label", "Edit message");
    this.body.focus();
  }

  stopEditing() {
    this.editing = null;
    this.body.value = "";
    this.body.removeAttribute("aria-label");
    this.fit();
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") {
      this.stopEditing();
    } else if (event.key === "ArrowUp" && !this.body.value) {
      const last = this.room.lastOwn();
      if (last) this.edit(last);
    }
  }

  typed() {
    this.fit();
    if (this.editing || Date.now() - this.hinted < TYPING_EVERY) return;
    this.hinted = Date.now();
    this.room.typing();
  }

  fit() {
    this.body.style.height = "auto";
    this.body.style.height = `${this.body.scrollHeight + 2}px`;
  }

  async submit() {
    const text = this.body.value.trim();
    if (!text) return;
    const { editing } = this;
    const roomId = this.room.roomId;
    this.stopEditing();
    this.hinted = 0;
    $("composer-error").textContent = "";
    try {
      const message = editing
        ? await this.api.patch(`/rooms/${roomId}/messages/${editing.seq}`, { body: text })
        : await this.api.send(roomId, text);
      this.room.sent(message);
    } catch (error) {
      // What was written is not lost: it stands there again, with the reason above it.
      this.body.value = text;
      this.editing = editing;
      this.fit();
      $("composer-error").textContent = error.message;
    }
  }
}
