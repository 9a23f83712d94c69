// How one turn went: understood, checked, carried out, delivered.

import { html } from "../html.js";
import { useRead } from "../loading.js";
import { sentence, words } from "../wording.js";
import { Badge, Shown } from "./basic.js";
import { OrderWay } from "./order_way.js";

export function Turn({ of, api, staff }) {
  const decided = useRead(async () => {
    try {
      return await api.get(`/api/decisions/${of.trace}`);
    } catch (error) {
      if (error.status === 404) return { decisions: [] };
      throw error;
    }
  }, [of.trace]);
  const order = of.card?.type === "order_status" || of.card?.type === "order_tracking" ? of.card.order_id : null;
  return html`
    <h2>How this turn went</h2>
    ${of.thinking.length > 0
      ? html`<${Steps} of=${of.thinking} took=${of.took} />`
      : html`<p class="soft small-text">No words to understand: the button named this very proposal and its digest. ${Math.round(of.took)} ms in all.</p>`}
    ${order && html`<section class="part"><h3>The order’s way</h3><${OrderWay} orderId=${order} api=${api} staff=${staff} /></section>`}
    <section class="part"><h3>Clinical checks</h3>
      <${Shown} of=${decided}>${({ decisions }) => {
        const checked = decisions.filter((one) => one.checks.length || one.findings.length || one.order_id);
        return checked.length
          ? checked.map((decision) => html`<${Checks} of=${decision} names=${namesIn(of)} key=${decision.decided_at} />`)
          : html`<p class="soft">Nothing was to be checked in this turn.</p>`;
      }}<//>
    </section>
    <p class="trace">Trace <code>${of.trace}</code></p>`;
}

// What the products of a turn are called, as far as it says so.
function namesIn(turn) {
  const verify = turn.thinking.find((step) => step.step === "verify");
  const named = [
    ...(turn.card?.items ?? []),
    ...(turn.card?.rejected_items ?? []),
    ...(verify?.items ?? []),
    ...(verify?.mentions ?? []).flatMap((mention) => mention.candidates),
  ];
  return Object.fromEntries(named.map((one) => [one.product_id, one.product_name]));
}

const NAMES = { extract: "Extract", verify: "Verify", act: "Act" };

function Steps({ of, took }) {
  const total = Math.max(of.reduce((sum, step) => sum + (step.ms ?? 0), 0), 0.1);
  const [extract, verify] = ["extract", "verify"].map((name) => of.find((step) => step.step === name) ?? {});
  return html`<section class="part">
    <div class="timing" role="img" aria-label=${`${of.map((step) => `${NAMES[step.step]} ${step.ms} ms`).join(", ")}`}>
      ${of.map((step) => html`<span class=${step.step} key=${step.step} style=${{ flexGrow: Math.max(step.ms / total, 0.04) }}></span>`)}
    </div>
    <ol class="steps">${of.map((step) => html`<li key=${step.step} class=${step.step}>
      <span class="name">${NAMES[step.step] ?? step.step}</span><span class="ms">${step.ms} ms</span><span class="what">${step.step === "extract" ? words(extract.intent) : step.step === "verify" ? words(verify.does) : words(step.summary)}</span>
    </li>`)}</ol>
    <p class="soft small-text">${Math.round(took)} ms in all, as this browser sees it · understood by ${words(extract.understood_by)} · ${Math.round((extract.confidence ?? 1) * 100)}% of the words explained</p>
    ${verify.mentions?.length > 0 && html`<ul class="mentions">${verify.mentions.map((one, place) => html`<${Mention} of=${one} key=${place} />`)}</ul>`}
    ${verify.items?.length > 0 && !verify.mentions?.length && html`<ul class="mentions">${verify.items.map((item) => html`<li key=${item.product_id}><span class="becomes">${item.product_name ?? item.product_id} × ${item.quantity}</span></li>`)}</ul>`}
  </section>`;
}

function Mention({ of }) {
  const became = of.candidates.find((one) => one.product_id === of.resolved_to);
  const asked = of.quantity && `${of.quantity.amount ?? "?"} ${of.quantity.of}`;
  return html`<li>
    <q>${of.said}</q>${asked && html` <span class="soft">${asked}</span>`}${" "}<span class="becomes">${became
      ? html`→ <strong>${became.product_name}</strong> <code>${became.product_id}</code>`
      : of.kind === "removed" ? html`→ off the card`
      : of.candidates.length ? html`→ asked: ${plenty(of.candidates)}` : html`→ <em>not in the catalogue</em>`}</span>
  </li>`;
}

const plenty = (candidates) => {
  const names = candidates.map((one) => one.product_name ?? one.product_id);
  return names.length > 4 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more` : names.join(", ");
};

export function Checks({ of, names = {} }) {
  const products = [...new Set(of.checks.map((check) => check.product_id))];
  const found = (check) => of.findings.filter((one) => one.product_id === check.product_id && one.code === check.check);
  const elsewhere = of.findings.filter((one) => !of.checks.some((check) => check.product_id === one.product_id && check.check === one.code));
  return html`<div class="decision">
    <p class="headline">${sentence(of.kind)} <${Badge} code=${of.outcome} /> ${of.rule_set && html`<span class="soft">rules <code>${of.rule_set}</code></span>`}</p>
    ${products.map((product) => html`<details key=${product} open=${products.length === 1 || of.findings.some((one) => one.product_id === product)}>
      <summary><code>${product}</code> ${names[product] ?? of.findings.find((one) => one.product_id === product)?.product_name} <span class="soft">${tally(of.checks.filter((one) => one.product_id === product))}</span></summary>
      <ul class="checks">${of.checks.filter((one) => one.product_id === product).map((check) => html`<li key=${check.check} class=${check.result}>
        <span class="check">${sentence(check.check)}</span><${Badge} code=${check.result} />
        ${found(check).map((one) => html`<${Finding} of=${one} />`)}
      </li>`)}</ul>
    </details>`)}
    ${elsewhere.map((one) => html`<${Finding} of=${one} named />`)}
  </div>`;
}

const tally = (checks) =>
  ["blocked", "warned", "clear", "not_done"]
    .map((result) => [checks.filter((one) => one.result === result).length, words(result)])
    .filter(([count]) => count)
    .map(([count, result]) => `${count} ${result}`)
    .join(", ");

export function Finding({ of, named = false }) {
  return html`<p class=${`finding ${of.severity === "block" ? "bad" : "wait"}`}>
    ${named && html`<strong>${of.product_name ?? of.product_id}</strong>${" "}`}
    <${Badge} code=${of.severity === "block" ? "blocked" : "warned"}>${sentence(of.code)}<//>${" "}${of.message}
    <span class="source">${[of.source, of.rule].filter(Boolean).join(" · ")}</span>
    ${of.overridden && html`<span class="source">A pharmacist let it pass: ${of.overridden.reason}</span>`}
  </p>`;
}
