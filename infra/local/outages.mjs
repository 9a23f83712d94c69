// Says as the hosted service does that Postgres is away, where Supabase Lite calls it an error of its own.

const REST = "/rest/v1/";
const AWAY = /\b(ECONNREFUSED|ECONNRESET|EPIPE|CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT)\b/;

// Returns the `fetch` to serve instead of the given one.
export function outagesAsHosted(fetch) {
  return async (request) => {
    const response = await fetch(request);
    if (response.status !== 500 || !new URL(request.url).pathname.startsWith(REST)) return response;
    const text = await response.text();
    if (!AWAY.test(text)) return new Response(text, response);
    const message = "Could not query the database for the schema cache. Retrying.";
    return Response.json({ code: "PGRST002", details: null, hint: null, message }, { status: 503 });
  };
}
