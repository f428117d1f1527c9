// Small marks that several parts share: quality, grade, a value with its uncertainty, the colour of a model.

import { h } from './dom.js';
import { pairText, unitText } from './figures.js';
import { feed } from './feed.js';
import { named, t } from './text.js';

const GRADES = ['low', 'lower', 'medium', 'higher', 'high'];
const GRADE_TEXTS = {
  high: 'gradeHigh',
  higher: 'gradeHigher',
  medium: 'gradeMedium',
  lower: 'gradeLower',
  low: 'gradeLow',
};
const MODEL_COLOURS = 6;

const unfolded = new Set();

/** A quality as a shape that reads without colour: disc, half disc, cross. */
export function qualityMark(quality, reason) {
  const spoken = reason ? `${t(quality)} · ${named(reason)}` : t(quality);
  return h('span', { class: `mark ${quality}`, title: spoken, role: 'img', 'aria-label': spoken });
}

/** A quality in words with its mark. */
export function qualityText(quality, reason) {
  const words = quality === 'good' ? t('good') : `${t(quality)} · ${reason ? named(reason) : t('noReason')}`;
  return h('span', { class: `quality ${quality}` }, qualityMark(quality, reason), words);
}

/** A grade of table 2 as a word and five steps. */
export function gradeMark(grade) {
  const level = GRADES.indexOf(grade) + 1;
  const steps = GRADES.map((_, step) => h('i', { class: step < level ? 'on' : null }));
  return h(
    'span',
    { class: `grade level-${level}` },
    h('span', { class: 'steps', 'aria-hidden': 'true' }, steps),
    gradeText(grade),
  );
}

/** The lowest of several grades, null if there is none. */
export function lowestGrade(grades) {
  const known = grades.filter((grade) => GRADES.includes(grade));
  return known.sort((a, b) => GRADES.indexOf(a) - GRADES.indexOf(b))[0] ?? null;
}

/** The worst of several qualities. */
export function worstQuality(qualities) {
  return ['bad', 'uncertain', 'good'].find((quality) => qualities.includes(quality)) ?? 'bad';
}

/** `12.35 ± 0.07 kWh`, rounded to the uncertainty. */
export function valueWithUncertainty(value, expanded, unit) {
  const pair = pairText(value, expanded);
  const spread = pair.expanded === null ? null : h('span', { class: 'pm' }, ` ± ${pair.expanded}`);
  return h('span', { class: 'num' }, pair.value, spread, h('span', { class: 'unit' }, ` ${unitText(unit)}`));
}

/** Name of a carrier, with its source where it has one. */
export function carrierText(carrier, source) {
  return source ? `${named(carrier)} · ${named(source)}` : named(carrier);
}

/** Title of a section by its name. */
export function sectionText(name) {
  if (!name) return t('sharedSection');
  return feed.status?.sections.find((section) => section.name === name)?.title ?? name;
}

/** Class of the colour that a model keeps all over the page. */
export function modelColour(name) {
  const place = feed.status?.models.findIndex((model) => model.name === name) ?? -1;
  return place < 0 ? 'model-other' : `model-${place % MODEL_COLOURS}`;
}

/** A choice of a few, one of them pressed. */
export function segmented(label, choices, chosen, choose) {
  const buttons = choices.map(([value, words]) =>
    h(
      'button',
      { type: 'button', 'aria-pressed': String(value === chosen), onclick: () => choose(value) },
      words,
    ),
  );
  return h('div', { class: 'segmented', role: 'group', 'aria-label': label }, buttons);
}

/** A heading with the page's graduated rule, and what stands to its right. */
export function heading(words, ...beside) {
  return h(
    'div',
    { class: 'heading' },
    h('h2', {}, words),
    h('span', { class: 'rule', 'aria-hidden': 'true' }),
    beside,
  );
}

/** Whether the long list of that name is shown whole. */
export function isUnfolded(name) {
  return unfolded.has(name);
}

/** A button that shows the long list of that name whole, or short again. */
export function unfoldButton(name, words) {
  const turn = () => {
    if (!unfolded.delete(name)) unfolded.add(name);
    document.dispatchEvent(new Event('redraw'));
  };
  return h('button', { type: 'button', class: 'unfold', onclick: turn }, words);
}

/** A statement that there is nothing, and why. */
export function emptyNote(words) {
  return h('p', { class: 'empty' }, words);
}

function gradeText(grade) {
  return GRADE_TEXTS[grade] ? t(GRADE_TEXTS[grade]) : grade || t('gradeNone');
}
