'use strict';
// Node.js as its users run it for speed: fastify with response schemas, pg with prepared
// statements, undici for calls to the outside, argon2 on libuv's threads.

const fs = require('node:fs');
const { Pool, types } = require('pg');
const { Agent, request } = require('undici');
const { connect } = require('@nats-io/transport-node');
const argon2 = require('@node-rs/argon2');
const app = require('fastify')({ logger: false, keepAliveTimeout: 75000 });

const SQL = JSON.parse(fs.readFileSync(process.env.LAB_QUERIES));
types.setTypeParser(20, Number); // bigint: every number of the lab fits a double exactly

const connections = (max) => new Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(max),
  idleTimeoutMillis: 0,
});
const pool = connections(process.env.POOL_SIZE);
const slowPool = connections(process.env.SLOW_POOL_SIZE);
const outside = new Agent({ connections: null, pipelining: 1 });
const streams = new Map();
let broker;

const number = { type: 'integer' };
const string = { type: 'string' };
const object = (properties) => ({ type: 'object', properties });
const list = (properties) => ({ type: 'array', items: object(properties) });
const message = { id: number, room: number, user: number, body: string, created_ms: number };
const replies = (properties, status = 200) => ({ response: { [status]: object(properties) } });
const route = (properties) => ({ schema: replies(properties) });

// A name makes pg prepare the statement once on each connection.
async function fetch(name, ...values) {
  return (await pool.query({ name, text: SQL[name], values })).rows;
}

const sleep = (ms) => slowPool.query({ name: 'slow', text: SQL.slow, values: [ms / 1000] });

const asMessage = (row) => ({
  id: row.id, room: row.room_id, user: row.user_id, body: row.body, created_ms: row.created_ms,
});

app.get('/livez', async (req, reply) => reply.type('text/plain').send('ok'));

app.get('/json', route({ message: string }), async () => ({ message: 'Hello, World!' }));

app.get('/slow', route({ slept: number }), async (req) => {
  const ms = Number(req.query.ms);
  await sleep(ms);
  return { slept: ms };
});

app.get('/message/:id', route(message), async (req, reply) => {
  const [row] = await fetch('message', req.params.id);
  return row ? asMessage(row) : reply.code(404).send({ error: 'not found' });
});

app.get('/rooms/:id/messages', route({ messages: list(message) }), async (req) => {
  const rows = await fetch('history', req.params.id, req.query.limit ?? 50);
  return { messages: rows.map(asMessage) };
});

const newMessage = { ...object({ user: number, body: string }), required: ['user', 'body'] };
app.post('/rooms/:id/messages', { schema: { body: newMessage } }, async (req, reply) => {
  const room = Number(req.params.id);
  const { user, body } = req.body;
  const [row] = await fetch('post', room, user, body);
  const text = JSON.stringify({ id: row.id, room, user, body, created_ms: row.created_ms });
  for (const send of streams.get(room) ?? []) send(text);
  return reply.code(201).type('application/json').send(text);
});

const homeSchema = {
  user: object({ id: number, name: string }),
  rooms: list({ id: number, name: string }),
  unseen: number,
  latest: list({ id: number, body: string }),
};
app.get('/home/:user', route(homeSchema), async (req) => {
  const names = ['user', 'rooms', 'unseen', 'latest'];
  const answers = await Promise.all(names.map((name) => fetch(name, req.params.user)));
  const [[user], rooms, [{ count: unseen }], latest] = answers;
  return { user, rooms, unseen, latest };
});

app.get('/preview', route({ url: string, title: string }), async (req) => {
  const { url } = req.query;
  const page = await (await request(url, { dispatcher: outside })).body.text();
  const title = page.split('<title>', 2)[1].split('</title>', 1)[0];
  await fetch('preview', url, title);
  return { url, title };
});

app.get('/mixed', route({ reply: string, slept: number }), async (req) => {
  const ms = Number(req.query.ms);
  const answer = await broker.request('lab.echo', 'ping', { timeout: 30000 });
  await sleep(ms);
  return { reply: answer.string(), slept: ms };
});

app.post('/login', async (req, reply) => {
  const [row] = await fetch('password', req.body.user);
  const ok = await argon2.verify(row.password_hash, req.body.password);
  return reply.code(ok ? 200 : 401).send({ ok });
});

function subscribe(room, send, socket) {
  if (!streams.has(room)) streams.set(room, new Set());
  streams.get(room).add(send);
  socket.on('close', () => streams.get(room).delete(send));
}

app.get('/rooms/:id/stream', (req, reply) => {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.raw.write(': ok\n\n');
  const send = (text) => reply.raw.write(`data: ${text}\n\n`);
  subscribe(Number(req.params.id), send, req.raw.socket);
});

async function start() {
  broker = await connect({ servers: process.env.NATS_URL });
  await app.register(require('@fastify/websocket'));
  app.register(async (scope) => {
    scope.get('/rooms/:id/ws', { websocket: true }, (socket, req) => {
      subscribe(Number(req.params.id), (text) => socket.send(text), socket);
    });
  });
  await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT), backlog: 4096 });
}

start();
