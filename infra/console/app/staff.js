// Who of the staff is signed in, as far as a page can know: the cookie itself is out of its reach.

import { useEffect, useState } from "./html.js";
import { staffApi } from "./api.js";

const KEPT = "nexus.staff";
const listeners = new Set();
let known = remembered();

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEPT));
  } catch {
    return null;
  }
}

function tell(person) {
  known = person;
  if (person) localStorage.setItem(KEPT, JSON.stringify(person));
  else localStorage.removeItem(KEPT);
  for (const listener of listeners) listener(person);
}

// {name, role}, or null when nobody is.
export function useStaff() {
  const [person, setPerson] = useState(known);
  useEffect(() => {
    listeners.add(setPerson);
    return () => listeners.delete(setPerson);
  }, []);
  return person;
}

export async function signIn(username, password) {
  const { name, role } = await staffApi.post("/api/admin/login", { username, password });
  tell({ name, role });
}

export async function signOut() {
  try {
    await staffApi.post("/api/auth/logout");
  } finally {
    tell(null);
  }
}

// To be told of every refusal: a session that has ended is known by it.
export function noticed(error) {
  if (error.status === 401) tell(null);
  return error;
}
