// The ledger of instruments: class, certificate and how long it still holds.

import { h } from './dom.js';
import { daemonNow, feed } from './feed.js';
import { daysBetween, instant } from './figures.js';
import { emptyNote, heading, sectionText } from './marks.js';
import { t } from './text.js';

const SOON_DAYS = 90;
const ORDER = ['expired', 'none', 'early', 'expiring', 'unknown', 'open', 'valid'];
const MARKS = {
  expired: 'bad',
  none: 'uncertain',
  early: 'uncertain',
  expiring: 'uncertain',
  unknown: 'uncertain',
  open: 'good',
  valid: 'good',
};
const TEXTS = {
  expired: 'expiredSince',
  none: 'noCertificate',
  early: 'notYetValid',
  expiring: 'expiresIn',
  unknown: 'validityUnknown',
  open: 'openEnd',
  valid: 'validDays',
};

/** The instruments, those that need something first. */
export function instrumentsView() {
  const rows = feed.status.devices.map((device) => ({ device, ...judged(device.instrument) }));
  if (rows.length === 0) return [heading(t('instruments')), emptyNote(t('noInstruments'))];
  rows.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.days ?? 0) - (b.days ?? 0));
  return h('section', {}, heading(t('instruments'), summary(rows)), table(rows));
}

/** How a certificate stands on a day (`2026-11-21`): its state and the days to or since the date that matters. */
export function certificateState(instrument, today) {
  if (!instrument?.certificate) return { state: 'none' };
  if (instrument.valid_from && instrument.valid_from > today)
    return { state: 'early', days: daysBetween(today, instrument.valid_from) };
  if (!instrument.valid_until) return { state: 'open' };
  const left = daysBetween(today, instrument.valid_until);
  if (left < 0) return { state: 'expired', days: -left };
  return { state: left <= SOON_DAYS ? 'expiring' : 'valid', days: left };
}

function judged(instrument) {
  const clockSet = feed.status.clock.state === 'set';
  if (!clockSet && instrument?.certificate) return { state: 'unknown' };
  return certificateState(instrument, instant(daemonNow()).date);
}

function summary(rows) {
  const count = (...states) => rows.filter(({ state }) => states.includes(state)).length;
  const parts = [
    ['bad', 'countExpired', count('expired')],
    ['uncertain', 'countExpiring', count('expiring')],
    ['uncertain', 'countNone', count('none')],
    ['good', 'countValid', count('valid', 'open')],
  ];
  return h(
    'span',
    { class: 'summary' },
    parts
      .filter(([, , n]) => n > 0)
      .map(([mark, key, n]) =>
        h('span', { class: `quality ${mark}` }, h('span', { class: `mark ${mark}` }), t(key, { n })),
      ),
  );
}

function table(rows) {
  const heads = ['instrument', 'maker', 'serial', 'class', 'place', 'certificate', 'validUntil', 'validity'];
  return h(
    'div',
    { class: 'card flat' },
    h(
      'table',
      { class: 'records instruments' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          heads.map((key) => h('th', { scope: 'col' }, t(key))),
        ),
      ),
      h('tbody', {}, rows.map(row)),
    ),
  );
}

function row({ device, state, days }) {
  const { instrument } = device;
  const field = (key, value, kind) =>
    h(
      'td',
      { 'data-label': t(key), class: kind ?? null },
      value || h('span', { class: 'missing' }, `— ${t('notStated')}`),
    );
  return h(
    'tr',
    { key: device.name, class: MARKS[state] },
    h('th', { scope: 'row' }, device.name),
    field('maker', [device.vendor, device.model].filter(Boolean).join(' ')),
    field('serial', instrument?.serial_number, 'num'),
    field('class', instrument?.class, 'num'),
    field('place', `${sectionText(device.section)} · ${device.link}`),
    field('certificate', instrument?.certificate, 'num'),
    field('validUntil', instrument?.valid_until, 'num'),
    h(
      'td',
      { 'data-label': t('validity') },
      h(
        'span',
        { class: `quality ${MARKS[state]}` },
        h('span', { class: `mark ${MARKS[state]}` }),
        t(TEXTS[state], { days }),
      ),
    ),
  );
}
