// Try: be a patient, talk to the agent, and see beside it how each turn went.

import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { asPatient, Refused } from "../api.js";
import { useAction, useRead } from "../loading.js";
import { Choices, Empty, Notice, Problem } from "../parts/basic.js";
import { Card } from "../parts/cards.js";
import { Credentials } from "../parts/sign_in.js";
import { Turn } from "../parts/turn.js";
import { LANGUAGES, phrases, SAMPLES } from "../phrases.js";

const KEPT = "nexus.tried";

export function Try({ demo, staff }) {
  const [person, setPerson] = useState(null);
  const choose = useAction(async (email, password) => setPerson(await asPatient(email, password)));
  useEffect(() => {
    const before = demo?.patients.find((one) => one.patient_id === sessionStorage.getItem(KEPT));
    if (before) choose.run(before.email, demo.password);
  }, []);
  const leave = () => {
    sessionStorage.removeItem(KEPT);
    setPerson(null);
  };
  if (person) return html`<${Conversation} person=${person} demo=${demo} staff=${staff} onLeave=${leave} key=${person.patientId} />`;
  return html`<section class="choose-patient" aria-labelledby="choose">
    <h1 id="choose">Try it as a patient</h1>
    <p class="lead">Order by chat in English, Hindi or Marathi. Beside the conversation you see what was understood, what was checked against which rule, and where the order is.</p>
    <${Problem} error=${choose.error} />
    ${demo
      ? html`<ul class="people">${demo.patients.map((one) => html`<li key=${one.patient_id}>
          <button type="button" class="person" disabled=${choose.busy} onClick=${() => {
            sessionStorage.setItem(KEPT, one.patient_id);
            choose.run(one.email, demo.password);
          }}>
            <span class="initials" aria-hidden="true">${initials(one.name)}</span>
            <span><strong>${one.name}</strong><span class="soft">${one.about}</span></span>
          </button></li>`)}</ul>`
      : html`<div class="card narrow"><${Credentials} first="E-mail" type="email" attempt=${choose} /></div>`}
  </section>`;
}

const initials = (name) => name.split(" ").map((part) => part[0]).join("").slice(0, 2);

let lastId = 0;
const spoken = (said) => ({ id: ++lastId, ...said });

