// Runs another script, and again when it dies, as whoever hosts a service does. Usage: node keep_running.mjs <script>
// <arguments>. Ends with the script when that fails before it says "ready", and when our standard input closes.

import { fork } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

const [script, ...rest] = process.argv.slice(2);
const PAUSE_MS = 200;

let child;
let stopping = false;
let everReady = false;

function start() {
  child = fork(script, rest);
  child.on("message", (said) => (everReady ||= said === "ready"));
  child.on("exit", async (code, signal) => {
    if (stopping || !everReady) process.exit(stopping ? 0 : (code ?? 1));
    console.error(`${script} ended (${signal ?? code}); it is started again`);
    await pause(PAUSE_MS);
    if (!stopping) start();
  });
}

function stop() {
  stopping = true;
  if (child.exitCode !== null || child.signalCode !== null) process.exit(0);
  child.kill("SIGTERM");
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);
process.stdin.on("end", stop).resume(); // the supervisor is gone
start();
