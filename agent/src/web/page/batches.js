// Production batches: on a time axis with one lane per section, and as records that open to their amounts.

import { batchAxis } from './batchaxis.js';
import { h } from './dom.js';
import { daemonNow, feed } from './feed.js';
import { countText, durationText, exactSum, shareText, timeText, twoDigits, unitText } from './figures.js';
import {
  carrierText,
  emptyNote,
  gradeMark,
  heading,
  lowestGrade,
  modelColour,
  qualityText,
  sectionText,
  segmented,
  valueWithUncertainty,
  worstQuality,
} from './marks.js';
import { named, t } from './text.js';

const RANGES = [
  [null, 'rangeAll'],
  [60, 'hour1'],
  [480, 'hours8'],
  [1440, 'hours24'],
  [10080, 'days7'],
];
const STATE_TEXTS = { open: 'batchOpen', closing: 'batchClosing', closed: 'batchClosed' };

const expanded = new Set();
let minutes = null;

/** The batches. */
export function batchesView() {
  if (feed.batches.length === 0) return h('section', {}, heading(t('batches')), emptyNote(t('noBatches')));
  const shown = feed.batches.filter(inRange);
  return h(
    'div',
    { class: 'batches' },
    h(
      'section',
      {},
      heading(
        t('batchAxis'),
        segmented(
          t('batchAxis'),
          RANGES.map(([value, key]) => [value, t(key)]),
          minutes,
          chooseRange,
        ),
      ),
      shown.length > 0 ? batchAxis(shown, minutes, reveal) : emptyNote(t('noneInRange')),
    ),
    h('section', {}, heading(t('batchTable')), shown.length > 0 ? table(shown) : emptyNote(t('noneInRange'))),
  );
}

function changed() {
  document.dispatchEvent(new Event('redraw'));
}

function chooseRange(value) {
  minutes = value;
  changed();
}

function inRange(batch) {
  return minutes === null || endOf(batch) >= daemonNow() - minutes * 60_000;
}

function endOf(batch) {
  return batch.closed ? Date.parse(batch.closed) : daemonNow();
}

function toggle(id) {
  if (!expanded.delete(id)) expanded.add(id);
  changed();
}

/** Opens a batch's record and brings it into sight. */
function reveal(id) {
  expanded.add(id);
  changed();
  requestAnimationFrame(() =>
    requestAnimationFrame(() =>
      document.getElementById(`batch-${id}`)?.scrollIntoView({ block: 'center', behavior: 'smooth' }),
    ),
  );
}

function table(shown) {
  const heads = ['batch', 'model', 'opened', 'duration', 'output', 'energies', 'worst'];
  const newestFirst = [...shown].sort((a, b) => Date.parse(b.opened) - Date.parse(a.opened));
  return h(
    'div',
    { class: 'card flat' },
    h(
      'table',
      { class: 'records batches' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          heads.map((key) => h('th', { scope: 'col' }, t(key))),
        ),
      ),
      h(
        'tbody',
        {},
        newestFirst.flatMap((batch) => [
          row(batch),
          expanded.has(batch.id) && amountsRow(batch, heads.length),
        ]),
      ),
    ),
  );
}

function row(batch) {
  const open = expanded.has(batch.id);
  const field = (key, kind, ...content) => h('td', { 'data-label': t(key), class: kind }, content);
  return h(
    'tr',
    {
      key: batch.id,
      id: `batch-${batch.id}`,
      class: `batch ${open ? 'expanded' : ''}`,
      onclick: (event) => event.target.closest('a, button') ?? toggle(batch.id),
    },
    h(
      'th',
      { scope: 'row' },
      h(
        'button',
        {
          type: 'button',
          class: 'expander',
          'aria-expanded': String(open),
          title: t('details'),
          onclick: () => toggle(batch.id),
        },
        h('i', {}),
        h('span', { class: 'num' }, batch.id),
      ),
      stateMark(batch),
    ),
    field(
      'model',
      'model',
      h(
        'span',
        { class: 'model-name' },
        h('span', { class: `swatch ${modelColour(batch.model)}` }),
        batch.model,
      ),
      h('small', {}, batch.sections.map(sectionText).join(' · ')),
    ),
    field(
      'opened',
      'num nowrap',
      timeText(batch.opened, daemonNow()),
      h('small', {}, batch.closed ? `→ ${timeText(batch.closed, daemonNow())}` : t('notYet')),
    ),
    field('duration', 'num nowrap', durationText(endOf(batch) - Date.parse(batch.opened))),
    field('output', 'num nowrap', output(batch)),
    field('energies', 'totals', totals(batch)),
    field('worst', 'worst', worst(batch)),
  );
}

function stateMark(batch) {
  return h(
    'small',
    {},
    h('span', { class: `batch-state ${batch.state}` }, t(STATE_TEXTS[batch.state] ?? batch.state)),
    batch.revision > 0 && h('span', { class: 'revision' }, t('revision', { n: batch.revision })),
  );
}

