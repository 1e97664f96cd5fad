// Keeps the technician's list, her orders and our own files, for the shaft where there is no signal. Pages come from
// the server while it answers; what was kept is shown only when it does not, and says so by its banner.

const KEPT = "plantroom-1";
const WAIT_MS = 4000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => {
  const paths = Array.isArray(event.data?.keep) ? event.data.keep : [];
  event.waitUntil((async () => {
    for (const path of paths) {
      const answer = await fetch(path, { credentials: "same-origin" }).catch(() => null);
      if (answer?.ok && !answer.redirected) await keep(path, answer);
    }
  })());
});

async function keep(path, answer) {
  const cache = await caches.open(KEPT);
  const text = await answer.clone().text();
  await cache.put(path, answer);
  for (const [, url] of text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)) {
    if (!(await cache.match(url))) await cache.add(url).catch(() => {});
  }
}

async function page(request) {
  const path = new URL(request.url).pathname;
  const cache = await caches.open(KEPT);
  const halt = new AbortController();
  const kept = await cache.match(path);
  const timer = kept ? setTimeout(() => halt.abort(), WAIT_MS) : 0;
  try {
    const answer = await fetch(request, { signal: halt.signal });
    if (answer.ok && !answer.redirected && (path === "/my" || kept)) await cache.put(path, answer.clone());
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) {
    event.respondWith((async () => (await caches.match(event.request)) || fetch(event.request))());
  } else if (event.request.mode === "navigate" && (url.pathname === "/my" || /^\/work-orders\/[^/]+$/.test(url.pathname))) {
    event.respondWith(page(event.request));
  }
});
