// The production stage of each model's footprint: result, contributions with their uncertainty, effect of correlation.

import { h } from './dom.js';
import { feed } from './feed.js';
import { countText, pairText, timeText, twoDigits, unitText } from './figures.js';
import { carrierText, emptyNote, heading, modelColour, sectionText } from './marks.js';
import { t } from './text.js';

const DIFFERS_PERCENT = 5;

/** The footprints. */
export function footprintView() {
  const { models = [], missing = [] } = feed.footprint ?? {};
  return h(
    'div',
    { class: 'footprint' },
    h(
      'section',
      {},
      heading(t('footprint'), computedAt()),
      h('p', { class: 'statement' }, h('strong', {}, t('stageOnly')), h('span', {}, t('stageText'))),
    ),
    missing.length > 0 && notes('missing', t('missingTitle'), missing),
    models.length > 0 ? models.map(modelCard) : emptyNote(t('noFootprint')),
  );
}

/** `1.23 ± 0.06 kgCO₂e/piece` with its coverage factor, as the report states it. */
export function headline(model) {
  if (model.report?.E === undefined || model.report.E === null)
    return h('p', { class: 'headline missing' }, `— ${t('notStated')}`);
  return h(
    'p',
    { class: 'headline' },
    h('span', { class: 'figure' }, model.report.E, h('span', { class: 'pm' }, ` ± ${model.report.U ?? '—'}`)),
    h('span', { class: 'unit' }, t('perPiece')),
    h('small', {}, `k = 2 · U_rel ${percent(model.U_rel_pct)}`),
  );
}

function computedAt() {
  return (
    feed.footprintAt &&
    h(
      'span',
      { class: 'as-of' },
      t('computedAt', { time: timeText(new Date(feed.footprintAt).toISOString()) }),
    )
  );
}

function percent(number) {
  return number === null || number === undefined ? '—' : `${number.toFixed(1)} %`;
}

function modelCard(model) {
  return h(
    'article',
    { key: model.model, class: 'card model' },
    h(
      'header',
      {},
      h(
        'div',
        {},
        h('h3', {}, h('span', { class: `swatch ${modelColour(model.model)}` }), model.model),
        h('p', {}, model.specification),
        h('p', {}, h('span', { class: 'stage' }, t('stageOnly'))),
        h(
          'p',
          { class: 'soft' },
          t('basedOn', { batches: countText(model.batches), good: countText(model.good) }),
        ),
      ),
      headline(model),
      correlation(model),
    ),
    model.rows.length > 0 && contributions(model),
    model.warnings.length > 0 && notes('warnings', t('warnings'), model.warnings),
  );
}

function notes(kind, title, list) {
  return h(
    'div',
    { class: `notes ${kind}` },
    h('strong', {}, title),
    h(
      'ul',
      {},
      list.map((note) => h('li', {}, note)),
    ),
  );
}

function contributions(model) {
  const rows = [...model.rows].sort((a, b) => Math.abs(b.E) - Math.abs(a.E));
  const scale = scaleOf(rows);
  const heads = ['rowName', 'emission', '', 'share', 'usedQuantity', 'factor'];
  return h(
    'table',
    { class: 'records contributions' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        heads.map((key, place) =>
          h('th', { scope: 'col', class: [3, 4].includes(place) ? 'right' : null }, key && t(key)),
        ),
      ),
    ),
    h(
      'tbody',
      {},
      rows.map((row) => contribution(row, scale)),
    ),
  );
}

function contribution(row, scale) {
  const pair = pairText(row.E, 2 * row.u);
  return h(
    'tr',
    { key: row.id },
    h('th', { scope: 'row' }, carrierText(row.carrier, row.source), h('small', {}, sectionText(row.section))),
    h(
      'td',
      { 'data-label': t('emission'), class: 'num nowrap' },
      pair.value,
      h('span', { class: 'pm' }, pair.expanded === null ? '' : ` ± ${pair.expanded}`),
    ),
    h('td', { class: 'bar-cell' }, whiskerBar(row, scale)),
    h('td', { 'data-label': t('share'), class: 'right num nowrap' }, percent(row.share_pct)),
    h(
      'td',
      { 'data-label': t('usedQuantity'), class: 'right num nowrap soft' },
      row.quantity ?? '—',
      h('span', { class: 'unit' }, ` ${unitText(row.unit)}`),
    ),
    h('td', { 'data-label': t('factor'), class: 'soft' }, row.factor),
  );
}

/** Percent positions of emissions, with room for the longest whisker and for credits below zero. */
function scaleOf(rows) {
  const low = Math.min(0, ...rows.map((row) => row.E - 2 * row.u));
  const high = Math.max(1e-12, ...rows.map((row) => row.E + 2 * row.u));
  return (emission) => ((emission - low) / (high - low)) * 100;
}

function whiskerBar(row, scale) {
  const [from, to] = [scale(Math.min(0, row.E)), scale(Math.max(0, row.E))];
  const [low, high] = [scale(row.E - 2 * row.u), scale(row.E + 2 * row.u)];
  return h(
    'svg',
    { class: 'whisker-bar', width: '100%', height: 22, 'aria-hidden': 'true' },
    h('line', { class: 'zero', x1: `${scale(0)}%`, x2: `${scale(0)}%`, y1: 0, y2: 22 }),
    h('rect', {
      class: row.carrier === 'electricity' ? 'energy' : 'material',
      x: `${from}%`,
      y: 5,
      width: `${to - from}%`,
      height: 12,
    }),
    h('line', { class: 'whisker', x1: `${low}%`, x2: `${high}%`, y1: 11, y2: 11 }),
    [low, high].map((at) => h('line', { class: 'whisker', x1: `${at}%`, x2: `${at}%`, y1: 7, y2: 15 })),
  );
}

function correlation(model) {
  const { E, u_document: independent, u_correlated: together } = model;
  if (!(independent > 0) || !(together > 0)) return null;
  const reach = 2.3 * Math.max(independent, together);
  const at = (value) => ((value - E + reach) / (2 * reach)) * 100;
  const differs = (Math.abs(together - independent) / independent) * 100;
  const verdict = t(differs > DIFFERS_PERCENT ? 'correlationDiffers' : 'correlationAgrees', {
    percent: differs.toFixed(0),
  });
  return h(
    'div',
    { class: 'correlation' },
    h('strong', {}, t('correlation')),
    interval(t('document'), independent, E, at, 'document'),
    interval(t('correlated'), together, E, at, 'correlated'),
    h('p', { class: differs > DIFFERS_PERCENT ? 'differs' : 'soft' }, verdict),
  );
}

function interval(label, u, E, at, kind) {
  const [low, middle, high] = [at(E - 2 * u), at(E), at(E + 2 * u)];
  return h(
    'div',
    { class: `interval ${kind}` },
    h('span', { class: 'label' }, label),
    h(
      'svg',
      { width: '100%', height: 14, 'aria-hidden': 'true' },
      h('line', { x1: `${low}%`, x2: `${high}%`, y1: 7, y2: 7 }),
      [low, high].map((x) => h('line', { x1: `${x}%`, x2: `${x}%`, y1: 2, y2: 12 })),
      h('circle', { cx: `${middle}%`, cy: 7, r: 3 }),
    ),
    h('span', { class: 'num' }, `U = ${twoDigits(2 * u)}`),
  );
}