function output(batch) {
  if (batch.good === null)
    return h('span', { class: 'missing' }, `— ${batch.state === 'open' ? t('notYet') : t('notStated')}`);
  return [
    countText(batch.good),
    h('span', { class: 'of' }, ` / ${batch.rejected === null ? '—' : countText(batch.rejected)}`),
  ];
}

function totals(batch) {
  if (batch.amounts.length === 0) return h('span', { class: 'missing' }, `— ${t('noAmounts')}`);
  const groups = new Map();
  for (const amount of batch.amounts) {
    const key = `${amount.carrier}/${amount.unit}`;
    groups.set(key, [...(groups.get(key) ?? []), amount]);
  }
  return h(
    'ul',
    {},
    [...groups].map(([key, amounts]) =>
      h('li', { key }, h('span', { class: 'carrier' }, named(amounts[0].carrier)), total(amounts)),
    ),
  );
}

function total(amounts) {
  const missing = amounts.filter((amount) => amount.value === null);
  if (missing.length > 0) {
    const reasons = missing
      .map((amount) => `${amount.device}: ${amount.reason ? named(amount.reason) : t('noReason')}`)
      .join('; ');
    return h(
      'span',
      { class: 'missing bad', title: reasons },
      `— ${t('missingOf', { n: missing.length, all: amounts.length })}`,
    );
  }
  const sum = exactSum(amounts.map((amount) => amount.value));
  return sum === null
    ? h('span', { class: 'missing' }, '—')
    : valueWithUncertainty(sum, expandedOf(amounts), amounts[0].unit);
}

/** U (k = 2) of a sum: systematic parts of the same instrument add up, everything else by root sum of squares. */
function expandedOf(amounts) {
  const systematic = new Map();
  for (const { device, u_systematic: part } of amounts)
    systematic.set(device, (systematic.get(device) ?? 0) + part);
  return 2 * Math.hypot(...systematic.values(), ...amounts.map((amount) => amount.u_independent));
}

function worst(batch) {
  const measured = batch.amounts.filter((amount) => amount.coverage !== null);
  if (measured.length === 0) return h('span', { class: 'missing' }, '—');
  const quality = worstQuality(batch.amounts.map((amount) => amount.quality));
  const complete = batch.amounts.every((amount) => amount.value !== null);
  const grade = complete ? lowestGrade(batch.amounts.map((amount) => amount.grade)) : null;
  return [
    h(
      'span',
      { class: `quality ${quality}` },
      h('span', { class: `mark ${quality}` }),
      h('span', { class: 'num' }, shareText(Math.min(...measured.map((amount) => amount.coverage)))),
    ),
    gradeMark(grade),
  ];
}

function amountsRow(batch, columns) {
  const heads = [
    ['carrier'],
    ['section'],
    ['device'],
    ['amount', 'right'],
    ['expanded', 'right'],
    ['systematic', 'right'],
    ['independent', 'right'],
    ['coverage', 'right'],
    ['quality'],
    ['grade'],
  ];
  const contents =
    batch.amounts.length === 0
      ? emptyNote(t('noAmounts'))
      : h(
          'table',
          { class: 'records amounts' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              heads.map(([key, kind]) => h('th', { scope: 'col', class: kind ?? null }, t(key))),
            ),
          ),
          h('tbody', {}, batch.amounts.map(amountRow)),
        );
  return h('tr', { key: `${batch.id}/amounts`, class: 'inner' }, h('td', { colspan: columns }, contents));
}

function amountRow(amount, place) {
  const unit = h('span', { class: 'unit' }, ` ${unitText(amount.unit)}`);
  const missing = amount.value === null;
  const field = (key, kind, ...content) => h('td', { 'data-label': t(key), class: kind || null }, content);
  const spread = (number) =>
    missing || number === null ? h('span', { class: 'missing' }, '—') : twoDigits(number);
  return h(
    'tr',
    { key: `${place}/${amount.device}/${amount.carrier}`, class: amount.quality },
    h('th', { scope: 'row' }, carrierText(amount.carrier, amount.source)),
    field('section', '', sectionText(amount.section)),
    field('device', '', amount.device),
    field('amount', 'right num', missing ? h('span', { class: 'missing bad' }, '—') : [amount.value, unit]),
    field('expanded', 'right num', missing ? null : '± ', spread(amount.expanded)),
    field('systematic', 'right num soft', spread(amount.u_systematic)),
    field('independent', 'right num soft', spread(amount.u_independent)),
    field('coverage', 'right num', shareText(amount.coverage)),
    field('quality', '', qualityText(amount.quality, amount.reason)),
    field('grade', '', missing ? h('span', { class: 'missing' }, '—') : gradeMark(amount.grade)),
  );
}
