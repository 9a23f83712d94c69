// The public API, with the caller's own rights and nothing else.
//
// Staff are known by the HttpOnly cookie that their sign-in sets. A patient who is tried here is known by a token that
// this page forgets with itself: it is asked for and sent without cookies, so that both can be signed in at once and
// neither is taken for the other.

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.error ?? "The service does not answer.");
    this.status = status;
    this.code = problem.code ?? "unavailable";
    this.problem = problem;
  }
}

async function send(path, { method = "GET", body, token, key } = {}) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (token) headers.authorization = `Bearer ${token}`;
  if (key) headers["idempotency-key"] = key;
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: token === undefined ? "same-origin" : "omit",
    });
  } catch {
    throw new Refused(0, { error: "The service cannot be reached. Is it running?" });
  }
  const text = await answer.text();
  let content = null;
  try {
    content = text ? JSON.parse(text) : null;
  } catch {
    // Plain text, as the catalogue answers when it is down.
  }
  if (!answer.ok) throw new Refused(answer.status, content ?? { error: text });
  return { content, next: nextPage(answer.headers.get("link")) };
}

function nextPage(link) {
  return link?.match(/<([^>]+)>;\s*rel="next"/)?.[1] ?? null;
}

function caller(token) {
  return {
    get: async (path) => (await send(path, { token })).content,
    getPage: (path) => send(path, { token }),
    post: async (path, body, key) => (await send(path, { method: "POST", body, token, key })).content,
    put: async (path, body) => (await send(path, { method: "PUT", body, token })).content,
  };
}

// As whoever the browser's cookies say: staff.
export const staffApi = caller(undefined);

// As one patient; what is returned holds the token, and the page keeps it nowhere else.
export async function asPatient(email, password) {
  const { content } = await send("/api/auth/login", { method: "POST", body: { email, password }, token: "" });
  return { patientId: content.patient_id, name: content.name, api: caller(content.token) };
}

export const query = (fields) => {
  const given = Object.entries(fields).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
};
