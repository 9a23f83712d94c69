// What runs out when: the alerts of all patients, and one patient's medicines on a line of time.

import { html, useState } from "../html.js";
import { query, staffApi } from "../api.js";
import { useAction, useRead } from "../loading.js";
import { Badge, Choices, Dialog, Empty, Field, Notice, Problem, Shown } from "../parts/basic.js";
import { Supplies } from "../parts/charts.js";
import { day, plural, sentence, share } from "../wording.js";

const TABS = [["open", "Open"], ["snoozed", "Put off"], ["closed", "Closed"]];
const inDays = (days, from = Date.now()) => new Date(from + days * 86_400_000).toISOString().slice(0, 10);

export function Refills() {
  const [status, setStatus] = useState("open");
  const [patient, setPatient] = useState(null);
  const [doing, setDoing] = useState(null);
  const alerts = useRead(async () => (await staffApi.getPage(`/api/admin/refill-alerts${query({ status })}`)).content, [status]);
  const scan = useAction(async () => {
    const report = await staffApi.post("/api/admin/trigger-refill-scan");
    alerts.again();
    return report;
  });
  const after = () => {
    setDoing(null);
    alerts.again();
  };
  return html`<div class="view-head"><h1>Refills</h1>
      <div class="buttons"><${Choices} legend="Which alerts" name="alerts" value=${status} options=${TABS} onChange=${setStatus} />
      <button type="button" class="primary" disabled=${scan.busy} onClick=${() => scan.run()}>${scan.busy ? "Scanning …" : "Scan and send now"}</button></div></div>
    <${Problem} error=${scan.error} />
    ${scan.done && html`<div class="spaced"><${Notice} tone="good" role="status">${plural(scan.done.scanned, "patient")} scanned: ${plural(scan.done.alerts_created, "alert")} opened, ${scan.done.alerts_closed} closed, ${plural(scan.done.reminders, "reminder")} queued${scan.done.complete ? "." : "; the schedule does the rest."}<//></div>`}
    <${Problem} error=${alerts.error} />
    <${FindPatient} onFind=${setPatient} />
    ${patient && html`<${OnePatient} patientId=${patient} onClose=${() => setPatient(null)} key=${patient} />`}
    ${alerts.data && !alerts.data.length && html`<div class="card"><${Empty}>${status === "open" ? "Nobody’s medicine runs out soon." : "No such alerts."}<//></div>`}
    <div class="stack">${byPatient(alerts.data ?? []).map(([patientId, theirs]) => html`<section class="card" key=${patientId} aria-label=${theirs[0].patient_name}>
      <header class="headline"><h2>${theirs[0].patient_name}</h2><span class="id">${patientId}</span><button type="button" class="small quiet" aria-label=${`All medicines of ${theirs[0].patient_name}`} onClick=${() => setPatient(patientId)}>All medicines</button></header>
      <${Supplies} label=${`What runs out for ${theirs[0].patient_name}`} rows=${theirs.map((alert) => ({
        key: alert.alert_id,
        name: alert.product_name,
        from: alert.days_left < 0 ? alert.run_out_on : inDays(0),
        to: alert.days_left < 0 ? inDays(0) : alert.run_out_on,
        tone: alert.status === "closed" ? "plain" : alert.days_left < 0 ? "bad" : "wait",
        detail: html`<${Left} days=${alert.days_left} on=${alert.run_out_on} /> ${alert.advice && html`<${Badge} tone="plain">${sentence(alert.advice)}<//>`} <span class="soft small-text">adherence ${share(alert.pdc_90)}${alert.last_reminder !== null ? ` · reminded ${plural(alert.last_reminder, "day")} before` : ""}${alert.closed_reason ? ` · ${alert.closed_reason}` : ""}${alert.snoozed_until ? ` · put off until ${day(alert.snoozed_until)}` : ""}</span>`,
        actions: alert.status !== "closed" && html`<span class="buttons"><button type="button" class="small" aria-label=${`Put off ${alert.product_name} of ${alert.patient_name}`} onClick=${() => setDoing({ action: "snooze", alert })}>Put off …</button><button type="button" class="small" aria-label=${`Dismiss ${alert.product_name} of ${alert.patient_name}`} onClick=${() => setDoing({ action: "dismiss", alert })}>Dismiss …</button></span>`,
      }))} />
    </section>`)}</div>
    ${doing && html`<${Decide} of=${doing.alert} action=${doing.action} onDone=${after} onClose=${() => setDoing(null)} />`}`;
}

function byPatient(alerts) {
  const groups = new Map();
  for (const alert of alerts) groups.set(alert.patient_id, [...(groups.get(alert.patient_id) ?? []), alert]);
  return [...groups];
}

function Left({ days, on }) {
  return html`<${Badge} tone=${days < 0 ? "bad" : days <= 7 ? "wait" : "good"}>${days < 0 ? `out for ${plural(-days, "day")}` : days === 0 ? "out today" : `${plural(days, "day")} left`}<//> <span class="soft small-text">${day(on)}</span>`;
}

