// The live stream: one WebSocket for all rooms, which comes back by itself where it broke off.

const LONGEST_WAIT = 15_000; // milliseconds between two attempts

export class Stream {
  /** `onEvent(event)` gets every event once, in its room's order; `onState(text)` what to show. */
  constructor(api, onEvent, onState) {
    this.api = api;
    this.onEvent = onEvent;
    this.onState = onState;
    this.positions = new Map(); // room id → seq of the last event
    this.attempt = 0;
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.retryNow());
  }

  start() {
    this.stopped = false;
    this.connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.socket?.close(1000);
    this.socket = null;
    this.positions.clear();
    this.onState("");
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  async connect() {
    clearTimeout(this.timer);
    this.timer = null;
    try {
      // A WebSocket sends no Authorization header; the ticket is a cookie that opens streams only.
      await this.api.post("/stream-tickets");
      if (this.stopped) return;
      const resume = [...this.positions].map(([room, seq]) => `${room}-${seq}`).join(".");
      const query = new URLSearchParams({ resume });
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      this.socket = new WebSocket(`${scheme}://${location.host}/v1/stream?${query}`);
    } catch {
      this.again();
      return;
    }
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.socket.onclose = () => this.again();
  }

  take(event) {
    if (event.type === "ready") {
      this.attempt = 0;
      this.onState("");
      this.positions = new Map(Object.entries(event.positions).map(([id, seq]) => [Number(id), seq]));
    } else if (event.type === "gap" || event.type === "added") {
      this.positions.set(event.room_id, event.position);
    } else if (event.type === "removed") {
      this.positions.delete(event.room_id);
    } else if (event.seq !== undefined && event.actor) {
      if (event.seq <= (this.positions.get(event.room_id) ?? 0)) return;
      this.positions.set(event.room_id, event.seq);
    }
    this.onEvent(event);
  }

  again() {
    if (this.stopped || this.timer) return;
    this.socket = null;
    this.onState("Connection lost. Reconnecting …");
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** this.attempt++) * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.connect(), wait);
  }

  retryNow() {
    if (this.timer && !this.stopped) this.connect();
  }
}