function Conversation({ person, demo, staff, onLeave }) {
  const known = demo?.patients.find((one) => one.patient_id === person.patientId);
  const [language, setLanguage] = useState(known?.language ?? "en");
  const [messages, setMessages] = useState([]);
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(null);
  const [side, setSide] = useState("chat");
  const conversation = useRef(crypto.randomUUID());
  const profile = useRead(() => person.api.get("/api/patients/me"), [person]);
  const log = useRef(null);
  const input = useRef(null);
  const add = (said) => setMessages((before) => [...before, spoken(said)]);

  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight, behavior: "smooth" });
  }, [messages, busy]);

  const turn = async (act) => {
    if (busy) return;
    setBusy(true);
    const started = performance.now();
    try {
      const answer = await act();
      const said = spoken({ by: "agent", ...answer, took: performance.now() - started });
      setMessages((before) => [...before, said]);
      setShown(said.id);
    } catch (error) {
      if (error.status === 401) onLeave();
      add({ by: "problem", text: error.message });
    } finally {
      setBusy(false);
    }
  };

  const say = (text) => turn(async () => {
    add({ by: "patient", text });
    const answer = await person.api.post("/api/chat", { message: text, language, conversation_id: conversation.current });
    return { text: answer.reply, card: answer.card_data, trace: answer.trace_id, thinking: answer.thinking };
  });

  // The button places the very card it is on, by its digest; a "yes" that is typed places the one shown last.
  const confirm = (card) => turn(async () => {
    add({ by: "patient", text: phrases(language).confirm });
    try {
      const order = await person.api.post("/api/orders", { proposal_id: card.proposal_id, digest: card.digest }, card.proposal_id);
      return { text: "", card: placed(order, language), trace: order.trace_id, thinking: [] };
    } catch (error) {
      if (!(error instanceof Refused) || !error.problem.trace_id) throw error;
      if (error.code === "profile_incomplete") {
        const answer = await person.api.post("/api/chat", { message: phrases(language).confirm, language, conversation_id: conversation.current });
        return { text: answer.reply, card: answer.card_data, trace: answer.trace_id, thinking: answer.thinking };
      }
      return { text: error.message, card: error.problem.card, trace: error.problem.trace_id, thinking: [] };
    }
  });

  const afresh = () => {
    conversation.current = crypto.randomUUID();
    setMessages([]);
    setShown(null);
  };

  const send = (event) => {
    event.preventDefault();
    const text = input.current.value.trim();
    if (!text || busy) return;
    input.current.value = "";
    say(text);
  };

  const answers = messages.filter((one) => one.by === "agent");
  const looked = answers.find((one) => one.id === shown) ?? answers.at(-1);
  const latest = messages.at(-1);

  return html`<h1 class="unseen">Try it as ${person.name}</h1>
  <div class="try-bar">
    <div class="who">
      <button type="button" class="icon back" aria-label="Choose another patient" onClick=${onLeave}>←</button>
      <span class="initials" aria-hidden="true">${initials(person.name)}</span>
      <div><strong>${person.name}</strong> <span class="id">${person.patientId}</span><${About} of=${profile.data} /></div>
    </div>
    <${Choices} legend="Language of the replies" name="language" value=${language} options=${LANGUAGES} onChange=${setLanguage} />
    <button type="button" class="quiet" onClick=${afresh}>Start over</button>
  </div>
  <div class="sides"><${Choices} legend="What is shown" name="side" value=${side} options=${[["chat", "Conversation"], ["turn", "How it went"]]} onChange=${setSide} /></div>
  <div class=${`try-columns shows-${side}`}>
    <section class="chat" aria-label="Conversation">
      <div class="log" role="log" aria-live="polite" tabindex="0" aria-label="Messages" ref=${log} lang=${language}>
        ${!messages.length && html`<${Welcome} name=${person.name} language=${language} onSay=${say} />`}
        ${messages.map((one) => html`<${Message} key=${one.id} of=${one} isShown=${one === looked} onShow=${() => { setShown(one.id); setSide("turn"); }}
          live=${one === latest && !busy} language=${language} say=${say} confirm=${confirm} />`)}
        ${busy && html`<p class="bubble agent typing" aria-label="Nexus is thinking"><i></i><i></i><i></i></p>`}
      </div>
      <form class="composer" onSubmit=${send}>
        <label class="unseen" for="message">Message</label>
        <input id="message" ref=${input} maxlength="2000" autocomplete="off" placeholder=${phrases(language).placeholder} lang=${language} />
        <button class="primary" disabled=${busy}>Send</button>
      </form>
    </section>
    <aside class="turn-panel" aria-label="How the turn went">
      ${looked
        ? html`<${Turn} of=${looked} api=${person.api} staff=${staff} key=${looked.id} />`
        : html`<${Empty}>How each turn is understood, checked and carried out will be shown here.<//>`}
    </aside>
  </div>`;
}

// What is placed by the button looks as it does in the chat.
function placed(order, language) {
  const items = order.items.map((item) => ({ ...item, qty: item.quantity, price: item.unit_price }));
  const text = phrases(language)[order.status === "awaiting_pharmacist" ? "waits" : "placed"];
  return { type: "order_status", status: order.status, order_id: order.order_id, items, total: order.total_price, message: text };
}

function About({ of }) {
  if (!of) return null;
  const allergies = of.allergies === null ? "allergies not asked yet" : of.allergies.length ? `allergic to ${of.allergies.join(", ")}` : "no allergies";
  const told = [of.age === null ? "age not known" : `${of.age} years`, ...(of.conditions ?? []), allergies];
  return html`<div class="soft">${told.join(" · ")}</div>`;
}

function Welcome({ name, language, onSay }) {
  return html`<div class="welcome">
    <p>${phrases(language).hello.replace("{name}", name.split(" ")[0])}</p>
    <div class="samples">${SAMPLES[language].map((text) => html`<button type="button" class="chip" onClick=${() => onSay(text)}>${text}</button>`)}</div>
  </div>`;
}

function Message({ of, isShown, onShow, live, language, say, confirm }) {
  if (of.by === "problem") return html`<${Notice} tone="bad" role="alert">${of.text}<//>`;
  if (of.by === "patient") return html`<p class="bubble patient">${of.text}</p>`;
  // Some cards say everything there is to say.
  const says = of.card?.type === "clarification" ? of.card.question : ["order_status", "emergency"].includes(of.card?.type) ? "" : of.text;
  return html`<div class=${`said ${isShown ? "is-shown" : ""}`}>
    ${says && html`<p class="bubble agent">${says}</p>`}
    ${of.card && html`<${Card} of=${of.card} live=${live} language=${language} say=${say} confirm=${confirm} />`}
    <button type="button" class="how" aria-pressed=${isShown} onClick=${onShow}>How it went</button>
  </div>`;
}