function FindPatient({ onFind }) {
  const [id, setId] = useState("");
  const submit = (event) => {
    event.preventDefault();
    onFind(id.trim().toUpperCase());
  };
  return html`<form class="find" onSubmit=${submit}><${Field} label="Look at a patient"><input required placeholder="PAT001" value=${id} onInput=${(e) => setId(e.target.value)} /><//><button>Look</button></form>`;
}

const TONES = { supplied: "good", due: "wait", overdue: "bad", discontinued: "plain", replaced: "plain" };

function OnePatient({ patientId, onClose }) {
  const read = useRead(async () => {
    const [person, { refills }] = await Promise.all([staffApi.get(`/api/patients/${encodeURIComponent(patientId)}`), staffApi.get(`/api/patients/${encodeURIComponent(patientId)}/refills`)]);
    return { person, refills };
  }, [patientId]);
  return html`<${Dialog} title=${`Medicines of ${read.data?.person.name ?? patientId}`} onClose=${onClose}><div class="body stack">
    <${Shown} of=${read}>${({ refills }) => refills.length
      ? html`<${Supplies} label="Supplies" rows=${refills.map((one) => ({
          key: one.product_id,
          name: one.product_name,
          from: one.last_bought_on,
          to: one.run_out_on,
          tone: TONES[one.status],
          detail: html`<${Badge} tone=${TONES[one.status]}>${sentence(one.status)}<//> <${Left} days=${one.days_left} on=${one.run_out_on} /><span class="soft small-text"> · ${one.units_per_dose} × ${sentence(one.dosage_frequency).toLowerCase()} · covered ${share(one.pdc_90)} of 90 days, ${share(one.pdc_180)} of 180</span>`,
        }))} />`
      : html`<${Empty}>Nothing is taken regularly.<//>`}<//>
  </div><//>`;
}

function Decide({ of, action, onDone, onClose }) {
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState(inDays(7));
  const [discontinued, setDiscontinued] = useState(false);
  const decide = useAction(async () => {
    await staffApi.post(`/api/admin/refill-alerts/${of.alert_id}/${action}`, action === "snooze" ? { until, reason } : { reason, discontinued });
    onDone();
  });
  const submit = (event) => {
    event.preventDefault();
    decide.run();
  };
  return html`<${Dialog} title=${`${action === "snooze" ? "Put off" : "Dismiss"} ${of.product_name} of ${of.patient_name}`} onClose=${onClose}><form class="stack" onSubmit=${submit}>
    ${action === "snooze"
      ? html`<${Field} label="Until"><input type="date" required min=${inDays(1)} max=${inDays(90)} value=${until} onInput=${(e) => setUntil(e.target.value)} /><//>`
      : html`<label class="check"><input type="checkbox" checked=${discontinued} onChange=${(e) => setDiscontinued(e.target.checked)} /> The patient takes it no more</label>`}
    <${Field} label="Reason"><textarea required minlength="3" maxlength="500" rows="2" value=${reason} onInput=${(e) => setReason(e.target.value)}></textarea><//>
    <${Problem} error=${decide.error} />
    <div class="buttons"><button class="primary" disabled=${decide.busy}>${action === "snooze" ? "Put off" : "Dismiss"}</button></div>
  </form><//>`;
}
