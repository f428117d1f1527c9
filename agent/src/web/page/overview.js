// The first look: is everything running, and if not, what is wrong.

import { concerns } from './concerns.js';
import { h } from './dom.js';
import { daemonNow, feed } from './feed.js';
import { bytesText, countText, durationText, failureText, shareText, timeText } from './figures.js';
import { headline } from './footprint.js';
import { linksAndDevices } from './links.js';
import { emptyNote, heading, isUnfolded, modelColour, sectionText, unfoldButton } from './marks.js';
import { t } from './text.js';

const CONCERNS_SHOWN = 5;

/** The overview. */
export function overviewView() {
  return h(
    'div',
    { class: 'overview' },
    strip(),
    h(
      'div',
      { class: 'columns' },
      h('div', { class: 'wide' }, linksAndDevices()),
      h('div', { class: 'narrow' }, attention(), headlines(), running()),
    ),
  );
}

function strip() {
  const { links, devices, buffer, mqtt } = feed.status;
  const up = links.filter((link) => link.state === 'up').length;
  const answering = devices.filter((device) => device.state === 'good').length;
  return h(
    'section',
    { class: 'strip' },
    cell(
      t('stripLinks'),
      ratio(up, links.length),
      up === links.length ? t('noteAllUp') : t('noteDown', { n: links.length - up }),
      up < links.length && 'bad',
    ),
    cell(
      t('stripDevices'),
      ratio(answering, devices.length),
      deviceNote(),
      answering < devices.length && 'bad',
    ),
    cell(
      t('stripBacklog'),
      mqtt.configured ? countText(mqtt.backlog) : '—',
      brokerNote(),
      mqtt.configured && !mqtt.connected && 'bad',
    ),
    cell(
      t('stripAcknowledged'),
      mqtt.configured ? countText(mqtt.acknowledged) : '—',
      mqtt.configured ? shareOf(mqtt.acknowledged) : t('noteBrokerNone'),
    ),
    cell(t('stripStored'), countText(buffer.stored), t('noteDisk', { size: bytesText(buffer.disk_bytes) })),
    cell(
      t('stripBad'),
      countText(buffer.bad),
      buffer.stored > 0
        ? t('noteShare', { share: failureText(buffer.bad, buffer.stored) })
        : t('noteStoredNothing'),
    ),
    h('p', { class: 'as-of' }, t('asOf', { time: timeText(feed.status.time) })),
  );
}

function cell(label, figure, note, tone) {
  return h(
    'div',
    { class: `cell ${tone || ''}` },
    h('span', { class: 'label' }, label),
    h('span', { class: 'figure' }, figure),
    h('span', { class: 'note' }, note),
  );
}

function ratio(part, all) {
  return [part, h('span', { class: 'of' }, ` / ${all}`)];
}

function shareOf(count) {
  const { stored } = feed.status.buffer;
  return stored > 0 ? t('noteShare', { share: shareText(count / stored) }) : t('noteStoredNothing');
}

function deviceNote() {
  const count = (state) => feed.status.devices.filter((device) => device.state === state).length;
  const parts = [
    ['noteSilent', 'silent'],
    ['noteRefusing', 'refusing'],
    ['noteWaiting', 'waiting'],
  ];
  const notes = parts
    .filter(([, state]) => count(state) > 0)
    .map(([key, state]) => t(key, { n: count(state) }));
  return notes.length > 0 ? notes.join(' · ') : t('noteAllUp');
}

function brokerNote() {
  const { configured, connected, broker } = feed.status.mqtt;
  if (!configured) return t('noteBrokerNone');
  return t(connected ? 'noteBroker' : 'noteBrokerDown', { broker });
}

function attention() {
  const found = concerns();
  const shown = isUnfolded('concerns') ? found : found.slice(0, CONCERNS_SHOWN);
  const items = shown.map(({ severity, words, note, view }) =>
    h(
      'li',
      { class: severity },
      h(
        'a',
        { href: `#${view}` },
        h('span', { class: `mark ${severity}` }),
        h('span', {}, words, note && h('small', {}, note)),
      ),
    ),
  );
  const more =
    found.length > CONCERNS_SHOWN &&
    h(
      'li',
      {},
      unfoldButton(
        'concerns',
        isUnfolded('concerns') ? t('showFewer') : t('attMore', { n: found.length - CONCERNS_SHOWN }),
      ),
    );
  return h(
    'section',
    {},
    heading(t('attention')),
    h(
      'ul',
      { class: 'card attention' },
      items,
      more,
      found.length === 0 && h('li', { class: 'fine' }, h('span', { class: 'mark good' }), t('attentionNone')),
    ),
  );
}

function running() {
  const open = feed.batches.filter((batch) => batch.state !== 'closed');
  const items = open.map((batch) =>
    h(
      'a',
      { key: batch.id, class: 'card running', href: '#batches' },
      h('span', { class: `swatch ${modelColour(batch.model)}` }),
      h(
        'span',
        {},
        h('strong', {}, batch.id),
        ` ${batch.model}`,
        h('small', {}, batch.sections.map(sectionText).join(' · ')),
      ),
      h(
        'span',
        { class: 'since' },
        t(batch.state === 'open' ? 'batchOpen' : 'batchClosing'),
        h(
          'small',
          {},
          t('since', {
            time: timeText(batch.opened, daemonNow()),
            duration: durationText(
              (batch.closed ? Date.parse(batch.closed) : daemonNow()) - Date.parse(batch.opened),
            ),
          }),
        ),
      ),
    ),
  );
  return h('section', {}, heading(t('runningBatches')), items.length > 0 ? items : emptyNote(t('noRunning')));
}

function headlines() {
  const models = feed.footprint?.models ?? [];
  return h(
    'section',
    {},
    heading(t('footprint'), h('span', { class: 'stage' }, t('stageOnly'))),
    models.length > 0
      ? h(
          'div',
          { class: 'headlines' },
          models.map((model) =>
            h(
              'a',
              { key: model.model, class: 'card', href: '#footprint' },
              h(
                'span',
                { class: 'model-name' },
                h('span', { class: `swatch ${modelColour(model.model)}` }),
                model.model,
              ),
              headline(model),
            ),
          ),
        )
      : emptyNote(t('noFootprint')),
  );
}
