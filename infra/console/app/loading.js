// Reading from the API within a view: what was read, what went wrong, and how to read again.

import { useCallback, useEffect, useRef, useState } from "./html.js";
import { noticed } from "./staff.js";

// `read` is called again when one of `on` changes, and every `every` milliseconds while the page is looked at.
export function useRead(read, on = [], every = null) {
  const [state, setState] = useState({ data: null, error: null, loading: true });
  const turn = useRef(0);
  const again = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const data = await read();
      if (mine === turn.current) setState({ data, error: null, loading: false });
    } catch (error) {
      noticed(error);
      if (mine === turn.current) setState((was) => ({ data: was.data, error, loading: false }));
    }
  }, on);
  useEffect(() => {
    setState((was) => ({ ...was, loading: true }));
    again();
    return () => {
      turn.current++;
    };
  }, [again]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.hidden || again(), every);
    return () => clearInterval(timer);
  }, [again, every]);
  return { ...state, again };
}

// A list page by page: {rows, more, loading, error, showMore, again}. `read(cursor)` gives {rows, next}.
export function usePages(read, on = []) {
  const [state, setState] = useState({ rows: [], next: null, loading: true, error: null });
  const turn = useRef(0);
  const load = async (cursor, before) => {
    const mine = ++turn.current;
    setState((was) => ({ ...was, loading: true }));
    try {
      const { rows, next } = await read(cursor);
      if (mine === turn.current) setState({ rows: [...before, ...rows], next, loading: false, error: null });
    } catch (error) {
      noticed(error);
      if (mine === turn.current) setState((was) => ({ ...was, loading: false, error }));
    }
  };
  useEffect(() => {
    load(null, []);
    return () => {
      turn.current++;
    };
  }, on);
  return {
    ...state,
    more: state.next !== null && state.next !== undefined,
    showMore: () => load(state.next, state.rows),
    again: () => load(null, []),
  };
}

// Something that a button does: {run, busy, error, done}. A second press while it runs does nothing.
export function useAction(act) {
  const [state, setState] = useState({ busy: false, error: null, done: null });
  const running = useRef(false);
  const run = async (...given) => {
    if (running.current) return;
    running.current = true;
    setState({ busy: true, error: null, done: null });
    try {
      const done = await act(...given);
      setState({ busy: false, error: null, done: done ?? true });
    } catch (error) {
      noticed(error);
      setState({ busy: false, error, done: null });
    } finally {
      running.current = false;
    }
  };
  return { ...state, run };
}
