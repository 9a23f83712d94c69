// Renewing a session, as the hosted service does it: one after the other. There a row lock sees to it; Lite reads the
// token, revokes it and makes the next without one, so that requests of one page that come at once make two next tokens,
// which Lite takes for theft.

export function renewalsInOrder(fetch) {
  let last = Promise.resolve();
  return (request, ...rest) => {
    const url = new URL(request.url);
    const renews = url.pathname.endsWith("/token") && url.searchParams.get("grant_type") === "refresh_token";
    if (!renews) return fetch(request, ...rest);
    const answer = last.then(() => fetch(request, ...rest));
    last = answer.then(() => {}, () => {});
    return answer;
  };
}
