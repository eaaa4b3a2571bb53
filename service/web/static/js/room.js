// The room that is open: its head, its timeline, its composer, and what events do to them.

import { Composer } from "./composer.js";
import { $ } from "./elements.js";
import { Presence } from "./presence.js";
import { Timeline } from "./timeline.js";

export class OpenRoom {
  constructor(api, sidebar, stream) {
    this.api = api;
    this.sidebar = sidebar;
    this.stream = stream;
    this.presence = new Presence(api);
    this.timeline = new Timeline(api, {
      react: (seq, emoji, on) => this.react(seq, emoji, on),
      edit: (message) => this.composer.edit(message),
      remove: (message) => api.delete(`${this.path}/messages/${message.seq}`),
    });
    this.composer = new Composer(api, {
      get roomId() { return room.room?.id; },
      lastOwn: () => this.timeline.lastOf(api.me.id),
      sent: (message) => this.show(message),
      typing: () => this.stream.send({ type: "typing", room_id: this.room.id }),
    });
    const room = this;
    $("join").onclick = () => this.join();
    document.addEventListener("visibilitychange", () => this.markRead());
  }

  get path() {
    return `/rooms/${this.room.id}`;
  }

  async open(roomId) {
    const room = await this.api.get(`/rooms/${roomId}`);
    this.room = room;
    this.sidebar.choose(roomId);
    this.head();
    await this.timeline.open(roomId);
    this.markRead();
    await this.meet();
  }

  /** Ask who is in the room and who of them is here: on opening, and when the stream is back. */
  async meet() {
    if (!this.room) return;
    const { id } = this.room;
    const [{ members }, { user_ids }] = await Promise.all([
      this.api.get(`/rooms/${id}/members`), this.api.get(`/rooms/${id}/presence`)]);
    if (this.room?.id === id) this.presence.clear(members, user_ids);
  }

  head() {
    $("room-name").textContent = this.room.name;
    $("room-topic").textContent = this.room.topic;
    document.title = `${this.room.name} · Colorless chat`;
    this.composer.show(Boolean(this.room.role));
    $("join").hidden = Boolean(this.room.role);
  }

  close() {
    this.room = null;
    this.timeline.clear();
    $("room-name").textContent = "Welcome";
    $("room-topic").textContent = "Choose a room, or make one.";
    this.composer.show(false);
    $("join").hidden = true;
  }

  async join() {
    await this.api.put(`${this.path}/members/${this.api.me.id}`, {});
    this.sidebar.put({ ...this.room, role: "member" });
    await this.open(this.room.id);
  }

  /** An event of the room that is open. */
  take(event) {
    if (event.type === "message.created") {
      this.presence.stopped(event.actor.id);
      if (event.message) this.show(event.message);
    } else if (event.type === "gap") {
      this.timeline.reload();
    } else if (event.type === "typing") {
      this.presence.isTyping(event);
    } else if (event.type === "room.changed" && event.room) {
      Object.assign(this.room, event.room);
      this.head();
    } else if (event.type === "member.joined" && event.user) {
      this.presence.names.set(event.user.id, event.user.display_name);
      this.presence.draw();
    } else if (event.message) {
      this.timeline.change(event.message);
    } else if (event.message_seq) {
      this.refresh(event.message_seq);
    }
  }

  show(message) {
    if (message.room_id !== this.room?.id) return;
    this.timeline.put(message);
    this.markRead();
  }

  /** A reaction says which message it is to, not what the message is now. */
  async refresh(seq) {
    if (this.timeline.messages.has(seq)) {
      this.timeline.change(await this.api.get(`${this.path}/messages/${seq}`));
    }
  }

  react(seq, emoji, on) {
    const path = `${this.path}/messages/${seq}/reactions/${encodeURIComponent(emoji)}`;
    return on ? this.api.put(path) : this.api.delete(path);
  }

  async markRead() {
    if (!this.room?.role || document.hidden || !this.timeline.last) return;
    const seq = this.timeline.last;
    if (this.markedRead?.room === this.room.id && this.markedRead.seq >= seq) return;
    this.markedRead = { room: this.room.id, seq };
    const counts = await this.api.put(`${this.path}/read`, { seq });
    this.sidebar.count(counts.room_id, counts);
  }
}
