// Templates of the page: htm on preact.

import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);
export { render } from "preact";
export { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
