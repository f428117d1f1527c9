// What the daemon says, and how fresh it is. Server-sent events carry the present; everything else is fetched.

const STALE_AFTER_MS = 5_000;
const RETRY_AFTER_MS = 3_000;
const RECONNECT_AFTER_MS = 15_000;
const FOOTPRINT_EVERY_MS = 15_000;

/** The last answers of the daemon and the state of the connection; all parts draw from here. */
export const feed = {
  /** "connecting" | "live" | "stale" | "lost" */
  connection: 'connecting',
  status: null,
  live: [],
  batches: [],
  footprint: null,
  /** Daemon's time (ms since 1970) at which the footprint was fetched. */
  footprintAt: null,
};

let source = null;
let subscribedAt = 0;
let receivedAt = null;
let footprintAskedAt = 0;
let changed = () => {};

/** Connects and calls `onChange` after every piece of news and, when there is none, once a second so that ages move. */
export function startFeed(onChange) {
  changed = onChange;
  subscribe();
  setInterval(watch, 1000);
}

/** The daemon's time now, in ms since 1970: its last statement plus what has passed here, at the speed of its clock. */
export function daemonNow() {
  if (!feed.status) return null;
  return Date.parse(feed.status.time) + silentFor() * (feed.status.speed ?? 1);
}

/** Milliseconds since the daemon last said anything, by this computer's clock. */
export function silentFor() {
  return receivedAt === null ? 0 : Math.max(0, Date.now() - receivedAt);
}

/** GET of a document of the daemon; rejects with a readable reason. */
export async function ask(path) {
  const reply = await fetch(path, { headers: { accept: 'application/json' }, cache: 'no-store' });
  if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
  return reply.json();
}

function subscribe() {
  source?.close();
  subscribedAt = Date.now();
  const current = new EventSource('api/events');
  source = current;
  current.addEventListener('open', askBatches);
  current.addEventListener('status', (event) => heard(() => takeStatus(JSON.parse(event.data))));
  current.addEventListener('live', (event) => heard(() => (feed.live = JSON.parse(event.data))));
  current.addEventListener('batches', (event) => heard(() => takeBatches(JSON.parse(event.data))));
  current.addEventListener('error', () => {
    setConnection('lost');
    if (current.readyState === EventSource.CLOSED) setTimeout(subscribe, RETRY_AFTER_MS);
  });
}

/** Runs `take`; an event that cannot be read counts as silence, and silence is shown. */
function heard(take) {
  try {
    take();
  } catch {
    return;
  }
  changed();
}

function takeStatus(status) {
  const restartedAsOther = feed.status && feed.status.version !== status.version;
  if (restartedAsOther) location.reload();
  feed.status = status;
  receivedAt = Date.now();
  feed.connection = 'live';
  if (feed.footprint === null) askFootprint();
}

function takeBatches(batches) {
  feed.batches = batches;
  askFootprint();
}

function askBatches() {
  ask('api/batches').then(
    (batches) => heard(() => takeBatches(batches)),
    () => {},
  );
}

function askFootprint() {
  footprintAskedAt = Date.now();
  ask('api/footprint').then(
    (footprint) => {
      feed.footprint = footprint;
      feed.footprintAt = daemonNow();
      changed();
    },
    () => {},
  );
}

function watch() {
  if (feed.connection === 'live' && silentFor() > STALE_AFTER_MS) setConnection('stale');
  const halfOpen =
    feed.connection === 'stale' && Date.now() - Math.max(receivedAt, subscribedAt) > RECONNECT_AFTER_MS;
  if (halfOpen) subscribe();
  if (feed.connection === 'live' && Date.now() - footprintAskedAt > FOOTPRINT_EVERY_MS) askFootprint();
  if (feed.connection !== 'live') changed();
}

function setConnection(state) {
  feed.connection = state;
  changed();
}
