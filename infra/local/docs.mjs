// The API's description to browse at /docs, on the laptop only: Swagger UI from its package, nothing from elsewhere.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const OURS = join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), "docs");
const SWAGGER = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

// What the page may load: an address that is not here is not there.
const FILES = {
  "": [OURS, "index.html", "text/html; charset=utf-8"],
  "/start.js": [OURS, "start.js", "text/javascript; charset=utf-8"],
  "/nexus.css": [OURS, "nexus.css", "text/css; charset=utf-8"],
  "/swagger-ui.css": [SWAGGER, "swagger-ui.css", "text/css; charset=utf-8"],
  "/swagger-ui-bundle.js": [SWAGGER, "swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  "/favicon.png": [SWAGGER, "favicon-32x32.png", "image/png"],
};

const HEADERS = {
  // Swagger UI sets styles from its scripts and keeps its icons in data addresses.
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

export function serveDocs(server) {
  for (const [path, [folder, file, type]] of Object.entries(FILES)) {
    server.route({
      method: "GET",
      path: `/docs${path}`,
      handler: async (_, h) => {
        const response = h.response(await readFile(join(folder, file))).type(type);
        for (const [name, value] of Object.entries(HEADERS)) response.header(name, value);
        return response;
      },
    });
  }
}
