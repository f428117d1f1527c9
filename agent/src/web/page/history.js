// The recent past of every channel, for the small curves beside the live values: filled from the daemon once, then from what
// arrives.

import { h } from './dom.js';
import { ask } from './feed.js';
import { t } from './text.js';

const SPAN_S = 900;
const KEPT = 120;
const SPACING_S = SPAN_S / KEPT;
const AT_ONCE = 2;
const FILLED_AT_MOST = 200;
const WIDTH = 88;
const HEIGHT = 22;

/** A state has no curve: its numbers have no order. */
const CURVES = { counter: bars, gauge: line };

const pasts = new Map();
const queue = [];
let asking = 0;
let filled = 0;

/** Takes the present values into the past of their channels. */
export function takeIntoPast(live) {
  for (const reading of live) {
    const past = pastOf(reading);
    const at = Date.parse(reading.time) / 1000;
    if (past.times.at(-1) >= at) continue;
    if (past.times.at(-1) - past.times.at(-2) < SPACING_S) dropLast(past);
    past.times.push(at);
    past.values.push(reading.value === null ? null : Number(reading.value));
    trim(past);
  }
}

/** A small curve of the last quarter of an hour; a counter's shows how fast it grew between readings. */
export function sparkline(reading) {
  const past = pastOf(reading);
  fillOnce(reading, past);
  past.drawn ??= CURVES[reading.kind]?.(past) ?? [];
  const hint = reading.kind === 'counter' ? t('growth') : null;
  return h(
    'svg',
    { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' },
    hint && h('title', {}, hint),
    past.drawn.map(copied),
  );
}

function pastOf(reading) {
  const key = `${reading.device}/${reading.channel}`;
  if (!pasts.has(key)) pasts.set(key, { times: [], values: [], drawn: null, asked: false });
  return pasts.get(key);
}

function fillOnce(reading, past) {
  if (past.asked || reading.kind !== 'gauge' || filled >= FILLED_AT_MOST) return;
  past.asked = true;
  filled += 1;
  queue.push({ reading, past });
  fillNext();
}

function fillNext() {
  while (asking < AT_ONCE && queue.length > 0) fill(queue.shift());
}

async function fill({ reading, past }) {
  asking += 1;
  const query = new URLSearchParams({
    device: reading.device,
    channel: reading.channel,
    minutes: SPAN_S / 60,
  });
  try {
    join(past, await ask(`api/trend?${query}`));
  } catch {
    // the curve then begins with what has arrived since the page was opened
  } finally {
    asking -= 1;
    fillNext();
  }
}

function join(past, trend) {
  const before = past.times[0] ?? Infinity;
  const places = [];
  trend.times.forEach((time, place) => {
    const room =
      places.length === 0 || time - trend.times[places.at(-1)] >= SPACING_S || trend.values[place] === null;
    if (time < before && room) places.push(place);
  });
  past.times.unshift(...places.map((place) => trend.times[place]));
  past.values.unshift(...places.map((place) => trend.values[place]));
  trim(past);
}

function trim(past) {
  const old = Math.max(
    past.times.findIndex((time) => time > past.times.at(-1) - SPAN_S),
    past.times.length - KEPT,
    0,
  );
  past.times.splice(0, old);
  past.values.splice(0, old);
  past.drawn = null;
}

function dropLast(past) {
  past.times.pop();
  past.values.pop();
}

/** The description is kept between draws, its elements are not: each draw gets its own copy. */
function copied(node) {
  return { ...node };
}

function line({ times, values }) {
  const good = values.filter((value) => value !== null);
  if (good.length < 2) return [];
  const y = scaleOf(good);
  let pen = 'M';
  let path = '';
  times.forEach((time, place) => {
    if (values[place] === null) {
      pen = 'M';
      return;
    }
    path += `${pen}${xAt(time, times).toFixed(1)} ${y(values[place]).toFixed(1)}`;
    pen = 'L';
  });
  const last = values.at(-1);
  const end = last === null ? null : h('circle', { cx: WIDTH - 2, cy: y(last).toFixed(1), r: 1.8 });
  return [h('path', { d: path }), end].filter(Boolean);
}

/** A flat signal stays flat: the curve spans at least 1 % of the value. */
function scaleOf(good) {
  const low = Math.min(...good);
  const high = Math.max(...good);
  const middle = (low + high) / 2;
  const half = Math.max((high - low) / 2, Math.abs(middle) * 0.005, 1e-9);
  return (value) => HEIGHT / 2 - ((value - middle) / half) * (HEIGHT / 2 - 3);
}

function bars({ times, values }) {
  const rates = values.map((value, place) => rateBetween(times, values, place));
  const most = Math.max(...rates.filter((rate) => rate !== null));
  if (!(most > 0)) return [];
  return rates.flatMap((rate, place) => {
    if (rate === null) return [];
    const x = xAt(times[place], times);
    const width = Math.max(1, x - xAt(times[place - 1], times) - 0.8);
    const height = (rate / most) * (HEIGHT - 4);
    return [
      h('rect', {
        x: (x - width).toFixed(1),
        y: (HEIGHT - 1 - height).toFixed(1),
        width: width.toFixed(1),
        height: height.toFixed(1),
      }),
    ];
  });
}

/** Growth per second since the reading before; null where either is missing or the counter fell. */
function rateBetween(times, values, place) {
  const before = values[place - 1];
  if (before === undefined || before === null || values[place] === null || values[place] < before)
    return null;
  return (values[place] - before) / (times[place] - times[place - 1]);
}

function xAt(time, times) {
  const span = Math.min(SPAN_S, Math.max(120, times.at(-1) - times[0]));
  return WIDTH - 2 - ((times.at(-1) - time) / span) * (WIDTH - 4);
}
