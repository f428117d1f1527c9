// The trend of one gauge: which one, over which time, and what it reads at the cursor.

import { drawChart, isZoomed, plain, sizeOf, unzoom, zoomBy } from './chart.js';
import { h } from './dom.js';
import { ask, daemonNow, feed } from './feed.js';
import { timeText, unitText } from './figures.js';
import { heading, qualityText, segmented } from './marks.js';
import { named, recall, remember, t } from './text.js';

const RANGES = [
  [15, 'minutes15'],
  [60, 'hour1'],
  [360, 'hours6'],
  [1440, 'hours24'],
];
const REFRESH_MS = 5_000;
const STORED = 'weighbridge.trend';

const shown = { device: null, channel: null, minutes: 60, trend: null, fault: null, readout: null };
let chart = null;
let host = null;
let zoomed = false;
let asked = 0;
let askedAt = 0;

/** Chooses the gauge that is drawn. */
export function chooseTrend(device, channel) {
  choose(device, channel);
  remember(STORED, JSON.stringify([device, channel]));
  changed();
}

/** The gauge that is drawn: `{ device, channel }`, or null. */
export function chosenTrend() {
  return shown.device === null ? null : shown;
}

/** Draws anew after a change of language or of light and dark. */
export function restyleTrend() {
  if (chart && host.isConnected) rebuild();
}

/** The panel with choice, ranges and chart. */
export function trendPanel() {
  const gauges = feed.live.filter((reading) => reading.kind === 'gauge');
  if (gauges.length === 0)
    return h('section', { key: 'trend' }, heading(t('trend')), h('p', { class: 'empty' }, t('trendNoGauge')));
  if (!gauges.some(isChosen)) chooseFirst(gauges);
  if (!zoomed && feed.connection === 'live' && Date.now() - askedAt > REFRESH_MS) refresh(false);
  return h(
    'section',
    { key: 'trend', class: 'trend' },
    heading(
      t('trend'),
      segmented(
        t('trend'),
        RANGES.map(([minutes, key]) => [minutes, t(key)]),
        shown.minutes,
        chooseRange,
      ),
    ),
    h(
      'div',
      { class: 'card' },
      h('div', { class: 'trend-head' }, picker(gauges), present(gauges.find(isChosen)), zoomButtons()),
      h('div', { class: 'chart', ref: attach }),
      footLine(),
    ),
  );
}

function changed() {
  document.dispatchEvent(new Event('redraw'));
}

function isChosen(reading) {
  return reading.device === shown.device && reading.channel === shown.channel;
}

function chooseFirst(gauges) {
  const power = gauges.find((reading) => reading.quality === 'good' && /power$/.test(reading.channel));
  const first = remembered(gauges) ?? power ?? gauges[0];
  choose(first.device, first.channel);
}

/** Another gauge never stands under the curve of the one before. */
function choose(device, channel) {
  Object.assign(shown, { device, channel, trend: null, fault: null, readout: null });
  clear();
  refresh(true);
}

function remembered(gauges) {
  const stored = recall(STORED);
  return stored === null
    ? undefined
    : gauges.find((reading) => JSON.stringify([reading.device, reading.channel]) === stored);
}

function picker(gauges) {
  const devices = [...new Set(gauges.map((reading) => reading.device))];
  const options = (device) =>
    gauges
      .filter((reading) => reading.device === device)
      .map((reading) => {
        const value = JSON.stringify([reading.device, reading.channel]);
        return h('option', { key: value, value }, `${device} · ${named(reading.channel)}`);
      });
  const take = (event) => chooseTrend(...JSON.parse(event.target.value));
  return h(
    'select',
    { 'aria-label': t('quantity'), value: JSON.stringify([shown.device, shown.channel]), onchange: take },
    devices.map((device) => h('optgroup', { key: device, label: device }, options(device))),
  );
}

function present(reading) {
  return h(
    'p',
    { class: 'present' },
    h(
      'span',
      { class: 'value' },
      reading.value ?? '—',
      h('span', { class: 'unit' }, ` ${unitText(reading.unit)}`),
    ),
    h(
      'span',
      { class: 'beside-value' },
      qualityText(reading.quality, reading.reason),
      h('time', { datetime: reading.time }, timeText(reading.time, daemonNow())),
    ),
  );
}

function zoomButtons() {
  const button = (key, sign, act) =>
    h('button', { type: 'button', title: t(key), 'aria-label': t(key), onclick: act }, sign);
  return h(
    'div',
    { class: 'zoom' },
    button('zoomOut', '−', () => chart && zoomBy(chart, 2)),
    button('zoomIn', '+', () => chart && zoomBy(chart, 0.5)),
    h('button', { type: 'button', disabled: !zoomed, onclick: () => chart && unzoom(chart) }, t('zoomReset')),
  );
}

function footLine() {
  if (shown.fault) return h('p', { class: 'readout fault' }, t('trendFailed', { why: shown.fault }));
  const good = valuesInSight();
  if (shown.trend && good.length === 0) return h('p', { class: 'readout' }, t('trendEmpty'));
  return h(
    'p',
    { class: 'readout' },
    h('span', { class: 'num' }, shown.readout ?? extent(good)),
    h('span', { class: 'help' }, t('trendHelp')),
  );
}

/** The good values between the ends of the axis as it is zoomed. */
function valuesInSight() {
  const { times = [], values = [] } = shown.trend ?? {};
  const { min = -Infinity, max = Infinity } = zoomed && chart ? chart.scales.x : {};
  return values.filter((value, place) => value !== null && times[place] >= min && times[place] <= max);
}

function extent(good) {
  if (good.length === 0) return ' ';
  const written = (value) => `${plain(value)} ${unitText(shown.trend.unit)}`.trim();
  return t('rangeOf', { min: written(Math.min(...good)), max: written(Math.max(...good)) });
}

function chooseRange(minutes) {
  shown.minutes = minutes;
  refresh(true);
  changed();
}

async function refresh(anew) {
  asked += 1;
  askedAt = Date.now();
  const mine = asked;
  if (anew) zoomed = false;
  const query = new URLSearchParams({ device: shown.device, channel: shown.channel, minutes: shown.minutes });
  try {
    const trend = await ask(`api/trend?${query}`);
    if (mine !== asked || (zoomed && !anew)) return;
    Object.assign(shown, { trend, fault: null });
    show(anew);
  } catch (error) {
    if (mine === asked) shown.fault = error.message;
  }
  changed();
}

function attach(element) {
  clear();
  host = element;
  new ResizeObserver(() => (chart ? chart.setSize(sizeOf(host)) : rebuild())).observe(element);
}

function clear() {
  chart?.destroy();
  chart = null;
  zoomed = false;
}

function show(anew) {
  if (!host?.isConnected) return;
  if (anew || !chart) rebuild();
  else chart.setData([shown.trend.times, shown.trend.values]);
}

function rebuild() {
  clear();
  if (shown.trend) chart = drawChart(host, shown.trend, { onCursor: readOut, onZoom: noteZoom });
}

function readOut(plot) {
  const place = plot.cursor.idx;
  const before = shown.readout;
  shown.readout = place === null || place === undefined ? null : readoutAt(plot, place);
  if (shown.readout !== before) changed();
}

function readoutAt(plot, place) {
  const value = plot.data[1][place];
  const at = timeText(new Date(plot.data[0][place] * 1000).toISOString());
  return `${at}   ${value === null ? `— ${t('bad')}` : `${plain(value)} ${unitText(shown.trend.unit)}`}`;
}

function noteZoom(plot) {
  zoomed = isZoomed(plot);
  changed();
}
