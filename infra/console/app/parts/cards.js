// The cards of the chat, as a patient sees them. Only the card of the last answer can be acted on.

import { html, useState } from "../html.js";
import { filled, phrases } from "../phrases.js";
import { day, moment, rupees } from "../wording.js";
import { Badge } from "./basic.js";

const CARDS = {
  order_confirmation: Confirmation,
  clarification: Clarification,
  safety_alert: SafetyAlert,
  order_status: OrderStatus,
  order_tracking: OrderTracking,
  refill_list: RefillList,
  emergency: Emergency,
};

export function Card({ of, ...rest }) {
  const shows = CARDS[of.type];
  if (!shows) return html`<div class="card">${of.message ?? of.type}</div>`;
  return html`<${shows} of=${of} ...${rest} words=${phrases(rest.language).words} />`;
}

function Confirmation({ of, live, language, say, confirm, words }) {
  const fill = (template, item, packs) => filled(phrases(language)[template], { name: item.product_name, packs });
  return html`<article class="card order">
    <ul class="items">${of.items.map((item) => html`<${ProposedItem} key=${item.product_id} of=${item} live=${live} words=${words}
      onChange=${(packs) => say(fill("change", item, packs))} onRemove=${() => say(fill("remove", item))} />`)}</ul>
    <p class="total"><span>${words.total}</span><strong>${rupees(of.total)}</strong></p>
    ${of.notes?.map((note) => html`<p class="note soft">${note}</p>`)}
    ${of.awaits_pharmacist && html`<p class="finding wait">${words.waits}</p>`}
    ${of.rejected_items?.length > 0 && html`<${Rejected} of=${of.rejected_items} live=${live} say=${say} words=${words} />`}
    ${live && html`<div class="buttons">
      <button type="button" class="primary" onClick=${() => confirm(of)}>${words.confirm}</button>
      <button type="button" onClick=${() => say(phrases(language).decline)}>${words.decline}</button>
    </div>`}
  </article>`;
}

function ProposedItem({ of, live, words, onChange, onRemove }) {
  const [packs, setPacks] = useState(of.qty);
  const step = (by) => setPacks((was) => Math.min(99, Math.max(1, was + by)));
  return html`<li>
    <div class="product">
      <strong>${of.product_name}</strong>
      <span class="soft">${of.package_size} · ${rupees(of.price)} ${words.each}${of.prescription_required ? ` · ${words.rx}` : ""}</span>
    </div>
    <span class="money">${rupees(of.line_total)}</span>
    <div class="edit">
      ${live
        ? html`<div class="stepper" role="group" aria-label=${of.product_name}>
              <button type="button" aria-label=${`${of.product_name} −1`} disabled=${packs <= 1} onClick=${() => step(-1)}>−</button>
              <output>${packs}</output>
              <button type="button" aria-label=${`${of.product_name} +1`} onClick=${() => step(1)}>+</button>
            </div>
            ${packs !== of.qty && html`<button type="button" class="small primary" onClick=${() => onChange(packs)}>${words.change}</button>`}
            <button type="button" class="small quiet" aria-label=${`${words.remove}: ${of.product_name}`} onClick=${onRemove}>${words.remove}</button>`
        : html`<span class="soft">× ${of.qty}</span>`}
    </div>
    ${of.warnings.map((warning) => html`<p class="finding wait">${warning.message}${warning.source && html`<span class="source">${warning.source}</span>`}</p>`)}
  </li>`;
}

function Options({ of, live, say }) {
  return html`<ul class="options">${of.map((option) => html`<li key=${option.product_id}>
    <button type="button" disabled=${!live} onClick=${() => say(option.product_name)}>
      <span><strong>${option.product_name}</strong><span class="soft">${option.package_size}</span></span><span class="money">${rupees(option.price)}</span>
    </button></li>`)}</ul>`;
}

function Clarification({ of, live, say }) {
  if (!of.options.length) return null;
  return html`<article class="card"><${Options} of=${of.options} live=${live} say=${say} /></article>`;
}

function Rejected({ of, live, say, words }) {
  return html`<section class="rejected" aria-label=${words.left}>${of.map((item) => html`<div key=${`${item.product_id} ${item.code} ${item.rule}`}>
    <p class="finding bad"><strong>${item.product_name ?? item.product_id}</strong> <${Badge} code=${item.code} tone="bad" /><br />${item.reason}
      ${item.source && html`<span class="source">${item.source}</span>`}</p>
    ${item.alternatives?.length > 0 && html`<p class="soft">${words.instead}</p><${Options} of=${item.alternatives} live=${live} say=${say} />`}
  </div>`)}</section>`;
}

function SafetyAlert({ of, live, say, words }) {
  return html`<article class="card alert"><${Rejected} of=${of.rejected_items} live=${live} say=${say} words=${words} /></article>`;
}

function Lines({ of }) {
  return html`<ul class="items">${of.map((item) => html`<li key=${item.product_id}>
    <div class="product"><strong>${item.product_name}</strong><span class="soft">× ${item.qty}</span></div>
    ${item.line_total !== undefined && html`<span class="money">${rupees(item.line_total)}</span>`}
  </li>`)}</ul>`;
}

function OrderStatus({ of, words }) {
  return html`<article class="card order">
    <p class="headline"><strong>${of.order_id}</strong> <${Badge} code=${of.status} /></p>
    <p>${of.message}</p>
    <${Lines} of=${of.items} />
    <p class="total"><span>${words.total}</span><strong>${rupees(of.total)}</strong></p>
  </article>`;
}

function OrderTracking({ of, words }) {
  return html`<article class="card order">
    <p class="headline"><strong>${of.order_id}</strong> <${Badge} code=${of.status} /></p>
    <${Lines} of=${of.items} />
    <p class="total"><span>${words.total}</span><strong>${rupees(of.total)}</strong></p>
    <p class="soft">${moment(of.placed_at)}${of.tracking && ` · ${words.tracking} ${of.tracking.tracking_number}`}</p>
  </article>`;
}

function RefillList({ of }) {
  const refills = of.refills ?? of.items ?? [];
  return html`<article class="card"><ul class="items">${refills.map((item) => html`<li key=${item.product_id}>
    <div class="product"><strong>${item.product_name}</strong>${item.run_out_on && html`<span class="soft">${day(item.run_out_on)}</span>`}</div>
  </li>`)}</ul></article>`;
}

function Emergency({ of, words }) {
  return html`<article class="card emergency" role="alert">
    <p>${of.message}</p>
    <div class="buttons">${of.numbers.map((number) => html`<a class="button danger" href=${`tel:${number}`} key=${number}>${words.call} ${number}</a>`)}</div>
  </article>`;
}
