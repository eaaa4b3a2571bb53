// The rooms one is in, with what is unread; and the dialogs to make and to find a room.

import { $, button, element } from "./elements.js";

export class Sidebar {
  /** `onOpen(roomId)` is called for a room that is chosen. */
  constructor(api, onOpen) {
    this.api = api;
    this.onOpen = onOpen;
    this.rooms = new Map(); // by id
    this.unread = new Map(); // room id → { unread, mentions }
    $("new-room").onclick = () => $("room-dialog").showModal();
    $("browse").onclick = () => this.browse();
    $("open-rooms").onclick = () => $("sidebar").classList.toggle("open");
    for (const dialog of document.querySelectorAll("dialog")) {
      dialog.querySelector(".close").onclick = () => dialog.close();
    }
    $("room-form").onsubmit = (event) => this.make(event);
  }

  /** Fill it from the first screen's answer. */
  fill(home) {
    this.rooms = new Map(home.rooms.map((room) => [room.id, room]));
    this.unread = new Map(home.unread.map((counts) => [counts.room_id, counts]));
    this.draw();
  }

  put(room) {
    this.rooms.set(room.id, room);
    this.draw();
  }

  drop(roomId) {
    this.rooms.delete(roomId);
    this.draw();
  }

  count(roomId, counts) {
    this.unread.set(roomId, counts);
    this.draw();
  }

  choose(roomId) {
    this.chosen = roomId;
    $("sidebar").classList.remove("open");
    this.draw();
  }

  draw() {
    const focused = document.activeElement?.dataset?.room;
    $("rooms").replaceChildren(...[...this.rooms.values()].map((room) => this.entry(room)));
    if (focused) $("rooms").querySelector(`[data-room="${focused}"]`)?.focus();
  }

  entry(room) {
    const unread = room.id === this.chosen ? 0 : (this.unread.get(room.id)?.unread ?? 0);
    const entry = element("button", { type: "button", onclick: () => this.onOpen(room.id) },
      `${room.visibility === "private" ? "🔒 " : "# "}${room.name}`,
      unread ? element("span", { class: "badge", "aria-label": `${unread} unread` }, String(unread)) : null);
    entry.dataset.room = room.id;
    if (room.id === this.chosen) entry.setAttribute("aria-current", "page");
    return element("li", {}, entry);
  }

  async make(event) {
    event.preventDefault();
    const form = event.target;
    const problem = form.querySelector(".error");
    try {
      const room = await this.api.post("/rooms", {
        name: form.name.value,
        topic: form.topic.value,
        visibility: form.private.checked ? "private" : "public",
      });
      form.reset();
      problem.textContent = "";
      $("room-dialog").close();
      this.put(room);
      this.onOpen(room.id);
    } catch (error) {
      problem.textContent = error.message;
    }
  }

  async browse() {
    const { rooms } = await this.api.get("/rooms?scope=public&limit=100");
    $("public-rooms").replaceChildren(...rooms.map((room) =>
      element("li", {}, element("span", {}, room.name, " ", element("span", { class: "quiet" }, room.topic)),
        button(room.role ? "Open" : "Join", `${room.role ? "Open" : "Join"} ${room.name}`, async () => {
          if (!room.role) await this.api.put(`/rooms/${room.id}/members/${this.api.me.id}`, {});
          $("browse-dialog").close();
          this.put({ ...room, role: room.role ?? "member" });
          this.onOpen(room.id);
        }))));
    $("browse-dialog").showModal();
  }
}
