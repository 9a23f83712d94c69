// Runs events through a pool, all at once, and prints the answers: node run_pool.mjs < {handler, max, timeout, events}

import { text } from "node:stream/consumers";
import { FunctionPool } from "../../../infra/local/workers.mjs";

const { handler, max, timeout, events } = JSON.parse(await text(process.stdin));
const pool = new FunctionPool(
  { name: "stand-in", handler, memorySize: 128, timeout, env: { PATH: process.env.PATH } },
  { max, python: process.env.PYTHON, cwd: process.cwd() },
);
const answers = await Promise.all(events.map((event) => pool.run(event)));
pool.stop();
process.stdout.write(`\nANSWERS ${JSON.stringify(answers)}\n`);
