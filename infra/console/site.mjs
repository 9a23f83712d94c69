// What the console consists of: our files and, of the packages it stands on, the few that a browser loads.
// The laptop serves them as they lie (infra/local/console.mjs); publish.mjs copies them for a host of static files.

import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGES = join(HERE, "..", "..", "node_modules");

const VENDORED = {
  "preact.js": "preact/dist/preact.mjs",
  "hooks.js": "preact/hooks/dist/hooks.mjs",
  "htm.js": "htm/dist/htm.mjs",
  "inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  "devanagari.woff2": "@fontsource-variable/noto-sans-devanagari/files/noto-sans-devanagari-devanagari-wght-normal.woff2",
};

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

// Every address of the console with the file behind it; what is not here is not there.
export function files() {
  const found = new Map([["/", join(HERE, "index.html")]]);
  for (const entry of readdirSync(join(HERE, "app"), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !(extname(entry.name) in TYPES)) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    found.set(`/console${path.slice(join(HERE, "app").length).replaceAll("\\", "/")}`, path);
  }
  for (const [name, path] of Object.entries(VENDORED)) found.set(`/console/vendor/${name}`, join(PACKAGES, path));
  return found;
}

export function typeOf(address) {
  return address === "/" ? TYPES[".html"] : TYPES[extname(address)];
}

// The page with its content security policy. `storage` is the origin that prescription files come from.
export async function page(storage) {
  const html = await readFile(join(HERE, "index.html"), "utf8");
  const [, importMap] = html.match(/<script type="importmap">(.*?)<\/script>/s);
  const hash = createHash("sha256").update(importMap).digest("base64");
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "font-src 'self'",
    `img-src 'self' ${storage}`.trim(),
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return html.replace("<!-- policy -->", `<meta http-equiv="Content-Security-Policy" content="${policy}">`);
}
