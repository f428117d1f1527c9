// The present values, by section and device, below the trend of the one that is chosen.

import { h } from './dom.js';
import { daemonNow, feed } from './feed.js';
import { durationText, timeText, unitText } from './figures.js';
import { sparkline } from './history.js';
import { emptyNote, heading, qualityMark, sectionText } from './marks.js';
import { named, t } from './text.js';
import { chooseTrend, chosenTrend, trendPanel } from './trend.js';

const OLD_AFTER_MS = 10 * 60_000;

const filter = { words: '', onlyTrouble: false };

/** The live values. */
export function liveView() {
  const shown = feed.live.filter(passes);
  const groups = groupBy(shown, (reading) => reading.section ?? '');
  return h('div', { class: 'live' }, trendPanel(), heading(t('live'), filterBar()), contents(shown, groups));
}

function contents(shown, groups) {
  if (feed.live.length === 0) return emptyNote(t('noValues'));
  if (shown.length === 0) return emptyNote(t('noMatch'));
  const order = [...feed.status.sections.map((section) => section.name), ''];
  const names = [...groups.keys()].sort((a, b) => placeIn(order, a) - placeIn(order, b));
  return h(
    'div',
    { class: 'groups' },
    names.map((name) => sectionGroup(name, groups.get(name))),
  );
}

function placeIn(order, name) {
  const place = order.indexOf(name);
  return place < 0 ? order.length : place;
}

function filterBar() {
  const type = (event) => {
    filter.words = event.target.value;
    document.dispatchEvent(new Event('redraw'));
  };
  const press = () => {
    filter.onlyTrouble = !filter.onlyTrouble;
    document.dispatchEvent(new Event('redraw'));
  };
  return h(
    'div',
    { class: 'filter' },
    h('input', {
      type: 'search',
      value: filter.words,
      placeholder: t('filterPlaceholder'),
      'aria-label': t('filterPlaceholder'),
      oninput: type,
    }),
    h(
      'button',
      { type: 'button', 'aria-pressed': String(filter.onlyTrouble), onclick: press },
      t('onlyTrouble'),
    ),
  );
}

function passes(reading) {
  if (filter.onlyTrouble && reading.quality === 'good') return false;
  const text =
    `${reading.device} ${reading.channel} ${named(reading.channel)} ${sectionText(reading.section)}`.toLowerCase();
  return filter.words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function groupBy(list, keyOf) {
  const groups = new Map();
  for (const item of list) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function sectionGroup(name, readings) {
  const devices = groupBy(readings, (reading) => reading.device);
  const count = devices.size === 1 ? t('oneDevice') : t('devicesIn', { n: devices.size });
  return h(
    'section',
    { key: `section/${name}`, class: `group of-${Math.min(3, devices.size)}` },
    h('h3', {}, sectionText(name || null), h('small', {}, count)),
    h(
      'div',
      { class: 'cards' },
      [...devices].map(([device, list]) => deviceCard(device, list)),
    ),
  );
}

function deviceCard(name, readings) {
  const device = feed.status.devices.find((candidate) => candidate.name === name);
  const about = device && [device.vendor, device.model].filter(Boolean).join(' ');
  const grade = device?.instrument?.class;
  const silent = device && device.state !== 'good';
  return h(
    'article',
    { key: name, class: `card values ${silent ? 'bad' : ''}` },
    h(
      'header',
      {},
      h('strong', {}, name),
      h('small', {}, about, grade && ` · ${t('accuracyClass', { class: grade })}`),
      h(
        'small',
        { class: 'answered num' },
        device?.last_good ? timeText(device.last_good, daemonNow()) : t('attNever'),
      ),
    ),
    h('ul', {}, readings.map(row)),
  );
}

function row(reading) {
  const gauge = reading.kind === 'gauge';
  const chosen = chosenTrend();
  const current = gauge && chosen?.device === reading.device && chosen.channel === reading.channel;
  const choose = gauge ? () => chooseTrend(reading.device, reading.channel) : null;
  const parts = [
    qualityMark(reading.quality, reading.reason),
    h('span', { class: 'name', title: reading.channel }, named(reading.channel)),
    sparkline(reading),
    valueOf(reading),
    ageOf(reading),
  ];
  return h(
    'li',
    { key: reading.channel, class: `${reading.quality} ${current ? 'current' : ''}` },
    gauge
      ? h('button', { type: 'button', class: 'row', onclick: choose, 'aria-pressed': String(current) }, parts)
      : h('div', { class: 'row' }, parts),
    reading.quality !== 'good' && whyNot(reading),
  );
}

function valueOf(reading) {
  if (reading.value === null)
    return h(
      'span',
      { class: 'value missing' },
      '—',
      h('span', { class: 'unit' }, ` ${unitText(reading.unit)}`),
    );
  return h(
    'span',
    { class: 'value' },
    reading.value,
    h('span', { class: 'unit' }, ` ${unitText(reading.unit)}`),
  );
}

function ageOf(reading) {
  const age = daemonNow() - Date.parse(reading.time);
  return h(
    'time',
    {
      class: `age ${age > OLD_AFTER_MS ? 'old' : ''}`,
      datetime: reading.time,
      title: timeText(reading.time),
    },
    durationText(age),
  );
}

/** Why a value is missing or in doubt and, where it is missing, what was known last. */
function whyNot(reading) {
  const reason = `${t(reading.quality)} · ${reading.reason ? named(reading.reason) : t('noReason')}`;
  if (reading.value !== null) return h('p', { class: 'why' }, reason);
  const last = reading.last_good;
  const known = last
    ? t('lastGood', {
        value: `${last.value} ${unitText(reading.unit)}`.trim(),
        time: timeText(last.time, daemonNow()),
      })
    : t('lastGoodNone');
  return h('p', { class: 'why' }, reason, h('span', {}, known));
}
