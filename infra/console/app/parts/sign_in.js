// Signing in: of staff for the views that need it, of a patient to be tried.

import { html, useState } from "../html.js";
import { useAction } from "../loading.js";
import { signIn } from "../staff.js";
import { Field, Problem } from "./basic.js";

export function SignIn({ title, demo }) {
  const attempt = useAction(signIn);
  return html`<section class="sign-in card" aria-labelledby="sign-in">
    <h1 id="sign-in">${title}</h1>
    <p class="soft">For the staff of the pharmacy. What you may see and do is decided by your own rights, request by request.</p>
    <${Credentials} first="User name" type="text" attempt=${attempt} />
    ${demo && html`<div class="offer"><span class="soft">On this laptop:</span>
      ${demo.staff.map((one) => html`<button type="button" disabled=${attempt.busy} onClick=${() => attempt.run(one.username, one.password)}>${one.name}</button>`)}
    </div>`}
  </section>`;
}

export function Credentials({ first, type, attempt }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const submit = (event) => {
    event.preventDefault();
    attempt.run(name, password);
  };
  return html`<form class="stack" onSubmit=${submit}>
    <${Field} label=${first}><input type=${type} autocomplete="username" required value=${name} onInput=${(e) => setName(e.target.value)} /><//>
    <${Field} label="Password"><input type="password" autocomplete="current-password" required value=${password} onInput=${(e) => setPassword(e.target.value)} /><//>
    <${Problem} error=${attempt.error} />
    <div class="buttons"><button class="primary" disabled=${attempt.busy}>${attempt.busy ? "Signing in …" : "Sign in"}</button></div>
  </form>`;
}
