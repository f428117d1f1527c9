// Batches as bars on a time axis, one lane for each section that they run through.

import { h } from './dom.js';
import { daemonNow, feed } from './feed.js';
import { durationText, instant, timeText } from './figures.js';
import { modelColour, sectionText } from './marks.js';
import { t } from './text.js';

const STEPS_S = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];
const ROW = 22;
const ROW_GAP = 3;
const LANE_GAP = 10;
const FOOT = 34;
const RIGHT = 14;
const NARROW = 560;
const LETTER = 7.2;
const TICK_SPACE = 84;

let width = 0;

/** The axis over `batches`, over the last `minutes` or as far as they reach; `choose` is called with the batch pressed. */
export function batchAxis(batches, minutes, choose) {
  const time = span(batches, minutes);
  const lanes = lanesOf(batches);
  const frame = { ...time, left: width < NARROW ? 0 : 108, narrow: width < NARROW };
  const height = lanes.reduce((sum, lane) => sum + laneHeight(lane, frame), 0) + FOOT;
  const drawing =
    width > 0 &&
    h(
      'svg',
      { width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': t('batchAxis') },
      ticks(frame, height),
      placed(lanes, frame).map(([lane, top]) => laneOf(lane, top, frame, choose)),
      nowLine(frame, height),
    );
  return h(
    'div',
    { class: 'card axis' },
    h('div', { class: 'axis-host', ref: follow }, drawing),
    legend(batches),
  );
}

function follow(element) {
  new ResizeObserver(() => {
    if (width === element.clientWidth) return;
    width = element.clientWidth;
    document.dispatchEvent(new Event('redraw'));
  }).observe(element);
}

function span(batches, minutes) {
  const now = daemonNow();
  const ends = batches.map((batch) => (batch.closed ? Date.parse(batch.closed) : now));
  const first =
    minutes === null ? Math.min(...batches.map((batch) => Date.parse(batch.opened))) : now - minutes * 60_000;
  const last = minutes === null && batches.every((batch) => batch.closed) ? Math.max(...ends) : now;
  const margin = Math.max(1000, (last - first) * 0.02);
  return { first: minutes === null ? first - margin : first, last: last + margin, now };
}

function xOf(frame, ms) {
  const inner = width - frame.left - RIGHT;
  const share = (ms - frame.first) / (frame.last - frame.first);
  return frame.left + Math.min(1, Math.max(0, share)) * inner;
}

/** Sections in the site's order with their batches, overlapping ones in rows of their own. */
function lanesOf(batches) {
  const used = new Set(batches.flatMap((batch) => batch.sections));
  const known = feed.status.sections.map((section) => section.name).filter((name) => used.has(name));
  const names = [...known, ...[...used].filter((name) => !known.includes(name))];
  return names.map((name) => ({
    name,
    rows: rowsOf(batches.filter((batch) => batch.sections.includes(name))),
  }));
}

function rowsOf(batches) {
  const rows = [];
  for (const batch of [...batches].sort((a, b) => Date.parse(a.opened) - Date.parse(b.opened))) {
    const row = rows.find(
      (candidate) => Date.parse(candidate.at(-1).closed ?? Infinity) <= Date.parse(batch.opened),
    );
    if (row) row.push(batch);
    else rows.push([batch]);
  }
  return rows;
}

function laneHeight(lane, frame) {
  return (frame.narrow ? 16 : 0) + lane.rows.length * (ROW + ROW_GAP) + LANE_GAP;
}

function placed(lanes, frame) {
  let top = LANE_GAP / 2;
  return lanes.map((lane) => {
    const at = top;
    top += laneHeight(lane, frame);
    return [lane, at];
  });
}

function laneOf(lane, top, frame, choose) {
  const barsTop = top + (frame.narrow ? 16 : 0);
  const bottom = top + laneHeight(lane, frame) - LANE_GAP / 2;
  const label = frame.narrow ? { x: 2, y: top + 11 } : { x: 2, y: barsTop + ROW / 2 + 4.5 };
  return h(
    'g',
    { key: lane.name },
    h('line', { class: 'lane', x1: 0, x2: width, y1: bottom, y2: bottom }),
    h('text', { class: 'lane-name', ...label }, sectionText(lane.name)),
    lane.rows.map((row, place) =>
      row.map((batch) => bar(batch, barsTop + place * (ROW + ROW_GAP), frame, choose)),
    ),
  );
}

function bar(batch, y, frame, choose) {
  const x = xOf(frame, Date.parse(batch.opened));
  const end = xOf(frame, batch.closed ? Date.parse(batch.closed) : frame.now);
  const wide = Math.max(3, end - x - 1);
  const missing = batch.amounts.some((amount) => amount.value === null);
  const name =
    batch.id.length * LETTER + 10 < wide ? h('text', { x: x + 7, y: y + ROW / 2 + 4.2 }, batch.id) : null;
  const flag = missing && wide > 12 ? h('path', { class: 'flag', d: `M${x + wide - 9} ${y}h9v9z` }) : null;
  return h(
    'g',
    {
      key: batch.id,
      class: `bar ${batch.state} ${modelColour(batch.model)}`,
      role: 'button',
      tabindex: 0,
      onclick: () => choose(batch.id),
      onkeydown: (event) => event.key === 'Enter' && choose(batch.id),
    },
    h('title', {}, described(batch)),
    h('rect', { x, y, width: wide, height: ROW, rx: 2 }),
    flag,
    name,
  );
}

function described(batch) {
  const end = batch.closed ? timeText(batch.closed, daemonNow()) : t('notYet');
  const lasted = durationText(
    (batch.closed ? Date.parse(batch.closed) : daemonNow()) - Date.parse(batch.opened),
  );
  return `${batch.id} · ${batch.model}\n${timeText(batch.opened, daemonNow())} → ${end} (${lasted})`;
}

function ticks(frame, height) {
  const room = Math.max(2, Math.floor((width - frame.left) / TICK_SPACE));
  const step =
    STEPS_S.find((candidate) => (frame.last - frame.first) / 1000 / candidate <= room) ?? STEPS_S.at(-1);
  let day = null;
  return siteTicks(frame, step * 1000).map((ms) => {
    const x = xOf(frame, ms);
    const at = instant(ms);
    const newDay = at.day !== day;
    day = at.day;
    return h(
      'g',
      { key: ms, class: 'tick' },
      h('line', { x1: x, x2: x, y1: 0, y2: height - FOOT + 5 }),
      h('text', { x, y: height - FOOT + 18 }, step < 60 ? at.time : at.minute),
      newDay && h('text', { class: 'day', x, y: height - 3 }, at.day),
    );
  });
}

/** Instants at whole steps of the site's own clock, so that days begin at its midnight. */
function siteTicks(frame, step) {
  const { date, time } = instant(frame.first);
  const shift = Date.parse(`${date}T${time}Z`) - Math.floor(frame.first / 1000) * 1000;
  const found = [];
  for (let ms = Math.ceil((frame.first + shift) / step) * step - shift; ms < frame.last; ms += step)
    found.push(ms);
  return found;
}

function nowLine(frame, height) {
  if (frame.now > frame.last) return null;
  const x = xOf(frame, frame.now);
  return h(
    'g',
    { key: 'now', class: 'now' },
    h('line', { x1: x, x2: x, y1: 0, y2: height - FOOT + 5 }),
    h('title', {}, t('now')),
  );
}

function legend(batches) {
  const models = [...new Set(batches.map((batch) => batch.model))].sort();
  return h(
    'ul',
    { class: 'legend' },
    models.map((model) =>
      h('li', { key: model }, h('span', { class: `swatch ${modelColour(model)}` }), model),
    ),
    h('li', {}, h('span', { class: 'swatch open' }), t('batchOpen')),
    h('li', {}, h('span', { class: 'swatch closing' }), t('batchClosing')),
  );
}
