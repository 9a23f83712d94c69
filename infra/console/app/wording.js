// How values are written.

const RUPEES = new Intl.NumberFormat("en-IN", { style: "currency", currency: "INR" });
const DAY = new Intl.DateTimeFormat("en-IN", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const MOMENT = new Intl.DateTimeFormat("en-IN", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const CLOCK = new Intl.DateTimeFormat("en-IN", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export const rupees = (amount) => RUPEES.format(amount);
export const day = (text) => (text ? DAY.format(new Date(text)) : "–");
export const moment = (text) => (text ? MOMENT.format(new Date(text)) : "–");
export const clock = (text) => CLOCK.format(new Date(text));
export const share = (value) => (value === null || value === undefined ? "–" : `${Math.round(value * 100)}%`);
export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en-IN")} ${count === 1 ? one : many}`;

// "awaiting_pharmacist" as people write it.
export const words = (code) => (code ?? "").replaceAll(/[_.]/g, " ");
export const sentence = (code) => words(code).replace(/^./, (letter) => letter.toUpperCase());

export function ago(text, now = Date.now()) {
  const seconds = Math.round((now - new Date(text)) / 1000);
  if (seconds < 60) return `${Math.max(seconds, 0)} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

// What an order status or an outcome is to the eye.
const TONES = {
  good: ["confirmed", "delivered", "placed", "proposed", "verified", "clear", "ok", "sent", "active", "available", "applied", "supplied", "accepted", "packed", "shipped", "processing"],
  wait: ["awaiting_pharmacist", "pending", "warned", "due", "held", "not_done", "queued", "degraded", "questions", "changed", "expired", "snoozed", "open", "waiting"],
  bad: ["refused", "blocked", "cancelled", "failed", "rejected", "recalled", "dead", "down", "overdue", "undeliverable", "out_of_stock", "conflict"],
};
const TONE_OF = Object.fromEntries(Object.entries(TONES).flatMap(([tone, codes]) => codes.map((code) => [code, tone])));
export const toneOf = (code) => TONE_OF[code] ?? "plain";
