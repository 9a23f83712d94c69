// Smooths over where Supabase Lite's Storage differs from the hosted one; what it does right (row-level security,
// private buckets, types and sizes a bucket allows) is left to it.

import { readFile } from "node:fs/promises";

const OBJECTS = "/storage/v1/object/";

// Returns the `fetch` to serve instead of the app's own.
export function storageAsHosted(app) {
  readFilesWhole(app._storageAdapter);
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(OBJECTS)) return app.fetch(request);
    const response = await app.fetch(await withLength(request));
    const signing = /^(upload\/)?sign\//.exec(pathname.slice(OBJECTS.length));
    if (!signing) return response;
    if (request.method === "POST") return withHostedLink(response);
    return response.status === 500 ? badLink() : response;
  };
}

// Lite streams files in a form that Node 20 cannot send.
function readFilesWhole(adapter) {
  adapter.getObject = async (bucket, name) => ({
    httpStatusCode: 200,
    metadata: await adapter.headObject(bucket, name),
    body: await readFile(adapter.filePath(bucket, name)),
  });
}

// Lite holds only declared lengths to the bucket's limit.
async function withLength(request) {
  if (!["POST", "PUT"].includes(request.method) || request.headers.has("content-length")) return request;
  const body = await request.arrayBuffer();
  const headers = new Headers(request.headers);
  headers.set("content-length", String(body.byteLength));
  return new Request(request.url, { method: request.method, headers, body });
}

// The Storage API answers {signedURL}, for an upload {url, token}, both relative to itself; Lite {signedUrl}.
async function withHostedLink(response) {
  if (!response.headers.get("content-type")?.includes("json")) return response;
  const { signedUrl, ...rest } = await response.json();
  const link = signedUrl?.replace("/storage/v1", "");
  const named = link === undefined ? {} : "token" in rest ? { url: link } : { signedURL: link };
  return Response.json({ ...rest, ...named }, { status: response.status });
}

// A link that has expired or was changed is a client's mistake.
function badLink() {
  const problem = { statusCode: "400", error: "InvalidJWT", message: "the link is not valid, or no longer" };
  return Response.json(problem, { status: 400 });
}
