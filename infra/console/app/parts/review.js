// Reviewing one thing that waits: a prescription beside its image, an order, an allergy that is to go.

import { html, useState } from "../html.js";
import { staffApi } from "../api.js";
import { useAction, useRead } from "../loading.js";
import { day, plural, rupees, sentence } from "../wording.js";
import { Badge, Dialog, Field, Notice, Problem, Table } from "./basic.js";
import { Deliveries } from "./order_way.js";
import { Finding } from "./turn.js";

const FREQUENCIES = ["once_daily", "twice_daily", "three_times_daily", "four_times_daily", "alternate_days", "once_weekly", "as_needed"];
const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

export function PrescriptionReview({ of, isPharmacist, onDone }) {
  const [form, setForm] = useState({ prescriber: of.prescriber ?? "", issued_on: of.issued_on ?? inDays(0), valid_until: of.valid_until ?? inDays(180) });
  const [items, setItems] = useState(() => (of.items.length ? of.items.map(asHandedIn) : of.suggested_items.map(asSuggested)));
  const [rejecting, setRejecting] = useState(false);
  const change = (name) => (event) => setForm({ ...form, [name]: event.target.value });
  const changeItem = (place, item) => setItems(items.map((one, other) => (other === place ? item : one)));
  const verify = useAction(async () => {
    const review = await staffApi.post(`/api/admin/prescriptions/${of.prescription_id}/verify`, { ...form, items: items.map(asRead) });
    onDone(html`<${Reviewed} of=${review} />`);
  });
  const submit = (event) => {
    event.preventDefault();
    verify.run();
  };
  return html`<header class="headline"><h2>${of.prescription_id}</h2><${Badge} code=${of.status} /> <span>${of.patient_name} <span class="id">${of.patient_id}</span></span></header>
    <p class="soft">${of.allergies === null ? "Allergies were not asked yet" : of.allergies.length ? `Allergic to ${of.allergies.join(", ")}` : "No allergies"} · handed in ${day(of.created_at)}${of.file ? "" : " without a file"}</p>
    ${of.file?.same_as?.length > 0 && html`<${Notice} tone="wait">The very same file came with ${of.file.same_as.join(", ")}.<//>`}
    <div class="beside">
      ${of.file && html`<${Document} of=${of} isPharmacist=${isPharmacist} />`}
      <form class="stack" onSubmit=${submit} aria-label="What the prescription says">
        <div class="fields">
          <${Field} label="Prescriber"><input required value=${form.prescriber} onInput=${change("prescriber")} /><//>
          <${Field} label="Issued on"><input type="date" required value=${form.issued_on} onInput=${change("issued_on")} /><//>
          <${Field} label="Valid until"><input type="date" required value=${form.valid_until} onInput=${change("valid_until")} /><//>
        </div>
        ${items.map((item, place) => html`<${PrescribedItem} key=${item.key} of=${item} place=${place} onChange=${(next) => changeItem(place, next)} onRemove=${() => setItems(items.filter((one) => one !== item))} />`)}
        <div><button type="button" class="small" onClick=${() => setItems([...items, { ...EMPTY, key: crypto.randomUUID() }])}>Add a medicine</button></div>
        <${Problem} error=${verify.error} />
        ${isPharmacist
          ? html`<div class="buttons"><button class="primary" disabled=${verify.busy || !items.length}>Verify</button><button type="button" class="danger" onClick=${() => setRejecting(true)}>Reject …</button></div>`
          : html`<p class="soft">Only a pharmacist verifies or rejects.</p>`}
      </form>
    </div>
    ${rejecting && html`<${Reasoned} title=${`Reject ${of.prescription_id}`} hint="The patient reads this." verb="Reject" onClose=${() => setRejecting(false)} act=${async (reason) => {
      const review = await staffApi.post(`/api/admin/prescriptions/${of.prescription_id}/reject`, { reason });
      onDone(html`<${Reviewed} of=${review} />`);
    }} />`}`;
}

const EMPTY = { ingredient: "", strength: "", units: "", repeats: 0, dosage_frequency: "once_daily", units_per_dose: 1 };
const asHandedIn = (item) => ({ ...EMPTY, ...item, key: crypto.randomUUID() });
const asSuggested = (item) => ({
  ...asHandedIn(Object.fromEntries(Object.entries(item).filter(([name, value]) => name in EMPTY && value !== null))),
  said: item.said,
  certain: item.is_certain,
  options: item.options,
});
const asRead = (item) => ({
  ingredient: item.ingredient,
  strength: item.strength,
  units: Number(item.units),
  repeats: Number(item.repeats),
  dosage_frequency: item.dosage_frequency,
  units_per_dose: Number(item.units_per_dose),
});

function PrescribedItem({ of, place, onChange, onRemove }) {
  const change = (name) => (event) => onChange({ ...of, [name]: event.target.value });
  return html`<fieldset class="prescribed">
    <legend>Medicine ${place + 1}</legend>
    ${of.said && html`<p class="soft small-text">Read: <q>${of.said}</q> ${of.certain ? html`<${Badge} tone="good">every word understood<//>` : html`<${Badge} tone="wait">check it<//>`} ${of.options?.length > 0 && ` May also be ${of.options.join(", ")}.`}</p>`}
    <div class="fields">
      <${Field} label="Ingredient"><input required value=${of.ingredient} onInput=${change("ingredient")} /><//>
      <${Field} label="Strength"><input required value=${of.strength} onInput=${change("strength")} /><//>
      <${Field} label="Units a fill"><input type="number" min="1" required value=${of.units} onInput=${change("units")} /><//>
      <${Field} label="Repeats"><input type="number" min="0" max="24" required value=${of.repeats} onInput=${change("repeats")} /><//>
      <${Field} label="How often"><select value=${of.dosage_frequency} onChange=${change("dosage_frequency")}>${FREQUENCIES.map((one) => html`<option value=${one} selected=${one === of.dosage_frequency}>${sentence(one)}</option>`)}</select><//>
      <${Field} label="Units a dose"><input type="number" min="0.25" step="0.25" required value=${of.units_per_dose} onInput=${change("units_per_dose")} /><//>
    </div>
    <button type="button" class="small quiet" onClick=${onRemove}>Remove medicine ${place + 1}</button>
  </fieldset>`;
}

function Document({ of, isPharmacist }) {
  const link = useRead(async () => (isPharmacist ? staffApi.get(of.file.link) : null), [of.prescription_id]);
  if (!isPharmacist) return html`<p class="soft">The file is shown to pharmacists only.</p>`;
  if (!link.data) return html`<div><${Problem} error=${link.error} /></div>`;
  return html`<figure class="document">
    ${of.file.content_type.startsWith("image/")
      ? html`<a href=${link.data.url} target="_blank" rel="noreferrer"><img src=${link.data.url} alt=${`Prescription ${of.prescription_id} as it was uploaded`} /></a>`
      : html`<a class="button" href=${link.data.url} target="_blank" rel="noreferrer">Open the PDF</a>`}
    <figcaption class="soft small-text">${of.file.content_type}, ${Math.ceil(of.file.size / 1024)} kB, uploaded by ${of.file.uploaded_by} ${day(of.file.uploaded_at)}. That you look at it is recorded.</figcaption>
    ${link.data.extracted_text && html`<details><summary>What a program read</summary><pre>${link.data.extracted_text}</pre></details>`}
  </figure>`;
}

// What became of a prescription, and of the orders that waited for it.
function Reviewed({ of }) {
  const verified = of.prescription.status === "verified";
  return html`<section class="card outcome" aria-label=${`Outcome of ${of.prescription.prescription_id}`}>
    <p class="headline"><strong>${of.prescription.prescription_id}</strong> <${Badge} code=${of.prescription.status} /> ${!verified && html`<span class="soft">${of.prescription.review_reason}</span>`}</p>
    <${Followed} of=${of.orders} />
  </section>`;
}

function Followed({ of }) {
  if (!of.length) return html`<p class="soft">No order waited for it.</p>`;
  return of.map(({ outcome, order, findings }) => html`<div key=${order.order_id} class="followed" data-order=${order.order_id}>
    <p class="headline"><strong>${order.order_id}</strong> <${Badge} code=${outcome} /> <span class="soft">${rupees(order.total_price)}</span></p>
    ${findings.map((one) => html`<${Finding} of=${one} named />`)}
    <${Deliveries} orderId=${order.order_id} />
  </div>`);
}

export function WaitingOrder({ of, isPharmacist, onDone, prescriptions, onOpen }) {
  const [overriding, setOverriding] = useState(null);
  const theirs = prescriptions.filter((one) => one.patient_id === of.patient_id);
  return html`<header class="headline"><h2>${of.order_id}</h2><${Badge} code=${of.status} /> <span>${of.patient_name} <span class="id">${of.patient_id}</span></span></header>
    <${Table} caption="What was ordered" keyOf=${(line) => line.product_id} rows=${of.items} columns=${[
      { name: "Product", of: (line) => html`${line.product_name} <span class="id">${line.product_id}</span>` },
      { name: "Directions", of: (line) => `${line.units_per_dose} × ${sentence(line.dosage_frequency).toLowerCase()}` },
      { name: "Packs", number: true, of: (line) => line.quantity },
      { name: "Price", number: true, of: (line) => rupees(line.line_total) },
    ]} />
    <h3>What was found, as of now</h3>
    ${of.findings.length === 0 && html`<p class="soft">Nothing stands against it.</p>`}
    ${of.findings.map((one) => html`<div class="finding-row" key=${`${one.product_id} ${one.rule} ${one.subject}`}><${Finding} of=${one} named />
      ${isPharmacist && isOverridable(one) && html`<button type="button" class="small" onClick=${() => setOverriding(one)}>Override …</button>`}</div>`)}
    ${theirs.length > 0 && html`<p>It may go on once a prescription is verified: ${theirs.map((one) => html`<button type="button" class="small" key=${one.prescription_id} onClick=${() => onOpen(one.prescription_id)}>Review ${one.prescription_id}</button> `)}</p>`}
    ${overriding && html`<${Reasoned} title=${`Let “${overriding.rule}” pass for ${of.patient_name}`} hint="It lasts until either prescription ends, and shows on every order it let pass." verb="Override" onClose=${() => setOverriding(null)} act=${async (reason) => {
      const body = { rule: overriding.rule, reason, ...(overriding.rule === "allergy:unrecognised" && { subject: overriding.subject }) };
      const done = await staffApi.post(`/api/admin/patients/${of.patient_id}/overrides`, body);
      onDone(html`<section class="card outcome" aria-label="Outcome of the override"><p>${overriding.rule} may pass until ${day(done.valid_until)}. ${plural(done.orders.length, "order")} looked at again.</p><${Followed} of=${done.orders} /></section>`);
    }} />`}`;
}

const isOverridable = (finding) => !finding.overridden && finding.waits && /^(interaction|condition|allergy:unrecognised)/.test(finding.rule);

export function AllergyRemoval({ of, isPharmacist, onDone }) {
  const [decision, setDecision] = useState(null);
  return html`<header class="headline"><h2>Allergy to ${of.allergy}</h2> <span>${of.patient_name} <span class="id">${of.patient_id}</span></span></header>
    <p>A newer profile lacks it; asked for by ${of.requested_by} ${day(of.requested_at)}. Until you decide it is checked as before.</p>
    ${isPharmacist && html`<div class="buttons"><button type="button" class="primary" onClick=${() => setDecision("keep")}>Keep …</button><button type="button" class="danger" onClick=${() => setDecision("remove")}>Remove …</button></div>`}
    ${decision && html`<${Reasoned} title=${`${sentence(decision)} the allergy to ${of.allergy}`} verb=${sentence(decision)} onClose=${() => setDecision(null)} act=${async (reason) => {
      await staffApi.put(`/api/admin/allergy-removals/${of.removal_id}`, { decision, reason });
      onDone(null);
    }} />`}`;
}

// Whatever is refused, let pass, held or recalled has a reason.
export function Reasoned({ title, hint, verb, act, onClose }) {
  const [reason, setReason] = useState("");
  const action = useAction(act);
  const submit = (event) => {
    event.preventDefault();
    action.run(reason);
  };
  return html`<${Dialog} title=${title} onClose=${onClose}><form class="stack" onSubmit=${submit}>
    <${Field} label="Reason" hint=${hint}><textarea required minlength="3" maxlength="500" rows="3" value=${reason} onInput=${(e) => setReason(e.target.value)}></textarea><//>
    <${Problem} error=${action.error} />
    <div class="buttons"><button class="primary" disabled=${action.busy}>${verb}</button></div>
  </form><//>`;
}
