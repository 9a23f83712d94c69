// Copies the console into a folder, for any host of static files that has the API under the same origin.
//   node infra/console/publish.mjs FOLDER [address of the Supabase project, for prescription files]

import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { files, page } from "./site.mjs";

const [, , folder, storage = process.env.SUPABASE_URL] = process.argv;
if (!folder) {
  console.error("usage: node infra/console/publish.mjs FOLDER [ADDRESS OF THE SUPABASE PROJECT]");
  process.exit(2);
}
for (const [address, path] of files()) {
  const target = join(folder, address === "/" ? "index.html" : address);
  await mkdir(dirname(target), { recursive: true });
  if (address === "/") await writeFile(target, await page(storage ? new URL(storage).origin : ""));
  else await cp(path, target);
}
