// The console at /, on the laptop: as any host of static files would serve it, plus the seed's demo people.

import { readFile } from "node:fs/promises";
import process from "node:process";
import { files, page, typeOf } from "../console/site.mjs";

const HEADERS = {
  "content-security-policy": "frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};
const SETTINGS = "/console/settings.json";

export function serveConsole(server) {
  const answer = (h, body, type) => {
    const response = h.response(body).type(type);
    for (const [name, value] of Object.entries(HEADERS)) response.header(name, value);
    return response;
  };
  for (const [path, file] of files()) {
    const read = {
      "/": () => page(new URL(process.env.SUPABASE_URL).origin),
      // A deployed console has the settings of the file itself: nobody to try it as.
      [SETTINGS]: () => JSON.stringify({ demo: JSON.parse(process.env.CONSOLE_DEMO || "null") }),
    }[path];
    server.route({
      method: "GET",
      path,
      handler: async (_, h) => answer(h, await (read ? read() : readFile(file)), typeOf(path)),
    });
  }
}
