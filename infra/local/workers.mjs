// A bounded pool of Python workers for each function.
//
// serverless-offline starts one more interpreter for every request that finds the others busy, without a limit: fifty
// chats at once would start fifty interpreters, each with its database client. It also never answers a request whose
// Python process died. Here a function has at most `max` workers; further requests wait in order of arrival, for
// however long it takes, and a crash or an overrun of the function's timeout ends in an error for that request alone.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";

class Worker {
  outdated = false; // gets no further request
  #process;
  #answer = null; // called with the answer to the request in hand

  constructor({ python, handler, env, cwd, onReady, onExit }) {
    this.#process = spawn(python, ["-u", "-m", "infra.local.worker", handler], {
      cwd,
      env,
      stdio: ["pipe", "inherit", "inherit", "pipe"],
    });
    this.#process.stdin.on("error", () => {}); // a dead worker is dealt with on "close"
    createInterface({ input: this.#process.stdio[3] }).on("line", (line) => {
      const answer = JSON.parse(line);
      if (answer.ready) return onReady();
      this.#answer?.(answer);
    });
    let ended = false;
    const end = (reason) => {
      if (ended) return;
      ended = true;
      this.#answer?.({ error: reason });
      onExit(reason);
    };
    this.#process.on("error", (error) => end(`cannot start ${python}: ${error.message}`));
    this.#process.on("close", (code, signal) => end(`the Python process ended (${signal ?? `exit code ${code}`})`));
  }

  async run(request, timeoutSeconds) {
    let timer;
    const answer = await new Promise((resolve) => {
      this.#answer = resolve;
      timer = setTimeout(() => {
        this.outdated = true;
        this.stop("SIGKILL");
        resolve({ error: `the function ran longer than its timeout of ${timeoutSeconds} s` });
      }, timeoutSeconds * 1000);
      this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    });
    clearTimeout(timer);
    this.#answer = null;
    return answer;
  }

  stop(signal = "SIGTERM") {
    this.#process.kill(signal);
  }
}

export class FunctionPool {
  #definition;
  #max;
  #start;
  #idle = [];
  #all = new Set();
  #starting = 0;
  #waiting = []; // {request, resolve}, oldest first

  // definition: {name, handler, memorySize, timeout (seconds), env}
  constructor(definition, { max, python, cwd }) {
    this.#definition = definition;
    this.#max = max;
    this.#start = (callbacks) => new Worker({ python, cwd, ...definition, ...callbacks });
  }

  // Resolves to {result} or {error: string}; never rejects.
  run(event) {
    const { name, memorySize, timeout } = this.#definition;
    const context = {
      function_name: name,
      request_id: randomUUID(),
      memory_mb: memorySize,
      timeout_seconds: timeout,
    };
    return new Promise((resolve) => {
      this.#waiting.push({ request: { event, context }, resolve });
      this.#next();
    });
  }

  // Let the workers go, those in the middle of a request after its answer: the next request loads the code anew.
  reload() {
    for (const worker of this.#idle) worker.stop();
    this.#idle = [];
    for (const worker of this.#all) worker.outdated = true;
  }

  stop() {
    this.#max = 0;
    this.#failWaiting("the gateway is stopping");
    for (const worker of this.#all) worker.stop();
  }

  #next() {
    while (this.#waiting.length > 0 && this.#idle.length > 0) {
      this.#serve(this.#idle.pop(), this.#waiting.shift());
    }
    const current = [...this.#all].filter((worker) => !worker.outdated).length;
    const wanted = Math.min(this.#waiting.length - this.#starting, this.#max - current);
    for (let i = 0; i < wanted; i++) this.#add();
  }

  #add() {
    let ready = false;
    this.#starting += 1;
    const worker = this.#start({
      onReady: () => {
        ready = true;
        this.#starting -= 1;
        this.#free(worker);
      },
      onExit: (reason) => {
        this.#all.delete(worker);
        this.#idle = this.#idle.filter((other) => other !== worker);
        if (!ready) {
          // The handler cannot be imported; nobody waiting would fare better.
          this.#starting -= 1;
          this.#failWaiting(reason);
        }
        this.#next();
      },
    });
    this.#all.add(worker);
  }

  #failWaiting(error) {
    for (const { resolve } of this.#waiting.splice(0)) resolve({ error });
  }

  async #serve(worker, { request, resolve }) {
    resolve(await worker.run(request, this.#definition.timeout));
    if (this.#all.has(worker)) this.#free(worker);
  }

  #free(worker) {
    if (worker.outdated) worker.stop();
    else this.#idle.push(worker);
    this.#next();
  }
}
