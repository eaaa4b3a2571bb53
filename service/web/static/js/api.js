// The HTTP API. A refusal is an ApiError with the words of its problem document.

const KEY = "colorless.session";

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `the server answered ${status}`);
    this.status = status;
  }
}

export class Api {
  /** `onSignedOut` is called when the token is not valid any more. */
  constructor(onSignedOut) {
    this.session = JSON.parse(localStorage.getItem(KEY) ?? "null");
    this.onSignedOut = onSignedOut;
  }

  get me() {
    return this.session?.user;
  }

  keep(session) {
    this.session = session;
    if (session) localStorage.setItem(KEY, JSON.stringify(session));
    else localStorage.removeItem(KEY);
  }

  async request(method, path, body) {
    const headers = {};
    if (this.session) headers.Authorization = `Bearer ${this.session.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(`/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    if (answer.status === 204) return null;
    const content = await answer.json().catch(() => ({}));
    if (answer.ok) return content;
    if (answer.status === 401 && this.session) this.onSignedOut();
    throw new ApiError(answer.status, content);
  }

  get(path) { return this.request("GET", path); }
  post(path, body) { return this.request("POST", path, body); }
  put(path, body) { return this.request("PUT", path, body); }
  patch(path, body) { return this.request("PATCH", path, body); }
  delete(path) { return this.request("DELETE", path); }

  /** Send what may have been sent: with a client id, doing it again is safe. */
  async send(roomId, body, replyTo) {
    const message = { client_id: crypto.randomUUID(), body, reply_to: replyTo };
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.post(`/rooms/${roomId}/messages`, message);
      } catch (error) {
        const passing = !(error instanceof ApiError) || error.status === 503;
        if (!passing || attempt === 4) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
      }
    }
  }
}
