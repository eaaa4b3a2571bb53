// Who is here and who is writing: things of the moment, which are forgotten by themselves.

import { $ } from "./elements.js";

export class Presence {
  constructor(api) {
    this.api = api;
    this.clear([], []);
  }

  /** Start anew with the members of the room that is open, and the ids of those who are here. */
  clear(members, online) {
    this.names = new Map(members.map(({ user }) => [user.id, user.display_name]));
    this.online = new Set(online);
    this.typing = new Map(); // user id → timer
    this.draw();
  }

  isOnline({ user_id, online }) {
    if (online) this.online.add(user_id);
    else this.online.delete(user_id);
    this.draw();
  }

  isTyping({ user, expires_in }) {
    if (user.id === this.api.me.id) return;
    this.names.set(user.id, user.display_name);
    clearTimeout(this.typing.get(user.id));
    this.typing.set(user.id, setTimeout(() => this.stopped(user.id), expires_in * 1000));
    this.draw();
  }

  stopped(userId) {
    clearTimeout(this.typing.get(userId));
    this.typing.delete(userId);
    this.draw();
  }

  draw() {
    const here = [...this.names].filter(([id]) => this.online.has(id)).map(([, name]) => name);
    $("online").textContent = here.length ? `● ${here.join(", ")}` : "";
    const writing = [...this.typing.keys()].map((id) => this.names.get(id));
    $("typing").textContent = writing.length
      ? `${writing.join(", ")} ${writing.length === 1 ? "is" : "are"} writing …` : "";
  }
}
