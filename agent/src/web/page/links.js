// Links and the devices on them: load of the line, answer times and failures.

import { h } from './dom.js';
import { daemonNow, feed } from './feed.js';
import { countText, failureText, timeText } from './figures.js';
import { emptyNote, heading, isUnfolded, sectionText, unfoldButton } from './marks.js';
import { t } from './text.js';

const STATE_TEXTS = {
  good: 'stateGood',
  silent: 'stateSilent',
  refusing: 'stateRefusing',
  waiting: 'stateWaiting',
};
const STATE_MARKS = { good: 'good', silent: 'bad', refusing: 'bad', waiting: 'uncertain' };
const DEVICES_SHOWN = 12;

/** The links, each with its load, its counts and its devices. */
export function linksAndDevices() {
  const { links, devices } = feed.status;
  if (links.length === 0) return [heading(t('linksDevices')), emptyNote(t('noLinks'))];
  return [
    heading(t('linksDevices')),
    links.map((link) =>
      linkCard(
        link,
        devices.filter((device) => device.link === link.name),
      ),
    ),
  ];
}

function linkCard(link, devices) {
  const down = link.state !== 'up';
  return h(
    'article',
    { key: link.name, class: `card link ${down ? 'bad' : ''}` },
    h(
      'div',
      { class: 'link-head' },
      h(
        'div',
        { class: 'link-name' },
        h('span', { class: `mark ${down ? 'bad' : 'good'}` }),
        h('strong', {}, link.name),
        h('span', { class: 'port', title: link.port }, shortPort(link.port)),
      ),
      load(link),
      h(
        'dl',
        { class: 'counts' },
        count('exchanges', link.exchanges),
        count('failed', link.failed, link.failed > 0),
        count('refused', link.refused),
        count('dropped', link.dropped_bytes),
      ),
    ),
    down && h('p', { class: 'fault' }, `${t('down')} · ${link.reason ?? t('noReason')}`),
    devices.length > 0 && deviceTable(link.name, devices),
  );
}

/** The last part of a long by-path name; the whole is in the title. */
function shortPort(port) {
  return port.length > 28 ? `…${port.slice(-26)}` : port;
}

function load(link) {
  const percent = Math.min(100, link.busy_share * 100);
  const tone = percent > 80 ? 'high' : '';
  return h(
    'div',
    { class: `load ${tone}` },
    h('span', { class: 'label' }, t('busy')),
    h('span', { class: 'track' }, h('i', { style: `width:${percent.toFixed(1)}%` })),
    h('b', {}, `${Math.round(percent)} %`),
  );
}

function count(key, number, marked) {
  return h('div', { class: marked ? 'marked' : null }, h('dt', {}, t(key)), h('dd', {}, countText(number)));
}

/** A long list of devices shows those in trouble; the rest unfolds. */
function deviceTable(link, devices) {
  const folded = devices.length > DEVICES_SHOWN && !isUnfolded(link);
  const shown = folded ? devices.filter((device) => device.state !== 'good') : devices;
  const heads = ['device', 'state', 'answerTime', 'errorRate', 'lastAnswer'];
  return [
    shown.length > 0 &&
      h(
        'table',
        { class: 'devices' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            heads.map((key, place) => h('th', { class: place > 1 ? 'right' : null, scope: 'col' }, t(key))),
          ),
        ),
        h('tbody', {}, shown.map(deviceRow)),
      ),
    devices.length > DEVICES_SHOWN &&
      unfoldButton(link, folded ? t('showAllDevices', { n: devices.length }) : t('showFewer')),
  ];
}

function deviceRow(device) {
  const mark = STATE_MARKS[device.state] ?? 'bad';
  return h(
    'tr',
    { key: device.name, class: mark },
    h(
      'td',
      {},
      h('span', { class: 'device-name' }, device.name),
      h(
        'small',
        {},
        [device.vendor, device.model].filter(Boolean).join(' '),
        device.section && ` · ${sectionText(device.section)}`,
      ),
    ),
    h(
      'td',
      {},
      h(
        'span',
        { class: `quality ${mark}` },
        h('span', { class: `mark ${mark}` }),
        t(STATE_TEXTS[device.state] ?? device.state),
      ),
      mark !== 'good' && device.last_error && h('small', { class: 'error' }, device.last_error),
    ),
    h('td', { class: 'right num' }, device.answer_ms === null ? '—' : `${device.answer_ms.toFixed(1)} ms`),
    h(
      'td',
      { class: 'right num', title: `${device.failed} / ${device.exchanges}` },
      failureText(device.failed, device.exchanges),
    ),
    h('td', { class: 'right num' }, device.last_good ? timeText(device.last_good, daemonNow()) : t('never')),
  );
}
