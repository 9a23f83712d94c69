// Serverless plugin for the laptop: makes serverless-offline behave like the deployed gateway where it differs.
// It acts only when `serverless offline start` runs; packaging and deploying pass it by.

import { readdirSync, watch } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { serveConsole } from "./console.mjs";
import { serveDocs } from "./docs.mjs";
import { FunctionPool } from "./workers.mjs";

const SOURCE_FOLDERS = ["functions", "shared"];

export default class LaptopGateway {
  #serverless;
  #pools = new Map();

  constructor(serverless) {
    this.#serverless = serverless;
    this.hooks = {
      "before:package:initialize": () => this.#refuseLaptopStage(),
      "before:offline:start:init": () => this.#runFunctionsInPools(),
      "after:offline:start:init": () => this.#correctServer(),
    };
  }

  // The stage "local" carries the laptop's keys and switches.
  #refuseLaptopStage() {
    if (this.#serverless.service.provider.stage === "local") {
      throw new this.#serverless.classes.Error("The stage `local` is for `make dev` only: choose --stage dev or prod.");
    }
  }

  async #runFunctionsInPools() {
    const { default: Lambda } = await import("serverless-offline/lambda");
    const pool = (name) => this.#pool(name);
    const pools = this.#pools;
    // The four members of LambdaFunction that the gateway and the invoke endpoint use.
    Lambda.prototype.get = function get(functionName) {
      let event;
      return {
        setEvent(value) {
          event = value;
        },
        setClientContext() {},
        runHandler: async () => {
          const outcome = await pool(functionName).run(event);
          return event?.requestContext ? asGatewayResult(outcome, functionName) : asInvocationResult(outcome, functionName);
        },
        get functionName() {
          return functionName;
        },
      };
    };
    Lambda.prototype.cleanup = async () => pools.forEach((each) => each.stop());
    // One watch a folder: Node's recursive one loses files that an editor or git replaces.
    for (const folder of SOURCE_FOLDERS.flatMap((name) => foldersIn(join(this.#serverless.serviceDir, name)))) {
      watch(folder, (_, file) => {
        if (file && !file.includes("pyc")) pools.forEach((each) => each.reload());
      });
    }
    // The supervisor holds the other end of our standard input: when it is gone, so are we.
    process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
  }

  #pool(functionName) {
    if (!this.#pools.has(functionName)) {
      const { provider } = this.#serverless.service;
      const definition = this.#serverless.service.getFunction(functionName);
      this.#pools.set(
        functionName,
        new FunctionPool(
          {
            name: definition.name,
            handler: definition.handler,
            memorySize: definition.memorySize ?? provider.memorySize,
            timeout: definition.timeout ?? provider.timeout,
            env: workerEnvironment(provider.environment, definition),
          },
          {
            max: Number(process.env.NEXUS_MAX_INSTANCES || 4),
            python: process.env.NEXUS_PYTHON ?? join(this.#serverless.serviceDir, ".venv", "bin", "python"),
            cwd: this.#serverless.serviceDir,
          },
        ),
      );
    }
    return this.#pools.get(functionName);
  }

  #correctServer() {
    const isOffline = (plugin) => plugin.constructor.name === "ServerlessOffline";
    const offline = this.#serverless.pluginManager.plugins.find(isOffline);
    const server = offline.internals().getApiGatewayServer();

    // serverless-offline would allow every origin, with credentials, whatever the function answered. It looks for
    // the parsed header; functions get the raw ones, so that theirs is the only CORS policy, as when deployed.
    server.ext("onRequest", (request, h) => {
      delete request.headers.origin;
      letSenderFinish(request.raw.req);
      return h.continue;
    });

    // It would parse JSON bodies only to write them anew, and lose `false`, `0` and a string's quotes on the way.
    server.ext("onPreHandler", (request, h) => {
      if (request.mime) request.mime = "application/octet-stream";
      return h.continue;
    });

    // A file of the 10 MB that the contract allows comes in a form around it.
    for (const route of server.table()) {
      if (route.path.endsWith("/upload")) route.settings.payload.maxBytes += 64 * 1024;
    }

    serveConsole(server);
    serveDocs(server);

    // What the server itself refuses (a body beyond 10 MB, a malformed URL) in the form of every other error.
    server.ext("onPreResponse", ({ response, path }, h) => {
      if (!response.isBoom) return h.continue;
      const { statusCode, payload } = response.output;
      const isTooLarge = statusCode === 413;
      const title = isTooLarge ? "Content Too Large" : payload.error;
      const detail = isTooLarge ? "The request is too large." : (payload.message ?? payload.error);
      return h
        .response({ ...problem(statusCode, title, detail, path), ...(isTooLarge && { code: "payload_too_large" }) })
        .code(statusCode)
        .type("application/problem+json");
    });
  }
}

// A body of unknown length that turns out too large is cut off by the server, and with it the answer that says so. Let
// the sender finish, for a while: what comes is thrown away.
function letSenderFinish(req) {
  if (req.headers["content-length"] !== undefined) return;
  const destroy = req.destroy.bind(req);
  req.destroy = (error) => {
    if (error || req.complete) return destroy(error);
    req.resume();
    setTimeout(destroy, 10_000).unref();
    return req;
  };
}

function foldersIn(folder) {
  const below = readdirSync(folder, { recursive: true, withFileTypes: true });
  const folders = below.filter((entry) => entry.isDirectory() && entry.name !== "__pycache__");
  return [folder, ...folders.map((entry) => join(entry.parentPath ?? entry.path, entry.name))];
}

// Lambda passes a function its declared environment only; so do we, or a missing declaration would first show in the
// cloud. The rest is what any process needs.
function workerEnvironment(shared, definition) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => name.startsWith("AWS_") || ["HOME", "LANG", "PATH", "TMPDIR", "SSL_CERT_FILE"].includes(name),
  );
  return {
    ...Object.fromEntries(inherited),
    PYTHONDONTWRITEBYTECODE: "",
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    ...shared,
    ...definition.environment,
  };
}

// The gateway turns a rejection into "200 OK" with a stack trace; a crashed function is a plain 500.
function asGatewayResult({ result, error }, functionName) {
  if (error === undefined) return { ...result, cookies: result?.cookies?.map(capitaliseSameSite) };
  console.error(`${functionName} failed: ${error}`);
  return {
    statusCode: 500,
    headers: { "content-type": "application/problem+json" },
    body: JSON.stringify(problem(500, "Internal Server Error", "Something went wrong on our side. Please try again.")),
  };
}

// Queues, schedules and the invoke endpoint learn of a failure as an error.
function asInvocationResult({ result, error }, functionName) {
  if (error === undefined) return result;
  console.error(`${functionName} failed: ${error}`);
  throw new Error(error);
}

// The server knows "SameSite=Lax" but fails on "SameSite=lax", which browsers take just as well.
function capitaliseSameSite(cookie) {
  return cookie.replace(/(samesite=)(\w)/i, (_, name, letter) => name + letter.toUpperCase());
}

function problem(status, title, detail, instance) {
  const code = title.toLowerCase().replaceAll(/[^a-z]+/g, "_");
  return { type: "about:blank", title, status, detail, instance, error: detail, code };
}
