// The page: the door, and behind it the chat. Everything is put together here.

import { Api, ApiError } from "./api.js";
import { $ } from "./elements.js";
import { OpenRoom } from "./room.js";
import { Sidebar } from "./sidebar.js";
import { Stream } from "./stream.js";

const api = new Api(leave);
const sidebar = new Sidebar(api, (roomId) => room.open(roomId).catch(report));
const stream = new Stream(api, take, (text) => { $("connection").textContent = text; });
const room = new OpenRoom(api, sidebar, stream);

/** Every event of the stream comes through here, whichever room it is of. */
function take(event) {
  if (event.type === "ready" || event.type === "added") refresh();
  else if (event.type === "presence") room.presence.isOnline(event);
  else if (event.type === "removed") removed(event.room_id);
  else if (event.room_id === room.room?.id) room.take(event);
  if (event.type === "read" || event.type === "gap") refresh();
  if (event.type === "message.created" && event.room_id !== room.room?.id) count(event);
}

function count({ room_id, actor }) {
  if (actor.id === api.me.id) return;
  const counts = sidebar.unread.get(room_id) ?? { room_id, unread: 0, mentions: 0 };
  sidebar.count(room_id, { ...counts, unread: counts.unread + 1 });
}

function removed(roomId) {
  sidebar.drop(roomId);
  if (room.room?.id === roomId) room.close();
}

async function refresh() {
  sidebar.fill(await api.get("/home"));
  await room.meet();
}

async function enter() {
  $("door").hidden = true;
  $("chat").hidden = false;
  $("me").textContent = api.me.display_name;
  await refresh();
  stream.start();
  const [first] = sidebar.rooms.keys();
  if (first) await room.open(first);
}

function leave() {
  stream.stop();
  api.keep(null);
  room.close();
  $("chat").hidden = true;
  $("door").hidden = false;
}

async function knock(event) {
  event.preventDefault();
  const { name, password } = event.target;
  try {
    if (event.submitter?.value === "sign-up") {
      await api.post("/users", { name: name.value, password: password.value, display_name: name.value });
    }
    api.keep(await api.post("/sessions", { name: name.value, password: password.value }));
    event.target.reset();
    $("door-error").textContent = "";
    await enter();
  } catch (error) {
    $("door-error").textContent = error.message;
  }
}

/** What went wrong where nobody waits for it, shown where the state of the connection is shown. */
function report(error) {
  $("connection").textContent = error instanceof ApiError ? error.message : "The server cannot be reached.";
  setTimeout(() => { $("connection").textContent = ""; }, 5000);
}

$("door-form").onsubmit = knock;
$("sign-out").onclick = () => api.delete("/sessions/current").catch(() => null).finally(leave);
addEventListener("unhandledrejection", ({ reason }) => report(reason));

if (api.me) enter().catch(report);
else leave();
