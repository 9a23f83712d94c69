// Serves Supabase Lite for the project in the current directory (`supabase/config.json`), on 127.0.0.1.
// Usage: node keep_running.mjs lite.mjs <port>. Says "ready" when it answers. The driver throws where nobody can catch
// it when Postgres cuts a connection that it writes to: this process then ends, and is started again.

import { serve } from "@hono/node-server";
import { createApi } from "@supabase/lite/cli";
import { outagesAsHosted } from "./outages.mjs";
import { renewalsInOrder } from "./sessions.mjs";
import { storageAsHosted } from "./storage.mjs";

const port = Number(process.argv[2]);

const api = await createApi({ withSupabaseClient: false });
const app = await api.project.local.createApp(undefined, { admin: false });
const { driver } = app.connection;

// On its first request Lite would `grant all` on every table of every schema with row-level security to anon and
// authenticated, and so undo the grants of the migrations. Its roles exist by now: tell it that this is done.
app.connection.rlsState = "active";

// PostgREST sends timestamptz as ISO 8601; Lite passes on what Postgres prints ("2026-01-31 10:00:00+00").
driver.options.parsers[1184] = (text) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");
// PostgREST sends numeric as a JSON number; Lite makes "60.00" a string because a number would drop the zeros.
driver.options.parsers[1700] = (text) => (Number.isFinite(Number(text)) ? Number(text) : text);

// Lite hands json arguments of functions over as text, which the driver would make a JSON string of once more.
for (const json of [114, 3802]) {
  driver.options.serializers[json] = (value) => (typeof value === "string" ? value : JSON.stringify(value));
}

const server = serve(
  {
    fetch: renewalsInOrder(outagesAsHosted(storageAsHosted(app))),
    hostname: "127.0.0.1",
    port,
  },
  () => process.send("ready"),
);
// Node closes a connection after 5 idle seconds, sometimes as the next request arrives, which then fails. The functions
// let go of theirs after 60 (shared/database.py): theirs to end, as with the hosted service, which waits for minutes.
server.keepAliveTimeout = 90_000;

async function stop() {
  server.close();
  server.closeAllConnections?.();
  await driver.end({ timeout: 1 });
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
process.on("disconnect", stop); // whoever keeps us running is gone
